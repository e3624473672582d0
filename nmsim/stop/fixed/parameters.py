"""Raw parameters of a fixed-point run, as they are stored and as kernels read them."""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import FormatError
from nmsim.fixedpoint.format import Overflow, QFormat, Rounding
from nmsim.fixedpoint.quantize import quantize_array
from nmsim.stop.fixed.arrangement import Arrangement
from nmsim.stop.fixed.layer_formats import LayerFormats
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import Held
from nmsim.stop.fixed.neuron_update import SPREAD_THRESHOLDS
from nmsim.stop.fixed.slices import ParameterSlices, layer_slices
from nmsim.stop.fixed.workspace import zeros
from nmsim.stop.protocol import Parameters
from nmsim.stop.spec import TrainingSpec


def quantized_parameters(real: Parameters, formats: list[LayerFormats], training: TrainingSpec) -> Parameters:
    """Real initial parameters to the nearest raw integers (ties to even); velocities start at zero.

    Raises:
        FormatError: a format cannot hold a weight, threshold or leak factor; the sentence names the narrowest that can.
    """
    weights, thresholds, leak = [], [], []
    for own, w, theta, alpha in zip(formats, real.weights, real.thresholds, real.leak, strict=True):
        place, stored = f"layer {own.layer.index}", own.precision
        weights.append(_raw(w, stored.weight.format, f"{place}, weight"))
        raw = _raw(theta, stored.membrane.format, f"{place}, membrane: threshold")
        smallest, lsb = int(raw.min()), stored.membrane.format.lsb
        if smallest < 1:
            raise FormatError(
                f"{place}, membrane: the threshold {float(np.min(theta)):g} is below one LSB, {lsb:g},"
                f" of {stored.membrane.format}; use more fraction bits"
            )
        thresholds.append(np.maximum(raw, lowest_threshold(own, training)))
        if own.integrates:
            leak.append(own.largest_leak)
        else:
            one = _raw(np.asarray([alpha]), stored.leak_factor.format, f"{place}, leak_factor")
            leak.append(min(int(one[0]), highest_leak(own, training)))
    velocity = [np.zeros(w.shape, np.int64) if training.momentum > 0 else None for w in weights]
    biases = [
        None if bias is None else _raw(bias, own.precision.weight.format, f"layer {own.layer.index}, bias")
        for own, bias in ((own, real.bias_of(own.layer.index)) for own in formats)
    ]
    return Parameters(weights, thresholds, leak, list(velocity), list(real.mask), list(biases))


def _raw(values: NDArray[Any], fmt: QFormat, place: str) -> NDArray[Any]:
    """Nearest raw integers, checked against the format's range."""
    scaled = np.rint(np.asarray(values, np.float64) * 2.0**fmt.fraction_bits)
    low, high = float(scaled.min()), float(scaled.max())
    if low < fmt.min_raw or high > fmt.max_raw:
        worst = float(
            np.asarray(values).ravel()[int(np.argmax(np.abs(scaled - (fmt.min_raw + fmt.max_raw) / 2)))]
        )
        raise FormatError(
            f"{place}: {fmt} reaches from {fmt.min_raw * fmt.lsb:g} to {fmt.max_raw * fmt.lsb:g}"
            f" and cannot hold the initial value {worst:g}; use {narrowest(int(low), int(high), fmt)} or fewer fraction bits"
        )
    if fmt.total_bits > 53:
        return np.array([int(value) for value in scaled.ravel()], object).reshape(scaled.shape)
    return scaled.astype(np.int64)


def _leak(raw: int, own: LayerFormats) -> Any:
    """A raw leak factor in its range; of a neuron without a leak it is one, `2**F`.

    Raises:
        FormatError: it is something else.
    """
    place = f"layer {own.layer.index}, leak_factor"
    if not own.integrates:
        return _inside(np.asarray([raw], object), own.precision.leak_factor.format, place)[0]
    if raw != own.largest_leak:
        raise FormatError(
            f"{place}: the raw value {raw} is not one, which neuron.leak_factor says; use {own.largest_leak}"
        )
    return raw


def narrowest(low: int, high: int, fmt: QFormat) -> QFormat:
    """The format of fewest bits with these fraction bits that holds `low..high`."""
    signed = fmt.signed or low < 0
    bits = max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + int(signed)
    return QFormat(signed, max(bits, fmt.total_bits), fmt.fraction_bits)


