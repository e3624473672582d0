"""The random draws that a run uses, one file per tensor that rounds stochastically."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.format import Rounding
from nmsim.fixedpoint.lfsr import Role, draws, first_draw, offset
from nmsim.network.precision import TensorPrecision
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import QUANTITIES, FixedSide
from nmsim.validate.vectors.vector import DRAW, STEP, Vector, step_shape

RawArray = NDArray[Any]
STEP_ROLES = {
    "weight_trace": Role.WEIGHT_TRACE, "leak_trace": Role.LEAK_TRACE, "threshold_trace": Role.THRESHOLD_TRACE,
    "membrane": Role.MEMBRANE, "error": Role.ERROR, "delta": Role.DELTA,
}  # fmt: skip
PARAMETER_ROLES = {
    "weight": Role.WEIGHT, "threshold": Role.THRESHOLD, "leak_factor": Role.LEAK_FACTOR, "velocity": Role.VELOCITY,
}  # fmt: skip


def step_draws(chip: FixedSide, samples: int) -> Iterator[Vector]:
    """Draws of tensors of a time step that round stochastically."""
    steps = chip.network.time_steps
    for index in range(len(chip.formats)):
        for quantity in QUANTITIES:
            setting = getattr(chip.formats[index].precision, quantity.setting)
            if quantity.name not in STEP_ROLES or not isinstance(setting, TensorPrecision):
                continue
            if setting.rounding is not Rounding.STOCHASTIC:
                continue
            shape, axes = step_shape(chip, index, quantity.name)
            size, start = int(np.prod(shape)), offset(chip.seed, index, STEP_ROLES[quantity.name])
            for sample in range(samples):
                rows = [draws(start + first_draw(sample * steps + t, size), size) for t in range(steps)]
                found = np.stack(rows).reshape(steps, *shape)
                yield _draw_vector(
                    f"draws/sample{sample}", quantity.name, found, (STEP, *axes), index, sample=sample
                )


def update_draws(chip: FixedSide, training: TrainingSpec, updates: int) -> Iterator[Vector]:
    """Draws of parameters that round stochastically; with update `in_place`, of the weights at every time step."""
    for index, own in enumerate(chip.formats):
        held, rule = own.precision, training.rule
        learned = {
            "weight": (held.weight.rounding, own.layer.weights, True),
            "threshold": (held.threshold_rounding, own.layer.threshold_count, rule.learns_thresholds),
            "leak_factor": (held.leak_factor.rounding, 1, rule.learns_leak),
            "velocity": (held.velocity.rounding, own.layer.weights, training.momentum > 0),
        }
        for name, (rounding, size, used) in learned.items():
            if not used or rounding is not Rounding.STOCHASTIC:
                continue
            rounds = chip.network.time_steps if name == "weight" and training.update == "in_place" else 1
            start = offset(chip.seed, index, PARAMETER_ROLES[name])
            for number in range(updates):
                found = np.stack(
                    [draws(start + first_draw(number * rounds + t, size), size) for t in range(rounds)]
                )
                yield _draw_vector(
                    f"draws/update{number}",
                    name,
                    found,
                    (STEP if rounds > 1 else "update", "element"),
                    index,
                    update=number,
                )


def _draw_vector(
    folder: str, name: str, values: RawArray, axes: tuple[str, ...], layer: int, *,
    sample: int | None = None, update: int | None = None,
) -> Vector:  # fmt: skip
    path = f"{folder}/layer{layer}.{name}.hex"
    return Vector(
        path,
        f"draws_of_{name}",
        values.astype(np.int64),
        axes,
        DRAW,
        layer=layer,
        sample=sample,
        update=update,
    )
