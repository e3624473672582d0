"""What every core keeps of every kind of data, once its pieces are known."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from nmsim.contents import STORED, Content
from nmsim.mapping.mapping import Residencies, Residency, Slice
from nmsim.mapping.room import NOTHING, Amount, Demand, LayerPlan, Storage
from nmsim.network.memory_table import SHARED

_PLACE = {content: place for place, content in enumerate(STORED)}


def residency(
    plans: Sequence[LayerPlan], pieces: Sequence[Slice], storage_of: Mapping[int, Storage]
) -> Residencies:
    """Rows in order of core, layer and content; `storage_of` tells where each core keeps its data.

    Cores that took alike pieces keep the same, which is worked out once.
    """
    taken: dict[int, dict[tuple[int, ...], int]] = defaultdict(dict)
    one_of: dict[tuple[int, ...], Slice] = {}
    for piece in pieces:
        alike = plans[piece.layer].alike(piece)
        one_of.setdefault(alike, piece)
        counts = taken[piece.core]
        counts[alike] = counts.get(alike, 0) + 1
    asked: dict[tuple[Storage, tuple[int, ...]], Demand] = {}
    known: dict[tuple[object, ...], list[Residency]] = {}
    rows: list[Residency] = []
    for core in sorted(taken):
        storage, counts = storage_of[core], taken[core]
        key = (storage, *counts.items())
        if key not in known:
            for alike in counts:
                if (storage, alike) not in asked:
                    piece = one_of[alike]
                    asked[storage, alike] = storage.demand(plans[piece.layer], piece)
            demands = ((asked[storage, alike], count) for alike, count in counts.items())
            known[key] = Account(storage, demands).rows(core)
            rows += known[key]
        else:
            rows += [Residency(core, r.layer, r.content, r.bits, r.memory, r.words) for r in known[key]]
    return Residencies(rows)


class Account:
    """What one core keeps of its pieces: `kept` and `off_chip` by layer and kind, `buffers` by kind.

    Of a buffer its largest layer counts, or, if data is streamed, the largest layer of its memory (as in `Room`).
    """

    def __init__(self, storage: Storage, demands: Iterable[tuple[Demand, int]]) -> None:
        """`demands` of pieces that differ, in the order in which the core took them, and how many there are of each."""
        self.storage = storage
        self.kept: dict[tuple[int, Content], Amount] = {}
        self.off_chip: dict[tuple[int, Content], int] = {}
        layers: dict[Content, dict[int, Amount]] = {}
        for demand, count in demands:
            for kind, amount in demand.kept.items():
                key = (demand.layer, kind)
                self.kept[key] = self.kept.get(key, NOTHING).plus(amount.times(count))
            for kind, bits in demand.off_chip.items():
                self.off_chip[demand.layer, kind] = self.off_chip.get((demand.layer, kind), 0) + count * bits
            for kind, amount in demand.buffers.items():
                own = layers.setdefault(kind, {})
                there = own.get(demand.layer, NOTHING)
                own[demand.layer] = (
                    max(there, amount) if storage.streamed else there.plus(amount.times(count))
                )
        self.buffers = self._largest(layers)

    def _largest(self, layers: Mapping[Content, Mapping[int, Amount]]) -> dict[Content, Amount]:
        if not self.storage.streamed:
            return {kind: max(own.values()) for kind, own in layers.items()}
        homes = self.storage.homes
        words: dict[int, dict[int, int]] = {}
        for kind, own in layers.items():
            turn = words.setdefault(homes[kind], {})
            for layer, amount in own.items():
                turn[layer] = turn.get(layer, 0) + amount.words
        largest = {memory: max(turn, key=lambda layer: turn[layer]) for memory, turn in words.items()}
        chosen = {kind: own.get(largest[homes[kind]]) for kind, own in layers.items()}
        return {kind: amount for kind, amount in chosen.items() if amount is not None}

    def rows(self, core: int) -> list[Residency]:
        """In order of layer and content."""
        homes = self.storage.homes
        names = [memory.name for memory in self.storage.core.memories]
        rows = [
            Residency(core, layer, kind, amount.bits, names[homes[kind]], amount.words)
            for (layer, kind), amount in (
                *(((SHARED, kind), amount) for kind, amount in self.buffers.items()),
                *self.kept.items(),
            )
        ]
        rows += [Residency(core, layer, kind, bits, None) for (layer, kind), bits in self.off_chip.items()]
        return sorted(rows, key=lambda row: (row.layer, _PLACE[row.content], row.memory or ""))
