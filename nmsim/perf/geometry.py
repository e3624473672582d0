"""The shape of a layer's work: which inputs meet which neurons, and which box of it each slice does."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmsim.caches import BoundedCache, Itself
from nmsim.mapping.mapping import Slice
from nmsim.network.spec import SynapticLayer

IntArray = NDArray[np.int64]
KEPT_BYTES = 96 * 2**20
"""Of owners of neurons: eight megabytes a layer of a million neurons, in every mapping that a search looks at."""


@dataclass(frozen=True)
class LayerGeometry:
    """A synaptic layer as a convolution; a dense layer is one with a 1 x 1 kernel on 1 x 1 maps.

    A neuron at row `o` sees the input rows `o * stride - padding + (0 .. kernel-1)` that exist, likewise for columns,
    in every input channel.
    """

    in_shape: tuple[int, int, int]
    """Channels, rows, columns of the input."""
    out_shape: tuple[int, int, int]
    """Channels, rows, columns of the neurons."""
    kernel: int
    stride: int
    padding: int

    @classmethod
    def of(cls, layer: SynapticLayer) -> "LayerGeometry":
        """Geometry of a synaptic layer."""
        if layer.kind == "dense":
            return cls((layer.inputs, 1, 1), (layer.neurons, 1, 1), 1, 1, 0)
        channels, height, width = layer.in_shape
        out_channels, out_height, out_width = layer.out_shape
        return cls(
            (channels, height, width), (out_channels, out_height, out_width),
            layer.weight_shape[2], layer.stride, layer.padding,
        )  # fmt: skip

    @property
    def shares_weights(self) -> bool:
        """Whether a weight serves several positions."""
        return self.out_shape[1] * self.out_shape[2] > 1

    @cached_property
    def row_links(self) -> IntArray:
        """`(out rows, in rows)`: 1 where an output row sees an input row, which it does through one kernel row."""
        return self._links(1)

    @cached_property
    def column_links(self) -> IntArray:
        """`(out columns, in columns)`, likewise."""
        return self._links(2)

    def _links(self, axis: int) -> IntArray:
        first = np.arange(self.out_shape[axis])[:, None] * self.stride - self.padding
        offset = np.arange(self.in_shape[axis]) - first
        return ((offset >= 0) & (offset < self.kernel)).astype(np.int64)

    @cached_property
    def taps(self) -> IntArray:
        """`(out rows, out columns)`: kernel positions of a neuron that fall inside the input map."""
        return np.outer(self.row_links.sum(1), self.column_links.sum(1))


class SharedNeurons(NamedTuple):
    """Boxes of neurons that one slice owns and another sums for, `(K,)` each: rows of both, and the bounds of the box."""

    owner: IntArray
    row: IntArray
    c0: IntArray
    c1: IntArray
    r0: IntArray
    r1: IntArray

    @property
    def boxes(self) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Bounds of the neurons, channels then rows."""
        return self.c0, self.c1, self.r0, self.r1


_BOUNDS = ("core", "c0", "c1", "r0", "r1", "i0", "i1", "y0", "y1")


