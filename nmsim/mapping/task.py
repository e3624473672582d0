"""What is to be mapped onto what: the network's layers with their needs on a certain chip."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from nmsim.caches import HashedTuple, Itself
from nmsim.contents import Content
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core
from nmsim.hardware.sram import NOMINAL_BITS, Sram
from nmsim.mapping.deployment import needs_on
from nmsim.mapping.expected_traffic import overlap
from nmsim.mapping.mapping import Slice
from nmsim.mapping.outline import store
from nmsim.mapping.partition import Cut, Partition, partitions
from nmsim.mapping.room import LayerPlan, Storage
from nmsim.mapping.stored_weights import Present, StoredWeights
from nmsim.network.memory import TrainingNeeds
from nmsim.network.memory_terms import Term, network_terms
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.network.state import STATE_VARIABLES, TRACES

KEPT = 64
"""Networks whose terms are kept under a rule: every chip that they are mapped onto asks for them."""
PresentSynapses = tuple[Present | None, ...]
"""Which synapses of each layer are there; None: all of its."""
SPILL_ORDER: tuple[frozenset[Content], ...] = (
    frozenset({Content.VELOCITY}),
    frozenset({Content.HISTORY}),
    frozenset({Content.WEIGHT_GRADIENT, Content.FACTOR}),
    frozenset({Content.WEIGHT}),
    frozenset({*(trace.content for trace in TRACES), Content.THRESHOLD_GRADIENT}),
    frozenset(
        {
            *(variable.content for variable in STATE_VARIABLES if variable not in TRACES),
            *(Content.THRESHOLD, Content.INPUT_SUM, Content.INPUT),
        }
    ),
)
"""What moves to DRAM, in this order, while a chip is too small: least often used per bit first.

