"""Parameters that a training starts from instead of random ones: of an imported network, or of another run."""

import hashlib
from pathlib import Path

import numpy as np

from nmsim.errors import ConfigError, RunError
from nmsim.exchange.array_file import read_arrays, write_arrays
from nmsim.fixedpoint.format import QFormat
from nmsim.pipeline.folder import RunFolder
from nmsim.stop.engines import create_engine, real_parameters
from nmsim.stop.protocol import Parameters
from nmsim.workload import WorkloadSpec


def trained_parameters(folder: RunFolder) -> Parameters:
    """The parameters of a finished run as real numbers.

    Raises:
        RunError: there is no run, or it has not finished.
    """
    workload, provenance = folder.workload(), folder.provenance()
    folder.history()
    engine = create_engine(
        workload.network,
        workload.precision,
        workload.training,
        QFormat.parse(provenance["encoding"]["format"]),
        int(provenance["seed"]),
        start=None
        if workload.start is None
        else read_start(folder, workload),  # random ones might not fit its formats
    )
    engine.restore(folder.parameters())
    return real_parameters(engine, workload.precision)


def started_from(workload: WorkloadSpec, parameters: Parameters) -> WorkloadSpec:
    """The workload of a training that starts from real parameters: their hash is part of its own."""
    return workload.model_copy(update={"start": fingerprint(parameters)})


def fingerprint(parameters: Parameters) -> str:
    """SHA-256 of real parameters: float64, little-endian, C order, layer by layer, then the biases, then absent synapses."""
    digest = hashlib.sha256()
    for weights, thresholds, leak in zip(
        parameters.weights, parameters.thresholds, parameters.leak, strict=True
    ):
        for array in (weights, thresholds, leak):
            digest.update(np.ascontiguousarray(np.asarray(array, "<f8")).tobytes())
    for bias in parameters.bias:
        if bias is not None:
            digest.update(np.ascontiguousarray(np.asarray(bias, "<f8")).tobytes())
    for layer in range(len(parameters.weights)):
        absent = parameters.absent_of(layer)
        if absent is not None:
            digest.update(np.packbits(absent).tobytes())
    return digest.hexdigest()


def write_start(path: Path, parameters: Parameters) -> None:
    """Keep them in a run folder."""
    write_arrays(path, parameters)


def read_start(folder: RunFolder, workload: WorkloadSpec) -> Parameters:
    """The parameters that a run folder keeps for its workload.

    Raises:
        RunError: they are not those that the workload names.
    """
    if not folder.start.exists():
        raise RunError(
            f"{folder.path}: the workload starts from parameters (start {str(workload.start)[:12]}) that are not here; train"
            " it in the folder that `nmsim import-network` made, or give `--from RUN`"
        )
    parameters = read_arrays(folder.start, workload.network).parameters
    if fingerprint(parameters) != workload.start:
        raise RunError(
            f"{folder.start}: not the parameters that the workload starts from ({str(workload.start)[:12]}); import the"
            " network again"
        )
    return parameters


def same_shapes(workload: WorkloadSpec, parameters: Parameters, source: str) -> None:
    """Parameters of another run fit a workload's network.

    Raises:
        ConfigError: they do not.
    """
    layers = workload.network.synaptic_layers
    shapes = [layer.weight_shape for layer in layers]
    found = [np.shape(array) for array in parameters.weights]
    if found != shapes or [len(t) for t in parameters.thresholds] != [
        layer.threshold_count for layer in layers
    ]:
        raise ConfigError(
            f"--from {source}: its layers have weights {[list(shape) for shape in found]}, but those of {workload.name} are"
            f" {[list(shape) for shape in shapes]}; start from a run of the same network"
        )
