"""Partition: layers in pieces, and a core for every piece."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

from nmsim.caches import BoundedCache
from nmsim.contents import Content
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.box import Box, box_on_any, cut_even, cut_large
from nmsim.mapping.mapping import Slice, Slices
from nmsim.mapping.room import Demand, LayerPlan, Room, Storage

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
KEPT_BYTES = 32 * 2**20
"""Of partitions that are kept: chips that differ in lanes often cut a network alike."""


@dataclass(frozen=True)
class Partition:
    """Slices on cores, in order of layer, and where each core type keeps its data.

    Which of several equal cores a piece got does not matter yet: `nmsim.mapping.place` moves them.
    """

    pieces: Slices
    storages: tuple[Storage, ...]
    """One per core type of the chip, in its order."""


@dataclass(frozen=True)
class _Cores:
    """The cores of a chip as far as filling them goes."""

    storages: tuple[Storage, ...]
    types: tuple[int, ...]
    """Of every core its place among the storages; -1: it can hold nothing."""
    lanes: tuple[int, ...]
    """Of every storage, over the largest power of two that divides all: loads are compared, and halving is exact."""

    @classmethod
    def of(cls, chip: ChipConfig, storages: Sequence[Storage]) -> "_Cores":
        """Those of a chip."""
        place = {storage.core.name: index for index, storage in enumerate(storages)}
        lanes = [_lanes(chip, storage) for storage in storages]
        while lanes and not any(count % 2 for count in lanes):
            lanes = [count // 2 for count in lanes]
        types = tuple(place.get(core.type.name, -1) for core in chip.cores())
        return cls(tuple(storages), types, tuple(lanes))


def _lanes(chip: ChipConfig, storage: Storage) -> int:
    """Additions a cycle of a type of core."""
    return next(core.accumulate_lanes for core in chip.core_types if core.name == storage.core.name)


Fill = Callable[[Sequence[LayerPlan], Sequence[Slice], _Cores], list[Slice] | None]
"""Puts pieces on cores; None if some find no room."""


def partitions(
    plans: Sequence[LayerPlan], chip: ChipConfig, storages: Sequence[Storage], spread: Cut
) -> Iterator[Partition]:
    """Slices on cores within every capacity, best first; the spread gives way to compact filling.

    Slices are cut for one type of core at a time; they may land on any type.
    """
    if too_much(plans, chip, storages):
        return
    cores, seen = _Cores.of(chip, storages), set()
    for attempt in _attempts(plans, chip, storages, spread):
        if attempt not in seen:
            seen.add(attempt)
            found = _filled((*attempt, tuple(plans), cores))
            if found is not None:
                yield found


def _fill(asked: tuple[Fill, tuple[Slices, ...], tuple[LayerPlan, ...], _Cores]) -> Partition | None:
    fill, cuts, plans, cores = asked
    placed = fill(plans, list(chain.from_iterable(cuts)), cores)
    if placed is None:
        return None
    turns = any(storage.streamed for storage in cores.storages)
    return Partition(Slices(placed if turns else _merged(placed)), cores.storages)


_filled = BoundedCache(_fill, lambda _, found: found.pieces.nbytes if found else 0, KEPT_BYTES)
"""The pieces of all layers on cores; the same object for all chips that are filled alike."""


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
    plans: Sequence[LayerPlan], chip: ChipConfig, storages: Sequence[Storage], spread: Cut
) -> Iterator[tuple[Fill, tuple[Slices, ...]]]:
    """Ways to cut, and how to fill the cores with the pieces, best first."""
    cores = len(chip.cores())
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
                lanes = _lanes(chip, reference)
                for budget in BUDGETS:
                    divided = max(1, int(cores * budget))
                    yield _fill_balanced, _spread_pieces(plans, boxes, reference, divided, lanes, spread)
            yield _fill_compact, tuple(cut_large(plan, box) for plan, box in zip(plans, boxes, strict=True))


def _cut_pieces(
    plans: Sequence[LayerPlan], boxes: Sequence[Box], storage: Storage, cuts: Sequence[LayerCut]
) -> tuple[Slices, ...]:
    """Every layer in as many pieces as were chosen for it."""
    return tuple(
        cut_even(
            plan,
            box,
            storage,
            max(min(cut.cores, storage.core.max_fan_out or cut.cores), box.pieces(plan)),
            cut.channels,
        )
        for plan, box, cut in zip(plans, boxes, cuts, strict=True)
    )


def _spread_pieces(
    plans: Sequence[LayerPlan], boxes: Sequence[Box], storage: Storage, cores: int, lanes: int, spread: Spread
) -> tuple[Slices, ...]:
    """A layer's number of cores is its share of the work (or all), but no core has fewer neurons than lanes."""
    total = sum(plan.work for plan in plans)
    pieces = []
    for plan, box in zip(plans, boxes, strict=True):
        share = cores if spread == "wide" else round(cores * plan.work / total)
        useful = -(-plan.layer.neurons // lanes)
        bound = storage.core.max_fan_out or cores
        wanted = min(share, useful * box.parts, bound)
        pieces.append(cut_even(plan, box, storage, max(wanted, box.pieces(plan))))
    return tuple(pieces)


def _fill_balanced(plans: Sequence[LayerPlan], pieces: Sequence[Slice], cores: _Cores) -> list[Slice] | None:
    """Largest work first, each piece to the core with the least work that has room (longest processing time)."""
    rooms = _Rooms(plans, cores)
    alike = [plans[piece.layer].alike(piece) for piece in pieces]
    work = {key: _work(plans, piece) for key, piece in dict(zip(alike, pieces, strict=True)).items()}
    heap = [(0.0, core) for core in rooms.cores]
    placed: list[Slice] = []
    for key, piece in sorted(zip(alike, pieces, strict=True), key=lambda item: -work[item[0]]):
        passed: list[tuple[float, int]] = []
        while heap:
            load, core = heapq.heappop(heap)
            if rooms.take(core, key, piece):
                heapq.heappush(heap, (load + work[key] / rooms.lanes(core), core))
                placed.append(piece.on(core))
                break
            passed.append((load, core))
        else:
            return None
        for entry in passed:
            heapq.heappush(heap, entry)
    return sorted(placed, key=_order)


def _fill_compact(plans: Sequence[LayerPlan], pieces: Sequence[Slice], cores: _Cores) -> list[Slice] | None:
    """In order of layer, each piece to the first open core with room, else to the next empty core."""
    rooms = _Rooms(plans, cores)
    unopened = iter(rooms.cores)
    opened: list[int] = []
    refused: dict[tuple[int, ...], int] = {}  # alike: opened cores from the first that have no room
    placed: list[Slice] = []
    for piece in pieces:
        alike = plans[piece.layer].alike(piece)
        first = max(refused.get(alike, 0), len(opened) - OPEN_CORES)
        place = next((i for i in range(first, len(opened)) if rooms.take(opened[i], alike, piece)), None)
        while place is None:
            if (fresh := next(unopened, None)) is None:
                return None
            opened.append(fresh)
            place = len(opened) - 1 if rooms.take(fresh, alike, piece) else None
        refused[alike] = place
        placed.append(piece.on(opened[place]))
    return placed


def _order(piece: Slice) -> tuple[int, ...]:
    return piece.layer, piece.channel_start, piece.row_start, piece.input_start


def _work(plans: Sequence[LayerPlan], piece: Slice) -> int:
    layer = plans[piece.layer].layer
    return piece.weights(layer) * layer.positions * piece.rows // plans[piece.layer].rows


class _Rooms:
    """The rooms of the cores in use. Cores that took alike pieces in the same order are worked out once."""

    def __init__(self, plans: Sequence[LayerPlan], cores: _Cores) -> None:
        empty = [Room(storage) for storage in cores.storages]
        self._plans, self._types, self._lanes = plans, cores.types, cores.lanes
        self._rooms = {core: empty[place] for core, place in enumerate(cores.types) if place >= 0}
        self._after: dict[tuple[Room, tuple[int, ...]], Room | None] = {}
        self._demands: dict[tuple[int, tuple[int, ...]], Demand] = {}
        self._refused: set[tuple[int, tuple[int, ...]]] = set()

    @property
    def cores(self) -> list[int]:
        """Cores that can hold pieces."""
        return list(self._rooms)

    def lanes(self, core: int) -> int:
        """Speed of a core."""
        return self._lanes[self._types[core]]

    def take(self, core: int, alike: tuple[int, ...], piece: Slice) -> bool:
        """Give a piece to a core if it fits there; what a core has refused once it can never take."""
        if (core, alike) in self._refused:
            return False
        room = self._rooms[core]
        if (room, alike) not in self._after:
            self._after[room, alike] = room.with_one_that_fits(self._demand(core, alike, piece))
        after = self._after[room, alike]
        if after is None:
            self._refused.add((core, alike))
            return False
        self._rooms[core] = after
        return True

    def _demand(self, core: int, alike: tuple[int, ...], piece: Slice) -> Demand:
        key = (self._types[core], alike)
        if key not in self._demands:
            self._demands[key] = self._rooms[core].storage.demand(self._plans[piece.layer], piece)
        return self._demands[key]


def _merged(pieces: Sequence[Slice]) -> list[Slice]:
    """Slices in order of layer; neighbours in channel on one core become one.

    Those of a split fan-in stay apart: their partial sums go to an owner with the same channels.
    """
    split = {piece.layer for piece in pieces if not piece.owner}
    merged: list[Slice] = []
    for piece in sorted(pieces, key=lambda p: (p.layer, p.row_start, p.input_start, p.channel_start)):
        if merged and piece.layer not in split and _beside(merged[-1], piece):
            merged[-1] = replace(merged[-1], channel_stop=piece.channel_stop)
        else:
            merged.append(piece)
    return sorted(merged, key=_order)


def _beside(piece: Slice, other: Slice) -> bool:
    """Whether two pieces on one core differ in channels alone, and the other's follow."""
    return piece.channel_stop == other.channel_start and (
        (piece.layer, piece.core, piece.row_start, piece.row_stop, piece.input_start, piece.input_stop, piece.owner)
        == (other.layer, other.core, other.row_start, other.row_stop, other.input_start, other.input_stop, other.owner)
    )  # fmt: skip
