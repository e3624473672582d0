"""Cells: one compiled pass over the uses of a stage, cell by cell (a core, a sample, a time step)."""

import numba
import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.compiled import OPTIONS

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@numba.njit(cache=True, **OPTIONS)
def _lose(
    amount: FloatArray, bursts: FloatArray, banks: int, log_banks: float, ports: float, conflicts: FloatArray
) -> None:
    """Cycles lost to conflicts of one memory's banks `(P,)`; see `take`."""
    several, each = float(banks), 1.0 / float(banks)
    if (
        banks & (banks - 1) == 0
    ):  # then a remainder is a difference without rounding, which eight cells take at once
        for cell in range(len(amount)):
            runs = bursts[cell]
            words = amount[cell] / max(runs, 1.0)
            share = (words - np.floor(words * each) * several) * each
            variance = runs * share * (1.0 - share)
            conflicts[cell] = np.sqrt(log_banks * variance) / ports if runs > 1.0 else 0.0
        return
    for cell in range(len(amount)):
        runs = bursts[cell]
        share = (amount[cell] / max(runs, 1.0) % several) / several
        variance = runs * share * (1.0 - share)
        conflicts[cell] = np.sqrt(log_banks * variance) / ports if runs > 1.0 else 0.0


@numba.njit(cache=True, **OPTIONS)
def take(  # noqa: C901 - one pass, cell by cell
    number: IntArray, amount: FloatArray, bursts: FloatArray, waits: FloatArray, arrivals: FloatArray, cores: IntArray,
    lane_rate: FloatArray, memory_rate: FloatArray, banks: IntArray, log_banks: FloatArray, slow: FloatArray,
    depth: FloatArray, event_timed: NDArray[np.bool_], kinds: IntArray,
    taken: FloatArray, conflicts: FloatArray, work: FloatArray, fill: FloatArray, ends: FloatArray,
    fullest: FloatArray,
) -> None:  # fmt: skip
    """One pass over the cells of a stage: P samples and time steps in the last axis of every array that has them.

    `number`, `amount` and `bursts` as in `Uses`; `cores (n,)` are rows of the arrays of the machine. `taken` and
    `conflicts (K, P)` are filled, `work`, `fill (n, P)`, `ends (P,)` and `fullest` are given as zeros.

    A burst of w words over B banks leaves w mod B words that meet other bursts at random: the fullest of B banks holds
    more than the mean by about sqrt(2 ln(B) variance).
    """
    datapaths = lane_rate.shape[1]
    resources = datapaths + memory_rate.shape[1]
    cells = amount.shape[1]
    for k in range(len(number)):
        row, place = number[k] // resources, number[k] % resources
        core = cores[row]
        if place < datapaths:
            rate = lane_rate[core, place]
            for cell in range(cells):
                cycles = amount[k, cell] / rate
                taken[k, cell] = cycles
                conflicts[k, cell] = 0.0
                work[row, cell] = max(work[row, cell], cycles)
                fullest[place, cell] = max(fullest[place, cell], cycles)
            continue
        memory = place - datapaths
        rate, several = memory_rate[core, memory], float(banks[core, memory])
        ports, kind = rate / several, datapaths + kinds[core, memory]
        if several > 1.0:
            _lose(amount[k], bursts[k], banks[core, memory], log_banks[core, memory], ports, conflicts[k])
        else:
            conflicts[k] = 0.0
        for cell in range(cells):
            count = amount[k, cell]
            cycles = count / rate + conflicts[k, cell]
            taken[k, cell] = cycles
            work[row, cell] = max(work[row, cell], cycles)
            fullest[kind, cell] = max(fullest[kind, cell], cycles)
            if count > 0.0:
                fill[row, cell] = max(fill[row, cell], slow[core, memory])
    for row in range(len(cores)):
        core = cores[row]
        for cell in range(cells):
            cycles = work[row, cell]
            if not event_timed[core]:
                cycles = np.ceil(cycles - 1e-9)
            work[row, cell] = cycles
            fill[row, cell] = depth[core] + fill[row, cell] + waits[row, cell] if cycles > 0.0 else 0.0
            end = cycles + fill[row, cell]
            if arrivals.shape[0] > 0 and cycles > 0.0:
                end += arrivals[row, cell]
            ends[cell] = max(ends[cell], end)
