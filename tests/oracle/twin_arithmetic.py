"""Formats, requantization, accumulators, random draws and tables of the fixed-point twin.

Written from the page "Bit-accurate arithmetic: the normative specification" (sections 1, 2 and 4) in plain
Python integers, without NumPy and without a line of the package under test. Slow and obvious on purpose.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

ROUNDINGS = ("floor", "nearest", "nearest_even", "toward_zero", "stochastic")
OVERFLOWS = ("saturate", "wrap")
ACCUMULATOR_OVERFLOWS = ("saturate", "wrap", "saturate_end")

# Roles of the random streams, section 4.
ROLE_W, ROLE_THETA, ROLE_ALPHA, ROLE_U, ROLE_LEAK_TRACE = 0, 1, 2, 3, 4
ROLE_THETA_TRACE, ROLE_W_TRACE, ROLE_DELTA, ROLE_E, ROLE_V = 5, 6, 7, 8, 9
ROLE_CONSTANT, ROLE_BIAS, ROLE_BIAS_V = 10, 11, 14


@dataclass(frozen=True)
class Format:
    """`sT.F` or `uT.F`: the value of the stored integer `raw` is `raw * 2^-fraction`."""

    signed: bool
    total: int
    fraction: int

    @property
    def lowest(self) -> int:
        """Smallest raw integer."""
        return -(1 << (self.total - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        """Largest raw integer."""
        return (1 << (self.total - self.signed)) - 1

    def holds(self, raw: int) -> bool:
        """Whether `raw` is inside the range."""
        return self.lowest <= raw <= self.highest


@dataclass(frozen=True)
class Quantizer:
    """What `Q` needs to know of a tensor: its format, its rounding mode, its overflow mode."""

    format: Format
    rounding: str
    overflow: str


def parse_format(text: str) -> Format:
    """`"s16.13"` to a Format."""
    match = re.fullmatch(r"([su])(\d+)\.(-?\d+)", text)
    if match is None or int(match[2]) < 1:
        message = f"format {text!r} is not of the form sT.F or uT.F"
        raise ValueError(message)
    return Format(match[1] == "s", int(match[2]), int(match[3]))


def parse_accumulator(text: str) -> Format:
    """`"s32"` to a Format without fraction bits."""
    return parse_format(f"{text}.0")


def saturate(value: int, fmt: Format) -> int:
    """The nearest value inside the range of `fmt`."""
    return max(fmt.lowest, min(fmt.highest, value))


def wrap(value: int, fmt: Format) -> int:
    """The value inside the range of `fmt` that is equal to `value` modulo 2^T."""
    remainder = value % (1 << fmt.total)
    return remainder - (1 << fmt.total) if remainder > fmt.highest else remainder


def drop_bits(v: int, d: int, rounding: str, lfsr: int) -> int:
    """`v * 2^-d` as an integer; `lfsr` is the 16-bit draw, looked at by stochastic rounding only."""
    if d <= 0:
        return v << -d
    if rounding == "floor":
        return v >> d
    if rounding == "nearest":
        return (v + (1 << (d - 1))) >> d
    if rounding == "nearest_even":
        return round(Fraction(v, 1 << d))  # Python rounds a Fraction half to even, exactly
    if rounding == "toward_zero":
        return v >> d if v >= 0 else -((-v) >> d)
    if rounding == "stochastic":
        r = lfsr >> (16 - d) if d <= 16 else lfsr << (d - 16)
        return (v + r) >> d
    message = f"unknown rounding mode {rounding!r}"
    raise ValueError(message)


def requantize(v: int, fraction: int, q: Quantizer, lfsr: int = 0) -> tuple[int, bool]:
    """`Q(v, fraction -> q.format)`: the stored integer, and whether it overflowed."""
    rounded = drop_bits(v, fraction - q.format.fraction, q.rounding, lfsr)
    if q.format.holds(rounded):
        return rounded, False
    return (saturate if q.overflow == "saturate" else wrap)(rounded, q.format), True


def total_of(*terms: tuple[int, int]) -> tuple[int, int]:
    """Exact sum of (raw, fraction) terms, aligned by left shifts to the largest fraction."""
    fraction = max(f for _, f in terms)
    return sum(raw << (fraction - f) for raw, f in terms), fraction


class Accumulator:
    """An accumulator element, its width and overflow mode; fraction bits follow from the operands."""

    def __init__(self, fmt: Format, overflow: str) -> None:
        self._format = fmt
        self._wrapping = overflow == "wrap"
        self._at_every_addition = overflow == "saturate"
        self._exact = 0
        self._held = 0
        self._saturations = 0

    def add(self, term: int) -> None:
        """One addition; a saturating accumulator saturates after it."""
        self._exact += term
        self._held += term
        if self._at_every_addition:
            self.complete()

    def complete(self) -> None:
        """Saturate. With `saturate_end`: the sum of a time step is complete, what is kept has the format's width."""
        total = self._held
        self._held = saturate(total, self._format)
        self._saturations += total != self._held

    @property
    def value(self) -> int:
        """What the accumulator holds now."""
        return wrap(self._exact, self._format) if self._wrapping else self._held

    @property
    def overflows(self) -> int:
        """Saturating: how often it did. Wrapping: 1 if the exact sum does not fit."""
        return int(not self._format.holds(self._exact)) if self._wrapping else self._saturations


