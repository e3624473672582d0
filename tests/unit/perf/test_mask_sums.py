"""Compiled sums over masks against numpy."""

import numpy as np
import pytest

from nmsim.perf.mask_sums import any_of, in_boxes, prefix_sums

SHAPE = (2, 3, 5, 4, 6)


def drawn(kind: type, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    found = np.random.default_rng(0).integers(0, 2 if kind is np.bool_ else 7, shape)
    return np.asarray(found.astype(kind))


@pytest.mark.parametrize("kind", [np.bool_, np.uint16])
@pytest.mark.parametrize("ones_alike", [False, True])
@pytest.mark.parametrize("weight", [None, (4, 6), (2, 3, 4, 6), (1, 1, 4, 6), (2, 1, 4, 6)], ids=str)
def test_boxes_hold_the_weights_of_their_ones(
    kind: type, weight: tuple[int, ...] | None, *, ones_alike: bool
) -> None:
    random = np.random.default_rng(1)
    ones = drawn(kind, (1, 1, *SHAPE[2:]) if ones_alike else SHAPE)
    given = None if weight is None else random.integers(0, 9, weight)
    of_place = np.ones((4, 6), np.int64) if given is None else given
    every = ones * (of_place if of_place.ndim == 2 else of_place[:, :, None])
    (c0, y0), (c1, y1) = random.integers(0, 3, (2, 9)), random.integers(2, 5, (2, 9))
    found = in_boxes(prefix_sums(ones, given), c0, c1, y0, y1)
    for box, (a, b, c, d) in enumerate(zip(c0, c1, y0, y1, strict=True)):
        assert np.array_equal(found[box], every[:, :, a:b, c:d].sum(axis=(2, 3, 4)))
    assert found.shape == (9, *every.shape[:2])


@pytest.mark.parametrize("kind", [np.bool_, np.uint16])
def test_groups_are_one_where_any_of_their_channels_is(kind: type) -> None:
    ones = drawn(kind) * (drawn(np.bool_) != 0)
    first, past = np.array([0, 2, 4, 1]), np.array([2, 4, 5, 5])
    found = any_of(ones.astype(kind), first, past)
    for group, (start, stop) in enumerate(zip(first, past, strict=True)):
        assert np.array_equal(found[:, :, group], ones[:, :, start:stop].any(axis=2))
