"""Instead of stage one: a network that another tool trained becomes a run, quantized, with its accuracy and activity."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nmsim.config import Document, build, load
from nmsim.datasets.file import files_sha256
from nmsim.errors import ConfigError
from nmsim.exchange.array_file import read_arrays
from nmsim.exchange.assemble import TrainedNetwork, assembled, with_weights
from nmsim.exchange.chain import Reset
from nmsim.exchange.chosen_formats import chosen_precision
from nmsim.exchange.nir_file import read_nir
from nmsim.exchange.state_file import read_state
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.imported import read_network
from nmsim.pipeline.profile import profile_activities
from nmsim.pipeline.start import started_from, write_start
from nmsim.pipeline.train import build_engine, provenance_of
from nmsim.rules import rule_of
from nmsim.stop.float.engine import FloatEngine
from nmsim.stop.history import EpochRow, TrainingHistory
from nmsim.stop.protocol import Parameters
from nmsim.stop.spec import TrainingSpec
from nmsim.stop.train import accuracy
from nmsim.workload import Prepared, WorkloadSpec, prepare

STATE_FILES = (".pt", ".pth", ".safetensors")


@dataclass(frozen=True)
class Imported:
    """What an import made and measured: accuracy in real numbers and in fixed point on the same held-out samples."""

    workload: WorkloadSpec
    real_accuracy: float
    fixed_accuracy: float
    test_samples: int
    calibration_samples: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ImportPlan:
    """How to read a file and what to run it on.

    `dataset` and `data` name the samples; `assignments` set keys of the workload that comes out, such as
    `encoding.duration_us=300000`. `bits`: width of weights where no precision section is given.
    `modules`: names of a state dictionary's modules in the order in which spikes pass them, where it keeps another.
    """

    dataset: str
    data: str | None = None
    encoding: str = "direct"
    time_steps: int | None = None
    dt_s: float | None = None
    reset: Reset = "zero"
    network: Path | None = None
    precision: Path | None = None
    bits: int = 16
    calibration_samples: int = 32
    assignments: tuple[str, ...] = ()
    seed: int = 1
    modules: tuple[str, ...] = ()


def import_network(file: Path, out: Path, plan: ImportPlan, *, overwrite: bool = False) -> Imported:
    """Make the run folder `out` from a trained network.

    Raises:
        ConfigError: an option or a package is missing, or a setting is wrong.
        DataError: the file is broken, holds what nmsim does not run, or does not fit the data.
        RunError: the folder holds another run.
    """
    if plan.modules and file.suffix not in STATE_FILES:
        raise ConfigError(
            f"{file}: --modules orders the modules of a state dictionary, and this is none; leave it out"
        )
    trained = read_trained(file, plan)
    workload = _workload(file, trained, plan)
    prepared = prepare(workload, plan.seed)
    real = _real_engine(prepared, trained.parameters)
    count = min(plan.calibration_samples, len(prepared.train))
    if plan.precision is None and "precision" not in {text.split(".")[0] for text in plan.assignments}:
        batch = prepared.train.batch(np.arange(count), 0)
        precision = chosen_precision(trained, real.largest_membranes(batch), plan.bits)
        workload = workload.model_copy(update={"precision": precision})
    workload = started_from(workload, trained.parameters)
    splits = (replace(split, workload=workload) for split in (prepared.train, prepared.test))
    prepared = Prepared(workload, prepared.dataset, prepared.encoded, *splits)
    engine = build_engine(prepared, plan.seed, start=trained.parameters)
    folder = RunFolder(out)
    source = {
        "file": file.name,
        "sha256": files_sha256([file], file.parent, contents=True),
        "notes": list(trained.notes),
    }
    with folder.claim(
        workload, plan.seed, {**provenance_of(prepared), "imported": source}, overwrite=overwrite
    ):
        write_start(folder.start, trained.parameters)
        folder.save_parameters(engine.state())
        real_accuracy, samples = accuracy(real, prepared.test)
        fixed_accuracy, _ = accuracy(engine, prepared.test)
        for name, activity in profile_activities(engine, prepared).items():
            folder.save_activity(name, activity)
        row = EpochRow(0, 0.0, 0.0, 0, fixed_accuracy, samples, 0.0, 0.0, 0.0, 0.0)
        folder.save_history(TrainingHistory((row,), {}))
    return Imported(workload, real_accuracy, fixed_accuracy, samples, count, trained.notes)


def read_trained(file: Path, plan: ImportPlan) -> TrainedNetwork:
    """The network of a file, by its ending."""
    if file.suffix == ".nir":
        if plan.time_steps is None:
            raise ConfigError(f"{file}: a NIR file has no number of time steps; give --time-steps")
        chain = read_nir(file, dt_s=plan.dt_s, reset=plan.reset)
        return assembled(chain, file.stem, plan.time_steps)
    if file.suffix not in {".npz", *STATE_FILES}:
        raise ConfigError(
            f"{file}: no known kind of network; give a .nir, .npz, {', '.join(STATE_FILES[:-1])} or {STATE_FILES[-1]} file"
        )
    if plan.network is None:
        raise ConfigError(f"{file}: holds weights and not how they are connected; give --network NET.yaml")
    network = read_network(plan.network).network
    if plan.time_steps is not None:
        network = network.model_copy(update={"time_steps": plan.time_steps})
    if file.suffix == ".npz":
        return read_arrays(file, network)
    state = read_state(file, plan.modules)
    return with_weights(network, state.synapses, str(file), state.notes)


def _workload(file: Path, trained: TrainedNetwork, plan: ImportPlan) -> WorkloadSpec:
    network: NetworkSpec = trained.network
    described: dict[str, Any] = {
        "name": file.stem,
        "description": f"{network.name}: a network that another tool trained, imported from {file.name}.",
        "dataset": {"name": plan.dataset} | ({} if plan.data is None else {"path": plan.data}),
        "encoding": {"kind": plan.encoding},
        "network": network.model_dump(mode="json"),
        "training": {"rule": rule_of("traces", thresholds=True, leak=not network.neuron.integrates).name},
        "profile": {"samples": 4},
    }
    document = Document(described, str(file))
    if plan.precision is not None:
        stated = load(plan.precision)
        if "dataset" in stated.data:  # a workload, such as a run's: its precision section alone
            stated = replace(stated, data={"precision": stated.data.get("precision", {})})
        document = document.with_part("precision", stated)
    for assignment in plan.assignments:
        document = document.with_value(assignment)
    return build(WorkloadSpec, document)


def _real_engine(prepared: Prepared, parameters: Parameters) -> FloatEngine:
    """The network in float64, as the other tool ran it."""
    training = TrainingSpec(rule=prepared.workload.training.rule, arithmetic="float64")
    engine = FloatEngine(prepared.workload.network, training)
    engine.parameters = Parameters(
        parameters.weights,
        parameters.thresholds,
        list(parameters.leak),
        engine.parameters.velocity,
        parameters.mask,
        parameters.bias,
    )
    return engine
