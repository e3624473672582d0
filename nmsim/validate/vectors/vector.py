"""The tensors of a raw run, one record per file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.format import QFormat, Rounding
from nmsim.fixedpoint.lfsr import draw_table
from nmsim.stop.fixed.layer_formats import LayerFormats, softmax_table
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.protocol import Parameters
from nmsim.stop.raw import RawLayer, RawRun
from nmsim.stop.surrogate import table_entries
from nmsim.validate.numerics.fixed_side import QUANTITIES, FixedSide
from nmsim.validate.vectors.checksum import CHECKSUM, checksum

RawArray = NDArray[Any]
STEP = "time_step"
DRAW = QFormat(signed=False, total_bits=16, fraction_bits=0)
SPIKE = QFormat(signed=False, total_bits=1, fraction_bits=0)
MAP, NEURONS = ("channel", "row", "column"), ("neuron",)
GRADIENTS = {
    "weight_gradient": Tensor.WEIGHT_GRADIENT, "threshold_gradient": Tensor.THRESHOLD_GRADIENT,
    "leak_gradient": Tensor.LEAK_GRADIENT, "bias_gradient": Tensor.BIAS_GRADIENT,
    "static_gradient": Tensor.STATIC_GRADIENT,
}  # fmt: skip


@dataclass(frozen=True)
class Vector:
    """One file: raw `values` in C order, named axes, format and modes; `layer`, `sample`, `update` where they apply.

    `update` is `initial` or the number of an update, from 0.
    """

    path: str
    tensor: str
    values: RawArray
    axes: tuple[str, ...]
    format: QFormat
    rounding: str = "exact"
    overflow: str = "none"
    layer: int | None = None
    sample: int | None = None
    update: int | str | None = None

    @property
    def title(self) -> str:
        """First line of the file."""
        shape = ", ".join(f"{name} {size}" for name, size in zip(self.axes, self.values.shape, strict=True))
        return f"{self.path.removesuffix('.hex')}: {self.format}, {shape}"


def tensor_vectors(chip: FixedSide, inputs: RawArray, run: RawRun) -> Iterator[Vector]:
    """Every file but draws of a run on raw inputs `(S, T or 1, *input_shape)`, in a fixed order."""
    yield from _tables(chip)
    axes = (
        STEP,
        *(MAP if len(chip.network.input_shape) == 3 else ("input",) * len(chip.network.input_shape)),
    )
    for sample, own in enumerate(inputs):
        yield Vector(f"inputs/sample{sample}.hex", "input", own, axes, chip.input_format, sample=sample)
    yield from _parameters(chip, chip.parameters, "initial")
    samples = len(inputs)
    for sample in range(samples):
        for index, layer in enumerate(run.layers):
            yield from _steps(chip, index, layer, sample)
            yield from _gradients(chip, index, layer, sample)
            yield from _weights_by_step(chip, index, layer, sample)
    for number, updated in enumerate(run.updates):
        yield from _parameters(chip, updated, number)


def _tables(chip: FixedSide) -> Iterator[Vector]:
    yield Vector("tables/draws.hex", "draws", draw_table().astype(np.int64), ("index",), DRAW)
    for index, own in enumerate(chip.formats):
        table = own.precision.surrogate
        entries = table_entries(chip.network.neuron.surrogate, table)
        yield Vector(
            f"tables/layer{index}.surrogate.hex", "surrogate_table", entries, ("entry",), table.format, "nearest_even",
            "saturate", index,
        )  # fmt: skip
    if chip.training.loss == "cross_entropy":
        last = chip.formats[-1].delta
        table_values = softmax_table(chip.network.classes, last)
        yield Vector(
            "tables/softmax.hex",
            "softmax_table",
            table_values,
            ("spike", "spiking_outputs"),
            last,
            "nearest_even",
            "saturate",
        )


def _parameters(chip: FixedSide, parameters: Parameters, update: int | str) -> Iterator[Vector]:
    """Parameters of every layer; `update` is `initial` or a number."""
    for index, own in enumerate(chip.formats):
        held, axes = own.precision, weight_axes(chip, index)
        weights, mask = (
            np.asarray(parameters.weights[index]),
            parameters.mask[index] if parameters.mask else None,
        )
        velocity = parameters.velocity[index] if parameters.velocity else None
        alpha = np.array([parameters.leak[index]], object)
        membrane, theta = held.membrane, np.asarray(parameters.thresholds[index])
        rows: list[tuple[str, RawArray, tuple[str, ...], QFormat, Any, Any]] = [
            ("weight", weights, axes, held.weight.format, held.weight.rounding, held.weight.overflow),
            ("threshold", theta, ("threshold",), membrane.format, held.threshold_rounding, membrane.overflow),
            ("leak_factor", alpha, ("one",), _leak_format(own), held.leak_factor.rounding, "clip"),
        ]
        if held.weight_used is not None:
            used = chip.used_raw(index, weights)
            rows.append(("weight_used", used, axes, held.weight_used, Rounding.FLOOR, held.weight.overflow))
        if velocity is not None:
            fmt, modes = own.accumulator(Tensor.VELOCITY), held.velocity
            rows.append(("velocity", np.asarray(velocity), axes, fmt, modes.rounding, modes.overflow))
        if (bias := parameters.bias_of(index)) is not None:
            stored = held.weight
            rows.append(("bias", bias, axes[:1], stored.format, stored.rounding, stored.overflow))
        if (moving := parameters.bias_velocity_of(index)) is not None:
            modes = held.velocity
            rows.append(
                ("bias_velocity", moving, axes[:1], own.bias_velocity, modes.rounding, modes.overflow)
            )
        if mask is not None and update == "initial":
            rows.append(("mask", np.asarray(mask).astype(np.int64), axes, SPIKE, "exact", "none"))
        folder = "parameters/initial" if update == "initial" else f"parameters/update{update}"
        for name, values, names, fmt, rounding, overflow in rows:
            path = f"{folder}/layer{index}.{name}.hex"
            yield Vector(path, name, values, names, fmt, str(rounding), str(overflow), index, update=update)


def _leak_format(own: LayerFormats) -> QFormat:
    """Format of a leak factor; a leak of one, which nothing stores, takes a bit more."""
    fmt = own.precision.leak_factor.format
    return (
        QFormat(fmt.signed, fmt.fraction_bits + 1 + fmt.signed, fmt.fraction_bits) if own.integrates else fmt
    )


def weight_axes(chip: FixedSide, index: int) -> tuple[str, ...]:
    """Axes of a layer's weights."""
    dense = chip.formats[index].layer.kind == "dense"
    return ("output", "input") if dense else ("output_channel", "input_channel", "row", "column")


