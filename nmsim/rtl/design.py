"""The core to be built: a network, its formats and the lanes of a chip, as numbers of hardware."""

from dataclasses import dataclass
from functools import cached_property

from nmsim.fixedpoint.format import QFormat
from nmsim.hardware.core import Core
from nmsim.network.precision import AccumulatorPrecision, ResolvedPrecision
from nmsim.rtl.refuse import check
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import FixedSide


def ceil_div(a: int, b: int) -> int:
    """A / b, rounded up."""
    return -(-a // b)


def address_bits(words: int) -> int:
    """Bits that name one of so many words, at least one."""
    return max(1, (words - 1).bit_length())


def signed_bits(magnitude: int) -> int:
    """Bits of a signed number that holds plus and minus a magnitude."""
    return magnitude.bit_length() + 1


@dataclass(frozen=True)
class Field:
    """A value as hardware stores it: wide enough for every layer, signed if one layer needs a sign."""

    bits: int
    signed: bool

    @classmethod
    def of(cls, formats: list[QFormat]) -> "Field":
        """The field that holds a tensor's formats of all layers."""
        signed = any(fmt.signed for fmt in formats)
        return cls(max(fmt.total_bits + (signed and not fmt.signed) for fmt in formats), signed)

    @property
    def operand(self) -> int:
        """Bits of the value as a signed operand."""
        return self.bits + (not self.signed)


@dataclass(frozen=True)
class Design:
    """Everything the package, the images and the bench are made from.

    `side` holds network, formats, parameters and seed; `training` the rates and the batch; `core` the lanes.
    Lanes: K synapses per cycle (a word of weights), NL neurons per cycle, UL updates per cycle.
    """

    side: FixedSide
    training: TrainingSpec
    core: Core
    static: bool
    """The sample is the same at every time step."""

    def __post_init__(self) -> None:
        check(self.side, self.training, self.core)

    @property
    def layers(self) -> int:
        """Layers of neurons."""
        return len(self.side.formats)

    @property
    def lanes(self) -> int:
        """K."""
        return self.core.mac_lanes

    @property
    def neuron_lanes(self) -> int:
        """NL."""
        return min(self.core.neuron_lanes, self.lanes)

    @property
    def update_lanes(self) -> int:
        """UL."""
        return min(self.core.update_lanes, self.lanes)

    @property
    def in_place(self) -> bool:
        """Weights change at every time step."""
        return self.training.update == "in_place"

    @property
    def learns_thresholds(self) -> bool:
        """The rule learns thresholds."""
        return bool(self.training.rule.learns_thresholds)

    @property
    def learns_leak(self) -> bool:
        """The rule learns leak factors."""
        return bool(self.training.rule.learns_leak)

    @property
    def once(self) -> bool:
        """A static sample is presented once and its currents kept; not where weights change in between."""
        return self.static and not self.in_place

    @cached_property
    def inputs(self) -> list[int]:
        """Inputs of every layer."""
        return [own.layer.inputs for own in self.side.formats]

    @cached_property
    def neurons(self) -> list[int]:
        """Neurons of every layer."""
        return [own.layer.neurons for own in self.side.formats]

    @property
    def label_bits(self) -> int:
        """Bits of a class, or of how many neurons of the last layer fired."""
        return address_bits(self.neurons[-1] + 1)

    @cached_property
    def rows(self) -> list[int]:
        """Words of K values that a layer's neurons take."""
        return [ceil_div(n, self.lanes) for n in self.neurons]

    @cached_property
    def neuron_words(self) -> list[int]:
        """Words of NL neurons of every layer."""
        return [ceil_div(n, self.neuron_lanes) for n in self.neurons]

    @cached_property
    def input_words(self) -> list[int]:
        """Words of NL inputs of every layer."""
        return [ceil_div(m, self.neuron_lanes) for m in self.inputs]

    @cached_property
    def weight_base(self) -> list[int]:
        """First weight word of every layer; row r, input i lies r * inputs + i further."""
        return _bases([r * m for r, m in zip(self.rows, self.inputs, strict=True)])

    @cached_property
    def sum_base(self) -> list[int]:
        """First word of a layer's currents: layer 0 keeps those of a static input, the others share one place."""
        kept = self.rows[0] if self.once else 0
        return [0, *[kept] * (self.layers - 1)]

    @property
    def precision(self) -> list[ResolvedPrecision]:
        """Formats of every layer."""
        return [own.precision for own in self.side.formats]

    def field(self, name: str) -> Field:
        """The field of a stored tensor, by its precision setting."""
        return Field.of([getattr(own, name).format for own in self.precision])

    @cached_property
    def used(self) -> Field:
        """The field of the weights that sums use."""
        return Field.of([own.used for own in self.side.formats])

    @property
    def has_used(self) -> bool:
        """Some layer sums narrower weights than it stores."""
        return any(own.weight_used is not None for own in self.precision)

    @cached_property
    def input(self) -> Field:
        """The field of an input value from outside."""
        fmt = self.side.input_format
        return Field(fmt.total_bits, fmt.signed)

    def exact_current_bits(self, layer: int) -> int:
        """Bits of the exact sum of weights times inputs."""
        own = self.side.formats[layer]
        return signed_bits(own.layer.fan_in * _magnitude(own.used) * own.input.magnitude)

    def exact_error_bits(self, layer: int) -> int:
        """Bits of the exact sum of weights times deltas of one input of a layer."""
        own = self.side.formats[layer]
        return signed_bits(own.layer.neurons * _magnitude(own.used) * _magnitude(own.delta))

    def accumulator(self, name: str) -> Field:
        """The field of an accumulator memory; sums that saturate at their end are kept exactly until then."""
        found = []
        for layer, own in enumerate(self.precision):
            setting: AccumulatorPrecision = getattr(own, name)
            fmt = setting.format.with_fraction(0)
            if setting.overflow == "saturate_end" and name in {"current", "error", "leak_gradient"}:
                found.append(QFormat(signed=True, total_bits=self._exact_bits(name, layer), fraction_bits=0))
            found.append(fmt)
        return Field.of(found)

    def _exact_bits(self, name: str, layer: int) -> int:
        if name == "current":
            return self.exact_current_bits(layer)
        if name == "error":
            return self.exact_error_bits(layer)
        own = self.precision[layer]
        step = self.neurons[layer] * _magnitude(own.delta.format) * _magnitude(own.leak_trace.format)
        return signed_bits(step + _magnitude(own.leak_gradient.format.with_fraction(0)))


def _magnitude(fmt: QFormat) -> int:
    return max(fmt.max_raw, -fmt.min_raw)


def _bases(sizes: list[int]) -> list[int]:
    return [sum(sizes[:index]) for index in range(len(sizes))]
