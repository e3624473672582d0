"""Formats, rounding and overflow of every tensor of a fixed-point run (docs/arithmetic.md)."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from nmsim.config import Record
from nmsim.fixedpoint.format import AccumulatorFormat, Overflow, QFormat, Rounding


def _refuse_saturate_end(value: Any) -> Any:
    if value == Overflow.SATURATE_END:
        raise ValueError(
            "saturate_end is a mode of accumulators alone, which hold a sum; use saturate or wrap, or set it for current,"
            " error or a gradient"
        )
    return value


TensorOverflow = Annotated[Overflow, BeforeValidator(_refuse_saturate_end)]
"""Overflow of a stored tensor, which is no sum that could be complete or not."""


class TensorPrecision(Record):
    """Format of one stored tensor; rounding and overflow are the section's default where left out."""

    format: QFormat
    rounding: Rounding | None = None
    overflow: TensorOverflow | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"format": value} if isinstance(value, str) else value


class AccumulatorPrecision(Record):
    """Width of one accumulator; its fraction bits follow from the operands."""

    format: AccumulatorFormat
    overflow: Overflow | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"format": value} if isinstance(value, str) else value


class VelocityPrecision(AccumulatorPrecision):
    """Width, rounding and overflow of the momentum's velocity, a stored tensor with the gradient's fraction bits."""

    rounding: Rounding | None = None
    overflow: TensorOverflow | None = None


class SurrogateTable(Record):
    """Look-up table of the surrogate derivative over `[0, range)` of |U - theta|."""

    format: QFormat = QFormat.parse("u8.8")
    entries: int = Field(default=64, ge=1, le=65_536)
    range: int = Field(default=8, ge=1, le=2**20)

    @model_validator(mode="after")
    def _powers_of_two(self) -> "SurrogateTable":
        for name, value in (("entries", self.entries), ("range", self.range)):
            if value & (value - 1):
                raise ValueError(f"surrogate table {name} {value} is not a power of two; use one")
        return self


def _tensor(text: str, **options: Rounding) -> TensorPrecision:
    return TensorPrecision(format=QFormat.parse(text), **options)


def _accumulator(text: str) -> AccumulatorPrecision:
    return AccumulatorPrecision(format=AccumulatorFormat.parse(text))


StaticTrace = Literal["per_input", "scalar"]


class LayerPrecision(Record):
    """Formats of one synaptic layer; `None` means: as in the whole network's section."""

    weight: TensorPrecision | None = None
    weight_used: QFormat | None = None
    membrane: TensorPrecision | None = None
    threshold_rounding: Rounding | None = None
    leak_factor: TensorPrecision | None = None
    weight_trace: TensorPrecision | None = None
    threshold_trace: TensorPrecision | None = None
    leak_trace: TensorPrecision | None = None
    constant_trace: TensorPrecision | None = None
    delta: TensorPrecision | None = None
    velocity: VelocityPrecision | None = None
    current: AccumulatorPrecision | None = None
    error: AccumulatorPrecision | None = None
    weight_gradient: AccumulatorPrecision | None = None
    threshold_gradient: AccumulatorPrecision | None = None
    leak_gradient: AccumulatorPrecision | None = None
    bias_gradient: AccumulatorPrecision | None = None
    static_gradient: AccumulatorPrecision | None = None
    static_trace: StaticTrace | None = None
    trace_threshold: int | None = Field(default=None, ge=0)
    surrogate: SurrogateTable | None = None


class ResolvedPrecision(Record):
    """Every format of one layer, nothing left open: what the engine runs with."""

    weight: TensorPrecision
    weight_used: QFormat | None
    membrane: TensorPrecision
    threshold_rounding: Rounding
    """Rounding of a threshold's update; format and overflow are the membrane's."""
    leak_factor: TensorPrecision
    weight_trace: TensorPrecision
    threshold_trace: TensorPrecision
    leak_trace: TensorPrecision
    constant_trace: TensorPrecision
    delta: TensorPrecision
    velocity: VelocityPrecision
    current: AccumulatorPrecision
    error: AccumulatorPrecision
    weight_gradient: AccumulatorPrecision
    threshold_gradient: AccumulatorPrecision
    leak_gradient: AccumulatorPrecision
    bias_gradient: AccumulatorPrecision
    static_gradient: AccumulatorPrecision
    static_trace: StaticTrace
    trace_threshold: int
    surrogate: SurrogateTable


UPDATED = ("weight", "leak_factor")
"""Tensors written by an update: their default rounding is `update_rounding`."""


COMPLETE = ("current", "error")
"""Accumulators that are read once a time step, when they are complete: saturation waits until then by default."""


TENSORS = tuple(
    name for name, field in ResolvedPrecision.model_fields.items() if field.annotation is TensorPrecision
)
"""Settings of stored tensors, each with a format, a rounding and an overflow mode of its own."""


