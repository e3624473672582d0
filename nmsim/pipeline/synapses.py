"""What the masks of a run are worth on a chip: memory, work, energy and time of its synapses in every format."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.cost import logic, sram
from nmsim.cost.price import Price
from nmsim.cost.table import EventTable, load_table
from nmsim.cost.technology import Technology, technology_at
from nmsim.counts import Action
from nmsim.errors import ConfigError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.synapse_memory import SynapseMemory, SynapseStore, bits_for
from nmsim.network.precision import ResolvedPrecision
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.perf.sparse_synapses import (
    GrowthCost,
    LayerEvents,
    Meetings,
    SynapseCounts,
    SynapseWork,
    by_input,
    growth_cost,
)
from nmsim.pipeline.folder import RunFolder
from nmsim.units import J_PER_PJ

FORMATS = (
    SynapseMemory(format="dense"),
    SynapseMemory(format="bitmap"),
    SynapseMemory(format="csr"),
    SynapseMemory(format="csr", index_bits=4),
    SynapseMemory(format="csr", transposed="index"),
    SynapseMemory(format="blocks", rows=4, columns=4),
)
"""Formats that are compared; n of m needs masks of that pattern."""


@dataclass(frozen=True)
class SynapseCost:
    """Synapses of a whole network in one format on one chip; per sample, means over the profile.

    Only what touches synapses: weights and their indices, the operations on them, and the gradients; neurons, traces,
    packets and static power are the same whatever the format. Energies include the chip's control factor.
    """

    chip: str
    format: str
    density: float
    storage_bits: int
    index_bits: int
    sops: float
    errors: float
    pairs: float
    inference_j: float
    training_j: float
    inference_s: float
    training_s: float
    core_imbalance: float
    """Cycles lost to the fullest core: weighted by the layers' cycles."""
    growth_accumulator_bits: int
    growth_s: float
    """One growth decision."""


def masks_of(folder: RunFolder) -> list[NDArray[np.bool_]]:
    """Which synapses a finished run has, by layer, in the shape of the weights.

    Raises:
        RunError: there is no finished run.
        ConfigError: it was not trained bit-accurately, so it keeps no masks.
    """
    found = folder.parameters().get("synapses")
    if found is None:
        raise ConfigError(
            f"{folder.path}: the run was not trained bit-accurately and keeps no masks; train with arithmetic fixed"
        )
    layers = folder.workload().network.synaptic_layers
    ends = np.cumsum([layer.weights for layer in layers])[:-1]
    return [
        part.astype(bool).reshape(layer.weight_shape)
        for part, layer in zip(np.split(found, ends), layers, strict=True)
    ]


def synapse_costs(
    folder: RunFolder, chips: Sequence[ChipConfig], formats: tuple[SynapseMemory, ...] = FORMATS
) -> list[SynapseCost]:
    """A run's synapses on every chip in every format.

    Raises:
        ConfigError: a chip is described by its events, or the run keeps no masks.
        RunError: there is no finished run.
    """
    workload, masks = folder.workload(), masks_of(folder)
    activity = folder.activity(workload.training.rule.profile)
    layers = workload.network.synaptic_layers
    met = [
        Meetings(
            by_input(mask),
            LayerEvents.of(layer, activity.layers[layer.index]),
            static=_reads_samples(workload.network, layer) and activity.static_input,
        )
        for layer, mask in zip(layers, masks, strict=True)
    ]
    found = []
    for chip, memory in product(chips, formats):
        prices, parts = _Prices.of(chip), []
        for layer, happened in zip(layers, met, strict=True):
            precision = workload.precision.resolve(layer.index)
            store = SynapseStore(
                memory, happened.mask, precision.weight.format.total_bits, prices.word_bits(precision)
            )
            work = SynapseWork(
                store,
                happened,
                prices.lanes,
                precision.weight_gradient.format.total_bits,
                learns_below=not _reads_samples(workload.network, layer),
            )
            parts.append(_layer_cost(prices, precision, work, activity.layers[layer.index].input_bits))
        found.append(_joined(chip, memory, parts))
    return found


def _reads_samples(network: NetworkSpec, layer: SynapticLayer) -> bool:
    return network.source_layers(layer.index) == (-1,)


