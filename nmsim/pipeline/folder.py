"""The run folder: which file holds what, and to which configuration it belongs."""

import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nmsim import config, records
from nmsim.config import Record
from nmsim.errors import RunError
from nmsim.evaluate import Evaluation
from nmsim.fixedpoint.version import KEY, NUMERICS, check_numerics
from nmsim.hardware.chip import ChipConfig
from nmsim.stop.history import TrainingHistory
from nmsim.storage import write_text
from nmsim.workload import WorkloadSpec

RUN_SCHEMA = "nmsim/run-1"
EVALUATION_SCHEMA = "nmsim/evaluation-2"
PACKAGES = ("nmsim", "numpy", "scipy", "numba", "simpy", "pydantic", "matplotlib")


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide results."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _yaml(record: Record) -> str:
    return config.to_yaml(record.model_dump(mode="json"))


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run."""

    path: Path

    @property
    def run_file(self) -> Path:
        """Provenance: versions, seed, hashes, data set."""
        return self.path / "run.json"

    @property
    def workload_file(self) -> Path:
        """The workload with every default filled in."""
        return self.path / "workload.yaml"

    @property
    def checkpoint(self) -> Path:
        """Last checkpoint of the training."""
        return self.path / "checkpoint.npz"

    @property
    def training_file(self) -> Path:
        """Training history."""
        return self.path / "training.json"

    @property
    def parameters(self) -> Path:
        """Trained parameters."""
        return self.path / "parameters.npz"

    def activity(self, scheme: str) -> Path:
        """Activity recorded under STOP (`stop`) or under STBP (`stbp`)."""
        return self.path / ("activity.npz" if scheme == "stop" else f"activity-{scheme}.npz")

    @property
    def simulations(self) -> Path:
        """Folder of evaluations."""
        return self.path / "simulations"

    def claim(
        self, workload: WorkloadSpec, seed: int, provenance: dict[str, Any], *, overwrite: bool
    ) -> None:
        """Make the folder belong to a configuration; `RunError` if it belongs to another one."""
        run_hash = workload.run_hash(seed)
        if self.run_file.exists() and not overwrite:
            owner = self.provenance().get("run_hash")
            if owner != run_hash:
                raise RunError(
                    f"{self.path}: holds run {owner}, this configuration is {run_hash}; give another --out, or --overwrite"
                )
        self.path.mkdir(parents=True, exist_ok=True)
        write_text(self.workload_file, _yaml(workload))
        content = {"schema": RUN_SCHEMA, KEY: NUMERICS, "run_hash": run_hash, "seed": seed, **provenance}
        write_text(self.run_file, json.dumps(content, indent=2, sort_keys=True) + "\n")

    def provenance(self) -> dict[str, Any]:
        """Content of the run file; `RunError` if there is none."""
        try:
            content: dict[str, Any] = json.loads(self.run_file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(
                f"{self.path}: no run here (run.json is missing); make one with `nmsim train --out {self.path}`"
            ) from error
        except ValueError as error:
            raise RunError(f"{self.run_file}: not readable ({error}); make the run again") from error
        if content.get("schema") != RUN_SCHEMA:
            raise RunError(
                f"{self.run_file}: schema {content.get('schema')!r} is not {RUN_SCHEMA}; make the run again"
            )
        check_numerics(content, self.run_file, "run again, with --overwrite or another --out")
        return content

    def workload(self) -> WorkloadSpec:
        """The workload of the run."""
        self.provenance()
        return config.read(WorkloadSpec, self.workload_file)

    def history(self) -> TrainingHistory:
        """The training history; `RunError` if training has not finished."""
        try:
            return TrainingHistory.from_dict(json.loads(self.training_file.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise RunError(
                f"{self.path}: training has not finished; go on with `nmsim train --out {self.path} --resume`"
            ) from error

    def save_history(self, history: TrainingHistory) -> None:
        """Write the training history."""
        write_text(self.training_file, json.dumps(history.as_dict(), indent=2) + "\n")

    def save_evaluations(self, evaluations: Iterable[Evaluation]) -> None:
        """Write evaluations, one file each; an earlier one of the same chip, rule and model is replaced."""
        for item in evaluations:
            name = f"{item.chip_name}--{item.rule}--{item.model}.npz"
            records.save(self.simulations / name, item, EVALUATION_SCHEMA)

    def save_chips(self, chips: Iterable[ChipConfig]) -> None:
        """Write the chips as simulated, one YAML file each, named by their hash."""
        for chip in chips:
            write_text(self.simulations / f"{chip.content_hash()}.chip.yaml", _yaml(chip))

    def chips(self) -> list[ChipConfig]:
        """The chips of the run's evaluations."""
        return [config.read(ChipConfig, file) for file in sorted(self.simulations.glob("*.chip.yaml"))]

    def evaluations(self) -> list[Evaluation]:
        """Every evaluation of the run, in order of file name; `RunError` if there is none."""
        files = sorted(self.simulations.glob("*.npz"))
        if not files:
            raise RunError(f"{self.path}: nothing was simulated yet; run `nmsim simulate {self.path}`")
        return [
            records.load(file, Evaluation, EVALUATION_SCHEMA, "run `nmsim simulate` again") for file in files
        ]
