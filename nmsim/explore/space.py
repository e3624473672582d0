"""The design space: what is varied, what is demanded, what is wanted; one YAML file."""

import difflib
import json
from itertools import product
from math import inf, prod
from pathlib import PurePath
from typing import Any, Self

from pydantic import Field, model_validator

from nmsim import config
from nmsim.config import Document, Record
from nmsim.explore.axis import Axis
from nmsim.figures import AREA, ENERGY, LATENCY, METRICS, Better, Figure

SPACES = "arch_configs/spaces"
"""Folder of the shipped design spaces."""
MAX_GRID = 1_000_000

Values = tuple[Any, ...]
"""One design: a value per axis, in the order of the axes."""


def design_key(values: Values) -> str:
    """Text that is equal for equal designs only."""
    return json.dumps(values, sort_keys=True)


def _known_metric(name: str) -> None:
    if name not in METRICS:
        near = difflib.get_close_matches(name, METRICS, n=1, cutoff=0.4)
        remedy = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(METRICS)}"
        raise ValueError(f"metric '{name}' is not known; {remedy}")


def _no_repeat(names: list[str], message: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(message.format(twice))


class Base(Record):
    """What every design starts from."""

    chip: str = "edge-28nm"
    """Shipped name or path of a chip."""
    workload: str = "mnist-dense"
    """Shipped name or path of a workload."""
    rule: str | None = None
    """What is evaluated: `inference` or a learning rule; the workload's own rule if absent."""
    seed: int = Field(default=1, ge=0)
    """Seed of the training runs."""
    values: dict[str, Any] = Field(default_factory=dict)
    """Keys that differ from the files in every design, written as for an axis."""


class Constraint(Record):
    """A bound that a design must keep."""

    metric: str
    at_most: float | None = None
    at_least: float | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        _known_metric(self.metric)
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("a constraint needs 'at_most' or 'at_least', one of the two; add a bound")
        return self

    @property
    def text(self) -> str:
        """`area_mm2 <= 4`."""
        return (
            f"{self.metric} <= {self.at_most:g}"
            if self.at_most is not None
            else f"{self.metric} >= {self.at_least:g}"
        )

    def violation(self, value: float | None) -> float:
        """How far a figure is beyond the bound, relative to it: 0 if it keeps it, infinite if there is no figure."""
        if value is None:
            return float("inf")
        bound = self.at_most if self.at_most is not None else self.at_least or 0.0
        beyond = value - bound if self.at_most is not None else bound - value
        return max(0.0, beyond / (abs(bound) or 1.0))


class Objective(Record):
    """A metric to make small or large."""

    metric: str
    sense: Better | None = None
    """`min` or `max`; the metric's own good direction if absent."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"metric": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _known(self) -> Self:
        _known_metric(self.metric)
        return self

    @property
    def described(self) -> Figure:
        """The metric itself."""
        return METRICS[self.metric]

    @property
    def sign(self) -> int:
        """+1 if small is good, -1 if large is."""
        return 1 if (self.sense or self.described.better) == "min" else -1


def load_space(name: str) -> Document:
    """A space's file, by shipped name or path; its base chip and workload are looked up beside it first."""
    return with_base_beside(config.load(config.find(SPACES, name)))


def with_base_beside(document: Document) -> Document:
    """A space in which the files of its base are found from any folder, where they stand beside it."""
    return document.with_path_beside("base", "chip").with_path_beside("base", "workload")


class DesignSpace(Record):
    """Axes, constraints and objectives over a base chip and workload."""

    name: str
    description: str = ""
    base: Base = Base()
    axes: tuple[Axis, ...] = Field(min_length=1)
    must_fit: bool = False
    """Everything must live on the chip: a design that keeps data in DRAM is infeasible."""
    constraints: tuple[Constraint, ...] = ()
    objectives: tuple[Objective, ...] = Field(
        default=(Objective(metric=ENERGY.name), Objective(metric=LATENCY.name), Objective(metric=AREA.name)),
        min_length=1,
    )

    def identity(self) -> Self:
        """The same space in any folder: its base files count by name here, and a study hashes them."""
        names = {"chip": PurePath(self.base.chip).name, "workload": PurePath(self.base.workload).name}
        return self.model_copy(update={"base": self.base.model_copy(update=names)})

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        labels = [axis.label for axis in self.axes]
        _no_repeat(labels, "axis '{}' appears twice; give one of them another name")
        taken = sorted({*labels} & {*METRICS, "design", "model", "status", "reason", "numerics"})
        if taken:
            raise ValueError(
                f"axis name '{taken[0]}' is a column of the results already; give the axis another name"
            )
        _no_repeat(
            [path for axis in self.axes for path in axis.paths], "key '{}' is moved by two axes; keep one"
        )
        _no_repeat([o.metric for o in self.objectives], "objective '{}' is listed twice; keep one")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the axes."""
        return tuple(axis.label for axis in self.axes)

    @property
    def demands(self) -> tuple[Constraint, ...]:
        """Every constraint, `must_fit` among them."""
        on_chip = (Constraint(metric="off_chip_bits", at_most=0.0),) if self.must_fit else ()
        return (*on_chip, *self.constraints)

    @property
    def grid_size(self) -> int:
        """Number of designs of the full grid."""
        return prod(len(axis.levels()) for axis in self.axes)

    @property
    def size(self) -> float:
        """Number of different designs: infinite with a continuous axis."""
        return inf if any(axis.kind == "continuous" for axis in self.axes) else self.grid_size

    def grid(self) -> tuple[Values, ...]:
        """Every design of the full grid; the last axis moves fastest."""
        return tuple(product(*(axis.levels() for axis in self.axes)))

    def holds(self, values: Values) -> bool:
        """Whether every value is one of its axis."""
        return all(axis.holds(value) for axis, value in zip(self.axes, values, strict=True))

    def assignments(self, values: Values) -> dict[str, Any]:
        """Key paths and values of one design, the base's first."""
        merged = dict(self.base.values)
        for axis, value in zip(self.axes, values, strict=True):
            merged |= axis.assignments(value)
        return merged
