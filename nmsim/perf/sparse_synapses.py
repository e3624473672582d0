"""Work of a layer whose synapses are stored in a sparse format: it follows the synapses that are there, both ways."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import LayerActivity
from nmsim.hardware.synapse_memory import SynapseStore
from nmsim.network.spec import SynapticLayer

FloatArray = NDArray[np.float64]


def by_input(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask of weights `(N, M)` or `(C_out, C_in, k, k)` as rows of what an input meets, `(R, N)`."""
    return np.ascontiguousarray(mask.reshape(mask.shape[0], -1).T)


@dataclass(frozen=True, eq=False)
class LayerEvents:
    """What meets what in a layer, `(S, T, ...)`: a row of synapses is an input, or a kernel element of an input channel.

    `patches (S, T, R, P)` of the inputs seen from P output positions, `traces` likewise, `deltas (S, T, N, P)`.
    """

    inputs: NDArray[np.bool_]
    traces: NDArray[np.bool_]
    deltas: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    """Rows that meet an input at a position, `(R, P)`: not where all that a kernel element sees is padding."""

    @classmethod
    def of(cls, layer: SynapticLayer, record: LayerActivity) -> "LayerEvents":
        """The recorded masks of a layer."""
        shape = record.mask("deltas").shape
        neurons = layer.neurons if layer.kind == "dense" else layer.out_shape[0]
        deltas = record.mask("deltas").reshape(*shape[:2], neurons, -1)
        return cls(
            _patches(layer, record.mask("inputs")),
            _patches(layer, record.mask("traces")),
            deltas,
            _patches(layer, np.ones((1, 1, layer.inputs), np.bool_))[0, 0],
        )


