"""What a validation is about: a workload as it starts, or what a run has trained, in the formats under test."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from nmsim import config
from nmsim.errors import ConfigError, RunError
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.start import read_start
from nmsim.pipeline.train import build_engine, overridden
from nmsim.rules import DEFAULT
from nmsim.stop.engines import real_parameters
from nmsim.stop.fixed.layer_formats import layer_formats
from nmsim.stop.fixed.parameters import quantized_parameters
from nmsim.stop.initial import initial_parameters
from nmsim.stop.protocol import Parameters
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.workload import EncodedSplit, Prepared, WorkloadSpec, prepare


@dataclass(frozen=True)
class Subject:
    """A chip with its data; `source` says in words whose parameters it holds, `trained` whether a run trained them.

    `start` is the same chip with the parameters that training began with, None if that is what `chip` holds.
    """

    workload: WorkloadSpec
    seed: int
    prepared: Prepared
    chip: FixedSide
    source: str
    trained: bool
    start: FixedSide | None = None

    def split(self, name: str) -> EncodedSplit:
        """`train` or `test`.

        Raises:
            ConfigError: there is no such split, or it holds no samples.
        """
        if name not in {"train", "test"}:
            raise ConfigError(f"--split {name}: no such split; use train or test")
        found: EncodedSplit = getattr(self.prepared, name)
        if not len(found):
            raise ConfigError(f"--split {name}: the data set has no {name} samples; use the other split")
        return found


def is_run(target: str) -> bool:
    """Whether a command's argument names a run folder rather than a workload."""
    return (Path(target) / "run.json").exists()


def read_subject(
    target: str,
    assignments: Iterable[str] = (),
    *,
    precision: Path | None = None,
    data: Path | None = None,
    seed: int = 1,
) -> Subject:
    """A run's trained parameters, or a workload's initial ones, in the formats of the workload after overrides.

    Parameters that were trained in other formats, or in float, are rounded to the nearest raw integers.

    Raises:
        ConfigError, DataError, FormatError: the workload, an override or the data are wrong.
        RunError: the run has not finished training, or is another network's.
    """
    folder = RunFolder(Path(target)) if is_run(target) else None
    if Path(target).is_dir() and folder is None:
        raise RunError(
            f"{target}: no run here (run.json is missing); give the folder of a run, or a workload"
        )
    path = folder.workload_file if folder else config.find("workloads", target)
    workload = overridden(path, assignments, precision)
    if data is not None:
        workload = workload.with_data(str(data))
    if folder is not None:
        seed = int(folder.provenance()["seed"])
    prepared = prepare(workload, seed)
    if folder is not None and workload.start is not None:
        real = read_start(folder, workload)
    else:
        real = initial_parameters(workload.network, workload.training, seed)
    if folder is None:
        return _subject(prepared, seed, real, None, "initial parameters", trained=False)
    own = folder.workload()
    if own.network != workload.network:
        raise ConfigError(
            f"{target}: the overrides change the network that this run trained; change precision or training only"
        )
    trained, raw = _trained(folder, replace(prepared, workload=own), seed)
    kept = raw if own.precision == workload.precision and own.training.arithmetic == "fixed" else None
    start = _subject(prepared, seed, real, None, "initial parameters", trained=False)
    found = _subject(
        prepared, seed, trained, kept, f"parameters that {Path(target).name} trained", trained=True
    )
    return replace(found, start=start.chip)


def _trained(folder: RunFolder, prepared: Prepared, seed: int) -> tuple[Parameters, Parameters]:
    """Real and own parameters of a finished run."""
    folder.history()
    engine = build_engine(prepared, seed)
    engine.restore(folder.parameters())
    return real_parameters(engine, prepared.workload.precision), engine.parameters


def _subject(
    prepared: Prepared, seed: int, real: Parameters, raw: Parameters | None, source: str, *, trained: bool
) -> Subject:
    """Without raw parameters the real ones are rounded; STBP, which has no fixed point, is stood for by STOP-WTL."""
    workload = prepared.workload
    training = workload.training.model_copy(update={"arithmetic": "fixed"})
    if training.rule.through_time:
        training = training.model_copy(update={"rule": DEFAULT, "reset_gradient": "detached"})
        source += f", under {DEFAULT}, as {workload.training.rule} has no fixed-point training"
    network, precision, fmt = workload.network, workload.precision, prepared.input_format
    own_real = real if raw is None else None
    if raw is None:
        raw = quantized_parameters(real, layer_formats(network, precision, fmt, seed), training)
    chip = FixedSide(network, precision, training, raw, fmt, seed, own_real)
    return Subject(workload, seed, prepared, chip, source, trained)
