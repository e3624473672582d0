"""Cells: one compiled pass over the work of a stage, cell by cell (a core, a sample, a time step)."""

import numba
import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import OPTIONS

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@numba.njit(cache=True, **OPTIONS)
def take(  # noqa: C901 - one pass, cell by cell
    lanes: FloatArray, words: FloatArray, bursts: FloatArray, waits: FloatArray, arrivals: FloatArray,
    lane_rate: FloatArray, memory_rate: FloatArray, banks: FloatArray, log_banks: FloatArray, slow: FloatArray,
    depth: FloatArray, event_timed: NDArray[np.bool_], kinds: IntArray,
    taken: FloatArray, conflicts: FloatArray, work: FloatArray, fill: FloatArray, ends: FloatArray,
    fullest: FloatArray,
) -> None:  # fmt: skip
    """One pass over the cells of a stage: P samples and time steps in the last axis of every array that has them.

    A burst of w words over B banks leaves w mod B words that meet other bursts at random: the fullest of B banks holds
    more than the mean by about sqrt(2 ln(B) variance).
    """
    cores, datapaths, cells = lanes.shape
    for core in range(cores):
        for cell in range(cells):
            work[core, cell] = 0.0
            fill[core, cell] = 0.0
        for lane in range(datapaths):
            rate = lane_rate[core, lane]
            for cell in range(cells):
                cycles = lanes[core, lane, cell] / rate
                taken[core, lane, cell] = cycles
                work[core, cell] = max(work[core, cell], cycles)
                fullest[lane, cell] = max(fullest[lane, cell], cycles)
        for memory in range(words.shape[1]):
            rate, several = memory_rate[core, memory], banks[core, memory]
            ports = rate / several
            for cell in range(cells):
                count, runs = words[core, memory, cell], bursts[core, memory, cell]
                lost = 0.0
                if several > 1.0 and runs > 1.0:
                    share = (count / runs % several) / several
                    variance = runs * share * (1.0 - share)
                    lost = np.sqrt(log_banks[core, memory] * variance) / ports
                conflicts[core, memory, cell] = lost
                cycles = count / rate + lost
                taken[core, datapaths + memory, cell] = cycles
                work[core, cell] = max(work[core, cell], cycles)
                kind = datapaths + kinds[core, memory]
                fullest[kind, cell] = max(fullest[kind, cell], cycles)
                if count > 0.0:
                    fill[core, cell] = max(fill[core, cell], slow[core, memory])
        for cell in range(cells):
            cycles = work[core, cell]
            if not event_timed[core]:
                cycles = np.ceil(cycles - 1e-9)
            work[core, cell] = cycles
            fill[core, cell] = depth[core] + fill[core, cell] + waits[core, cell] if cycles > 0.0 else 0.0
            end = cycles + fill[core, cell]
            if arrivals.shape[0] > 0 and cycles > 0.0:
                end += arrivals[core, cell]
            ends[cell] = max(ends[cell], end)