@dataclass(frozen=True)
class _Prices:
    """What the chip's memories and operations cost, in joules, and how wide it is."""

    chip: ChipConfig
    lanes: int
    cores: int

    @classmethod
    def of(cls, chip: ChipConfig) -> "_Prices":
        if isinstance(load_table(chip.technology), EventTable) or chip.core_types[0].event_timing:
            raise ConfigError(
                f"{chip.name}: it is described by whole events, so a format of its synapses has no price; use a chip with"
                " memories, such as edge-28nm"
            )
        return cls(chip, chip.core_types[0].mac_lanes, len(chip.cores()))

    def word_bits(self, precision: ResolvedPrecision) -> int:
        """Word of the weight memory for these formats."""
        memory = self.chip.core_types[0].memories[self.chip.core_types[0].home(Content.WEIGHT)]
        if memory.word_values is None:
            return memory.word_bits
        return memory.word_values * precision.weight.format.total_bits

    def word_j(self, content: Content, *, write: bool = False) -> float:
        """A word of the memory that holds a content."""
        core = self.chip.core_types[0]
        memory = core.memories[core.home(content)]
        return self._joules(
            sram.write(self._technology, memory) if write else sram.read(self._technology, memory)
        )

    def operation_j(self, action: Action, *bits: int) -> float:
        """One operation of these widths."""
        return self._joules(logic.operation(self._technology, action, *bits, *(0,) * (3 - len(bits))))

    def _joules(self, price: Price) -> float:
        return price.pj * J_PER_PJ * self.chip.power.control_overhead_factor

    @property
    def _technology(self) -> Technology:
        table = load_table(self.chip.technology)
        assert not isinstance(table, EventTable)
        return technology_at(table, self.chip.tech_node_nm, self.chip.voltage_v)


@dataclass(frozen=True)
class _LayerCost:
    """The part of one layer; cycles of one core that would do it alone, and cores that share it."""

    store: SynapseStore
    counts: SynapseCounts
    inference_j: float
    training_j: float
    cores: int
    growth: GrowthCost


def _layer_cost(
    prices: _Prices, precision: ResolvedPrecision, work: SynapseWork, input_bits: int
) -> _LayerCost:
    counts, store = work.counts(), work.store
    used = precision.weight.format if precision.weight_used is None else precision.weight_used
    current, error = precision.current.format.total_bits, precision.error.format.total_bits
    delta, trace = precision.delta.format.total_bits, precision.weight_trace.format.total_bits
    serve = (
        prices.operation_j(Action.SOP, current)
        if input_bits == 1
        else prices.operation_j(Action.MAC, input_bits, used.total_bits, current)
    )
    find = (
        0.0
        if store.memory.format == "dense"
        else prices.operation_j(Action.ADD, bits_for(store.mask.shape[1]))
    )
    read = prices.word_j(Content.WEIGHT)
    passed = store.memory.format == "dense"  # zeros of a dense store go through the lanes like any weight
    forward = (
        (counts.forward_passed if passed else counts.sops) * serve
        + counts.forward_passed * find
        + counts.forward_words * read
    )
    back = (
        (counts.error_passed if passed else counts.errors)
        * prices.operation_j(Action.MAC, used.total_bits, delta, error)
        + counts.error_passed * find
        + counts.error_words * read
        + counts.pairs * prices.operation_j(Action.MAC, delta, trace, work.gradient_bits)
        + counts.gradient_passed * find
        + counts.gradient_words * read
        + counts.gradient_value_words
        * (prices.word_j(Content.WEIGHT_GRADIENT) + prices.word_j(Content.WEIGHT_GRADIENT, write=True))
    )
    cores = min(prices.cores, max(1, -(-store.mask.shape[1] // prices.lanes)))
    growth = growth_cost(store, work.gradient_bits, prices.lanes)
    return _LayerCost(store, counts, forward, forward + back, cores, growth)


def _joined(chip: ChipConfig, memory: SynapseMemory, parts: list[_LayerCost]) -> SynapseCost:
    stores = [part.store for part in parts]
    forward = back = even = growth = 0.0
    for part in parts:
        spread = part.store.core_imbalance(part.cores) if memory.format != "dense" else 1.0
        one = part.counts.forward_cycles
        learn = part.counts.error_cycles + part.counts.gradient_cycles
        forward += one * spread / part.cores
        back += learn * spread / part.cores
        even += (one + learn) / part.cores
        growth += (part.growth.ranking_cycles + part.growth.rebuild_words) / part.cores
    name = memory.text + (", indexed back" if memory.transposed == "index" else "")
    return SynapseCost(
        chip=chip.name,
        format=name,
        density=sum(store.synapses for store in stores) / sum(store.mask.size for store in stores),
        storage_bits=sum(store.storage_bits for store in stores),
        index_bits=sum(store.index_storage_bits for store in stores),
        sops=sum(part.counts.sops for part in parts),
        errors=sum(part.counts.errors for part in parts),
        pairs=sum(part.counts.pairs for part in parts),
        inference_j=sum(part.inference_j for part in parts),
        training_j=sum(part.training_j for part in parts),
        inference_s=forward / chip.clock_hz,
        training_s=(forward + back) / chip.clock_hz,
        core_imbalance=(forward + back) / even if even else 1.0,
        growth_accumulator_bits=sum(part.growth.accumulator_bits for part in parts),
        growth_s=growth / chip.clock_hz,
    )
