"""Advice on sums, updates, spikes and tables: what is not the format of a stored tensor."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, log2

from nmsim.fixedpoint.format import QFormat, Rounding
from nmsim.units import BITS_PER_KIB
from nmsim.validate.numerics.error_sums import DB_PER_BIT
from nmsim.validate.numerics.measured import (
    ComparedWith,
    Finding,
    FindingKind,
    GradientNumerics,
    SpikeNumerics,
    TableNumerics,
    TensorNumerics,
)  # fmt: skip
from nmsim.validate.numerics.three_passes import Compared

LEAST_GAIN_BITS = 0.5
"""Smaller gains of SQNR are not worth a word."""
LOST_LIMIT = 0.5
HALF_LSB = 0.5
FLIP_LIMIT = 0.001
"""Spikes that a layer's own arithmetic decides otherwise, as a fraction of its decisions."""
PHI_GOAL_DB = 40.0
"""One percent of error: below it, phi limits every gradient."""
LEAST_SAVING_BITS = BITS_PER_KIB
ACCUMULATOR_GUARD_BITS = 2
ACCUMULATED = {"current": "current", "error_sum": "error"}
GRADIENT_SETTINGS = {
    "weight": "weight_gradient",
    "threshold": "threshold_gradient",
    "leak_factor": "leak_gradient",
    "bias": "bias_gradient",
}


OPERANDS = {
    "current": ("weight",),
    "error": ("delta", "weight"),
    "weight_gradient": ("delta", "weight_trace"),
    "threshold_gradient": ("delta", "threshold_trace"),
    "leak_gradient": ("delta", "leak_trace"),
    "bias_gradient": ("delta", "constant_trace"),
}
"""Settings whose fraction bits add up to those of an accumulator (of `weight_used` where it is set)."""
Moved = Mapping[tuple[int, str], int]
"""Fraction bits that findings add, by layer and setting."""


def moved_points(findings: Iterable[Finding], tensors: Iterable[TensorNumerics]) -> Moved:
    """What findings, the gravest first, do to fraction bits: the first one for a setting counts."""
    given = {(item.layer, item.setting): item.format for item in tensors}
    found: dict[tuple[int, str], int] = {}
    for item in findings:
        setting = item.key.rpartition(".")[2]
        place = (item.layer, setting)
        if place in given and place not in found and not item.value.startswith("{"):
            found[place] = QFormat.parse(item.value).fraction_bits - given[place].fraction_bits
    for layer in {layer for layer, setting in given if setting == "weight_used"}:
        found[layer, "weight"] = found.get((layer, "weight_used"), 0)
    return found


@dataclass(frozen=True)
class AccumulatorNeeds:
    """What accumulators had to hold in comparisons with several parameters, and how their operands will move."""

    compared: tuple[Compared, ...]
    moved: Moved

    def unused(self, layer: int, name: str) -> int | None:
        """Integer bits that no sum of an accumulator needed; None if every sum is 0."""
        found: list[int | None] = []
        for own in self.compared:
            found += [item.unused_bits for item in own.tensors if (item.layer, item.tensor) == (layer, name)]
            found += [
                item.unused_bits
                for item in own.gradients
                if (item.layer, GRADIENT_SETTINGS[item.parameter]) == (layer, name)
            ]
        return min((bits for bits in found if bits is not None), default=None)

    def overflows(self, layer: int, name: str) -> int:
        """Overflows that were counted."""
        return sum(own.overflow_counts.get(f"layer{layer}.{name}", 0) for own in self.compared)


def of_sums(tensor: TensorNumerics, sums: AccumulatorNeeds) -> Iterator[Finding]:
    """The width of an accumulator of a time step."""
    setting = ACCUMULATED[tensor.tensor]
    own = _Accumulator(tensor.layer, setting, tensor.tensor, tensor.format, tensor.words)
    yield from _of_accumulator(own, sums)


@dataclass(frozen=True)
class _Accumulator:
    """An accumulator with its precision setting, the name in overflow counts, and its number of words."""

    layer: int
    setting: str
    name: str
    format: QFormat
    words: int


