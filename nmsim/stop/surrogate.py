"""Surrogate derivative phi(x), x = U - theta: the exact function, and the table a chip holds."""

from fractions import Fraction

import numpy as np

from nmsim.fixedpoint.real import exponential, nearest_raw
from nmsim.network.neuron import Surrogate
from nmsim.network.precision import SurrogateTable
from nmsim.stop.protocol import FloatArray, IntArray


def derivative(surrogate: Surrogate, x: FloatArray) -> FloatArray:
    """phi(x) of every element; overwrites `x` and returns it (formulas: `Surrogate`)."""
    np.abs(x, out=x)
    if surrogate is Surrogate.EXPONENTIAL:
        np.negative(x, out=x)
        return np.exp(x, out=x)
    if surrogate is Surrogate.TRIANGLE:
        np.subtract(1.0, x, out=x)
        return np.maximum(x, 0.0, out=x)
    if surrogate is Surrogate.RECTANGLE:
        return np.less(x, 0.5, out=x, casting="unsafe")
    x += 1.0
    np.square(x, out=x)
    return np.reciprocal(x, out=x)


def exact_entries(surrogate: Surrogate, table: SurrogateTable) -> list[int]:
    """Raw table as Python integers; entry i is `min(round_half_even(phi(x_i) * 2**F), max)`.

    x_i is the middle of bin i, (i + 0.5) range / entries (docs/arithmetic.md). Values are exact, or have sixty digits.
    """
    fmt = table.format
    middles = [Fraction((2 * i + 1) * table.range, 2 * table.entries) for i in range(table.entries)]
    return [min(nearest_raw(_exact(surrogate, x), fmt.fraction_bits), fmt.max_raw) for x in middles]


def table_entries(surrogate: Surrogate, table: SurrogateTable) -> IntArray:
    """Raw table, `(entries,)` int64; see `exact_entries`."""
    return np.array(exact_entries(surrogate, table), dtype=np.int64)


def look_up(entries: FloatArray, width: float, x: FloatArray) -> FloatArray:
    """Table value at |x| for entries of the given width over x; beyond the table the last entry holds."""
    index = np.minimum(np.abs(x) / width, len(entries) - 1).astype(np.intp)
    return entries[index]


def _exact(surrogate: Surrogate, x: Fraction) -> Fraction:
    if surrogate is Surrogate.EXPONENTIAL:
        return exponential(-x)
    if surrogate is Surrogate.TRIANGLE:
        return max(Fraction(0), 1 - x)
    if surrogate is Surrogate.RECTANGLE:
        return Fraction(int(2 * x < 1))
    return 1 / (1 + x) ** 2
