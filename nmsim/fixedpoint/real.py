"""Real functions to sixty digits, in decimal arithmetic: no math library decides a bit of a table."""

from decimal import Context, Decimal
from fractions import Fraction
from functools import cache

_DIGITS = 60
_WORKING = Context(prec=_DIGITS + 20, Emin=-10_000, Emax=10_000)
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")


@cache
def exponential(x: Fraction) -> Fraction:
    """`exp(x)` to sixty significant digits; for tables of surrogates and of the softmax."""
    value = _WORKING.exp(_WORKING.divide(Decimal(x.numerator), Decimal(x.denominator)))
    return _sixty(value)


@cache
def cosine_of_pi(x: Fraction) -> Fraction:
    """`cos(pi * x)` for `0 <= x <= 1` to sixty digits after the point; for learning-rate schedules.

    The power series: its terms are below ten, so twenty spare digits keep sixty right.
    """
    angle = _WORKING.multiply(_PI, _WORKING.divide(Decimal(x.numerator), Decimal(x.denominator)))
    square = _WORKING.multiply(angle, angle)
    term, total, count = Decimal(1), Decimal(1), 0
    while abs(term) > Decimal(10) ** -(_DIGITS + 10):
        count += 2
        term = -_WORKING.divide(_WORKING.multiply(term, square), Decimal(count * (count - 1)))
        total = _WORKING.add(total, term)
    return Fraction(total.quantize(Decimal(10) ** -_DIGITS, context=_WORKING))


def nearest_raw(value: Fraction, fraction_bits: int) -> int:
    """The integer nearest to `value * 2**fraction_bits`, halves to the even one."""
    return round(value * Fraction(2) ** fraction_bits)


def _sixty(value: Decimal) -> Fraction:
    return Fraction(Context(prec=_DIGITS, Emin=-10_000, Emax=10_000).plus(value))
