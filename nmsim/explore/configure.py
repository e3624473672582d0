"""Designs to records: the base files with the keys of one design in place."""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar

from nmsim import config
from nmsim.config import Document
from nmsim.cost.chip_file import load_chip, with_prices
from nmsim.cost.table import FOLDER as TECHNOLOGY
from nmsim.cost.table import CostTable, build_table
from nmsim.errors import ConfigError
from nmsim.explore.axis import Axis
from nmsim.explore.space import DesignSpace, Values
from nmsim.hardware.chip import ChipConfig
from nmsim.workload import WorkloadSpec

T = TypeVar("T")
WORKLOADS = "workloads"
SECTIONS = ("chip", "technology")
"""First parts of key paths; every other path is one of the workload file, as for `--set`."""


@dataclass(frozen=True)
class Configured:
    """What one design is made of."""

    chip: ChipConfig
    costs: CostTable
    workload: WorkloadSpec

    def with_chip(self, chip: ChipConfig) -> Self:
        """The same with another chip."""
        return replace(self, chip=chip)


@dataclass(frozen=True, eq=False)
class Configurator:
    """Builds the records of designs; plain data, so that workers read no configuration file.

    `technologies` holds every price table that a design may name.
    """

    space: DesignSpace
    place: str
    chip: Document
    workload: Document
    technologies: Mapping[str, Document]
    _built: dict[str, Any] = field(default_factory=dict, repr=False)
    """Workloads and tables built before, by their text: most designs share them."""

    @classmethod
    def of(cls, space: DesignSpace, document: Document, workload: Document | None = None) -> Self:
        """Read the base files of a space, and try every level of every axis on them.

        `workload` replaces the base's, for example by that of a finished run.

        Raises:
            ConfigError: a file is wrong; a key path begins with no known section; an axis has no valid level.
        """
        chip = load_chip(space.base.chip)
        workload = workload or config.load(config.find(WORKLOADS, space.base.workload))
        tables = {name: config.load(config.find(TECHNOLOGY, name)) for name in _tables(space, chip)}
        found = cls(space, document.source, chip, workload, tables)
        found._check(document)
        return found

    def _check(self, document: Document) -> None:
        """Raise if the base, or an axis whatever its level, is wrong."""
        self._build(self.space.base.values, document.place(("base", "values")))
        for index, axis in enumerate(self.space.axes):
            place = f"{document.place(('axes', index))}: axis '{axis.label}'"
            wrong: list[ConfigError] = []
            for level in axis.levels():
                try:
                    self.at_level(axis, level, place)
                except ConfigError as error:
                    wrong.append(error)
                else:
                    break
            else:
                raise wrong[0]

    def at_level(self, axis: Axis, level: Any, place: str = "") -> Configured:
        """The records of the base with one axis at a level; `ConfigError` if it does not go with the base."""
        return self._build({**self.space.base.values, **axis.assignments(level)}, place or self.place)

    def configure(self, values: Values) -> Configured:
        """The records of one design; `ConfigError` says which value does not go with which."""
        return self._build(self.space.assignments(values), f"{self.place}: this design")

    def workload_of(self, values: Values) -> WorkloadSpec:
        """The workload of one design."""
        return self._workload(self.space.assignments(values), f"{self.place}: this design")

    def _build(self, assignments: Mapping[str, Any], place: str) -> Configured:
        parts = _by_section(assignments, place)
        chip = config.build(ChipConfig, self.chip.with_values(parts["chip"], place))
        table = self.technologies[chip.technology]
        costs = self._memoised(build_table, table, parts["technology"], place)
        return Configured(with_prices(chip, costs), costs, self._workload(assignments, place))

    def _workload(self, assignments: Mapping[str, Any], place: str) -> WorkloadSpec:
        own = _by_section(assignments, place)["workload"]
        return self._memoised(_build_workload, self.workload, own, place)

    def _memoised(
        self, build: Callable[[Document], T], base: Document, assignments: dict[str, Any], place: str
    ) -> T:
        text = json.dumps([base.source, assignments], sort_keys=True)
        if text not in self._built:
            self._built[text] = build(base.with_values(assignments, place))
        found: T = self._built[text]
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_built": {}}


def _build_workload(document: Document) -> WorkloadSpec:
    return config.build(WorkloadSpec, document)


def _by_section(assignments: Mapping[str, Any], place: str) -> dict[str, dict[str, Any]]:
    """Assignments by section, `workload` among them, without the section's name."""
    parts: dict[str, dict[str, Any]] = {name: {} for name in (*SECTIONS, "workload")}
    for path, value in assignments.items():
        first, _, rest = path.partition(".")
        if first in SECTIONS and rest:
            parts[first][rest] = value
        elif first in WorkloadSpec.model_fields:
            parts["workload"][path] = value
        else:
            known = (*SECTIONS, *WorkloadSpec.model_fields)
            near = difflib.get_close_matches(first, known, n=1, cutoff=0.5)
            remedy = f"did you mean '{near[0]}'?" if near else f"it begins with one of {', '.join(known)}"
            raise ConfigError(f"{place}: key path '{path}' begins with no known section; {remedy}")
    return parts


def _tables(space: DesignSpace, chip: Document) -> list[str]:
    """Names of the price tables that designs of the space may use."""
    names = [chip.data.get("technology"), space.base.values.get("chip.technology")]
    for axis in space.axes:
        levels = axis.levels() if "chip.technology" in axis.paths else ()
        names += [axis.assignments(level).get("chip.technology") for level in levels]
    return list(dict.fromkeys(str(name) for name in names if name is not None))
