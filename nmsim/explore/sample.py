"""Which designs a sweep evaluates: the full grid, or points of a unit cube mapped to the axes."""

from collections.abc import Sequence
from math import ceil, log2
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import ConfigError
from nmsim.explore.space import MAX_GRID, DesignSpace, Values, design_key

Method = Literal["grid", "random", "lhs", "sobol"]
METHODS: tuple[Method, ...] = get_args(Method)
EXTENDABLE: tuple[Method, ...] = ("random", "sobol")
"""Methods whose first designs are the same whatever their number, so that a study can grow."""
MAX_DRAWS_PER_DESIGN = 64


def sample(space: DesignSpace, method: Method, designs: int | None, seed: int) -> tuple[Values, ...]:
    """Distinct designs of a space, in a fixed order.

    `random`: independent draws of PCG64; `lhs`: Latin hypercube; `sobol`: scrambled Sobol sequence (both from
    `scipy.stats.qmc`). Each of the three depends on `seed` only. Points of the cube that fall on the same levels
    count once, so a space with fewer levels than designs gives fewer.

    Raises:
        ConfigError: no number of designs for a sampling method, one for a grid, or a grid of more than a million.
    """
    if method == "grid":
        if designs is not None:
            raise ConfigError(
                "--designs: a grid has as many designs as its axes have levels; leave it out, or sample"
            )
        if space.grid_size > MAX_GRID:
            raise ConfigError(
                f"space {space.name}: its grid has {space.grid_size:,} designs, more than {MAX_GRID:,}; sample with"
                " --method sobol --designs N"
            )
        return space.grid()
    if designs is None:
        raise ConfigError(f"--method {method}: how many designs is open; give --designs N")
    if method == "lhs":
        from scipy.stats import qmc  # takes a second, which only a study pays

        cube = qmc.LatinHypercube(len(space.axes), rng=np.random.default_rng(seed)).random(designs)
        return _distinct(space, cube, designs)
    wanted = int(min(designs, space.size))
    found: tuple[Values, ...] = ()
    draws = wanted
    while len(found) < wanted and draws <= wanted * MAX_DRAWS_PER_DESIGN:
        found = _distinct(space, _cube(method, len(space.axes), draws, seed), wanted)
        draws *= 2
    return found


def _cube(method: Method, axes: int, points: int, seed: int) -> NDArray[np.float64]:
    """The first points of a sequence in the unit cube, shape (points, axes)."""
    generator = np.random.default_rng(seed)
    if method == "random":
        return generator.random((points, axes))
    from scipy.stats import qmc

    sequence = qmc.Sobol(axes, rng=generator).random_base2(ceil(log2(max(points, 2))))
    return np.asarray(sequence[:points])


def _distinct(space: DesignSpace, cube: NDArray[np.float64], wanted: int) -> tuple[Values, ...]:
    """Designs at points of the cube, each once, in order, until there are as many as wanted."""
    found: dict[str, Values] = {}
    for point in cube:
        values = at(space, point)
        found.setdefault(design_key(values), values)
        if len(found) == wanted:
            break
    return tuple(found.values())


def at(space: DesignSpace, point: Sequence[float] | NDArray[np.float64]) -> Values:
    """The design at a point of the unit cube."""
    return tuple(axis.at(float(fraction)) for axis, fraction in zip(space.axes, point, strict=True))
