"""One layer of the work: its slices, masks, widths and options, as every phase needs them."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.counts import Action, Phase
from nmsim.fixedpoint.format import Rounding
from nmsim.hardware.chip import Options
from nmsim.hardware.dataflow import Flow
from nmsim.hardware.skip import SkipKind
from nmsim.mapping.flow import LayerFlow
from nmsim.network.memory import TrainingNeeds
from nmsim.network.memory_terms import has_scalar_trace
from nmsim.network.precision import ResolvedPrecision, TensorPrecision
from nmsim.network.spec import SynapticLayer
from nmsim.perf.census import LayerCensus, Mask
from nmsim.perf.geometry import LayerSlices
from nmsim.perf.machine import Lane, Machine
from nmsim.perf.projection import INPUT, Projection
from nmsim.perf.stage import Cadence, StageKind
from nmsim.perf.stage_builder import Packing, StageBuilder
from nmsim.perf.stored_synapses import StoredSynapses
from nmsim.perf.sum_levels import SumLevels

IntArray = NDArray[np.int64]
RANDOM_BITS = 16
RATE_BITS = 8
"""Width of a learning rate's mantissa and of the momentum factor."""
KEPT = 256
"""Compressed layers that are kept for further tasks."""


@dataclass(frozen=True, eq=False)
class LayerTask:
    """What one layer asks of the machine; `shape` is (S, T)."""

    layer: SynapticLayer
    slices: LayerSlices
    projections: tuple[Projection, ...]
    precision: ResolvedPrecision
    recorded: LayerCensus
    """What was non-zero."""
    full: LayerCensus
    """The same with every bit one."""
    machine: Machine
    needs: TrainingNeeds
    shape: tuple[int, int]
    is_output: bool
    static: bool
    """Its input is the network's own and the same at every time step."""
    flow: LayerFlow
    """Its dataflow."""
    off_chip: frozenset[Content] = frozenset()
    """Its data that lives in DRAM: there once per core, however many slices take turns with it."""

    @property
    def index(self) -> int:
        """Number of the layer."""
        return self.layer.index

    @property
    def options(self) -> Options:
        """Design options of the chip."""
        return self.machine.chip.options

    def stage(self, phase: Phase, part: StageKind, cadence: Cadence = "step") -> StageBuilder:
        """A builder with one row per slice."""
        return StageBuilder(self.machine, phase, self.index, part, self.slices.core, self.shape, cadence)

    @property
    def input_skip(self) -> SkipKind:
        """How the core finds inputs that are not zero; an artificial network reads all of them, in their order."""
        return "none" if self.needs.artificial else self.options.skip.inputs

    @cached_property
    def inputs(self) -> Mask:
        """Inputs that are served: non-zero ones, or all."""
        return (self.recorded if self.input_skip != "none" else self.full).inputs

    @cached_property
    def traces(self) -> Mask:
        """Weight traces that take part in the gradient; STBP uses the inputs themselves."""
        census = self.recorded if self.options.skip.traces != "none" else self.full
        return census.inputs if self.needs.carries == "history" else census.traces

    @cached_property
    def deltas(self) -> Mask:
        """Neurons whose delta takes part in error and gradient."""
        return (self.recorded if self.options.skip.deltas != "none" else self.full).deltas

    @property
    def owners(self) -> IntArray:
        """Core that holds the state of each neuron `(N,)`."""
        return self.slices.owners

    @property
    def sources(self) -> tuple[int, ...]:
        """Layers of neurons below, without the network's input."""
        return tuple(sorted({p.source for p in self.projections if p.source != INPUT}))

    @cached_property
    def stored(self) -> StoredSynapses | None:
        """Its synapses in a compressed memory; None where the store is dense, with zeros for those that are absent."""
        if self.options.synapses.format == "dense":
            return None
        return _stored(self.layer, self.recorded, self.slices, self.machine, self.weight_bits)

    @property
    def kept_weights(self) -> IntArray:
        """Weights that each slice stores and updates `(n,)`: all, or those of the synapses that are there."""
        return self.slices.weights if self.stored is None else self.stored.present

    @cached_property
    def scalar(self) -> bool:
        """Whether one trace stands for all inputs, and the weight gradient comes at the end of a sample."""
        return has_scalar_trace(self.precision, self.needs, first=self.static)

    def kept_inputs(self, content: Content) -> IntArray:
        """Inputs of each slice whose trace or history the forward pass keeps `(n,)`; see `off_chip`."""
        if content not in self.off_chip:
            return self.slices.inputs
        width = self.slices.geometry.in_shape[2]
        return np.asarray(self.slices.first_needs.sum(axis=(1, 2), dtype=np.int64) * width)

    def kept_ones(self, content: Content) -> IntArray:
        """Number of non-zero values among `kept_inputs`, `(n, S, T)`."""
        if content not in self.off_chip:
            return self.recorded.inputs.count(*self.slices.input_box)
        rows = self.recorded.inputs.ones.sum(axis=-1, dtype=np.int64)
        return np.asarray(np.einsum("stch,nch->nst", rows, self.slices.first_needs.astype(np.int64)))

    def holds_weights(self, flow: Flow) -> bool:
        """Whether a phase serves many positions from one weight read."""
        return self.slices.geometry.shares_weights and flow == "weight_stationary"

    @cached_property
    def in_turn(self) -> bool:
        """Whether the layer's phases come one after another, so that sums may wait in place for the next phase."""
        return self.options.schedule == "sequential"

    @cached_property
    def input_sums(self) -> SumLevels:
        """Where input sums are added up."""
        lane = Lane.ACCUMULATE if self.recorded.input_bits == 1 else Lane.MAC
        return self._sums(
            Content.INPUT_SUM, self.slices.neurons, self.current_bits, lane, self.flow.integrate
        )

    @cached_property
    def summed_errors(self) -> SumLevels:
        """Where errors of the layer's inputs are added up."""
        return self._sums(Content.ERROR_SUM, self.slices.inputs, self.error_bits, Lane.MAC, self.flow.error)

    @cached_property
    def current_at(self) -> IntArray:
        """Memories `(n,)` in which the neurons find their input sums."""
        sums = self.input_sums
        kept = self.static and self.options.static_input_once
        return sums.home if kept or not self.in_turn else np.where(sums.fits, sums.near, sums.home)

    @cached_property
    def error_at(self) -> IntArray:
        """Memories `(n,)` in which error sums from the layer above arrive and the deltas find them."""
        sums = self._sums(Content.ERROR_SUM, self.slices.owned, self.error_bits, Lane.MAC, "input_stationary")
        return sums.at if self.in_turn else sums.home

    def _sums(self, content: Content, values: IntArray, bits: int, lane: Lane, flow: Flow) -> SumLevels:
        cores = self.slices.core
        lanes = self.machine.lane_rate[cores, lane]
        return SumLevels.of(
            self.machine, content, cores, values, bits, np.minimum(lanes, 2**31).astype(np.int64), flow
        )

    @cached_property
    def weight_words(self) -> Packing:
        """How weights lie in their memory: neighbouring output channels share a word."""
        return self.stage(Phase.INTEGRATE, StageKind.INTEGRATE).packing(Content.WEIGHT, self.weight_bits)

    @property
    def weight_bits(self) -> int:
        """Stored width of a weight."""
        return self.precision.weight.format.total_bits

    @property
    def used_bits(self) -> int:
        """Width of a weight as the multipliers see it."""
        used = self.precision.weight_used
        return self.weight_bits if used is None else used.total_bits

    @property
    def current_bits(self) -> int:
        """Width of a current accumulator."""
        return self.precision.current.format.total_bits

    @property
    def error_bits(self) -> int:
        """Width of an error accumulator."""
        return self.precision.error.format.total_bits

    @property
    def delta_bits(self) -> int:
        """Width of a delta."""
        return self.precision.delta.format.total_bits

    @property
    def membrane_bits(self) -> int:
        """Width of membranes and thresholds."""
        return self.precision.membrane.format.total_bits

    @property
    def trace_bits(self) -> int:
        """Width of what stands for the input in the gradient: a weight trace, or with STBP the input itself."""
        if self.needs.carries == "history":
            return self.recorded.input_bits
        return self.precision.weight_trace.format.total_bits

    @property
    def gradient_operand(self) -> Content:
        """Where the gradient finds what it multiplies deltas with.

        STOP reads weight traces. STBP reads the inputs themselves: from the history, or, where the input is the same
        at every step, from the input memory, which holds it once.
        """
        if self.needs.carries == "traces":
            return Content.WEIGHT_TRACE
        return Content.INPUT if self.static else Content.HISTORY

    @property
    def leak_bits(self) -> int:
        """Width of a leak factor."""
        return self.precision.leak_factor.format.total_bits

    @property
    def gradient_bits(self) -> int:
        """Width of a weight gradient."""
        return self.precision.weight_gradient.format.total_bits


@lru_cache(maxsize=KEPT)
def _stored(
    layer: SynapticLayer, recorded: LayerCensus, slices: LayerSlices, machine: Machine, weight_bits: int
) -> StoredSynapses:
    memory = machine.chip.options.synapses
    return StoredSynapses.of(memory, layer, recorded.synapses, slices, machine, weight_bits)


def draw(stage: StageBuilder, tensor: TensorPrecision, values: IntArray) -> None:
    """One random draw per value that is rounded stochastically."""
    if tensor.rounding is Rounding.STOCHASTIC:
        stage.compute(Action.RANDOM_DRAW, values, None, RANDOM_BITS)
