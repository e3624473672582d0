"""What a memory does: banks that serve bursts of words, each bank taken until it is free again."""

import numpy as np
from numba.extending import register_jitable

from nmsim.perf.event.chance import LOTS, MANY, below
from nmsim.perf.event.tables import FloatArray, Table


@register_jitable
def soonest(memory: Table, bank_free: FloatArray) -> float:
    """When a bank of a memory can take a word."""
    found: float = bank_free[memory.bank]
    for bank in range(memory.bank + 1, memory.bank + memory.banks):
        found = min(found, bank_free[bank])
    return found


@register_jitable
def access(
    clock: Table, memory: Table, bank_free: FloatArray, load: FloatArray, now: float, words: float, bursts: float
) -> float:  # fmt: skip
    """Take the banks of a memory for some bursts of neighbouring words; when the last word is done.

    Whole turns over the banks load them evenly; what is left of each burst starts at a bank drawn at random. `load` has room
    for the words of every bank.
    """
    banks, first, ports = memory.banks, memory.bank, memory.ports
    if banks == 1:
        bank_free[first] = max(now, bank_free[first]) + words / ports
        return float(bank_free[first])
    if bursts > 1.0:
        run = words / bursts
        left = run % banks
        even = bursts * (run - left) / banks
    else:
        left = words % banks
        even = (words - left) / banks
    load[:banks] = 0.0
    if left != 0.0:
        _spread(clock, load, banks, max(np.rint(bursts), 1.0), left)
    end, fullest = now, 0.0
    for bank in range(banks):
        taken = (even + load[bank]) / ports
        fullest = max(fullest, taken)
        bank_free[first + bank] = max(now, bank_free[first + bank]) + taken
        end = max(end, bank_free[first + bank])
    memory.conflict += fullest - words / (ports * banks)
    return end


@register_jitable
def _spread(clock: Table, load: FloatArray, banks: int, bursts: float, left: float) -> None:
    """Add to the words of every bank what each of so many bursts leaves: `left` words at neighbouring banks.

    Of many bursts, most start evenly; a remainder with the right variance is drawn.
    """
    if bursts <= MANY:
        for _ in range(int(bursts)):
            _leave(load, banks, below(clock, banks), 1.0, left)
        return
    # n even starts plus m lots of size sqrt(n/m) have the variance of n single ones
    size = np.sqrt(bursts / LOTS)
    even = (bursts - LOTS * size) / banks
    for bank in range(banks):
        _leave(load, banks, bank, even, left)
    for _ in range(LOTS):
        _leave(load, banks, below(clock, banks), size, left)


@register_jitable
def _leave(load: FloatArray, banks: int, start: int, times: float, left: float) -> None:
    whole = int(left)
    for offset in range(whole):
        load[(start + offset) % banks] += times
    load[(start + whole) % banks] += (left - whole) * times