Of accumulators and inputs only what is kept between time steps moves: the current and the sample of a static input.
"""


@lru_cache(maxsize=KEPT)
def _terms(
    network: NetworkSpec, precision: Itself[Precision], needs: TrainingNeeds
) -> tuple[tuple[Term, ...], ...]:
    """What every layer keeps, apart from the others."""
    return tuple(HashedTuple(terms) for terms in network_terms(network, precision.it, needs, spread=True))


def following(
    network: NetworkSpec, precision: Precision, needs: TrainingNeeds, chip: ChipConfig
) -> ChipConfig:
    """The chip with memories whose words follow the formats as wide as these ask; others stay as they are."""
    if all(memory.word_values is None for core in chip.core_types for memory in core.memories):
        return chip
    bits = _widest(network, Itself(precision), needs_on(needs, chip)[0])
    return chip.model_copy(update={"core_types": tuple(_sized(core, bits) for core in chip.core_types)})


@lru_cache(maxsize=KEPT)
def _widest(
    network: NetworkSpec, precision: Itself[Precision], needs: TrainingNeeds
) -> frozenset[tuple[Content, int]]:
    """The widest value of every kind of data, bits."""
    bits: dict[Content, int] = {}
    for terms in _terms(network, precision, needs):
        for term in terms:
            bits[term.kind] = max(bits.get(term.kind, 1), term.value_bits)
    return frozenset(bits.items())


@lru_cache(maxsize=KEPT)
def _sized(core: Core, widest: frozenset[tuple[Content, int]]) -> Core:
    """A core with words of memories that follow the formats as wide as values of some bits ask."""
    bits = dict(widest)

    def sized(memory: Sram) -> Sram:
        if memory.word_values is None:
            return memory
        most = max((bits[content] for content in memory.holds if content in bits), default=NOMINAL_BITS)
        return memory.model_copy(update={"word_bits": memory.word_values * most})

    return core.model_copy(update={"memories": tuple(sized(memory) for memory in core.memories)})


@dataclass(frozen=True)
class Task:
    """A network under a learning rule, to be mapped onto a chip.

    `asked` is what the rule needs, `needs` the same with the chip's options in it.
    """

    network: NetworkSpec
    precision: Precision
    asked: TrainingNeeds
    needs: TrainingNeeds
    chip: ChipConfig
    plans: tuple[LayerPlan, ...]
    notes: tuple[str, ...] = ()
    present: PresentSynapses = ()

    @classmethod
    def of(
        cls, network: NetworkSpec, precision: Precision, asked: TrainingNeeds, chip: ChipConfig,
        present: PresentSynapses = (),
    ) -> "Task":  # fmt: skip
        """Bring the needs of a rule and the options of a chip together.

        `present` says by layer which synapses are there (all, if it is empty); it counts where the chip stores these alone.

        Raises:
            ConfigError: the chip updates in place, but the training keeps a velocity.
        """
        needs, notes = needs_on(asked, chip)
        terms = _terms(network, Itself(precision), needs)
        memory = chip.options.synapses
        plans = []
        for layer, rows in zip(network.synaptic_layers, terms, strict=True):
            own = present[layer.index] if present else None
            stored = None if memory.format == "dense" else StoredWeights(memory, own or Present.whole(layer))
            plans.append(LayerPlan(layer, rows, stored))
        return cls(network, precision, asked, needs, chip, tuple(plans), notes, present)

    def on(self, chip: ChipConfig) -> "Task":
        """The same network and rule on another chip."""
        return Task.of(self.network, self.precision, self.asked, chip, self.present)

    @property
    def kinds(self) -> frozenset[Content]:
        """Every kind of data that has to live somewhere."""
        return frozenset(term.kind for plan in self.plans for term in plan.terms)

    def homeless(self, core: Core) -> list[Content]:
        """Kinds of data for which a type of core has no memory and the chip no DRAM."""
        if self.chip.dram is not None:
            return []
        held = {content for memory in core.memories for content in memory.holds}
        return sorted(self.kinds - held)

    @cached_property
    def storages(self) -> tuple[tuple[Storage, ...], ...]:
        """Ways to store the data, most on chip first; only core types that have a place for every kind."""
        return tuple(self._storages())

    def _storages(self) -> Iterator[tuple[Storage, ...]]:
        direct = set()
        if self.chip.options.weight_gradient == "off_chip":
            direct.add(Content.WEIGHT_GRADIENT)
        if self.needs.stbp_history == "spill":
            direct.add(Content.HISTORY)
        usable = [store(core) for core in self.chip.core_types if not self.homeless(core)]
        streamed: frozenset[Content] = frozenset()
        yield tuple(Storage(core, streamed, frozenset(direct), self.chip.options.skip) for core in usable)
        for kinds in SPILL_ORDER if self.chip.dram is not None else ():
            more = (kinds & self.kinds) - direct
            if more:
                streamed |= more
                yield tuple(
                    Storage(core, streamed, frozenset(direct), self.chip.options.skip) for core in usable
                )

    def solve(self, spread: Cut) -> Partition | None:
        """The first partition that respects every bound, most of the data on chip; None if there is none."""
        for storages in self.storages:
            for found in partitions(self.plans, self.chip, storages, spread):
                if not any(reached > bound for _, reached, bound in self.fan_outs(found.pieces)):
                    return found
        return None

    def fan_outs(self, pieces: Sequence[Slice]) -> Iterator[tuple[int, int, int]]:
        """Layer, most cores that one of its pieces must reach, and the bound of its core, where there is a bound."""
        if all(core.max_fan_out is None for core in self.chip.core_types):
            return
        cores = self.chip.cores()
        for source in range(len(self.plans)):
            bounds = [
                cores[p.core].type.max_fan_out if p.layer == source and p.owner else None for p in pieces
            ]
            bounded = np.flatnonzero([bound is not None for bound in bounds])
            if not bounded.size:
                continue
            reached: list[set[int]] = [set() for _ in bounded]
            for target, plan in enumerate(self.plans):
                if source not in self.network.source_layers(target):
                    continue
                receivers = np.flatnonzero([p.layer == target for p in pieces])
                shared = overlap(self.plans[source], plan, pieces, bounded, receivers)
                for row, cells in enumerate(shared > 0):
                    reached[row] |= {pieces[receivers[i]].core for i in cells.nonzero()[0]}
            for row, index in enumerate(bounded):
                yield source, len(reached[row]), bounds[index] or 0
