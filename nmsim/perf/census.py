"""Census: how many ones a mask has in the boxes that slices are, for all samples and time steps at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import MASKS, Activity
from nmsim.caches import BoundedCache
from nmsim.columns import distinct_numbers
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.perf.geometry import LayerGeometry, LayerSlices
from nmsim.perf.mask_sums import Ones, Prefix, any_of, in_boxes, prefix_sums

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Boxes = tuple[IntArray, IntArray, IntArray, IntArray]
KEPT_BYTES = 96 * 2**20
"""Of counts that are kept for further mappings whose slices are the same boxes."""
Found = TypeVar("Found")


@dataclass(frozen=True)
class _Count:
    """What is counted in `masks`, told apart by name and by the bytes of its boxes."""

    masks: tuple[object, ...]
    name: str
    boxes: bytes
    find: Callable[[], Any] = field(compare=False)


def _size(found: Any) -> int:
    parts = found if isinstance(found, tuple) else (found,)
    return sum(part.ones.nbytes if isinstance(part, Mask) else int(part.nbytes) for part in parts)


_counts: BoundedCache[_Count, Any] = BoundedCache(
    lambda asked: asked.find(), lambda _, found: _size(found), KEPT_BYTES
)


def _kept(
    masks: tuple[object, ...], name: str, boxes: Sequence[IntArray], find: Callable[[], Found]
) -> Found:
    """A count that the same masks and boxes have been asked for before, or `find` found now; not to be changed."""
    found: Found = _counts(_Count(masks, name, b"".join(array.tobytes() for array in boxes), find))
    return found


def distinct_boxes(*bounds: IntArray) -> tuple[IntArray, IntArray]:
    """Distinct boxes `(bounds, boxes)`, in ascending order of their bounds, and which of them each of n boxes is `(n,)`."""
    first, inverse = distinct_numbers(bounds)
    return np.stack([bound[first] for bound in bounds]), inverse


@dataclass(frozen=True, eq=False)
class Mask:
    """A mask `(S, T, C, H, W)`; sums along boxes are differences of prefix sums, hence independent of box sizes.

    S = T = 1 stands for a mask that is the same for every sample and step. Where several spikes may stand at one place,
    `ones` holds their number.
    """

    ones: Ones

    @cached_property
    def prefix(self) -> Prefix:
        """Sums over columns, cumulated over channels and rows: `(S, T, C + 1, H + 1)`."""
        return prefix_sums(self.ones)

    def count(self, c0: IntArray, c1: IntArray, y0: IntArray, y1: IntArray) -> IntArray:
        """Ones in n boxes of channels and rows, `(n, S, T)`."""
        return _kept((self,), "count", (c0, c1, y0, y1), lambda: in_boxes(self.prefix, c0, c1, y0, y1))

    def weighted(self, weight: IntArray, c0: IntArray, c1: IntArray, y0: IntArray, y1: IntArray) -> IntArray:
        """Sum of a weight `(H, W)` or `(S, T, H, W)` over the ones in n boxes, `(n, S, T)`."""
        boxes = (c0, c1, y0, y1)
        return _kept(
            (self,), f"weighted {weight.shape}", (weight, *boxes), lambda: self._weighted(weight, *boxes)
        )

    def _weighted(self, weight: IntArray, c0: IntArray, c1: IntArray, y0: IntArray, y1: IntArray) -> IntArray:
        if weight.shape[-2:] == (1, 1):
            return self.count(c0, c1, y0, y1) * weight.reshape(weight.shape[:-2])
        return in_boxes(prefix_sums(self.ones, weight), c0, c1, y0, y1)

    def grouped(self, c0: IntArray, c1: IntArray, size: IntArray) -> tuple["Mask", IntArray, IntArray]:
        """Mask of groups of neighbouring channels of which any is one, and each box's range of groups.

        Groups of `size (n,)` channels start at the first channel of each box; the last one may be smaller.
        """
        if (size == 1).all():
            return self, c0, c1
        return _kept((self,), "grouped", (c0, c1, size), lambda: self._grouped(c0, c1, size))

    def _grouped(self, c0: IntArray, c1: IntArray, size: IntArray) -> tuple["Mask", IntArray, IntArray]:
        boxes, inverse = distinct_boxes(c0, c1, size)
        starts = [np.arange(start, stop, width) for start, stop, width in boxes.T]
        groups = [len(first) for first in starts]
        past = np.minimum(np.concatenate(starts) + np.repeat(boxes[2], groups), np.repeat(boxes[1], groups))
        ends = np.cumsum([0, *groups])
        return Mask(any_of(self.ones, np.concatenate(starts), past)), ends[:-1][inverse], ends[1:][inverse]

    def channels_with_any(self, c0: IntArray, c1: IntArray, y0: IntArray, y1: IntArray) -> IntArray:
        """Channels of n boxes with any one in the box's rows, `(n, S, T)`."""
        return _kept((self,), "channels", (c0, c1, y0, y1), lambda: self._channels_with_any(c0, c1, y0, y1))

    def _channels_with_any(self, c0: IntArray, c1: IntArray, y0: IntArray, y1: IntArray) -> IntArray:
        bands, bands_of = distinct_boxes(y0, y1)
        hot = np.stack([self.ones[:, :, :, start:stop].any(axis=(3, 4)) for start, stop in bands.T], axis=3)
        cumulated = np.zeros((*hot.shape[:2], hot.shape[2] + 1, hot.shape[3]), np.int64)
        np.cumsum(hot, axis=2, out=cumulated[:, :, 1:])
        return np.moveaxis(cumulated[:, :, c1, bands_of] - cumulated[:, :, c0, bands_of], -1, 0)

    @cached_property
    def flat(self) -> Ones:
        """`(S, T, C * H * W)`."""
        return self.ones.reshape(*self.ones.shape[:2], -1)