def _of_accumulator(item: _Accumulator, sums: AccumulatorNeeds) -> Iterator[Finding]:
    """Its width, with the fraction bits it has once its operands are as other findings want them."""
    count, spare = sums.overflows(item.layer, item.name), sums.unused(item.layer, item.name)
    shown = f"the accumulator {item.name} of layer {item.layer} ({item.format})"
    key = f"precision.layers.{item.layer}.{item.setting}"
    guard, width, unused = ACCUMULATOR_GUARD_BITS, item.format.total_bits, spare or 0
    more = sum(sums.moved.get((item.layer, operand), 0) for operand in OPERANDS[item.setting])
    then = f", {more:+} fraction bits of its operands included" if more else ""
    if count:
        better = f"s{width + max(1, guard - unused) + max(more, 0)}"
        text = f"{shown} overflows {count:,} times: use {better}{then}"
        yield Finding(FindingKind.OVERFLOW, item.layer, item.name, text, key, better)
        return
    if spare is None:
        return
    needed = width - unused + guard + more
    saved_bits = (width - needed) * item.words
    if needed > width and more > 0:
        text = f"{shown} has to grow with its operands: use s{needed}{then} and {guard} guard bits"
        yield Finding(FindingKind.FOLLOWS, item.layer, item.name, text, key, f"s{needed}")
    elif saved_bits >= LEAST_SAVING_BITS:
        text = (
            f"the sums of {item.name} of layer {item.layer} ({item.format}) leave {unused} bits unused: s{needed} holds them"
            f" with {guard} guard bits{then}, and saves {saved_bits / BITS_PER_KIB:,.0f} KiB in {item.words:,} words"
        )
        yield Finding(FindingKind.SAVING, item.layer, item.name, text, key, f"s{needed}")


def of_gradient(item: GradientNumerics, sums: AccumulatorNeeds) -> Iterator[Finding]:
    """The width of a gradient's accumulator, and updates that rounding does not follow."""
    setting = GRADIENT_SETTINGS[item.parameter]
    own = _Accumulator(item.layer, setting, setting, item.format, item.elements)
    yield from _of_accumulator(own, sums)
    update = item.update
    if update.rounding == Rounding.STOCHASTIC or update.lost <= LOST_LIMIT or not update.step_lsb:
        return
    more = max(1, ceil(log2(HALF_LSB / update.step_lsb)))
    wide = QFormat(update.format.signed, update.format.total_bits + more, update.format.fraction_bits + more)
    text = (
        f"{update.lost:.0%} of the non-zero updates of {item.parameter} of layer {item.layer} are below half an LSB of"
        f" {update.format} (median {update.step_lsb:.2g} LSB), where {update.rounding} does not follow them: round updates"
        f" stochastically, or use {wide}"
    )
    setting, value = item.parameter, f"{{format: {update.format}, rounding: {Rounding.STOCHASTIC}}}"
    if item.parameter == "threshold":
        setting, value = "threshold_rounding", str(Rounding.STOCHASTIC)
    key = f"precision.layers.{item.layer}.{setting}"
    yield Finding(FindingKind.UPDATE_LOST, item.layer, item.parameter, text, key, value)


def of_spikes(spikes: Iterable[SpikeNumerics], tensors: Iterable[TensorNumerics]) -> Iterator[Finding]:
    """Spikes that rounding decides: about half of them for every further fraction bit of the membrane."""
    membranes = {item.layer: item for item in tensors if item.tensor == "membrane"}
    for item in spikes:
        own, whole = item.rate(ComparedWith.FORCED), item.rate(ComparedWith.FREE)
        if own <= FLIP_LIMIT:
            continue
        membrane = membranes[item.layer]
        more = ceil(log2(own / FLIP_LIMIT))
        grow = max(0, more - max(0, membrane.unused_bits or 0))
        fmt = membrane.format
        better = QFormat(fmt.signed, fmt.total_bits + grow, fmt.fraction_bits + more)
        text = (
            f"layer {item.layer} decides {own:.2%} of its spikes otherwise than float64 with the same past ({whole:.2%} free"
            f" running), at a membrane error of {membrane.errors[ComparedWith.FORCED].mean_lsb:.2f} LSB of {fmt}: every"
            f" further fraction bit about halves that; use {better}"
        )
        key = f"precision.layers.{item.layer}.membrane"
        yield Finding(FindingKind.SPIKES, item.layer, "spikes", text, key, str(better), float(more))


def of_table(item: TableNumerics) -> Iterator[Finding]:
    """A surrogate table of too few entries."""
    now = item.sqnr_db[item.entries]
    if now is None or now >= PHI_GOAL_DB:
        return
    known = {entries: value for entries, value in item.sqnr_db.items() if value is not None}
    enough = [entries for entries, value in known.items() if value >= PHI_GOAL_DB]
    entries = min(enough) if enough else max(known, key=lambda count: known[count])
    gain = (known[entries] - now) / DB_PER_BIT
    if gain < LEAST_GAIN_BITS:
        return
    text = (
        f"the {item.entries} entries of the surrogate table of layer {item.layer} hold phi to {now:.1f} dB:"
        f" {entries} entries give {known[entries]:.1f} dB"
    )
    value = f"{{format: {item.format}, entries: {entries}}}"
    yield Finding(
        FindingKind.TABLE,
        item.layer,
        "surrogate",
        text,
        f"precision.layers.{item.layer}.surrogate",
        value,
        gain,
    )
