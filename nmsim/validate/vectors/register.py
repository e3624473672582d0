"""What hardware needs to draw its own random bits: where each tensor's register starts, and its leaps as matrices."""

from collections.abc import Iterator
from typing import Any

from nmsim.fixedpoint.format import Rounding
from nmsim.fixedpoint.leap import between_passes, leap, rows, state_before
from nmsim.fixedpoint.lfsr import Role, offset, spread
from nmsim.network.precision import TensorPrecision
from nmsim.network.state import NEURON_TRACES, TRACES
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import QUANTITIES, FixedSide

STEP_ROLES = {
    name: Role[name.upper()]
    for name in ("membrane", "error", "delta", "constant_trace", *(trace.name for trace in TRACES))
}


class Drawn:
    """A tensor that rounds stochastically: `size` elements at every one of its requantizations."""

    def __init__(self, layer: int, name: str, role: Role, size: int, *, per_step: bool) -> None:
        self.layer, self.name, self.role, self.size, self.per_step = layer, name, role, size, per_step


def drawn_tensors(chip: FixedSide, training: TrainingSpec) -> Iterator[Drawn]:
    """Every tensor of a run that draws; none that its rule does not keep, nor the output error, which is exact."""
    rule, last = training.rule, len(chip.formats) - 1
    absent = {trace.name for trace in NEURON_TRACES if not trace.kept_by(rule)}
    for index, own in enumerate(chip.formats):
        layer, held = own.layer, own.precision
        for quantity in QUANTITIES:
            setting = getattr(held, quantity.setting)
            if (
                quantity.name not in STEP_ROLES
                or not isinstance(setting, TensorPrecision)
                or quantity.name in absent
                or (quantity.name == "constant_trace" and not own.has(Tensor.CONSTANT_TRACE))
                or (quantity.name == "weight_trace" and own.scalar)
            ):
                continue
            if setting.rounding is not Rounding.STOCHASTIC or (quantity.name == "error" and index == last):
                continue
            size = {"weight_trace": layer.inputs, "constant_trace": 1}.get(quantity.name, layer.neurons)
            yield Drawn(index, quantity.name, STEP_ROLES[quantity.name], size, per_step=True)
        learned = (
            ("weight", Role.WEIGHT, held.weight.rounding, layer.weights, True),
            (
                "threshold",
                Role.THRESHOLD,
                held.threshold_rounding,
                layer.threshold_count,
                rule.learns_thresholds,
            ),
            ("leak_factor", Role.LEAK_FACTOR, held.leak_factor.rounding, 1, rule.learns_leak),
            ("velocity", Role.VELOCITY, held.velocity.rounding, layer.weights, training.momentum > 0),
            ("bias", Role.BIAS, held.weight.rounding, layer.biases, layer.bias),
            (
                "bias_velocity",
                Role.BIAS_VELOCITY,
                held.velocity.rounding,
                layer.biases,
                layer.bias and training.momentum > 0,
            ),
        )
        for name, role, rounding, size, used in learned:
            if used and rounding is Rounding.STOCHASTIC:
                per_step = name in {"weight", "bias"} and training.update == "in_place"
                yield Drawn(index, name, role, size, per_step=per_step)


def registers(chip: FixedSide, training: TrainingSpec) -> list[dict[str, Any]]:
    """Entries of the manifest: `state` is the register before the first draw of requantization 0.

    After the last element of a requantization, `pass_leap` goes to where the next one begins. Rows of a matrix: bit b of the
    new state is the parity of `row[b] & state`.
    """
    return [
        {
            "layer": item.layer,
            "tensor": item.name,
            "role": int(item.role),
            "offset": offset(chip.seed, item.layer, item.role),
            "state": f"{state_before(offset(chip.seed, item.layer, item.role)):04x}",
            "elements": item.size,
            "spread": spread(item.size),
            "requantized": "every time step" if item.per_step else "every update",
            "pass_leap": hex_rows(between_passes(item.size)),
        }
        for item in drawn_tensors(chip, training)
    ]


def hex_rows(draws: int) -> list[str]:
    """Rows of the leap by a number of draws, row 0 first."""
    return [f"{row:04x}" for row in rows(leap(draws))]