@dataclass(frozen=True, eq=False)
class LayerCensus:
    """Masks of one layer, `(S, T, C, H, W)`, with the counts that couple inputs and neurons."""

    geometry: LayerGeometry
    inputs: Mask
    spikes: Mask
    traces: Mask
    deltas: Mask
    input_bits: int
    updates: BoolArray | None = None
    """Neurons whose state changed, where the activity tells."""
    synapses: BoolArray | None = None
    """Which weights are there, in their shape; None: all."""

    @cached_property
    def active(self) -> Mask:
        """Neurons whose state changed, where the activity tells, else those that receive an input or fire."""
        if self.updates is not None:
            return Mask(self.updates)
        seen = self.seen(self.inputs, 0, self.geometry.in_shape[0]) > 0
        return Mask(seen[:, :, None] | (self.spikes.ones > 0))

    def taps_of(self, mask: Mask, slices: LayerSlices) -> IntArray:
        """Pairs of a one of an input mask and a kernel position that leads to a neuron row of each slice, `(n, S, T)`.

        Times the slice's output channels, this is its number of synaptic operations.
        """
        geometry = self.geometry
        if not geometry.shares_weights and geometry.kernel == 1:
            return mask.count(*slices.input_box)
        boxes = (slices.i0, slices.i1, slices.r0, slices.r1)
        return _kept((geometry, mask), "taps", boxes, lambda: self._taps_of(mask, boxes))

    def _taps_of(self, mask: Mask, of: Boxes) -> IntArray:
        geometry = self.geometry
        # a product of matrices would first make float64 of the whole mask
        columns = np.einsum("stchw,w->stch", mask.ones, geometry.column_links.sum(0).astype(np.float64))
        channels = np.zeros((*columns.shape[:2], columns.shape[2] + 1, columns.shape[3]))
        np.cumsum(columns, axis=2, out=channels[:, :, 1:])
        boxes, inverse = distinct_boxes(*of)
        rows = np.stack([geometry.row_links[start:stop].sum(0) for start, stop in boxes[2:].T])
        total = np.einsum("stny,ny->nst", channels[:, :, boxes[1]] - channels[:, :, boxes[0]], rows)
        whole: IntArray = np.rint(total).astype(np.int64)
        return whole[inverse]

    def seen(self, mask: Mask, i0: int, i1: int) -> IntArray:
        """Ones of an input mask under the kernel of each position, channels `i0..i1`: `(S, T, out rows, out columns)`."""
        geometry = self.geometry
        plane = mask.ones[:, :, i0:i1].sum(axis=2, dtype=np.float64)
        seen = geometry.row_links.astype(np.float64) @ plane @ geometry.column_links.T.astype(np.float64)
        whole: IntArray = np.rint(seen).astype(np.int64)
        return whole

    def couplings(
        self, neurons: Mask, mask: Mask, slices: LayerSlices, g0: IntArray, g1: IntArray
    ) -> IntArray:
        """Pairs of a one of a neuron mask (or of its groups `g0..g1`) and a one of an input mask under its kernel."""
        boxes = (g0, g1, slices.r0, slices.r1, slices.i0, slices.i1)
        masks = (self.geometry, neurons, mask)
        return _kept(masks, "couplings", boxes, lambda: self._couplings(neurons, mask, slices, g0, g1))

    def _couplings(
        self, neurons: Mask, mask: Mask, slices: LayerSlices, g0: IntArray, g1: IntArray
    ) -> IntArray:
        ranges, inverse = distinct_boxes(slices.i0, slices.i1)
        shape = np.broadcast_shapes(neurons.ones.shape[:2], mask.ones.shape[:2])
        total = np.zeros((len(slices), *shape), np.int64)
        for index, (start, stop) in enumerate(ranges.T):
            rows = inverse == index
            box = (g0[rows], g1[rows], slices.r0[rows], slices.r1[rows])
            total[rows] = neurons.weighted(self.seen(mask, int(start), int(stop)), *box)
        return total