def _patches(layer: SynapticLayer, flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if layer.kind == "dense":
        return flat[..., None]
    samples, steps = flat.shape[:2]
    kernel, stride, padding = layer.weight_shape[2], layer.stride, layer.padding
    maps = flat.reshape(samples, steps, *layer.in_shape)
    maps = np.pad(maps, ((0, 0), (0, 0), (0, 0), (padding, padding), (padding, padding)))
    _, height, width = layer.out_shape
    found = np.empty((samples, steps, layer.in_shape[0], kernel, kernel, height * width), np.bool_)
    for y in range(kernel):
        for x in range(kernel):
            part = maps[..., y : y + stride * height : stride, x : x + stride * width : stride]
            found[:, :, :, y, x] = part[..., :height, :width].reshape(*maps.shape[:3], -1)
    return found.reshape(samples, steps, -1, height * width)


@dataclass(frozen=True, eq=False)
class Meetings:
    """What happens at the synapses that are there, whatever they are stored in and on whatever chip: means over the profile.

    `mask (R, N)` as of a `SynapseStore`. Each is computed once, when it is asked for.
    """

    mask: NDArray[np.bool_]
    events: LayerEvents
    static: bool = False
    """Its input is the same at every step, and served at the first only."""

    @cached_property
    def served(self) -> FloatArray:
        """How often each row is served per sample, `(R,)`."""
        inputs = self.events.inputs[:, :1] if self.static else self.events.inputs
        return np.asarray(inputs.sum(axis=(1, 3), dtype=np.float64).mean(axis=0))

    @cached_property
    def traced(self) -> FloatArray:
        """How often each row meets a position with any delta while it has a trace, per sample `(R,)`."""
        hot = np.asarray(self.events.deltas.any(axis=2))[:, :, None, :]
        return np.asarray((self.events.traces & hot).sum(axis=(1, 3), dtype=np.float64).mean(axis=0))

    @cached_property
    def deltas(self) -> FloatArray:
        """Deltas of each neuron or channel per sample, `(N,)`."""
        return np.asarray(self.events.deltas.sum(axis=(1, 3), dtype=np.float64).mean(axis=0))

    @cached_property
    def positions_with_deltas(self) -> float:
        """Steps and positions with a delta per sample: walks of the whole store."""
        return float(self.events.deltas.any(axis=2).sum(axis=(1, 2)).mean())

    @cached_property
    def errors(self) -> float:
        """Deltas times the synapses of their neuron."""
        reached = self.mask.T.astype(np.float64) @ self.events.inside  # synapses of a neuron at a position
        return float((self.events.deltas.sum(axis=1, dtype=np.float64).mean(axis=0) * reached).sum())

    @cached_property
    def pairs(self) -> float:
        """Deltas that meet a trace across a synapse that is there; steps and positions without both are left out."""
        total = 0.0
        mask = self.mask.astype(np.float32)  # counts of at most N: exact
        for deltas, traces in zip(self.events.deltas, self.events.traces, strict=True):
            both = deltas.any(axis=1) & traces.any(axis=1)
            above, below = deltas.transpose(1, 0, 2)[:, both], traces.transpose(1, 0, 2)[:, both]
            reached = mask @ above.astype(np.float32)
            total += float(reached.sum(where=below, dtype=np.float64))
        return total / len(self.events.deltas)


@dataclass(frozen=True)
class SynapseCounts:
    """Actions per training sample (forward ones alone: per inference), means over the profile.

    `sops` synapses served, `errors` and `pairs` multiply-accumulates back and into gradients: each only where a synapse is
    there. `*_passed` entries that go through a lane, zeros and fillers included. `*_words` words read (gradients: read and
    written back) of the synapse memory.
    """

    sops: float
    errors: float
    pairs: float
    forward_passed: float
    error_passed: float
    gradient_passed: float
    forward_words: float
    error_words: float
    gradient_words: float
    gradient_value_words: float
    forward_cycles: float
    error_cycles: float
    gradient_cycles: float


@dataclass(frozen=True, eq=False)
class SynapseWork:
    """A layer's store and what happens in it; `lanes` entries a cycle, one word of memory a cycle."""

    store: SynapseStore
    met: Meetings
    lanes: int
    gradient_bits: int
    learns_below: bool = True
    """Whether errors go below it."""

    def counts(self) -> SynapseCounts:
        """All of it."""
        store, served, traced = self.store, self.met.served, self.met.traced
        words, entries, decode = store.row_words, store.entries, store.decode_cycles(self.lanes)
        gradients = store.value_words(self.gradient_bits)
        index = words if store.memory.format != "dense" else np.zeros_like(words)
        row_cycles = np.maximum(words, decode)
        errors, passed, back_words, back_cycles = self._back() if self.learns_below else (0.0, 0.0, 0.0, 0.0)
        return SynapseCounts(
            sops=float(served @ store.present),
            errors=errors,
            pairs=self.met.pairs,
            forward_passed=float(served @ entries),
            error_passed=passed,
            gradient_passed=float(traced @ entries),
            forward_words=float(served @ words),
            error_words=back_words,
            gradient_words=float(traced @ index),
            gradient_value_words=float(traced @ gradients),
            forward_cycles=float(served @ row_cycles),
            error_cycles=back_cycles,
            gradient_cycles=float(traced @ np.maximum.reduce([2 * gradients, index, decode])),
        )

    def _back(self) -> tuple[float, float, float, float]:
        """Errors: multiplications, entries passed, words read, cycles.

        A dense store reads, for every delta, the word of its weight in every row. Otherwise `scan` walks the whole store at
        every position with a delta, because it is sorted by input; `index` reads a neuron's list of places, and a word each.
        """
        store, deltas, hot, errors = self.store, self.met.events.deltas, self.met.deltas, self.met.errors
        fan_in = np.asarray(store.mask.sum(axis=0), np.float64)
        rows = len(store.mask)
        if store.memory.format == "dense":
            per_word = max(1, store.word_bits // store.weight_bits)
            neurons = deltas.shape[2]
            padded = np.zeros(
                (*deltas.shape[:2], -(-neurons // per_word) * per_word, deltas.shape[3]), np.bool_
            )
            padded[:, :, :neurons] = deltas
            groups = padded.reshape(*deltas.shape[:2], -1, per_word, deltas.shape[3]).any(axis=3)
            words = float(groups.sum(axis=(1, 2, 3)).mean()) * rows
            passed = float(hot.sum()) * rows
            return errors, passed, words, max(words, passed / self.lanes)
        if store.memory.transposed == "scan":
            walks = self.met.positions_with_deltas
            cycles = float(np.maximum(store.row_words, store.decode_cycles(self.lanes)).sum())
            return (
                errors,
                walks * float(store.entries.sum()),
                walks * float(store.row_words.sum()),
                walks * cycles,
            )
        place = max(1, (store.stored_entries - 1).bit_length())
        lists = -(-fan_in // max(1, store.word_bits // place))
        words = float(hot @ (lists + fan_in + 1))
        return errors, errors, words, max(words, errors / self.lanes)


@dataclass(frozen=True)
class GrowthCost:
    """What one growth decision asks of the memory and the time of a layer.

    `accumulator_bits` for dW of absent synapses while they gather it; `ranking_words` and `ranking_cycles` of the search for
    the smallest score that stays; `rebuild_words` to write the store anew.
    """

    accumulator_bits: int
    ranking_words: int
    ranking_cycles: int
    rebuild_words: int


def growth_cost(store: SynapseStore, gradient_bits: int, lanes: int) -> GrowthCost:
    """One decision by the gradient of absent synapses.

    The limit is found by bisection of the scores' range: a pass over all scores for each of their bits, a comparison and a
    count each, and a last pass that writes the masks. Then the store is read and written once.
    """
    absent = store.mask.size - store.synapses
    per_word = max(1, store.word_bits // gradient_bits)
    passes = gradient_bits + 1
    words = passes * -(-store.mask.size // per_word)
    return GrowthCost(
        absent * gradient_bits,
        words,
        max(words, passes * -(-store.mask.size // lanes)),
        2 * int(store.row_words.sum()),
    )
