"""Raw integers in, raw integers out: the engine as a function, for checkers outside (docs/arithmetic.md, "Raw runs")."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.format import QFormat
from nmsim.fixedpoint.quantize import HIGH, LEFT_P, LEFT_Q, LOW, MASK, WRAP, bring_into_range
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.network.state import NEURON_TRACES
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.fixed.memory_plan import Work
from nmsim.stop.fixed.neuron import surrogate_into
from nmsim.stop.fixed.samples import BatchSums
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.protocol import Batch, IntArray, Parameters, UpdateRates
from nmsim.stop.raw_check import check_parameters, check_rates, check_samples
from nmsim.stop.spec import TrainingSpec
from nmsim.structure.update_schedule import StructureSchedule

RawArray = NDArray[Any]
"""int64, or Python integers (dtype object) where a format needs more than 64-bit arithmetic."""


@dataclass(frozen=True)
class RawLayer:
    """Every raw tensor of one synaptic layer, flattened in C order; names in brackets are those of docs/arithmetic.md.

    S samples, T time steps; M inputs of the layer, of a map `(C, H, W)` after pooling, the channel slowest; N neurons,
    `(units,)` or `(C_out, H_out, W_out)`; P weights, `(units, M)` or `(C_out, C_in, k, k)`; G thresholds. int64, or
    Python integers (dtype object) where a format needs more than 64-bit arithmetic. The layout does not depend on how
    the engine computes.

    At every time step, `(S, T, M)`: `inputs` (x), also where the sample is the same at every step; `weight_trace` (w~);
    `error_sum` (the sum of w_use*delta over outputs, before pooling spreads it), None where no error goes below.
    At every time step, `(S, T, N)`: `residual` (R), `leak_trace` (a~), `threshold_trace` (th~), `current` (I),
    `membrane` (U), `spikes` (s, 0 or 1), `error` (e), `surrogate` (phi), `delta`; traces that the rule does not keep are
    None.
    After every sample, the accumulators of its batch so far, as their width holds them: `weight_gradient` (dW)
    `(S, P)`, None with update 'in_place'; `threshold_gradient` (dTheta) `(S, G)` and `leak_gradient` (dAlpha) `(S,)`,
    None where the rule does not learn them. A batch starts from 0.
    With biases, `constant_trace` (c) `(S, T)` and, except in place, `bias_gradient` (db) `(S, units)` or `(S, C_out)`.
    With a scalar trace, `constant_trace` and, after every sample, `static_gradient` (g) `(S, N)`; no `weight_trace`.
    With update 'in_place', `weight_before` (w) `(S, T, P)`: the stored weights that a time step uses, before its update.

    Fraction bits: inputs as pooled (`2 log2 p` more behind a p x p average pool), accumulators and sums those of their
    operands added, all others of the format in the precision section.
    """

    inputs: RawArray
    weight_trace: RawArray | None
    current: RawArray
    residual: RawArray
    membrane: RawArray
    spikes: RawArray
    threshold_trace: RawArray | None
    leak_trace: RawArray | None
    error: RawArray
    surrogate: RawArray
    delta: RawArray
    error_sum: RawArray | None
    weight_gradient: RawArray | None
    threshold_gradient: RawArray | None
    leak_gradient: RawArray | None
    weight_before: RawArray | None = None
    constant_trace: RawArray | None = None
    bias_gradient: RawArray | None = None
    static_gradient: RawArray | None = None


@dataclass(frozen=True)
class RawRun:
    """A training run in raw integers.

    `layers`: one record per synaptic layer, in the order of the network. `updates[k]`: parameters after update k (with
    update 'in_place': after the sample) as int64 or Python integers, velocities where there is momentum, masks where
    something is pruned. `overflows`: counts over the whole run by `layer<i>.<tensor>`, the tensors of
    docs/arithmetic.md, "What is counted". `sample_overflows[s]`: those of sample s alone, by the same names, of everything
    that happens in its time steps; what an update counts is in `overflows` only. `spike_counts (S, C)` of the output layer
    over all time steps, `predictions (S,)` the class of most spikes, the lowest on ties.
    """

    layers: list[RawLayer]
    updates: list[Parameters]
    overflows: dict[str, int]
    sample_overflows: list[dict[str, int]]
    spike_counts: IntArray
    predictions: IntArray


def run_raw(
    network: NetworkSpec,
    precision: Precision,
    training: TrainingSpec,
    parameters: Parameters,
    inputs: IntArray,
    input_format: QFormat,
    labels: IntArray,
    seed: int,
    rates: Sequence[UpdateRates] | None = None,
    structure: StructureSchedule | None = None,
) -> RawRun:
    """Train on samples in order, bit-accurately, and return every raw integer on the way.

    The engine of every fixed-point training, one sample and one time step at a time, and nothing else: no shuffling,
    no schedule, no evaluation. The integers are those of docs/arithmetic.md; none depends on the machine.

    Args:
        network: the network section of a workload.
        precision: the precision section: formats, rounding and overflow by tensor and layer.
        training: the training section. Used are `rule` (which traces exist and what is learned), `loss`, `batch_size`
            B (samples per update; the mean over B is a shift, so B is a power of two, unless `batch_division` is
            'folded'), `momentum` (of weights; rounded to u8.8), `gradient_centralization` (at the update only: the sums
            that are returned are those before it), `update` ('accumulate'; 'in_place': weights change at
            every time step, B = 1; 'factored': deltas and traces are kept instead of sums, B = 1, same integers as
            'accumulate'), `theta_min`, `alpha_max`, and `learning_rates` where `rates` is absent. `arithmetic`,
            `epochs` and `schedule` are not.
        parameters: raw integers, one entry per synaptic layer: `weights` `(units, M)` or `(C_out, C_in, k, k)`;
            `thresholds` `(G,)`, G = neurons, channels or 1 as the layer shares them, in the membrane's format; `leak` one
            number; `velocity` like the weights or None for zeros, an empty list for all; `mask` like the weights,
            False where a synapse is pruned and its weight is taken as 0, or None, an empty list for all; `bias` and
            `bias_velocity` `(units,)` or `(C_out,)` in the weight's and the bias gradient's format, or None for zeros.
            They are copied.
        inputs: raw `(S, T, *input_shape)`, or `(S, 1, *input_shape)` for a static input, the same at every time step.
        input_format: format of the inputs: `u8.8` for pixels as they are, `u1.0` for spikes.
        labels: `(S,)`, classes from 0; S is a multiple of B.
        seed: of the random draws, 0 or more. Draws count samples and updates from 0.
        rates: learning rates of each of the S/B updates, real numbers that are rounded to mantissa and shift;
            `training.learning_rates` at every update if absent.
        structure: how synapses go and come, counted in updates; the masks that `parameters` hold are the start.

    Raises:
        FormatError: a raw parameter is outside its format, or a format cannot follow the input.
        DataError: an array has another shape than the network asks for, holds no integers, or lies outside its format.
        ConfigError: the rule is stbp, or the sections do not go together.
    """
    inputs, labels = np.asarray(inputs), np.asarray(labels)
    check_rates(rates, training, seed)
    check_samples(inputs, labels, training.batch_size, None if rates is None else len(rates))
    check_parameters(network, precision, training, parameters, input_format)
    engine = FixedEngine(
        network,
        precision,
        training,
        input_format,
        seed,
        raw_parameters=parameters,
        watch_sums=True,
        structure=structure,
    )
    own = training.learning_rates
    always = UpdateRates(own.weight, own.threshold, own.leak)
    size = training.batch_size
    observer = _RawObserver(engine, len(inputs))
    spikes: list[IntArray] = []
    updates: list[Parameters] = []
    for number, start in enumerate(range(0, len(inputs), size)):
        part = slice(start, start + size)
        observer.first = start
        batch = Batch(inputs[part], input_format, labels[part], start)
        result = engine.train_observed(batch, always if rates is None else rates[number], observer)
        observer.updated()
        spikes.append(result.spike_counts)
        updates.append(_copied(engine.parameters))
    counts = np.concatenate(spikes)
    return RawRun(
        observer.layers, updates, engine.overflow_counts(), observer.overflows, counts, counts.argmax(axis=1)
    )


def _copied(parameters: Parameters) -> Parameters:
    return Parameters(
        [_wide(array) for array in parameters.weights],
        [_wide(array) for array in parameters.thresholds],
        list(parameters.leak),
        [None if array is None else _wide(array) for array in parameters.velocity],
        [None if mask is None else mask.copy() for mask in parameters.mask],
        [None if array is None else _wide(array) for array in parameters.bias],
        [None if array is None else _wide(array) for array in parameters.bias_velocity],
    )


def _wide(raw: RawArray) -> RawArray:
    """A copy in integers whose sums do not wrap."""
    return raw.copy() if raw.dtype == object else raw.astype(np.int64)


class _RawObserver:
    """Copies tensors out of the engine's memory, sample by sample and time step by time step."""

    def __init__(self, engine: FixedEngine, samples: int) -> None:
        self.first, self._engine = 0, engine
        wide: Any = object if engine.layout.storage is object else np.int64
        rule, in_place = engine.training.rule, engine.training.update == "in_place"
        steps = engine.network.time_steps
        self.layers = []
        self.overflows: list[dict[str, int]] = []
        self._counted = dict.fromkeys(engine.overflow_counts(), 0)
        for own, layer in zip(engine.formats, engine.layout.layers, strict=True):
            inputs, neurons = (samples, steps, own.layer.inputs), (samples, steps, own.layer.neurons)

            def empty(shape: tuple[int, ...], *, kept: bool = True) -> Any:
                return np.zeros(shape, wide) if kept else None

            self.layers.append(
                RawLayer(
                    inputs=empty(inputs),
                    weight_trace=empty(inputs, kept=not own.scalar),
                    current=empty(neurons),
                    residual=empty(neurons),
                    membrane=empty(neurons),
                    spikes=empty(neurons),
                    **{v.name: empty(neurons, kept=v.kept_by(rule)) for v in NEURON_TRACES},
                    error=empty(neurons),
                    surrogate=empty(neurons),
                    delta=empty(neurons),
                    error_sum=empty(inputs, kept=bool(layer.sends_error)),
                    weight_gradient=empty((samples, own.layer.weights), kept=not in_place),
                    threshold_gradient=empty(
                        (samples, own.layer.threshold_count), kept=rule.learns_thresholds
                    ),
                    leak_gradient=empty((samples,), kept=rule.learns_leak),
                    weight_before=empty((samples, steps, own.layer.weights), kept=in_place),
                    constant_trace=empty((samples, steps), kept=own.has(Tensor.CONSTANT_TRACE)),
                    bias_gradient=empty((samples, layer.channels), kept=own.layer.bias and not in_place),
                    static_gradient=empty((samples, own.layer.neurons), kept=own.scalar),
                )
            )

    def steps(self, start: int, step: int, samples: int, work: Work) -> None:  # noqa: ARG002 - one sample at a time
        """One time step of one sample."""
        view, at = self._engine.view, (self.first + start, step)
        for index, record in enumerate(self.layers):
            record.inputs[at] = view.inputs(work, 1, index, "source_values")[0, 0]
            if record.weight_trace is not None:
                record.weight_trace[at] = view.inputs(work, 1, index, "weight_trace")[0, 0]
            if record.static_gradient is not None:  # that of the last step stays
                record.static_gradient[self.first + start] = view.static_sums(work, index)
            record.current[at] = view.currents(work, index)
            record.spikes[at] = view.neurons(work, 1, index, "values")[0, 0]
            for name in ("residual", "membrane", *(trace.name for trace in NEURON_TRACES), "error", "delta"):
                tensor = getattr(record, name)
                if tensor is not None:
                    tensor[at] = view.neurons(work, 1, index, name)[0, 0]
            if record.error_sum is not None:
                record.error_sum[at] = view.error_sums(work, index)
            if record.weight_before is not None:
                record.weight_before[at] = self._engine.raw.in_order(index).ravel()
            if record.constant_trace is not None:
                record.constant_trace[at] = work.constants[index]
            self._surrogate(record, index, at)

    def updated(self) -> None:
        """An update is done: what it counted belongs to no sample."""
        self._counted = self._engine.overflow_counts()

    def _surrogate(self, record: RawLayer, index: int, at: tuple[int, int]) -> None:
        plan = self._engine.layout.plan
        thresholds = self._engine.raw.thresholds[self._engine.raw.slices[index].thresholds]
        theta = np.repeat(thresholds, self._engine.formats[index].layer.neurons_per_threshold).astype(
            record.membrane.dtype
        )
        row = plan.numbers[index, Tensor.DELTA]
        surrogate_into(
            record.surrogate[at], record.membrane[at], theta, plan.surrogates[index], row[LEFT_P], row[LEFT_Q]
        )

    def sample(self, index: int, sums: BatchSums) -> None:
        """Accumulators after a sample, as an accumulator of their width holds them, and what it made overflow."""
        counted = self._engine.overflow_counts()
        self.overflows.append(
            {
                name: count - self._counted[name]
                for name, count in counted.items()
                if not name.endswith(
                    f".{Tensor.WEIGHT_USED.label}"
                )  # formed before the first sample of a batch
            }
        )
        self._counted = counted
        at, raw = self.first + index, self._engine.raw
        for number, (record, own, slices) in enumerate(
            zip(self.layers, self._engine.formats, raw.slices, strict=True)
        ):
            layer = self._engine.layout.layers[number]
            if record.weight_gradient is not None:
                exact = sums.weight_gradient(slices.weights) * raw.held.synapses[slices.weights]
                record.weight_gradient[at] = _held(exact, own.numbers[Tensor.WEIGHT_GRADIENT])
            if record.threshold_gradient is not None:
                neurons = sums.thresholds[slices.neurons].reshape(layer.positions, layer.channels).T
                exact = sums.groups[slices.thresholds] + neurons.reshape(layer.thresholds, -1).sum(axis=1)
                record.threshold_gradient[at] = _held(exact, own.numbers[Tensor.THRESHOLD_GRADIENT])
            if record.bias_gradient is not None:
                record.bias_gradient[at] = _held(sums.biases[slices.rows], own.numbers[Tensor.BIAS_GRADIENT])
            if record.leak_gradient is not None:
                record.leak_gradient[at] = _held(
                    sums.leak[number : number + 1], own.numbers[Tensor.LEAK_GRADIENT]
                )[0]


def _held(exact: RawArray, row: RawArray) -> list[int]:
    """Exact sums as an accumulator holds them."""
    return [bring_into_range(int(v), row[LOW], row[HIGH], row[MASK], row[WRAP]) for v in exact]