def step_shape(chip: FixedSide, index: int, name: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Shape and axes of one time step of a tensor."""
    layer = chip.formats[index].layer
    if name == "constant_trace":
        return (1,), ("one",)
    shape = layer.in_shape if name in {"inputs", "weight_trace", "error_sum"} else layer.out_shape
    return shape, MAP if len(shape) == 3 else NEURONS if shape is layer.out_shape else ("input",)


def _steps(chip: FixedSide, index: int, layer: RawLayer, sample: int) -> Iterator[Vector]:
    own = chip.formats[index]
    low, high = own.input.low, own.input.high
    inputs = QFormat(signed=low < 0, total_bits=_bits(low, high), fraction_bits=own.input.fraction_bits)
    named = [("inputs", inputs, "exact", "none"), ("spikes", SPIKE, "exact", "none")]
    for quantity in QUANTITIES:
        setting: Any = getattr(own.precision, quantity.setting)
        overflow = "saturate" if quantity.setting == "surrogate" else str(setting.overflow)
        named.append(
            (quantity.name, chip.format_of(index, quantity), chip.rounding_of(index, quantity), overflow)
        )
    for name, fmt, rounding, overflow in named:
        values = getattr(layer, name)
        if values is None:
            continue
        shape, axes = step_shape(chip, index, name)
        steps = values[sample].reshape(-1, *shape)
        path = f"sample{sample}/layer{index}.{name}.hex"
        yield Vector(path, name, steps, (STEP, *axes), fmt, rounding, overflow, index, sample)
        sums = np.array([checksum(step, fmt) for step in steps], np.int64)
        place = f"checksums/sample{sample}/layer{index}.{name}.hex"
        yield Vector(place, "checksum", sums, (STEP,), CHECKSUM, layer=index, sample=sample)


def _bits(low: int, high: int) -> int:
    signed = low < 0
    return max(high.bit_length(), (-low - 1).bit_length() if signed else 0, 1) + signed


def _gradients(chip: FixedSide, index: int, layer: RawLayer, sample: int) -> Iterator[Vector]:
    """Accumulators after a sample."""
    own = chip.formats[index]
    shapes = {
        "weight_gradient": (own.layer.weight_shape, weight_axes(chip, index)),
        "threshold_gradient": ((own.layer.threshold_count,), ("threshold",)),
        "leak_gradient": ((1,), ("one",)),
        "static_gradient": step_shape(chip, index, "delta"),
        "bias_gradient": (own.layer.weight_shape[:1], weight_axes(chip, index)[:1]),
    }
    for name, (shape, axes) in shapes.items():
        values = getattr(layer, name)
        if values is not None:
            found, fmt = np.asarray(values[sample]).reshape(shape), own.accumulator(GRADIENTS[name])
            path, overflow = (
                f"sample{sample}/layer{index}.{name}.hex",
                str(getattr(own.precision, name).overflow),
            )
            yield Vector(path, name, found, axes, fmt, "exact", overflow, index, sample)


def _weights_by_step(chip: FixedSide, index: int, layer: RawLayer, sample: int) -> Iterator[Vector]:
    """Weights that each time step uses, where they change in between (update `in_place`)."""
    if layer.weight_before is None:
        return
    own = chip.formats[index]
    held, path = own.precision.weight, f"sample{sample}/layer{index}.weight_before.hex"
    values = layer.weight_before[sample].reshape(-1, *own.layer.weight_shape)
    yield Vector(
        path, "weight_before", values, (STEP, *weight_axes(chip, index)), held.format, str(held.rounding),
        str(held.overflow), index, sample,
    )  # fmt: skip
