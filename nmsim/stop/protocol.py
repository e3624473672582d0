"""What the training loop, validation and recording ask of an engine, float or bit-accurate."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.format import QFormat
from nmsim.network.spec import NetworkSpec
from nmsim.stop.spec import TrainingSpec

IntArray = NDArray[np.integer[Any]]
FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Batch:
    """Samples as the chip receives them.

    `inputs` raw integers `(B, T, *input_shape)`, or `(B, 1, *input_shape)` for a static input (the same at every time
    step); value = raw * 2**-format.fraction_bits. `labels` `(B,)`. `first_sample` is the number of training samples
    seen since the start of training: sample b of the batch has index `first_sample + b` for random draws.
    """

    inputs: IntArray
    format: QFormat
    labels: IntArray
    first_sample: int = 0


@dataclass(frozen=True)
class UpdateRates:
    """Learning rates of one update as real numbers; a fixed-point engine holds them as mantissa and shift."""

    weight: float
    threshold: float
    leak: float


@dataclass(frozen=True)
class BatchResult:
    """What one update reports.

    `correct` classified samples, `loss_sum` over samples and time steps, output `spike_counts (B, C)`.
    """

    correct: int
    loss_sum: float
    spike_counts: IntArray


@dataclass(frozen=True)
class LayerRecord:
    """What happened in one synaptic layer; boolean masks, value != 0.

    `input_nonzero (B, T, M)` inputs after pooling; `spikes (B, T, N)`; `trace_nonzero (B, T, M)` weight traces;
    `delta_nonzero (B, T, N)`.
    """

    input_nonzero: BoolArray
    spikes: BoolArray
    trace_nonzero: BoolArray
    delta_nonzero: BoolArray


@dataclass
class Parameters:
    """Learnable parameters of every synaptic layer, raw integers (fixed) or real numbers (float).

    Per layer: `weights` `(n_out, n_in)` or `(C_out, C_in, k, k)`; `thresholds` `(threshold_count,)`; `leak` one number;
    `velocity` like the weights, or None without momentum; `mask` like the weights, False where a synapse is pruned, or None;
    `bias` and `bias_velocity` `(n_out,)` or `(C_out,)`, or None; a list is empty where all of it would be None.
    """

    weights: list[NDArray[Any]]
    thresholds: list[NDArray[Any]]
    leak: list[Any]
    velocity: list[NDArray[Any] | None]
    mask: list[BoolArray | None] = field(default_factory=list)
    bias: list[NDArray[Any] | None] = field(default_factory=list)
    bias_velocity: list[NDArray[Any] | None] = field(default_factory=list)

    def bias_of(self, layer: int) -> NDArray[Any] | None:
        """Biases of a layer, None where it has none."""
        return self.bias[layer] if layer < len(self.bias) else None

    def absent_of(self, layer: int) -> BoolArray | None:
        """Where synapses of a layer were pruned, None where all are there."""
        mask = self.mask[layer] if layer < len(self.mask) else None
        return None if mask is None or np.all(mask) else ~np.asarray(mask, np.bool_)

    def bias_velocity_of(self, layer: int) -> NDArray[Any] | None:
        """Velocities of a layer's biases, None where it has none."""
        return self.bias_velocity[layer] if layer < len(self.bias_velocity) else None


class Engine(Protocol):
    """An engine owns its parameters and is otherwise without memory: every sample starts from zero state."""

    network: NetworkSpec
    training: TrainingSpec

    @property
    def parameters(self) -> Parameters:
        """Its parameters now."""
        ...

    def train_batch(self, batch: Batch, rates: UpdateRates) -> BatchResult:
        """One update from one batch; results do not depend on how the engine splits the batch for execution."""
        ...

    def infer(self, batch: Batch) -> IntArray:
        """Output spikes over all time steps, `(B, C)`; prediction is the first maximum."""
        ...

    def record(self, batch: Batch) -> list[LayerRecord]:
        """Activity of a training pass over the batch with parameters left as they are."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that a later `restore` needs to continue to the same bits, as named arrays."""
        ...

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Continue from `state()` of an engine built from the same records."""
        ...

    def overflow_counts(self) -> dict[str, int]:
        """Overflows since construction by `layer<i>.<tensor>`; empty for float engines."""
        ...
