"""Memory of a whole network under a learning rule, in both conventions (docs/memory.md).

*State only*, the convention of the STOP paper, is what one sample carries from one time step to the next:
membranes, spikes, traces, and for STBP the history and the temporal errors. *Everything* adds parameters,
accumulators, buffers of the step in work, registers and tables.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from nmsim.contents import SUMS, Content
from nmsim.network.memory import TrainingNeeds
from nmsim.network.memory_terms import Sizes, has_scalar_trace, network_terms
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.network.state import STATE
from nmsim.rules import RULES
from nmsim.units import BITS_PER_BYTE, BYTES_PER_MB

Convention = Literal["state_only", "everything"]
SHARED = -1
"""Layer of a buffer that the layers use in turn."""


@dataclass(frozen=True, slots=True)
class MemoryItem:
    """`values` values of `value_bits` bits of one kind for one layer (`SHARED`: a buffer of all)."""

    layer: int
    kind: Content
    values: int
    value_bits: int

    @property
    def bits(self) -> int:
        """Bits, without any packing loss."""
        return self.values * self.value_bits


@dataclass(frozen=True)
class NetworkMemory:
    """Memory of a network under one learning rule, as a list of items."""

    network: str
    rule: str
    items: tuple[MemoryItem, ...]

    def bits(self, convention: Convention = "everything", kind: Content | None = None) -> int:
        """Bits in a convention, of one kind or of all."""
        kinds = STATE if convention == "state_only" else frozenset(Content)
        return sum(item.bits for item in self.items if item.kind in kinds and kind in {None, item.kind})

    def megabytes(self, convention: Convention = "everything") -> float:
        """Megabytes (10^6 bytes) in a convention."""
        return self.bits(convention) / BITS_PER_BYTE / BYTES_PER_MB

    def by_kind(self, convention: Convention = "everything") -> dict[Content, int]:
        """Bits of every kind that occurs, in the order of `Content`."""
        bits = {kind: self.bits(convention, kind) for kind in Content}
        return {kind: amount for kind, amount in bits.items() if amount > 0}


def network_memory(network: NetworkSpec, precision: Precision, needs: TrainingNeeds) -> NetworkMemory:
    """Memory of a whole network held in one place, under one learning rule (docs/memory.md)."""
    kept: list[MemoryItem] = []
    buffers: dict[Content, MemoryItem] = {}  # the sums share theirs
    terms = network_terms(network, precision, needs)
    for layer, layer_rows in zip(network.synaptic_layers, terms, strict=True):
        for term in layer_rows:
            item = MemoryItem(layer.index, term.kind, term.values(Sizes.of(layer)), term.value_bits)
            shared = Content.INPUT_SUM if term.kind in SUMS else term.kind
            if not term.buffer:
                kept.append(item)
            elif shared not in buffers or item.bits > buffers[shared].bits:
                buffers[shared] = replace(item, layer=SHARED)
    registers = _registers(network, precision, needs)
    return NetworkMemory(network.name, needs.rule, (*kept, *buffers.values(), *registers))


def _registers(network: NetworkSpec, precision: Precision, needs: TrainingNeeds) -> list[MemoryItem]:
    items: list[MemoryItem] = []
    resolved = [precision.resolve(layer.index) for layer in network.synaptic_layers]
    for layer, formats in enumerate(resolved):
        items.append(MemoryItem(layer, Content.LEAK_FACTOR, 1, formats.leak_factor.format.total_bits))
        if needs.trains and needs.leak:
            items.append(MemoryItem(layer, Content.LEAK_FACTOR, 1, formats.leak_gradient.format.total_bits))
        first = network.source_layers(layer) == (-1,)
        scalar = has_scalar_trace(formats, needs, first=first)
        if scalar or (needs.carries == "traces" and network.synaptic_layers[layer].bias):
            trace = formats.constant_trace.format.total_bits
            items.append(MemoryItem(layer, Content.LEAK_FACTOR, needs.samples_in_flight, trace))
    if needs.trains:
        tables = dict.fromkeys(formats.surrogate for formats in resolved)
        items += [MemoryItem(SHARED, Content.TABLE, t.entries, t.format.total_bits) for t in tables]
        softmax = 2 * (network.classes + 1)
        items.append(MemoryItem(SHARED, Content.TABLE, softmax, resolved[-1].delta.format.total_bits))
    return items


def memory_by_rule(
    network: NetworkSpec,
    precision: Precision,
    needs: TrainingNeeds | None = None,
    rules: Iterable[str] = RULES,
) -> tuple[NetworkMemory, ...]:
    """The memory of a network under each rule; `needs` gives the options that the rules share."""
    shared = (needs or TrainingNeeds()).model_dump(exclude={"carries", "thresholds", "leak"})
    return tuple(network_memory(network, precision, TrainingNeeds.for_rule(rule, **shared)) for rule in rules)


def state_words(network: NetworkSpec, needs: TrainingNeeds, *, packed: bool) -> float:
    """Neuron state of one sample in words of 16 bits as published comparisons count it, without errors.

    Not packed: every membrane, spike and trace is one word, and weight traces number one per neuron.
    Packed: 16 spikes share a word, and weight traces number one per input of a layer, after pooling.
    """
    layers = network.synaptic_layers
    neurons = sum(layer.neurons for layer in layers)
    pair = neurons * (1 + 1 / 16) if packed else neurons * 2
    if needs.carries == "history":
        return network.time_steps * pair
    if not needs.trains:
        return pair
    traces = sum(layer.inputs for layer in layers) if packed else neurons
    return pair + traces + neurons * (needs.thresholds + needs.leak)