class ActivityCensus:
    """Census of a whole activity, kept over many designs that replay it: masks are unpacked once."""

    def __init__(self, network: NetworkSpec, activity: Activity) -> None:
        self.network, self.activity = network, activity
        self._shorter: dict[int, ActivityCensus] = {}
        unpacked: dict[bytes, BoolArray] = {}
        self.layers = tuple(
            _layer_census(layer, activity, index, unpacked)
            for index, layer in enumerate(network.synaptic_layers)
        )

    def first(self, samples: int) -> "ActivityCensus":
        """Census of the first samples, or itself if it has no more; the same object whenever it is asked for."""
        if self.activity.samples <= samples:
            return self
        if samples not in self._shorter:
            self._shorter[samples] = ActivityCensus(self.network, self.activity.first(samples))
        return self._shorter[samples]

    @cached_property
    def full(self) -> tuple[LayerCensus, ...]:
        """The same layers with every bit one: what is done where nothing is skipped."""
        return tuple(_full(layer) for layer in self.layers)


_COUNTED = {"inputs": "input_counts", "spikes": "spike_counts"}


def _layer_census(
    layer: SynapticLayer, activity: Activity, index: int, unpacked: dict[bytes, BoolArray]
) -> LayerCensus:
    """`unpacked` are masks that other layers have: the inputs of one are often the spikes of the one below."""
    geometry, record = LayerGeometry.of(layer), activity.layers[index]
    shapes = {"inputs": geometry.in_shape, "traces": geometry.in_shape}
    masks = {}
    for name in MASKS:
        shape = shapes.get(name, geometry.out_shape)
        key = _content(getattr(record, name), shape)
        if key not in unpacked:
            unpacked[key] = record.mask(name)
        flat: Ones = unpacked[key]
        flat = record.counts.get(_COUNTED.get(name, ""), flat)
        masks[name] = Mask(flat.reshape(*flat.shape[:2], *shape))
    updates = None
    if record.updates is not None:
        updates = record.mask("updates").reshape(masks["spikes"].ones.shape)
    there = record.synapse_mask(layer.weight_shape)
    return LayerCensus(geometry, input_bits=record.input_bits, updates=updates, synapses=there, **masks)


def _content(packed: NDArray[np.uint8], shape: tuple[int, ...]) -> bytes:
    """What tells masks of so many places apart."""
    return b"%d " % np.prod(shape) + sha256(packed.tobytes()).digest()


def _full(layer: LayerCensus) -> LayerCensus:
    inside = Mask(np.ones((1, 1, *layer.geometry.in_shape), np.bool_))
    outside = Mask(np.ones((1, 1, *layer.geometry.out_shape), np.bool_))
    return LayerCensus(layer.geometry, inside, outside, inside, outside, layer.input_bits)