@dataclass(frozen=True, eq=False)
class LayerSlices:
    """The n slices of one layer as arrays `(n,)`; bounds are half open.

    `c0, c1` output channels, `r0, r1` output rows, `i0, i1` input channels, `y0, y1` input rows needed, `core`,
    `owner`. `leads` marks the first slice of each core.
    """

    geometry: LayerGeometry
    core: IntArray
    c0: IntArray
    c1: IntArray
    r0: IntArray
    r1: IntArray
    i0: IntArray
    i1: IntArray
    y0: IntArray
    y1: IntArray
    owner: NDArray[np.bool_]
    leads: NDArray[np.bool_]

    @classmethod
    def of(cls, layer: SynapticLayer, slices: tuple[Slice, ...]) -> "LayerSlices":
        """Slices of a layer, in the mapping's order."""
        table = np.array(
            [
                (p.core, p.channel_start, p.channel_stop, p.row_start, p.row_stop, p.input_start, p.input_stop,
                 *p.input_rows(layer))
                for p in slices
            ],
            np.int64,
        ).T  # fmt: skip
        _, first = np.unique(table[0], return_index=True)
        leads = np.zeros(len(slices), np.bool_)
        leads[first] = True
        bounds = dict(zip(_BOUNDS, table, strict=True))
        owner = np.array([p.owner for p in slices], np.bool_)
        return cls(LayerGeometry.of(layer), **bounds, owner=owner, leads=leads)

    def __len__(self) -> int:
        return len(self.core)

    @cached_property
    def channels(self) -> IntArray:
        """Output channels of each slice."""
        return self.c1 - self.c0

    @cached_property
    def positions(self) -> IntArray:
        """Output positions of each slice."""
        return (self.r1 - self.r0) * self.geometry.out_shape[2]

    @cached_property
    def neurons(self) -> IntArray:
        """Neurons of each slice, owned or as partial sums."""
        return self.channels * self.positions

    @cached_property
    def owned(self) -> IntArray:
        """Neurons whose state the slice holds."""
        return self.neurons * self.owner

    @cached_property
    def in_channels(self) -> IntArray:
        """Input channels of each slice."""
        return self.i1 - self.i0

    @cached_property
    def inputs(self) -> IntArray:
        """Inputs each slice needs."""
        return self.in_channels * (self.y1 - self.y0) * self.geometry.in_shape[2]

    @property
    def owners(self) -> IntArray:
        """Core that holds the state of each neuron `(N,)`, -1 where none does."""
        return _owners(Itself(self))

    @cached_property
    def first_needs(self) -> NDArray[np.bool_]:
        """Input channels and rows `(n, C, H)` that any slice of a core needs, at its first slice; elsewhere none."""
        channels, rows, _ = self.geometry.in_shape
        needed = np.zeros((len(self), channels, rows), np.bool_)
        lead = np.flatnonzero(self.leads)[np.searchsorted(np.unique(self.core), self.core)]
        for index, i0, i1, y0, y1 in zip(
            lead.tolist(), *(box.tolist() for box in self.input_box), strict=True
        ):
            needed[index, i0:i1, y0:y1] = True
        return needed

    @cached_property
    def weights(self) -> IntArray:
        """Weights of each slice."""
        return self.channels * self.in_channels * self.geometry.kernel**2

    @property
    def neuron_box(self) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Bounds of the neurons, channels then rows."""
        return self.c0, self.c1, self.r0, self.r1

    @property
    def input_box(self) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Bounds of the inputs needed, channels then rows."""
        return self.i0, self.i1, self.y0, self.y1

    @cached_property
    def shared_neurons(self) -> "SharedNeurons":
        """Where a fan-in is split: every owner's row with the row of a slice that sums for it, the latter in order."""
        owners, others = np.flatnonzero(self.owner), np.flatnonzero(~self.owner)
        low = [np.maximum(bound[owners], bound[others, None]) for bound in (self.c0, self.r0)]
        high = [np.minimum(bound[owners], bound[others, None]) for bound in (self.c1, self.r1)]
        other, owner = np.nonzero((high[0] > low[0]) & (high[1] > low[1]))
        boxes = (bound[other, owner] for bound in (low[0], high[0], low[1], high[1]))
        return SharedNeurons(owners[owner], others[other], *boxes)

    @cached_property
    def weight_copies(self) -> tuple[tuple[int, ...], ...]:
        """Rows of slices that use the same weights, the first of which updates them."""
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for row, box in enumerate(np.stack([self.c0, self.c1, self.i0, self.i1], axis=1).tolist()):
            groups[tuple(box)].append(row)
        return tuple(tuple(rows) for rows in groups.values())

    @cached_property
    def spreads_weights(self) -> bool:
        """Whether several cores hold copies of the same weights."""
        core = self.core.tolist()
        return any(core[row] != core[rows[0]] for rows in self.weight_copies for row in rows)

    @cached_property
    def updates(self) -> IntArray:
        """1 for the slices that update their weights, 0 for those that get them from another `(n,)`."""
        leads = np.zeros(len(self), np.int64)
        leads[[rows[0] for rows in self.weight_copies]] = 1
        return leads

    @cached_property
    def first_copies(self) -> IntArray:
        """1 for the first slice of its core with its weights, 0 for others on that core with the same ones `(n,)`."""
        boxes = np.stack([self.core, self.c0, self.c1, self.i0, self.i1])
        firsts = np.zeros(len(self), np.int64)
        firsts[np.unique(boxes, axis=1, return_index=True)[1]] = 1
        return firsts


def _find_owners(asked: Itself[LayerSlices]) -> IntArray:
    slices = asked.it
    core = np.full(slices.geometry.out_shape, -1, np.int64)
    bounds = np.stack([slices.core, *slices.neuron_box], axis=1)[slices.owner]
    for number, c0, c1, r0, r1 in bounds.tolist():
        core[c0:c1, r0:r1] = number
    return core.reshape(-1)


_owners = BoundedCache(_find_owners, lambda _, core: core.nbytes, KEPT_BYTES)
