"""Box: the piece of a layer that one core holds, and layers cut into such pieces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from nmsim.caches import BoundedCache
from nmsim.mapping.mapping import Slice, Slices
from nmsim.mapping.room import NOWHERE, LayerPlan, Room, Storage

KEPT = 4096
"""Largest boxes that are kept: designs and partitions ask for those of the same layers again and again."""
KEPT_BYTES = 32 * 2**20
"""Of layers in pieces that are kept."""


@dataclass(frozen=True)
class Box:
    """The largest piece of a layer that fits an empty core; `parts` of the fan-in, 1 if it is whole.

    Output channels (dense: neurons) times rows of the map, all columns. A fan-in is divided only where it must be, because
    the partial sums of its parts have to be sent to one of them.
    """

    channels: int
    rows: int
    parts: int

    def pieces(self, plan: LayerPlan) -> int:
        """Pieces of this size that a layer is cut into."""
        channels, rows = plan.layer.weight_shape[0], plan.rows
        return -(-channels // self.channels) * -(-rows // self.rows) * self.parts


@lru_cache(maxsize=KEPT)
def largest_box(plan: LayerPlan, storage: Storage, share: float = 1.0) -> Box | None:
    """The box that cuts a layer into the fewest pieces; None if not even one row of one channel fits a core.

    The fan-in is split only where it must be: a neuron's fan-in is above the core's bound, or does not fit.
    """
    layer, rows = plan.layer, plan.rows
    units = layer.weight_shape[1]
    best: tuple[int, int, Box] | None = None
    tried_since_first = 0
    for parts in _part_counts(plan, storage):
        for height in _heights(rows):
            count = _most_channels(plan, storage, height, -(-units // parts), share)
            if count > 0:
                box = Box(count, height, parts)
                key = (box.pieces(plan), -height, box)
                best = key if best is None or key[:2] < best[:2] else best
        tried_since_first += best is not None
        if best is not None and (best[2].parts == 1 or tried_since_first > 3):
            break
    return best[2] if best else None


def box_on_any(plan: LayerPlan, storages: Sequence[Storage], share: float = 1.0) -> Box | None:
    """The largest box on the first type of core that can hold a piece of the layer at all."""
    return next((box for storage in storages if (box := largest_box(plan, storage, share))), None)


def _part_counts(plan: LayerPlan, storage: Storage) -> Iterator[int]:
    """Numbers of parts of the fan-in to try: from the fewest that the fan-in bound allows, doubling."""
    units = plan.layer.weight_shape[1]
    parts, bound = 1, storage.core.max_fan_in
    if bound is not None:
        per_part = bound // (plan.layer.fan_in // units)
        if per_part == 0:
            return
        parts = -(-units // per_part)
    while parts < units:
        yield parts
        parts *= 2
    yield units


def _heights(rows: int) -> Iterator[int]:
    """Heights of a piece to try: all rows, then half of them and so on."""
    while rows > 1:
        yield rows
        rows = -(-rows // 2)
    yield 1


def _most_channels(plan: LayerPlan, storage: Storage, height: int, units: int, share: float) -> int:
    """Most channels of a piece of given rows and input channels that fit an empty core; 0 if none."""
    empty = Room(storage, share)
    start = min(height, plan.rows - height)  # a middle piece has the most input rows
    all_channels, all_units = plan.layer.weight_shape[:2]

    def fits(channels: int) -> bool:
        """Pieces are alike, or all of them are looked at where not all synapses are there."""
        places = (
            product(range(0, all_channels, channels), range(0, all_units, units)) if plan.stored else [(0, 0)]
        )
        return all(
            empty.fits(
                storage.demand(
                    plan,
                    Slice(
                        plan.layer.index, NOWHERE, c, min(c + channels, all_channels), start, start + height,
                        i, min(i + units, all_units),
                    ),
                )
            )
            for c, i in places
        )  # fmt: skip

    low, high = 0, plan.layer.weight_shape[0]
    if fits(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def cut_large(plan: LayerPlan, box: Box) -> Slices:
    """Pieces as large as the box, the last ones smaller."""
    return _large_cuts((plan, box))


def cut_even(plan: LayerPlan, box: Box, storage: Storage, wanted: int, least: int = 1) -> Slices:
    """At most about `wanted` pieces, as even as can be; rows are divided only if channels do not suffice."""
    return _even_cuts((plan, box, storage, wanted, least))


def _cut_large(plan: LayerPlan, box: Box) -> Slices:
    channels = plan.layer.weight_shape[0]
    columns = [(start, min(start + box.channels, channels)) for start in range(0, channels, box.channels)]
    rows = plan.rows
    bands = [(start, min(start + box.rows, rows)) for start in range(0, rows, box.rows)]
    return _pieces(plan, columns, bands, box.parts)


def _cut_even(plan: LayerPlan, box: Box, storage: Storage, wanted: int, least: int) -> Slices:
    channels, rows = plan.layer.weight_shape[0], plan.rows
    best: tuple[int, int, Slices] | None = None
    for bands in sorted({-(-rows // height) for height in _heights(rows)}):
        columns = min(max(1, channels // least), wanted // box.parts // bands)
        if columns < 1:
            continue
        size = -(-channels // columns) * -(-rows // bands)
        if best is not None and (size, bands) >= best[:2]:
            continue
        pieces = _pieces(plan, _even(channels, columns), _even(rows, bands), box.parts)
        empty = Room(storage)
        if all(
            empty.fits(storage.demand(plan, piece)) for piece in {plan.alike(p): p for p in pieces}.values()
        ):
            best = (size, bands, pieces)
    return best[2] if best else _cut_large(plan, box)


def _even(size: int, parts: int) -> list[tuple[int, int]]:
    return [(i * size // parts, (i + 1) * size // parts) for i in range(parts)]


def _pieces(
    plan: LayerPlan, columns: list[tuple[int, int]], bands: list[tuple[int, int]], parts: int
) -> Slices:
    inputs = _even(plan.layer.weight_shape[1], parts)
    return Slices(
        Slice(plan.layer.index, NOWHERE, *column, *band, *part, owner=part[0] == 0)
        for column in columns
        for band in bands
        for part in inputs
    )


_large_cuts = BoundedCache[tuple[LayerPlan, Box], Slices](
    lambda asked: _cut_large(*asked), lambda _, found: found.nbytes, KEPT_BYTES
)
_even_cuts = BoundedCache[tuple[LayerPlan, Box, Storage, int, int], Slices](
    lambda asked: _cut_even(*asked), lambda _, found: found.nbytes, KEPT_BYTES
)
"""The same objects for whoever asks the same."""
