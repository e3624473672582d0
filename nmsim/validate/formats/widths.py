"""Widths of every setting of every layer, and the precision section they make."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from nmsim.config import to_yaml
from nmsim.fixedpoint.format import MAX_TOTAL_BITS, AccumulatorFormat, QFormat
from nmsim.network.precision import TENSORS, LayerPrecision, Precision
from nmsim.network.spec import NetworkSpec
from nmsim.network.state import NEURON_TRACES
from nmsim.stop.fixed.layer_formats import LayerFormats, layer_formats
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.formats.calibrate import COLUMN_SUM, DELTA_SUM, DELTA_TOTAL, INPUTS, ROW_SUM, Ranges
from nmsim.validate.numerics.error_sums import format_integer_bits, integer_bits

FRACTIONS = ("leak_factor", "surrogate")
"""Settings between 0 and 1: all bits behind the binary point."""
SETTINGS = (*(name for name in TENSORS if name not in {*FRACTIONS, "constant_trace"}), *FRACTIONS)
ACCUMULATORS = {
    "current": Tensor.CURRENT, "error": Tensor.ERROR_SUM, "weight_gradient": Tensor.WEIGHT_GRADIENT,
    "threshold_gradient": Tensor.THRESHOLD_GRADIENT, "leak_gradient": Tensor.LEAK_GRADIENT, "velocity": Tensor.VELOCITY,
}  # fmt: skip
SEARCH_BITS = 53
"""Width of accumulators while formats are searched: no sum comes near, and kernels hold them in 64 bits."""
End = Literal["fraction", "integer"]
Place = tuple[int, str]
PRECISION_FILE = "precision.yaml"


@dataclass(frozen=True)
class Widths:
    """Formats by layer and setting: what the search changes."""

    formats: dict[Place, QFormat]

    def with_bits(self, setting: str, total_bits: int) -> "Widths":
        """One setting at most so wide in all layers, bits dropped behind the binary point."""
        return Widths(
            {
                place: _cut(fmt, fmt.total_bits - total_bits) if place[1] == setting else fmt
                for place, fmt in self.formats.items()
            }
        )

    def narrowed(self, place: Place, end: End, needed: int | None = None) -> "Widths | None":
        """One bit less at one end of one format; None at the narrowest, or where fewer than `needed` integer bits remain."""
        fmt = self.formats[place]
        if fmt.total_bits <= least_bits(fmt):
            return None
        if end == "integer" and (
            place[1] in FRACTIONS or (needed is not None and format_integer_bits(fmt) <= needed)
        ):
            return None
        fewer = QFormat(fmt.signed, fmt.total_bits - 1, fmt.fraction_bits - (end == "fraction"))
        return Widths({**self.formats, place: fewer})

    def widened(self, bits: int, at_most: "Widths") -> "Widths":
        """Every format with more fraction bits, up to the number of another."""
        found = {}
        for place, fmt in self.formats.items():
            limit = at_most.formats[place].fraction_bits
            more = min(bits, max(limit - fmt.fraction_bits, 0))
            found[place] = QFormat(fmt.signed, fmt.total_bits + more, fmt.fraction_bits + more)
        return Widths(found)


def least_bits(fmt: QFormat) -> int:
    """Width of the narrowest format of this signedness."""
    return 2 if fmt.signed else 1


def _cut(fmt: QFormat, bits: int) -> QFormat:
    bits = max(0, min(bits, fmt.total_bits - least_bits(fmt)))
    return replace(fmt, total_bits=fmt.total_bits - bits, fraction_bits=fmt.fraction_bits - bits)


@dataclass(frozen=True)
class PrecisionTemplate:
    """Turns widths into a precision section: everything else is the given section's."""

    network: NetworkSpec
    training: TrainingSpec
    given: Precision
    input_format: QFormat
    ranges: Ranges
    guard_bits: int
    saturating: bool = False
    """Whether formats may be narrower than the ranges that were seen."""

    def settings(self) -> tuple[str, ...]:
        """Settings that this rule uses."""
        rule = self.training.rule
        unused = {trace.setting for trace in NEURON_TRACES if not trace.kept_by(rule)}
        return tuple(name for name in SETTINGS if name not in unused)

    def start(self, extra_bits: int = 0) -> Widths:
        """The given widths, and some more, with the binary points where the ranges and guard bits put them."""
        found: dict[Place, QFormat] = {}
        for layer in self.network.synaptic_layers:
            own = self.given.resolve(layer.index)
            for setting in self.settings():
                fmt: QFormat = getattr(own, setting).format
                total = fmt.total_bits + extra_bits
                found[layer.index, setting] = self._fitted((layer.index, setting), fmt.signed, total)
        return Widths(found)

    def needed(self, place: Place) -> int | None:
        """Integer bits that a format keeps in any case; None: as few as accuracy allows."""
        return None if self.saturating else integer_bits(*self.ranges.ends.get(place, (0.0, 0.0)))

    def _fitted(self, place: Place, signed: bool, total: int) -> QFormat:  # noqa: FBT001 - of the format
        if place[1] in FRACTIONS:
            return QFormat(signed, total, total - int(signed))
        needed = integer_bits(*self.ranges.ends.get(place, (0.0, 0.0)))
        return QFormat(
            signed, total, total - int(signed) - (0 if needed is None else needed + self.guard_bits)
        )

    def precision(self, widths: Widths, *, final: bool = False) -> Precision:
        """The section: formats by layer; accumulators far too wide or, `final`, as wide as no order of additions exceeds.

        An accumulator that never overflows changes no bit, so both give the same integers.
        """
        tensors = self.given.model_copy(update={"layers": self._overrides(widths)})
        layers = dict(tensors.layers)
        for own in layer_formats(self.network, tensors, self.input_format, 0):
            index = own.layer.index
            for setting, tensor in ACCUMULATORS.items():
                if setting == "velocity" and self.training.momentum == 0:
                    continue
                bits = SEARCH_BITS
                if final:
                    bits = self._sum_bits(own, setting) + own.accumulator(tensor).fraction_bits
                given = getattr(layers[index], setting) or getattr(self.given, setting)
                fmt = AccumulatorFormat(signed=True, total_bits=min(max(bits, 2), MAX_TOTAL_BITS))
                layers[index] = layers[index].model_copy(
                    update={setting: given.model_copy(update={"format": fmt})}
                )
        return tensors.model_copy(update={"layers": layers})

    def _overrides(self, widths: Widths) -> dict[int, LayerPrecision]:
        found = {}
        for layer in self.network.synaptic_layers:
            given = self.given.layers.get(layer.index, LayerPrecision())
            changed: dict[str, Any] = {}
            for setting in self.settings():
                own = getattr(given, setting) or getattr(self.given, setting)
                changed[setting] = own.model_copy(update={"format": widths.formats[layer.index, setting]})
            found[layer.index] = given.model_copy(update=changed)
        return found

    def _sum_bits(self, own: LayerFormats, setting: str) -> int:
        """Sign, integer and guard bits that hold the sum of magnitudes of everything an accumulator adds up."""
        index, formats = own.layer.index, own.precision
        trace, leak = formats.threshold_trace.format, formats.leak_trace.format
        largest = {
            "current": self._most(index, ROW_SUM) * self._most(index, INPUTS),
            "error": self._most(index, COLUMN_SUM) * self._most(index, "delta"),
            "weight_gradient": self._most(index, DELTA_SUM) * self._most(index, "weight_trace"),
            "threshold_gradient": self._most(index, DELTA_SUM) * (1 - trace.min_raw * trace.lsb),
            "leak_gradient": self._most(index, DELTA_TOTAL) * -leak.min_raw * leak.lsb,
        }
        if own.layer.threshold_count == 1:
            largest["threshold_gradient"] *= self._most(index, DELTA_TOTAL) / max(
                self._most(index, DELTA_SUM), 1e-300
            )
        largest["velocity"] = largest["weight_gradient"] / (1 - self.training.momentum)
        return 1 + self.guard_bits + (integer_bits(0.0, largest[setting]) or 0)

    def _most(self, layer: int, setting: str) -> float:
        low, high = self.ranges.ends.get((layer, setting), (0.0, 0.0))
        return max(high, -low)


def compact(precision: Precision) -> dict[str, Any]:
    """A precision section as plain data for a YAML file, a format on its own where nothing else is set."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            found = {key: plain(item) for key, item in value.items() if item is not None}
            return found["format"] if set(found) == {"format"} else found
        return value

    data = {
        key: plain(value) for key, value in precision.model_dump(mode="json").items() if value is not None
    }
    data["layers"] = {str(layer): plain(own) for layer, own in data.get("layers", {}).items()}
    return data


def precision_text(precision: Precision, workload: str, note: str) -> str:
    """Content of a file that `--precision` takes: `note`, how to use it, the section `precision`."""
    head = f"{note}\nUse: nmsim run {workload} --precision {PRECISION_FILE}"
    comment = "".join(f"# {line}\n" for line in head.splitlines())
    return comment + to_yaml({"precision": compact(precision)}, width=120)
