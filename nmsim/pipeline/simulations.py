"""Simulations: the results of replaying a run on chips, one file each, identified by content rather than by name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nmsim import config, records
from nmsim.errors import RunError
from nmsim.evaluate import Evaluation
from nmsim.hardware.chip import ChipConfig
from nmsim.misfit import Misfit
from nmsim.pipeline.folder import RunFolder, yaml_text
from nmsim.report.learning_energy import LearningEnergy
from nmsim.storage import file_name, write_text

SCHEMA = "nmsim/simulation-1"
EVALUATION_SCHEMA = "nmsim/evaluation-2"
"""Of an evaluation that is kept by itself, outside a run."""
HASH_DIGITS = 8
"""Of a chip's hash in the name of a file."""


MISFIT = "misfit"
LEARNING = "learning"
"""First word of the files that hold the energy of a whole training."""


@dataclass(frozen=True)
class Simulation:
    """One file: a result, and the run that it belongs to."""

    run_hash: str
    result: Evaluation | Misfit | LearningEnergy


@dataclass(frozen=True)
class Simulations:
    """The results in a run folder, in the order in which they were first made: files are numbered."""

    folder: RunFolder

    def save(self, chip: ChipConfig, model: str, result: Evaluation | Misfit) -> None:
        """Write one result and its chip; an earlier one of the same chip, rule and model is replaced.

        A chip is the same if its content is: two chips of one name stand next to each other. An evaluation takes the
        place of a misfit and the reverse, for the mapping may have been mended in between.
        """
        folder = self.folder.simulations
        stem = f"{file_name(chip.name)}-{chip.content_hash()[:HASH_DIGITS]}--{result.rule}"
        end = MISFIT if isinstance(result, Misfit) else model
        before = {_ending(file): file for file in self._files()}
        numbers = [int(file.name.partition("-")[0]) for file in before.values()]
        own = before.get(
            f"{stem}--{end}.npz", folder / f"{max(numbers, default=0) + 1:04d}-{stem}--{end}.npz"
        )
        write_text(folder / f"{chip.content_hash()}.chip.yaml", yaml_text(chip))
        records.save(own, Simulation(self.folder.run_hash, result), SCHEMA)
        for name, file in before.items():
            replaced = name.startswith(f"{stem}--") if end == MISFIT else name == f"{stem}--{MISFIT}.npz"
            if replaced and file != own:
                file.unlink()

    def save_learning(self, chip: ChipConfig, found: LearningEnergy) -> None:
        """Write what a whole training costs on a chip; an earlier one of the same chip and rule is replaced."""
        name = f"{LEARNING}-{file_name(chip.name)}-{chip.content_hash()[:HASH_DIGITS]}--{found.rule}.npz"
        records.save(self.folder.simulations / name, Simulation(self.folder.run_hash, found), SCHEMA)

    def learning(self) -> list[LearningEnergy]:
        """What a whole training costs, by chip and rule, as far as it was asked for."""
        files = sorted(self.folder.simulations.glob(f"{LEARNING}-*.npz"))
        results = (self._read(file).result for file in files)
        return [item for item in results if isinstance(item, LearningEnergy)]

    def results(self) -> tuple[list[Evaluation], list[Misfit]]:
        """Every evaluation, and every rule on a chip that has none; chips of one label are told apart by their hash.

        Raises:
            RunError: the chip of an evaluation is missing, or an evaluation is another run's.
        """
        results = [self._read(file).result for file in self._files()]
        found = [item for item in results if isinstance(item, Evaluation)]
        known = {chip.content_hash() for chip in self.chips()}
        for item in found:
            if item.chip_hash not in known:
                raise RunError(
                    f"{self.folder.simulations}: {item.rule} on {item.chip_name}: was made for a chip {item.chip_hash} whose"
                    " file is missing, or is read otherwise by this version of nmsim; remove the folder and run"
                    " `nmsim simulate` again"
                )
        return _told_apart(found), [item for item in results if isinstance(item, Misfit)]

    def chips(self) -> list[ChipConfig]:
        """The chips of the results."""
        return [config.read(ChipConfig, file) for file in sorted(self.folder.simulations.glob("*.chip.yaml"))]

    def require(self) -> None:
        """Refuse a run of which nothing was simulated.

        Raises:
            RunError: there is no result.
        """
        if not self._files():
            path = self.folder.path
            raise RunError(f"{path}: nothing was simulated yet; run `nmsim simulate {path}`")

    def _files(self) -> list[Path]:
        return sorted(self.folder.simulations.glob("[0-9]*-*.npz"))

    def _read(self, file: Path) -> Simulation:
        found = records.load(file, Simulation, SCHEMA, "remove it and run `nmsim simulate` again")
        self.folder.belongs(file, found.run_hash)
        return found


def _ending(file: Path) -> str:
    """The file's name without its number."""
    return file.name.partition("-")[2]


def _told_apart(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """The same, with part of the chip's hash behind a label that two different chips have."""
    chips = {(item.chip_name, item.chip_hash) for item in evaluations}
    labels = [name for name, _ in chips]
    return [
        replace(item, chip_name=f"{item.chip_name} #{item.chip_hash[:HASH_DIGITS]}")
        if labels.count(item.chip_name) > 1
        else item
        for item in evaluations
    ]
