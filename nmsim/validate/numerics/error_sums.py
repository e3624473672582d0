"""Differences between what a chip stores and a reference, and where values lie in a format."""

from dataclasses import dataclass
from math import frexp, log10

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.format import QFormat

FloatArray = NDArray[np.float64]
CountArray = NDArray[np.int64]
DB_PER_BIT = 20 * log10(2)
"""One bit more halves the error: 6.02 dB of SQNR."""


def sqnr_db(signal: float, noise: float) -> float | None:
    """Signal-to-quantization-noise ratio in dB of two sums of squares; infinite without noise, None without signal.

    >>> sqnr_db(1.0, 0.01)
    20.0
    >>> sqnr_db(1.0, 0.0)
    inf
    """
    if signal <= 0:
        return None
    return 10 * log10(signal / noise) if noise > 0 else float("inf")


@dataclass(frozen=True)
class ErrorSums:
    """Differences of a tensor from one reference, summed over samples and elements, by time step `(T,)`.

    `signal` and `noise` are sums of squares of the reference and of the difference; the others count in LSBs of the
    tensor's format: sums of |difference| and of difference, and the largest |difference|.
    """

    elements: CountArray
    signal: FloatArray
    noise: FloatArray
    absolute_lsb: FloatArray
    signed_lsb: FloatArray
    largest_lsb: FloatArray

    def sqnr_db(self, step: int | None = None) -> float | None:
        """SQNR of one time step (from 0), or of all."""
        at = slice(None) if step is None else slice(step, step + 1)
        return sqnr_db(float(self.signal[at].sum()), float(self.noise[at].sum()))

    @property
    def mean_lsb(self) -> float:
        """Mean |difference| in LSBs."""
        return float(self.absolute_lsb.sum() / max(int(self.elements.sum()), 1))

    @property
    def bias_lsb(self) -> float:
        """Mean difference in LSBs: not near 0 where rounding has a direction."""
        return float(self.signed_lsb.sum() / max(int(self.elements.sum()), 1))

    @property
    def worst_lsb(self) -> float:
        """Largest |difference| in LSBs."""
        return float(self.largest_lsb.max(initial=0.0))


FIRST_EXPONENT = -64
"""Smaller magnitudes count as if they had this exponent."""
EXPONENTS = 128


@dataclass(frozen=True)
class Spread:
    """Where the exact values of a tensor lie, before they are rounded into its format.

    `exponents[k]` counts magnitudes in `[2^e, 2^(e+1))`, `e = FIRST_EXPONENT + k`; `zeros` exact zeros; `low` and `high`
    the extremes. By time step `(T,)`: `saturated` values outside the format, `underflowed` non-zero values stored as 0.
    `rounding_noise[F]` is the sum of squared errors that rounding to F fraction bits would make, range aside.
    """

    exponents: CountArray
    zeros: int
    low: float
    high: float
    saturated: CountArray
    underflowed: CountArray
    rounding_noise: dict[int, float]

    @property
    def elements(self) -> int:
        """Number of values."""
        return int(self.exponents.sum()) + self.zeros

    @property
    def nonzero(self) -> int:
        """Number of values that are not 0."""
        return int(self.exponents.sum())

    @property
    def saturation_rate(self) -> float:
        """Fraction of values outside the format."""
        return int(self.saturated.sum()) / max(self.elements, 1)

    @property
    def underflow_rate(self) -> float:
        """Fraction of non-zero values that are stored as 0."""
        return int(self.underflowed.sum()) / max(self.nonzero, 1)

    @property
    def integer_bits(self) -> int | None:
        """Bits left of the binary point, sign aside, that hold every value; negative below 1/2; None if all are 0."""
        return integer_bits(self.low, self.high)

    def underflow_rate_at(self, fraction_bits: int) -> float:
        """Fraction of non-zero values that rounding to nearest at F fraction bits makes 0: those below half an LSB."""
        lost = max(-fraction_bits - 1 - FIRST_EXPONENT, 0)
        return int(self.exponents[:lost].sum()) / max(self.nonzero, 1)


def integer_bits(low: float, high: float) -> int | None:
    """Bits left of the binary point, sign aside, that hold `low..high`; None if both are 0."""
    needed = [frexp(high)[1]] if high > 0 else []
    if low < 0:
        mantissa, exponent = frexp(-low)
        needed.append(exponent - 1 if mantissa == 0.5 else exponent)
    return max(needed) if needed else None


def format_integer_bits(fmt: QFormat) -> int:
    """Bits left of the binary point of a format, sign aside."""
    return fmt.total_bits - int(fmt.signed) - fmt.fraction_bits


def fitted(fmt: QFormat, total_bits: int, needed: int) -> QFormat:
    """The format of a width and signedness whose range holds `needed` integer bits, all other bits behind the point."""
    return QFormat(fmt.signed, total_bits, total_bits - int(fmt.signed) - needed)