class Precision(Record):
    """The precision section: a format, rounding and overflow mode for every tensor of the arithmetic.

    Defaults are those of docs/arithmetic.md; `layers` overrides them per synaptic layer. `nmsim.validate` says whether the
    formats are wide enough, and `nmsim formats` looks for narrower ones.

    >>> precision = Precision.model_validate({"weight": "s8.6", "layers": {0: {"weight": "s10.8"}}})
    >>> str(precision.resolve(0).weight.format), str(precision.resolve(1).weight.format)
    ('s10.8', 's8.6')
    """

    rounding: Rounding = Rounding.NEAREST
    """Default rounding of state tensors."""
    update_rounding: Rounding = Rounding.STOCHASTIC
    """Default rounding of parameter updates: weight, threshold, leak factor."""
    overflow: TensorOverflow = Overflow.SATURATE
    """Default overflow of tensors and accumulators; where it is `saturate`, `current` and `error` use `saturate_end`."""
    weight: TensorPrecision = _tensor("s16.13")
    weight_used: QFormat | None = None
    """Narrower weight used in sums, formed by flooring the stored ("shadow") weight; same as stored if absent."""
    membrane: TensorPrecision = _tensor("s16.10")
    """Format of membrane, residual membrane and threshold."""
    threshold_rounding: Rounding | None = None
    """Rounding of threshold updates; `update_rounding` if absent."""
    leak_factor: TensorPrecision = _tensor("u16.16")
    weight_trace: TensorPrecision = _tensor("u12.8")
    threshold_trace: TensorPrecision = _tensor("s12.8")
    leak_trace: TensorPrecision = _tensor("s16.10")
    constant_trace: TensorPrecision = _tensor("u16.14")
    """Scalar trace of what is constant: the input of biases, and samples under `static_trace: scalar`.

    Rounding and overflow are the weight trace's where left out."""
    delta: TensorPrecision = _tensor("s16.14")
    velocity: VelocityPrecision = VelocityPrecision(format=AccumulatorFormat.parse("s32"))
    """Format of the momentum's velocity; its fraction bits are the gradient accumulator's."""
    current: AccumulatorPrecision = _accumulator("s32")
    error: AccumulatorPrecision = _accumulator("s32")
    weight_gradient: AccumulatorPrecision = _accumulator("s32")
    threshold_gradient: AccumulatorPrecision = _accumulator("s48")
    leak_gradient: AccumulatorPrecision = _accumulator("s48")
    bias_gradient: AccumulatorPrecision = _accumulator("s48")
    static_gradient: AccumulatorPrecision = _accumulator("s32")
    """Sums of deltas times a scalar trace, one per neuron and sample."""
    static_trace: StaticTrace = "per_input"
    """Traces of layers that read a sample which stays the same: one per input, or one `scalar` for the layer."""
    trace_threshold: int = Field(default=0, ge=0)
    """Raw weight traces of a smaller magnitude count as 0 in gradients."""
    surrogate: SurrogateTable = SurrogateTable()
    layers: dict[int, LayerPrecision] = Field(default_factory=dict)
    """Overrides by index of the synaptic layer, counted from 0."""

    def resolve(self, layer: int) -> ResolvedPrecision:
        """All formats of one synaptic layer."""
        override = self.layers.get(layer, LayerPrecision())
        velocity = override.velocity or self.velocity

        def pick(name: str) -> TensorPrecision:
            own: TensorPrecision = getattr(override, name) or getattr(self, name)
            default = self.update_rounding if name in UPDATED else self.rounding
            return TensorPrecision(
                format=own.format, rounding=own.rounding or default, overflow=own.overflow or self.overflow
            )

        def pick_accumulator(name: str) -> AccumulatorPrecision:
            own: AccumulatorPrecision = getattr(override, name) or getattr(self, name)
            default = self.overflow
            if name in COMPLETE and default is Overflow.SATURATE:
                default = Overflow.SATURATE_END
            return AccumulatorPrecision(format=own.format, overflow=own.overflow or default)

        trace, constant = pick("weight_trace"), override.constant_trace or self.constant_trace
        return ResolvedPrecision(
            weight=pick("weight"),
            weight_used=override.weight_used or self.weight_used,
            membrane=pick("membrane"),
            threshold_rounding=override.threshold_rounding or self.threshold_rounding or self.update_rounding,
            leak_factor=pick("leak_factor"),
            weight_trace=trace,
            threshold_trace=pick("threshold_trace"),
            leak_trace=pick("leak_trace"),
            constant_trace=TensorPrecision(
                format=constant.format,
                rounding=constant.rounding or trace.rounding,
                overflow=constant.overflow or trace.overflow,
            ),
            delta=pick("delta"),
            velocity=VelocityPrecision(
                format=velocity.format,
                rounding=velocity.rounding or self.rounding,
                overflow=velocity.overflow or self.overflow,
            ),
            current=pick_accumulator("current"),
            error=pick_accumulator("error"),
            weight_gradient=pick_accumulator("weight_gradient"),
            threshold_gradient=pick_accumulator("threshold_gradient"),
            leak_gradient=pick_accumulator("leak_gradient"),
            bias_gradient=pick_accumulator("bias_gradient"),
            static_gradient=pick_accumulator("static_gradient"),
            static_trace=override.static_trace or self.static_trace,
            trace_threshold=self.trace_threshold
            if override.trace_threshold is None
            else override.trace_threshold,
            surrogate=override.surrogate or self.surrogate,
        )
