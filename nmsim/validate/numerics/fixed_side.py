"""The fixed-point side of a comparison: what runs, with which raw parameters, in which formats."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.format import Overflow, QFormat, Rounding
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.network.state import NEURON_TRACES
from nmsim.stop.fixed.layer_formats import LayerFormats, layer_formats
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.protocol import Batch, FloatArray, Parameters, UpdateRates
from nmsim.stop.raw import RawLayer, RawRun, run_raw
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.float_side import Tensors

AT_REST = UpdateRates(0.0, 0.0, 0.0)
"""Learning rates under which parameters stay as they are."""


@dataclass(frozen=True)
class Quantity:
    """A tensor of a time step: its name in raw runs and the precision setting that decides its format."""

    name: str
    setting: str
    accumulator: Tensor | None = None


QUANTITIES = (
    Quantity("weight_trace", "weight_trace"),
    Quantity("constant_trace", "constant_trace"),
    Quantity("current", "current", Tensor.CURRENT),
    Quantity("residual", "membrane"),
    *(
        Quantity(trace.name, str(trace.setting))
        for trace in sorted(NEURON_TRACES, key=lambda trace: Tensor[trace.content.name])
    ),
    Quantity("membrane", "membrane"),
    Quantity("error", "delta"),
    Quantity("surrogate", "surrogate"),
    Quantity("delta", "delta"),
    Quantity("error_sum", "error", Tensor.ERROR_SUM),
)
"""In the order of a time step."""


@dataclass(frozen=True)
class FixedSide:
    """A network with raw parameters in the formats of a precision section.

    `real` are the real parameters that the raw ones were rounded from, None where there are none (a trained run).
    """

    network: NetworkSpec
    precision: Precision
    training: TrainingSpec
    parameters: Parameters
    input_format: QFormat
    seed: int
    real: Parameters | None = None

    @cached_property
    def formats(self) -> list[LayerFormats]:
        """Formats of every layer."""
        return layer_formats(self.network, self.precision, self.input_format, self.seed)

    def format_of(self, layer: int, quantity: Quantity) -> QFormat:
        """Format in which a tensor of a layer is held."""
        own = self.formats[layer]
        if quantity.accumulator is not None:
            return own.accumulator(quantity.accumulator)
        found: QFormat = getattr(own.precision, quantity.setting).format
        return found

    def rounding_of(self, layer: int, quantity: Quantity) -> str:
        """Rounding mode of a tensor; accumulators hold exact sums; surrogate and softmax tables are rounded half to even."""
        if quantity.accumulator is not None:
            return "exact"
        if quantity.setting == "surrogate" or (quantity.name == "error" and layer == len(self.formats) - 1):
            return str(Rounding.NEAREST_EVEN)
        return str(getattr(self.formats[layer].precision, quantity.setting).rounding)

    def used_raw(self, layer: int, weights: NDArray[Any]) -> NDArray[Any]:
        """Raw weights as sums use them: the stored ones, floored to the format of used weights."""
        own = self.formats[layer]
        stored, used = own.precision.weight.format, own.used
        down = stored.fraction_bits - used.fraction_bits
        raw = weights >> down if down > 0 else weights << -down
        if own.precision.weight.overflow is Overflow.WRAP:
            return ((raw - used.min_raw) & ((1 << used.total_bits) - 1)) + used.min_raw
        clipped: NDArray[Any] = np.clip(raw, used.min_raw, used.max_raw)
        return clipped

    def used_weights(self, layer: int) -> FloatArray:
        """Weights as sums use them, as real numbers."""
        return _real(
            self.used_raw(layer, np.asarray(self.parameters.weights[layer])), self.formats[layer].used
        )

    @cached_property
    def real_parameters(self) -> Parameters:
        """What the raw parameters mean, the weights as sums use them: both sides compute with the same numbers."""
        biases = [
            None
            if (bias := self.parameters.bias_of(index)) is None
            else _real(self.used_raw(index, np.asarray(bias)), own.used)
            for index, own in enumerate(self.formats)
        ]
        return self._meaning([self.used_weights(layer) for layer in range(len(self.formats))], biases)

    @cached_property
    def stored_parameters(self) -> Parameters:
        """What the raw parameters mean, the weights as they are stored."""
        weights = zip(self.parameters.weights, self.formats, strict=True)
        biases = [
            None
            if (bias := self.parameters.bias_of(index)) is None
            else _real(bias, own.precision.weight.format)
            for index, own in enumerate(self.formats)
        ]
        return self._meaning([_real(raw, own.precision.weight.format) for raw, own in weights], biases)

    def _meaning(self, weights: list[FloatArray], biases: list[FloatArray | None]) -> Parameters:
        raw, precision = self.parameters, [own.precision for own in self.formats]
        thresholds = [
            _real(theta, own.membrane.format) for theta, own in zip(raw.thresholds, precision, strict=True)
        ]
        leak = [
            float(alpha) * own.leak_factor.format.lsb for alpha, own in zip(raw.leak, precision, strict=True)
        ]
        masks = list(raw.mask) or [None] * len(precision)
        return Parameters(list(weights), list(thresholds), leak, [None] * len(precision), masks, list(biases))

    def run(self, batch: Batch) -> RawRun:
        """A training pass in raw integers over one batch of any size, parameters left as they are."""
        settings = {
            "batch_size": len(batch.labels),
            "update": "accumulate",
            "batch_division": "folded",
            "momentum": 0.0,
        }
        training = self.training.model_copy(update=settings)
        return run_raw(
            self.network, self.precision, training, self.parameters, batch.inputs, self.input_format, batch.labels,
            self.seed, [AT_REST],
        )  # fmt: skip

    def tensors(self, index: int, layer: RawLayer) -> Tensors:
        """Real values of what a raw run recorded of one layer."""
        own = self.formats[index]
        found: Tensors = {
            "inputs": layer.inputs.astype(np.float64) * 2.0**-own.input.fraction_bits,
            "spikes": layer.spikes.astype(np.float64),
        }
        for quantity in QUANTITIES:
            raw = getattr(layer, quantity.name)
            if raw is not None:
                values = raw.astype(np.float64).reshape(*raw.shape[:2], -1)
                found[quantity.name] = values * self.format_of(index, quantity).lsb
        return found


def _real(raw: NDArray[Any], fmt: QFormat) -> FloatArray:
    return np.asarray(raw).astype(np.float64) * fmt.lsb