def lowest_threshold(own: LayerFormats, training: TrainingSpec) -> int:
    """`theta_min` as a raw integer: one LSB, or the setting to the nearest.

    Raises:
        FormatError: the membrane's format cannot hold it.
    """
    fmt = own.precision.membrane.format
    if training.theta_min is None:
        return 1
    raw = max(1, round(Fraction(training.theta_min) * Fraction(2) ** fmt.fraction_bits))
    if raw > fmt.max_raw:
        raise FormatError(
            f"layer {own.layer.index}, membrane: {fmt} cannot hold theta_min {training.theta_min:g};"
            f" use {narrowest(0, raw, fmt)}"
        )
    return raw


def highest_leak(own: LayerFormats, training: TrainingSpec) -> int:
    """`alpha_max` as a raw integer: the format's largest value, or the setting to the nearest."""
    fmt = own.precision.leak_factor.format
    if training.alpha_max is None or own.integrates:
        return own.largest_leak
    return min(fmt.max_raw, round(Fraction(training.alpha_max) * Fraction(2) ** fmt.fraction_bits))


class RawParameters:
    """Owner of the raw parameters of all layers; `held` is what kernels read, refreshed after every change.

    `weights` by layer, rows of an output channel, `(C_out, fan_in or more)`, or of an input, `(fan_in, C_out or more)`, if
    the layer is `factored`: those of a layer whose used weights are the stored ones lie in `held`. Flat in layer order:
    `velocity (P,)` (or empty), `thresholds (G,)`; `bias`, `bias_velocity (rows,)` (or empty)
    by output channel. `used` keeps up to date what products read.
    """

    def __init__(self, layout: Layout, formats: list[LayerFormats], training: TrainingSpec) -> None:
        self.layout, self.formats, self.slices = layout, formats, layer_slices(layout)
        storage = layout.storage
        numbers: Any = object if storage is object else np.int64
        count = len(formats)
        self.velocity = np.zeros(layout.weights if training.momentum > 0 else 0, numbers)
        self.thresholds = np.zeros(layout.thresholds, storage)
        self.bias = np.zeros(layout.channels, numbers)
        self.bias_velocity = np.zeros(layout.channels if training.momentum > 0 else 0, numbers)
        self.held = Held(
            used=zeros(layout.used, storage),
            backward=zeros(layout.backward, storage),
            theta=np.zeros(layout.neurons, storage),
            alpha=np.zeros(count, numbers),
            weight_bounds=np.zeros((count, 5), numbers),
            row_sums=np.zeros(layout.channels, numbers),
            bias=np.zeros(layout.channels, numbers),
            synapses=np.ones(layout.weights, np.uint8),
            masked=np.zeros(count, np.int64),
        )
        self.used_bias_overflows = np.zeros(count, np.int64)
        self.weights = [self._weights_of(index) for index in range(count)]
        self.used = Arrangement(layout, self.held, self.slices, self.weights)
        self._spread = SPREAD_THRESHOLDS.form(interpreted=storage is object)

    def _weights_of(self, index: int) -> NDArray[Any]:
        """Memory of a layer's stored weights, in `held` if they are also the used ones."""
        layer, at = self.layout.layers[index], self.slices[index]
        if layer.factored:
            if layer.shared:
                return self.held.backward[at.backward].reshape(layer.inputs, layer.error_depth)
            return np.zeros((layer.inputs, layer.channels), self.layout.storage)
        if layer.shared:
            return self.held.used[at.used].reshape(layer.channels, layer.depth)
        return np.zeros((layer.channels, layer.fan_in), self.layout.storage)

    def load(self, raw: Parameters) -> None:
        """Take over raw parameters.

        Raises:
            FormatError: a raw integer is outside its format.
        """
        for index, (own, at) in enumerate(zip(self.formats, self.slices, strict=True)):
            place = f"layer {index}"
            mask = raw.mask[index] if index < len(raw.mask) else None
            weights = np.asarray(raw.weights[index])
            target = self.in_order(index)
            target[:] = _inside(weights, own.precision.weight.format, f"{place}, weight").reshape(
                target.shape
            )
            self.thresholds[at.thresholds] = _inside(
                np.asarray(raw.thresholds[index]), own.precision.membrane.format, f"{place}, threshold"
            ).ravel()
            self.held.alpha[index] = _leak(int(raw.leak[index]), own)
            velocity = raw.velocity[index] if index < len(raw.velocity) else None
            if self.velocity.size:
                self.velocity[at.weights] = 0 if velocity is None else np.asarray(velocity).ravel()
            self.held.synapses[at.weights] = 1 if mask is None else np.asarray(mask, bool).ravel()
            self.held.masked[index] = int(mask is not None and not np.all(mask))
            target[self.held.synapses[at.weights].reshape(target.shape) == 0] = 0
            self._load_biases(raw, own, at)
        for index in range(len(self.formats)):
            self.spread_thresholds(index)
            self.used.arrange(index)
            self.use_biases(index)

    def _load_biases(self, raw: Parameters, own: LayerFormats, at: ParameterSlices) -> None:
        index = own.layer.index
        bias, velocity = raw.bias_of(index), raw.bias_velocity_of(index)
        if bias is not None and not own.layer.bias:
            raise FormatError(
                f"layer {index}, bias: the network's layer has none; set bias: true, or give None"
            )
        self.bias[at.rows] = (
            0
            if bias is None
            else _inside(np.asarray(bias), own.precision.weight.format, f"layer {index}, bias")
        )
        if self.bias_velocity.size:
            self.bias_velocity[at.rows] = 0 if velocity is None else np.asarray(velocity)

    def use_biases(self, index: int) -> None:
        """Form what a layer's biases add to its currents: the used bias times an input of 1."""
        layer, at = self.layout.layers[index], self.slices[index].rows
        if not layer.biased:
            return
        own = self.formats[index]
        stored = own.precision.weight
        used, self.used_bias_overflows[index] = quantize_array(
            self.bias[at],
            stored.format.fraction_bits,
            own.used,
            Rounding.FLOOR,
            stored.overflow or Overflow.SATURATE,
        )
        self.held.bias[at] = used << layer.bias_left
        self.held.weight_bounds[index, 3] = max(int(self.held.bias[at].max()), -int(self.held.bias[at].min()))

    def in_order(self, index: int) -> NDArray[Any]:
        """A layer's weights `(C_out, fan_in)`, C order; a view."""
        layer = self.layout.layers[index]
        if layer.factored:
            return self.weights[index][:, : layer.channels].T
        return self.weights[index][:, : layer.fan_in]

    def spread_thresholds(self, index: int) -> None:
        """Give every neuron of a layer its threshold."""
        at = self.slices[index]
        self._spread(
            self.layout.plan.layers, index, self.thresholds[at.thresholds], self.held.theta[at.neurons]
        )

    def parameters(self) -> Parameters:
        """The raw parameters by layer; views, not copies."""
        layers = [own.layer for own in self.formats]
        weights = [self.in_order(layer.index).reshape(layer.weight_shape) for layer in layers]
        velocity: list[NDArray[Any] | None] = [None] * len(layers)
        if self.velocity.size:
            velocity = [
                self.velocity[at.weights].reshape(layer.weight_shape)
                for at, layer in zip(self.slices, layers, strict=True)
            ]
        masks = [
            self.held.synapses[at.weights].reshape(layer.weight_shape).astype(bool) if masked else None
            for at, layer, masked in zip(self.slices, layers, self.held.masked, strict=True)
        ]
        thresholds = [self.thresholds[at.thresholds] for at in self.slices]
        biases: list[NDArray[Any] | None] = [
            self.bias[at.rows] if layer.bias else None for at, layer in zip(self.slices, layers, strict=True)
        ]
        moving: list[NDArray[Any] | None] = [
            self.bias_velocity[at.rows] if layer.bias and self.bias_velocity.size else None
            for at, layer in zip(self.slices, layers, strict=True)
        ]
        leak = [int(alpha) for alpha in self.held.alpha]
        return Parameters(weights, thresholds, leak, velocity, masks, biases, moving)


def _inside(values: NDArray[Any], fmt: QFormat, place: str) -> NDArray[Any]:
    """Raw integers, checked against their format's range."""
    low, high = int(values.min()), int(values.max())
    if low < fmt.min_raw or high > fmt.max_raw:
        worst = low if low < fmt.min_raw else high
        raise FormatError(
            f"{place}: the raw value {worst} is outside {fmt.min_raw}..{fmt.max_raw} of {fmt};"
            f" use {narrowest(low, high, fmt)}"
        )
    return values
