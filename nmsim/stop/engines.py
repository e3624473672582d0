"""Which engine a training section asks for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import ConfigError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.float.engine import FloatEngine, FloatEngineBase
from nmsim.stop.protocol import Engine, Parameters
from nmsim.stop.spec import TrainingSpec
from nmsim.stop.stbp.engine import StbpEngine
from nmsim.structure.update_schedule import StructureSchedule


def create_engine(
    network: NetworkSpec,
    precision: Precision,
    training: TrainingSpec,
    input_format: QFormat,
    seed: int,
    max_samples_in_flight: int | None = None,
    start: Parameters | None = None,
    structure: StructureSchedule | None = None,
    device: str | None = None,
) -> Engine:
    """Fixed or float STOP, or float STBP; `ConfigError` for STBP in fixed point, which is not defined.

    `start` are real parameters to start from, random ones of the seed if absent; `structure` says how synapses go and come,
    which only the fixed-point engine knows; so with `device`, where PyTorch runs its passes.
    """
    if device is not None and training.arithmetic != "fixed":
        raise ConfigError(
            f"device {device}: it is for bit-accurate training, not training.arithmetic {training.arithmetic}; leave the"
            " device out"
        )
    if structure is not None and training.arithmetic != "fixed":
        raise ConfigError(
            f"structure: it is for bit-accurate training, not training.arithmetic {training.arithmetic}; set that to fixed"
            " or remove the section"
        )
    options: dict[str, Any] = (
        {} if max_samples_in_flight is None else {"max_samples_in_flight": max_samples_in_flight}
    )
    if training.rule.through_time:
        if training.arithmetic == "fixed":
            raise ConfigError(
                f"training.rule: '{training.rule}' is a float baseline without fixed-point training; set"
                " training.arithmetic to float64 or float32"
            )
        return _started(StbpEngine(network, training, seed, **options), start)
    if training.arithmetic == "fixed":
        return FixedEngine(
            network,
            precision,
            training,
            input_format,
            seed,
            start,
            structure=structure,
            device=device,
            **options,
        )
    return _started(FloatEngine(network, training, seed, **options), start)


def _started(engine: FloatEngineBase, start: Parameters | None) -> FloatEngineBase:
    if start is not None:
        own = engine.parameters
        engine.parameters = Parameters(
            [array.astype(engine.dtype) for array in start.weights],
            [array.astype(engine.dtype) for array in start.thresholds],
            list(start.leak),
            own.velocity,
            list(start.mask) or own.mask,
            [None if array is None else array.astype(engine.dtype) for array in start.bias] or own.bias,
            own.bias_velocity,
        )
    return engine


def real_parameters(engine: Engine, precision: Precision) -> Parameters:
    """The engine's parameters as float64 real numbers, whatever its arithmetic."""
    own, fixed = engine.parameters, engine.training.arithmetic == "fixed"
    formats = [precision.resolve(layer.index) for layer in engine.network.synaptic_layers]

    def real(raw: NDArray[Any], lsb: float) -> NDArray[np.float64]:
        return np.asarray(raw, np.float64) * (lsb if fixed else 1.0)

    return Parameters(
        [real(array, one.weight.format.lsb) for array, one in zip(own.weights, formats, strict=True)],
        [real(array, one.membrane.format.lsb) for array, one in zip(own.thresholds, formats, strict=True)],
        [
            float(alpha) * (one.leak_factor.format.lsb if fixed else 1.0)
            for alpha, one in zip(own.leak, formats, strict=True)
        ],
        [None] * len(formats),
        list(own.mask) if own.mask else [None] * len(formats),
        [
            None if (bias := own.bias_of(layer)) is None else real(bias, one.weight.format.lsb)
            for layer, one in enumerate(formats)
        ],
    )
