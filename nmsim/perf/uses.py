"""Uses: what the lanes and memories of some cores have to do, those alone that have anything."""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import OPTIONS
from nmsim.perf.machine import Lane
from nmsim.sums import sum_rows

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
MAX_LANES, SERVICE = len(Lane), int(Lane.SERVICE)


@dataclass(frozen=True, eq=False)
class Uses:
    """Amounts of work of n cores with up to M memories: most lanes and memories have nothing to do in a stage.

    `number (K,)` counts lanes, then memories, core by core, ascending: `row * (5 + M) + place`. `amount (K, S, T)` are
    operations of a lane (SERVICE: nanoseconds) or words of a memory, `bursts (K, S, T)` the runs of neighbouring words that
    they come in, 0 of lanes.
    """

    cores: int
    memories: int
    number: IntArray
    amount: FloatArray
    bursts: FloatArray

    @classmethod
    def of(cls, lanes: FloatArray, words: FloatArray, bursts: FloatArray) -> "Uses":
        """Of `lanes (n, 5, S, T)`, and of `words` and `bursts (n, M, S, T)`."""
        cores, memories, *cells = words.shape
        busy = np.concatenate([lanes.any(axis=(2, 3)), words.any(axis=(2, 3))], axis=1)
        number = np.flatnonzero(busy)
        row, place = np.divmod(number, MAX_LANES + memories)
        of_memory = place >= MAX_LANES
        own = (row[of_memory], place[of_memory] - MAX_LANES)
        amount, runs = np.empty((len(number), *cells)), np.zeros((len(number), *cells))
        amount[~of_memory] = lanes[row[~of_memory], place[~of_memory]]
        amount[of_memory], runs[of_memory] = words[own], bursts[own]
        return cls(cores, memories, number, amount, runs)

    @property
    def resources(self) -> int:
        """Lanes and memories of a core."""
        return MAX_LANES + self.memories

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.number.nbytes + self.amount.nbytes + self.bursts.nbytes

    @property
    def lanes(self) -> FloatArray:
        """Operations of every lane `(n, 5, S, T)`."""
        return self.spread(self.amount)[:, :MAX_LANES]

    @property
    def words(self) -> FloatArray:
        """Words of every memory `(n, M, S, T)`."""
        return self.spread(self.amount)[:, MAX_LANES:]

    @property
    def word_bursts(self) -> FloatArray:
        """Bursts of the words of every memory `(n, M, S, T)`."""
        return self.spread(self.bursts)[:, MAX_LANES:]

    @property
    def at_work(self) -> NDArray[np.bool_]:
        """When a core has anything to do `(n, S, T)`."""
        happens = sum_rows(self.number // self.resources, (self.amount != 0).astype(np.int64), self.cores)
        return np.asarray(happens > 0)

    def moved(self, word_bits: IntArray) -> tuple[FloatArray, FloatArray]:
        """Operations that all lanes start, nanoseconds of service left out, and bits of the words moved, `(n, S)` each.

        `word_bits (n, M)` of every memory. Sums of whole numbers, whose order does not matter.
        """
        samples = self.amount.shape[1]
        operations, bits = np.zeros((self.cores, samples)), np.zeros((self.cores, samples))
        _move(self.number, self.amount, word_bits, operations, bits)
        return operations, bits

    def spread(self, values: FloatArray) -> FloatArray:
        """Values `(K, ...)` of what is used as those of every lane and memory `(n, 5 + M, ...)`, zero elsewhere."""
        found = np.zeros((self.cores * self.resources, *values.shape[1:]))
        found[self.number] = values
        return found.reshape(self.cores, self.resources, *values.shape[1:])


@numba.njit(cache=True, **OPTIONS)
def _move(
    number: IntArray, amount: FloatArray, word_bits: IntArray, operations: FloatArray, bits: FloatArray
) -> None:
    resources = MAX_LANES + word_bits.shape[1]
    for k in range(len(number)):
        row, place = number[k] // resources, number[k] % resources
        for sample in range(amount.shape[1]):
            total = 0.0
            for step in range(amount.shape[2]):
                total += amount[k, sample, step]
            if place < SERVICE:
                operations[row, sample] += total
            elif place >= MAX_LANES:
                bits[row, sample] += total * word_bits[row, place - MAX_LANES]
