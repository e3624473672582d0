"""What to change, derived from a comparison: every finding names the setting that would do it and what it would win."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isinf

from nmsim.fixedpoint.format import QFormat, Rounding
from nmsim.validate.numerics.advice_sums import (
    ACCUMULATED,
    LEAST_GAIN_BITS,
    AccumulatorNeeds,
    moved_points,
    of_gradient,
    of_spikes,
    of_sums,
    of_table,
)
from nmsim.validate.numerics.error_sums import DB_PER_BIT, fitted, format_integer_bits, sqnr_db
from nmsim.validate.numerics.measured import (
    ComparedWith,
    Finding,
    FindingKind,
    TensorNumerics,
)
from nmsim.validate.numerics.three_passes import Compared

UNDERFLOW_LIMIT = 0.1
UNDERFLOW_GOAL = 0.01
BIAS_LIMIT_LSB = 0.25
FIXED_RANGE = ("leak_factor", "surrogate")
"""Settings whose range is known: leak factors and phi lie between 0 and 1."""


@dataclass(frozen=True)
class FormatGroup:
    """Tensors of one layer that share a format: residual, membrane and thresholds, or error and delta."""

    layer: int
    setting: str
    members: tuple[TensorNumerics, ...]
    elsewhere: tuple[TensorNumerics, ...] = ()
    """The same tensors with other parameters, whose values have to fit as well."""

    @property
    def format(self) -> QFormat:
        """The shared format."""
        return self.members[0].format

    @property
    def integer_bits(self) -> int | None:
        """Bits left of the binary point that every member fits in, elsewhere too."""
        needed = [item.spread.integer_bits for item in (*self.members, *self.elsewhere)]
        return max((bits for bits in needed if bits is not None), default=None)

    @property
    def weakest(self) -> TensorNumerics:
        """The member of lowest SQNR against its own exact values."""
        return min(self.members, key=_own_db)


def advise(
    found: Compared, guard_bits: int, *, initial: bool, elsewhere: Compared | None = None
) -> tuple[Finding, ...]:
    """Findings, the gravest kind first, then by gain and layer.

    Formats that they name keep `guard_bits` unused integer bits. `initial`: the weights have not been trained yet.
    `elsewhere` was found with other parameters, of the start of training: formats that are named hold its values too.
    """
    findings: list[Finding] = []
    for group in _groups(found.tensors, () if elsewhere is None else elsewhere.tensors):
        findings += _of_group(group, guard_bits, initial=initial)
    findings = _trusted(findings)
    findings += of_spikes(found.spikes, found.tensors)
    findings += [finding for table in found.tables for finding in of_table(table)]
    moved = moved_points(_gravest_first(findings), found.tensors)
    sums = AccumulatorNeeds((found,) if elsewhere is None else (found, elsewhere), moved)
    for item in found.tensors:
        if item.tensor in ACCUMULATED:
            findings += of_sums(item, sums)
    for gradient in found.gradients:
        findings += of_gradient(gradient, sums)
    return tuple(_gravest_first(findings))


def _trusted(findings: list[Finding]) -> list[Finding]:
    """Without what seems to be unused in a layer where something saturates: its values would be larger otherwise."""
    saturating = {item.layer for item in findings if item.kind is FindingKind.SATURATION}
    return [item for item in findings if item.kind is not FindingKind.RANGE or item.layer not in saturating]


def _gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    kinds = list(FindingKind)
    return sorted(findings, key=lambda item: (kinds.index(item.kind), -(item.gain_bits or 0.0), item.layer))


def _groups(tensors: Iterable[TensorNumerics], elsewhere: Iterable[TensorNumerics]) -> Iterator[FormatGroup]:
    others = _by_setting(elsewhere)
    for (layer, setting), members in _by_setting(tensors).items():
        yield FormatGroup(layer, setting, tuple(members), tuple(others.get((layer, setting), ())))


def _by_setting(tensors: Iterable[TensorNumerics]) -> dict[tuple[int, str], list[TensorNumerics]]:
    found: dict[tuple[int, str], list[TensorNumerics]] = {}
    for item in tensors:
        if item.setting not in FIXED_RANGE and item.tensor not in ACCUMULATED:
            found.setdefault((item.layer, item.setting), []).append(item)
    return found


def _own_db(item: TensorNumerics) -> float:
    found = item.errors[ComparedWith.OWN].sqnr_db()
    return float("inf") if found is None else found


def _rounded_db(item: TensorNumerics, fraction_bits: int) -> float:
    """SQNR that rounding to nearest with these fraction bits would give, nothing out of range."""
    own, noise = item.errors[ComparedWith.OWN], item.spread.rounding_noise
    nearest = min(max(fraction_bits, min(noise)), max(noise))
    predicted = sqnr_db(float(own.signal.sum()), noise[nearest])
    return float("inf") if predicted is None else predicted + DB_PER_BIT * (fraction_bits - nearest)


def _moved_db(item: TensorNumerics, fraction_bits: int) -> float:
    """The same after moving the binary point: one bit per bit at most, as operands in the old format cannot tell more."""
    at_most = _rounded_db(item, item.format.fraction_bits) + DB_PER_BIT * (
        fraction_bits - item.format.fraction_bits
    )
    return min(_rounded_db(item, fraction_bits), at_most)


def _of_group(group: FormatGroup, guard_bits: int, *, initial: bool) -> Iterator[Finding]:
    needed = group.integer_bits
    if needed is None:
        return
    fmt, item = group.format, group.weakest
    unused = format_integer_bits(fmt) - needed
    better = fitted(fmt, fmt.total_bits, needed + guard_bits)
    vanishing = list(_underflow(group, guard_bits, unused))
    if any(member.spread.saturated.any() for member in group.members):
        yield _saturation(group, better, max(0, guard_bits - unused))
    elif unused > guard_bits and not vanishing:
        remark = f"{guard_bits} guard bit{'s' * (guard_bits != 1)} kept" + ", before training" * initial
        yield from _range(group, item, better, unused, remark)
    elif unused < guard_bits:
        text = (
            f"{_place(item)} ({fmt}) fills its range: the largest value leaves {unused} of {guard_bits} guard bits;"
            f" use {better}" + " before training widens it" * initial
        )
        yield _finding(FindingKind.HEADROOM, group, text, str(better))
    yield from vanishing
    yield from _bias(item, group)


def _saturation(group: FormatGroup, better: QFormat, missing: int) -> Finding:
    """Values leave the range: move the binary point if that pays for the bits lost below it, else widen."""
    fmt = group.format
    item = max(group.members, key=lambda member: member.spread.saturation_rate)
    now, moved = _own_db(item), _moved_db(item, better.fraction_bits)
    without = min(_rounded_db(member, fmt.fraction_bits) for member in group.members)
    wider = QFormat(fmt.signed, fmt.total_bits + missing, fmt.fraction_bits)
    best, reached = (better, moved) if moved > now else (wider, without)
    costs = "" if isinf(without) else f", which costs {_bits(without - now)} of SQNR"
    then = "" if isinf(reached) else f" ({now:.1f} to {reached:.1f} dB)"
    text = (
        f"{item.spread.saturation_rate:.2%} of the values of {_place(item)} ({fmt}) leave its range{costs}:"
        f" use {best}{then}"
    )
    gain = None if isinf(reached) else (reached - now) / DB_PER_BIT
    return _finding(FindingKind.SATURATION, group, text, str(best), gain)


def _range(
    group: FormatGroup, item: TensorNumerics, better: QFormat, unused: int, remark: str
) -> Iterator[Finding]:
    """Integer bits that no value needs could be fraction bits."""
    now, then = _rounded_db(item, group.format.fraction_bits), _moved_db(item, better.fraction_bits)
    if now == float("inf") or then - now < LEAST_GAIN_BITS * DB_PER_BIT:
        return
    text = (
        f"{_place(item)} ({group.format}) loses {_bits(then - now)} of SQNR to its range, {unused} integer bits of which"
        f" no value needs: use {better} ({now:.1f} to {then:.1f} dB, {remark})"
    )
    yield _finding(FindingKind.RANGE, group, text, str(better), (then - now) / DB_PER_BIT)


def _underflow(group: FormatGroup, guard_bits: int, unused: int) -> Iterator[Finding]:
    """Values that vanish: enough fraction bits that few do, taken from unused integer bits as far as these go."""
    item = max(group.members, key=lambda member: member.spread.underflow_rate)
    rate, fmt = item.spread.underflow_rate, group.format
    if rate <= UNDERFLOW_LIMIT:
        return
    more = next(
        (k for k in range(1, 33) if item.spread.underflow_rate_at(fmt.fraction_bits + k) <= UNDERFLOW_GOAL),
        32,
    )
    grow = max(0, more - max(0, unused - guard_bits))
    better = QFormat(fmt.signed, fmt.total_bits + grow, fmt.fraction_bits + more)
    then = item.spread.underflow_rate_at(better.fraction_bits)
    text = f"{rate:.1%} of the non-zero values of {_place(item)} become 0 in {fmt}: use {better}, which leaves {then:.1%}"
    yield _finding(FindingKind.UNDERFLOW, group, text, str(better))


def _bias(item: TensorNumerics, group: FormatGroup) -> Iterator[Finding]:
    """Rounding with a direction shifts every value and costs up to 1 bit."""
    own = item.errors[ComparedWith.OWN]
    gain = (_rounded_db(item, item.format.fraction_bits) - _own_db(item)) / DB_PER_BIT
    if abs(own.bias_lsb) < BIAS_LIMIT_LSB or item.spread.saturated.any() or group.setting == "weight_used":
        return
    text = (
        f"{item.rounding} shifts {_place(item)} by {own.bias_lsb:+.2f} LSB on average and costs"
        f" {_bits(gain * DB_PER_BIT)} of SQNR: round to nearest"
    )
    value = f"{{format: {item.format}, rounding: {Rounding.NEAREST}}}"
    yield _finding(FindingKind.BIAS, group, text, value, gain)


def _finding(
    kind: FindingKind, group: FormatGroup, text: str, value: str, gain_bits: float | None = None
) -> Finding:
    key = f"precision.layers.{group.layer}.{group.setting}"
    return Finding(kind, group.layer, group.weakest.tensor, text, key, value, gain_bits)


def _place(item: TensorNumerics) -> str:
    return f"{item.tensor} of layer {item.layer}"


def _bits(decibels: float) -> str:
    return f"{decibels / DB_PER_BIT:.1f} bits"
