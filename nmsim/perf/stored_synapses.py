"""Stored synapses: what meets the rows of a compressed synapse memory, slice by slice, for every sample and step."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.errors import ConfigError
from nmsim.hardware.synapse_memory import SynapseMemory, SynapseStore
from nmsim.network.spec import SynapticLayer
from nmsim.perf.census import Mask
from nmsim.perf.geometry import LayerGeometry, LayerSlices
from nmsim.perf.machine import Lane, Machine

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Figure = Callable[[SynapseStore], IntArray]
WORD_BITS = 64
"""Words of a store on cores that are described by whole events and have no memories: nothing counts them."""


@dataclass(frozen=True, eq=False)
class StoredSynapses:
    """The synapses of one layer as each of its n slices stores them: a row is an input, or a kernel element of a channel."""

    slices: LayerSlices
    stores: tuple[SynapseStore, ...]
    lanes: tuple[int, ...]
    """Entries that the core of each slice takes a cycle."""

    @classmethod
    def of(
        cls, memory: SynapseMemory, layer: SynapticLayer, mask: NDArray[np.bool_] | None, slices: LayerSlices,
        machine: Machine, weight_bits: int,
    ) -> "StoredSynapses":  # fmt: skip
        """The stores of a layer whose weights `mask` says are there (None: all).

        Raises:
            ConfigError: a store of n of m whose slots the synapses of a group do not fit.
        """
        weights = np.ones(layer.weight_shape, np.bool_) if mask is None else mask
        if machine.event_timed[slices.core].all():
            words = np.full(len(slices), WORD_BITS)
        else:
            words = machine.word_bits[slices.core, machine.memory_index(slices.core, Content.WEIGHT)]
        stores = []
        for c0, c1, i0, i1, word in zip(slices.c0, slices.c1, slices.i0, slices.i1, words, strict=True):
            part = weights[c0:c1, i0:i1]
            rows = np.ascontiguousarray(part.reshape(len(part), -1).T)
            stores.append(SynapseStore(memory, rows, weight_bits, int(word)))
            if not stores[-1].fits:
                raise ConfigError(
                    f"options.synapses: layer {layer.index} has more than {memory.keep} synapses in a group of"
                    f" {memory.group} inputs, which a store of {memory.text} cannot hold; train with structure.pattern"
                    f" n_of_m, keep {memory.keep}, group {memory.group}, or use another format"
                )
        rate = np.minimum(machine.lane_rate[slices.core, Lane.MAC], 2**31)
        return cls(slices, tuple(stores), tuple(int(lanes) for lanes in rate))

    def over_rows(self, inputs: Mask, figure: Figure, where: Mask | None = None) -> IntArray:
        """Sum of a figure of each row over all its meetings with a one of an input mask, `(n, S, T)`.

        A row meets an input once at every output position that sees it; with `where`, a mask of neurons, at the positions
        where any neuron of the slice is one.
        """
        found = []
        for index, store in enumerate(self.stores):
            met = self._met(inputs, index, where)
            found.append(np.rint(met @ figure(store).astype(np.float64)).astype(np.int64))
        return np.stack(found)

    def cycles(self, index: int) -> IntArray:
        """Cycles that the lanes of a slice's core take for each row `(R,)`."""
        return self.stores[index].decode_cycles(self.lanes[index])

    def slots_over_rows(self, inputs: Mask, where: Mask | None = None) -> IntArray:
        """Slots of lanes taken `(n, S, T)`: a row takes whole cycles, the search for its entries included."""
        found = []
        for index, lanes in enumerate(self.lanes):
            slots = self._met(inputs, index, where) @ self.cycles(index).astype(np.float64)
            found.append(np.rint(slots).astype(np.int64) * lanes)
        return np.stack(found)

    def _met(self, inputs: Mask, index: int, where: Mask | None) -> FloatArray:
        """How often each row is met, `(S, T, R)`."""
        patches = self._patches(inputs, index)
        if where is None:
            return np.asarray(patches.sum(axis=-1, dtype=np.float64))
        hot = np.asarray(self._neurons(where, index).any(axis=2), np.float64)[..., None]
        return np.asarray((patches.astype(np.float64) @ hot)[..., 0])

    def _patches(self, inputs: Mask, index: int) -> NDArray[Any]:
        """What the rows of a slice see from each of its positions, `(S, T, R, P)`."""
        own, geometry = self.slices, self.slices.geometry
        ones = inputs.ones[:, :, own.i0[index] : own.i1[index]]
        if not geometry.shares_weights and geometry.kernel == 1:
            return ones.reshape(*ones.shape[:3], 1)
        return patches_of(geometry, ones, int(own.r0[index]), int(own.r1[index]))

    def _neurons(self, mask: Mask, index: int) -> NDArray[Any]:
        """Ones among the neurons of a slice, `(S, T, N, P)`."""
        own = self.slices
        ones = mask.ones[:, :, own.c0[index] : own.c1[index], own.r0[index] : own.r1[index]]
        return ones.reshape(*ones.shape[:3], -1)

    def pairs(self, deltas: Mask, traces: Mask) -> IntArray:
        """Ones of a neuron mask that meet a one of an input mask across a synapse that is there, `(n, S, T)`."""
        found = []
        for index, store in enumerate(self.stores):
            hot = self._neurons(deltas, index)
            # (S, T, R, P), sums below 2**24: exact
            reached = store.mask.astype(np.float32) @ hot.astype(np.float32)
            met = self._patches(traces, index).astype(np.float32)
            found.append((reached * met).sum(axis=(2, 3), dtype=np.float64))
        return np.asarray(np.rint(np.stack(found)), np.int64)

    def errors(self, deltas: Mask) -> IntArray:
        """Synapses that are there on the way back from each one of a neuron mask, `(n, S, T)`."""
        found = []
        for index, store in enumerate(self.stores):
            reached = store.mask.T.astype(np.float64) @ self._inside[index]
            hot = self._neurons(deltas, index).astype(np.float64)
            found.append(np.einsum("stnp,np->st", hot, reached))
        return np.asarray(np.rint(np.stack(found)), np.int64)

    @cached_property
    def _inside(self) -> list[FloatArray]:
        """Where a row meets an input and no padding, `(R, P)` of each slice."""
        every = Mask(np.ones((1, 1, *self.slices.geometry.in_shape), np.bool_))
        return [self._patches(every, index)[0, 0].astype(np.float64) for index in range(len(self.stores))]

    def total(self, figure: Figure) -> IntArray:
        """Sum of a figure over the rows of each slice `(n,)`."""
        return np.array([int(figure(store).sum()) for store in self.stores], np.int64)

    @property
    def present(self) -> IntArray:
        """Synapses of each slice `(n,)`."""
        return self.total(lambda store: store.present)


def patches_of(geometry: LayerGeometry, ones: NDArray[Any], first: int, stop: int) -> NDArray[Any]:
    """Input maps `(S, T, C, H, W)` as the kernels of output rows `first..stop` see them, `(S, T, C * k * k, P)`."""
    kernel, stride, padding = geometry.kernel, geometry.stride, geometry.padding
    width = geometry.out_shape[2]
    beside = ((0, 0), (0, 0), (0, 0), (padding, padding), (padding, padding))
    maps = np.pad(ones, beside)
    samples, steps, channels = ones.shape[:3]
    found = np.zeros((samples, steps, channels, kernel, kernel, (stop - first) * width), ones.dtype)
    for y in range(kernel):
        for x in range(kernel):
            rows = maps[..., first * stride + y : stop * stride + y : stride, :][..., : stop - first, :]
            part = rows[..., x : x + stride * width : stride][..., :width]
            found[:, :, :, y, x] = part.reshape(samples, steps, channels, -1)
    return found.reshape(samples, steps, channels * kernel * kernel, -1)
