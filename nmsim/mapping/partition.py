"""Partition: layers in pieces, and a core for every piece."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from nmsim.contents import Content
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.box import Box, box_on_any, cut_even, cut_large
from nmsim.mapping.mapping import Slice
from nmsim.mapping.room import LayerPlan, Room, Storage

Spread = Literal["compact", "balanced", "wide"]
"""How many cores a layer gets: as few as can be; its share of the work; all of them."""


@dataclass(frozen=True, slots=True)
class LayerCut:
    """Cores that a layer is cut for, and the fewest channels of a piece: rather than fewer, rows of the map are divided."""

    cores: int
    channels: int = 1


Cut = Spread | tuple[LayerCut, ...]
"""A policy for all layers, or what a search chose for each."""
BUDGETS = (1.0, 0.85, 0.7, 0.55)
"""Cores to divide by work, as a share of all, while their pieces find no room."""
SHARES = (1.0, 0.85, 0.7, 0.5, 0.35, 0.25, 0.125)
"""Finer and finer pieces, as a share of a core: small pieces pack better."""
OPEN_CORES = 128
"""Cores that compact filling keeps open."""


@dataclass(frozen=True)
class Partition:
    """Pieces on cores, in order of layer, and where each core type keeps its data.

    Which of several equal cores a piece got does not matter yet: `nmsim.mapping.place` moves them.
    """

    pieces: tuple[Slice, ...]
    storages: tuple[Storage, ...]
    """One per core type of the chip, in its order."""


Fill = Callable[[Sequence[LayerPlan], Sequence[Slice], ChipConfig, Sequence[Storage]], list[Slice] | None]
"""Puts pieces on cores; None if some find no room."""


def partitions(
    plans: Sequence[LayerPlan], chip: ChipConfig, storages: Sequence[Storage], spread: Cut
) -> Iterator[Partition]:
    """Pieces on cores within every capacity, best first; the spread gives way to compact filling.

    Pieces are cut for one type of core at a time; they may land on any type.
    """
    if too_much(plans, chip, storages):
        return
    tried: list[tuple[Fill, list[Slice]]] = []
    for attempt in _attempts(plans, len(chip.cores()), storages, spread):
        if attempt in tried:
            continue
        tried.append(attempt)
        fill, pieces = attempt
        placed = fill(plans, pieces, chip, storages)
        if placed is not None:
            turns = any(storage.streamed for storage in storages)
            yield Partition(tuple(placed if turns else _merged(placed)), tuple(storages))


def too_much(plans: Sequence[LayerPlan], chip: ChipConfig, storages: Sequence[Storage]) -> bool:
    """Whether every cut must fail, decided without trying one: the data exceeds all cores together.

    Looked at where one type of core holds everything; memories of several types are not compared.
    """
    if len(storages) != 1:
        return False
    storage = storages[0]
    cores = sum(core.type.name == storage.core.name for core in chip.cores())
    least = [sum(words) for words in zip(*(storage.least_words(plan) for plan in plans), strict=True)]
    slots = 0 if Content.MEMBRANE in storage.streamed else sum(plan.layer.neurons for plan in plans)
    return slots > cores * storage.core.neuron_slots or any(
        words > cores * memory.words for words, memory in zip(least, storage.core.memories, strict=True)
    )


def _attempts(
    plans: Sequence[LayerPlan], cores: int, storages: Sequence[Storage], spread: Cut
) -> Iterator[tuple[Fill, list[Slice]]]:
    """Ways to cut, and how to fill the cores with the pieces, best first."""
    for reference in storages:
        preferred = [reference, *(storage for storage in storages if storage is not reference)]
        for share in SHARES:
            boxes = [box for plan in plans if (box := box_on_any(plan, preferred, share))]
            if len(boxes) < len(plans):
                break
            if share == 1.0 and spread != "compact":
                if isinstance(spread, tuple):
                    yield _fill_balanced, _cut_pieces(plans, boxes, reference, spread)
                    return
                for budget in BUDGETS:
                    divided = max(1, int(cores * budget))
                    yield _fill_balanced, _spread_pieces(plans, boxes, reference, divided, spread)
            pairs = zip(plans, boxes, strict=True)
            yield _fill_compact, [piece for plan, box in pairs for piece in cut_large(plan, box)]


def _cut_pieces(
    plans: Sequence[LayerPlan], boxes: Sequence[Box], storage: Storage, cuts: Sequence[LayerCut]
) -> list[Slice]:
    """Every layer in as many pieces as were chosen for it."""
    pieces: list[Slice] = []
    for plan, box, cut in zip(plans, boxes, cuts, strict=True):
        wanted = max(min(cut.cores, storage.core.max_fan_out or cut.cores), box.pieces(plan))
        pieces += cut_even(plan, box, storage, wanted, cut.channels)
    return pieces


def _spread_pieces(
    plans: Sequence[LayerPlan], boxes: Sequence[Box], storage: Storage, cores: int, spread: Spread
) -> list[Slice]:
    """A layer's number of cores is its share of the work (or all), but no core has fewer neurons than lanes."""
    total = sum(plan.work for plan in plans)
    pieces: list[Slice] = []
    for plan, box in zip(plans, boxes, strict=True):
        share = cores if spread == "wide" else round(cores * plan.work / total)
        useful = -(-plan.layer.neurons // storage.core.accumulate_lanes)
        bound = storage.core.max_fan_out or cores
        wanted = min(share, useful * box.parts, bound)
        pieces += cut_even(plan, box, storage, max(wanted, box.pieces(plan)))
    return pieces


def _fill_balanced(
    plans: Sequence[LayerPlan], pieces: Sequence[Slice], chip: ChipConfig, storages: Sequence[Storage]
) -> list[Slice] | None:
    """Largest work first, each piece to the core with the least work that has room (longest processing time)."""
    rooms = _Rooms(plans, chip, storages)
    heap = [(0.0, core) for core in rooms.cores]
    placed: list[Slice] = []
    for piece in sorted(pieces, key=lambda piece: -_work(plans, piece)):
        passed: list[tuple[float, int]] = []
        while heap:
            load, core = heapq.heappop(heap)
            if rooms.take(core, piece):
                heapq.heappush(heap, (load + _work(plans, piece) / rooms.lanes(core), core))
                placed.append(replace(piece, core=core))
                break
            passed.append((load, core))
        else:
            return None
        for entry in passed:
            heapq.heappush(heap, entry)
    return sorted(placed, key=_order)


def _fill_compact(
    plans: Sequence[LayerPlan], pieces: Sequence[Slice], chip: ChipConfig, storages: Sequence[Storage]
) -> list[Slice] | None:
    """In order of layer, each piece to the first open core with room, else to the next empty core."""
    rooms = _Rooms(plans, chip, storages)
    unopened = iter(rooms.cores)
    opened: list[int] = []
    refused: dict[tuple[int, ...], int] = {}  # alike: opened cores from the first that have no room
    placed: list[Slice] = []
    for piece in pieces:
        alike = plans[piece.layer].alike(piece)
        first = max(refused.get(alike, 0), len(opened) - OPEN_CORES)
        place = next((i for i in range(first, len(opened)) if rooms.take(opened[i], piece)), None)
        while place is None:
            if (fresh := next(unopened, None)) is None:
                return None
            opened.append(fresh)
            place = len(opened) - 1 if rooms.take(fresh, piece) else None
        refused[alike] = place
        placed.append(replace(piece, core=opened[place]))
    return placed


def _order(piece: Slice) -> tuple[int, ...]:
    return piece.layer, piece.channel_start, piece.row_start, piece.input_start


def _work(plans: Sequence[LayerPlan], piece: Slice) -> int:
    layer = plans[piece.layer].layer
    return piece.weights(layer) * layer.positions * piece.rows // plans[piece.layer].rows


class _Rooms:
    """The rooms of the cores in use."""

    def __init__(self, plans: Sequence[LayerPlan], chip: ChipConfig, storages: Sequence[Storage]) -> None:
        by_type = {storage.core.name: storage for storage in storages}
        self._plans = plans
        self._storages = {c.index: by_type[c.type.name] for c in chip.cores() if c.type.name in by_type}
        self._rooms: dict[int, Room] = {}  # made when a core is first asked: most of a large mesh never is
        self._refused: set[tuple[int, tuple[int, ...]]] = set()

    @property
    def cores(self) -> list[int]:
        """Cores that can hold pieces."""
        return list(self._storages)

    def lanes(self, core: int) -> int:
        """Speed of a core."""
        return self._storages[core].core.accumulate_lanes

    def take(self, core: int, piece: Slice) -> bool:
        """Give a piece to a core if it fits there; what a core has refused once it can never take."""
        plan = self._plans[piece.layer]
        if (core, plan.alike(piece)) in self._refused:
            return False
        if (room := self._rooms.get(core)) is None:
            room = self._rooms[core] = Room(self._storages[core])
        demand = room.storage.demand(plan, piece)
        if not room.fits(demand):
            self._refused.add((core, plan.alike(piece)))
            return False
        room.add(demand)
        return True


def _merged(pieces: Sequence[Slice]) -> list[Slice]:
    """Pieces in order of layer; neighbours in channel on one core become one.

    Those of a split fan-in stay apart: their partial sums go to an owner with the same channels.
    """
    split = {piece.layer for piece in pieces if not piece.owner}
    merged: list[Slice] = []
    for piece in sorted(pieces, key=lambda p: (p.layer, p.row_start, p.input_start, p.channel_start)):
        if merged and merged[-1].channel_stop == piece.channel_start and piece.layer not in split:
            joined = replace(merged[-1], channel_stop=piece.channel_stop)
            if joined == replace(piece, channel_start=joined.channel_start):
                merged[-1] = joined
                continue
        merged.append(piece)
    return sorted(merged, key=_order)