def shift_register(state: int) -> int:
    """One shift of the Fibonacci register x^16 + x^14 + x^13 + x^11 + 1."""
    bit = (state ^ state >> 2 ^ state >> 3 ^ state >> 5) & 1
    return (state >> 1) | (bit << 15)


@lru_cache(maxsize=1)
def draws() -> tuple[int, ...]:
    """`L[j]`, the state after 16*(j+1) shifts from 0xACE1, for j = 0..65534."""
    state = 0xACE1
    table = []
    for _ in range(65535):
        for _ in range(16):
            state = shift_register(state)
        table.append(state)
    return tuple(table)


@dataclass(frozen=True)
class Stream:
    """The random bits of one tensor of one layer."""

    seed: int
    layer: int
    role: int

    def draw(self, n: int, size: int, e: int) -> int:
        """The draw for element `e` of the `n`-th requantization of a tensor of `size` elements."""
        stream = 16 * self.layer + self.role
        offset = (40503 * (self.seed + 1) + 7919 * stream) % 65535
        stride = 1
        while stride < size:
            stride *= 2
        return draws()[(offset + n * stride + e) % 65535]


@lru_cache
def natural_exponential(x: Fraction) -> Fraction:
    """`e**x`, `x >= 0`, to more than 60 digits: the power series of a small argument, squared back up."""
    halvings = 0
    while x > 1:
        x, halvings = x / 2, halvings + 1
    scale = 10 ** (90 + halvings)
    term, total, k = scale, scale, 0
    while term:
        k += 1
        term = term * x.numerator // (x.denominator * k)
        total += term
    for _ in range(halvings):
        total = total * total // scale
    return Fraction(total, scale)


def surrogate_value(kind: str, x: Fraction) -> Fraction:
    """The surrogate derivative at distance `x >= 0` from the threshold."""
    if kind == "exponential":
        return 1 / natural_exponential(x)
    if kind == "triangle":
        return max(Fraction(0), 1 - x)
    if kind == "rectangle":
        return Fraction(1 if x < Fraction(1, 2) else 0)
    if kind == "rational":
        return 1 / ((1 + x) * (1 + x))
    message = f"unknown surrogate {kind!r}"
    raise ValueError(message)


def table_entry(value: Fraction, fraction: int) -> int:
    """`value` times 2^fraction, rounded half to even."""
    return round(value * Fraction(2) ** fraction)


def surrogate_table(kind: str, entries: int, range_log2: int, fmt: Format) -> list[int]:
    """Entry i = min(round_half_even(phi((i + 0.5) range / entries) 2^F), max)."""
    step = Fraction(2) ** range_log2 / entries
    values = [surrogate_value(kind, (i + Fraction(1, 2)) * step) for i in range(entries)]
    return [min(table_entry(value, fmt.fraction), fmt.highest) for value in values]


def surrogate_index(distance: int, fraction: int, entries: int, range_log2: int) -> int:
    """Index of the table for `|U - theta| = distance * 2^-fraction`: `range` maps to `entries`."""
    shift = fraction + range_log2 - (entries.bit_length() - 1)
    index = distance >> shift if shift >= 0 else distance << -shift
    return min(index, entries - 1)


def softmax_table(classes: int, fmt: Format) -> list[tuple[int, int]]:
    """Row m: the probabilities (of a silent output, of a spiking output) when m of the outputs spike."""
    rows, f = [], fmt.fraction
    for m in range(classes + 1):
        e = natural_exponential(Fraction(1))
        denominator = m * e + (classes - m)
        silent, spiking = 1 / denominator, e / denominator
        rows.append((saturate(table_entry(silent, f), fmt), saturate(table_entry(spiking, f), fmt)))
    return rows
