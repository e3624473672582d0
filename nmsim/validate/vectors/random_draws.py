"""The random draws that a run uses, one file per tensor that rounds stochastically and sample or update."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.lfsr import draws, first_draw, offset
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.vectors.register import STEP_ROLES, Drawn, drawn_tensors
from nmsim.validate.vectors.vector import DRAW, STEP, Vector, step_shape

RawArray = NDArray[Any]


def step_draws(chip: FixedSide, training: TrainingSpec, samples: int) -> Iterator[Vector]:
    """Draws of tensors of a time step that round stochastically."""
    steps = chip.network.time_steps
    for item in drawn_tensors(chip, training):
        if item.name not in STEP_ROLES:
            continue
        shape, axes = step_shape(chip, item.layer, item.name)
        for sample in range(samples):
            found = _draws(chip, item, range(sample * steps, (sample + 1) * steps)).reshape(steps, *shape)
            yield _draw_vector(f"draws/sample{sample}", item, found, (STEP, *axes), sample=sample)


def update_draws(chip: FixedSide, training: TrainingSpec, updates: int) -> Iterator[Vector]:
    """Draws of parameters that round stochastically; with update `in_place`, of the weights at every time step."""
    for item in drawn_tensors(chip, training):
        if item.name in STEP_ROLES:
            continue
        rounds = chip.network.time_steps if item.per_step else 1
        for number in range(updates):
            found = _draws(chip, item, range(number * rounds, (number + 1) * rounds))
            axes = (STEP if rounds > 1 else "update", "element")
            yield _draw_vector(f"draws/update{number}", item, found, axes, update=number)


def _draws(chip: FixedSide, item: Drawn, numbers: range) -> RawArray:
    """Draws of the requantizations `numbers`, `(requantizations, elements)`."""
    start = offset(chip.seed, item.layer, item.role)
    return np.stack([draws(start + first_draw(n, item.size), item.size) for n in numbers])


def _draw_vector(
    folder: str, item: Drawn, values: RawArray, axes: tuple[str, ...], *,
    sample: int | None = None, update: int | None = None,
) -> Vector:  # fmt: skip
    return Vector(
        f"{folder}/layer{item.layer}.{item.name}.hex",
        f"draws_of_{item.name}",
        values.astype(np.int64),
        axes,
        DRAW,
        layer=item.layer,
        sample=sample,
        update=update,
    )
