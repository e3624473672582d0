"""Short runs in vectors give what the plain loops give, and touch nothing beside them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nmsim.fixedpoint.compiled import kernel
from nmsim.stop.fixed.runs import LONG_BYTES, clear_run, copy_run, spread_over_window, sum_window

STORAGES = [np.int16, np.int32, np.int64]
SIZES = [0, 1, 6, 8, 16, 31, 32, 33, 100, LONG_BYTES, LONG_BYTES + 3]
WINDOWS = [(1, 1), (2, 2), (3, 2), (5, 5)]


def _calling(function: Callable[..., Any]) -> Any:
    """A kernel that calls a run: in machine code its overload, interpreted its loop."""
    return kernel(function, "test")


def _copy(out, to, values, start, size):
    copy_run(out, to, values, start, size)


def _clear(out, start, size):
    clear_run(out, start, size)


def _sum(out, to, values, start, size, window):
    sum_window(out, to, values, start, size, window)


def _spread(out, to, values, start, size, window, factor, keep):
    spread_over_window(out, to, values, start, size, window, factor, keep)


COPY, CLEAR, SUM, SPREAD = (_calling(function) for function in (_copy, _clear, _sum, _spread))


def numbers(storage: type, size: int) -> Any:
    """Of the whole range of a type."""
    limits = np.iinfo(storage)
    return np.random.default_rng(size).integers(limits.min, limits.max, size, storage, endpoint=True)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("size", SIZES)
def test_a_run_is_copied_or_cleared_and_nothing_beside_it(storage: type, size: int) -> None:
    values, out = numbers(storage, size + 5), numbers(storage, size + 9)
    copied, cleared = out.copy(), out.copy()
    copied[3 : 3 + size], cleared[3 : 3 + size] = values[2 : 2 + size], 0
    again = out.copy()
    COPY.machine(out, 3, values, 2, size)
    assert np.array_equal(out, copied)
    CLEAR.machine(again, 3, size)
    assert np.array_equal(again, cleared)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("size", [1, 6, 16, 33, 70])
@pytest.mark.parametrize(("height", "width"), WINDOWS)
def test_windows_are_summed_and_spread_as_numpy_does(
    storage: type, size: int, height: int, width: int
) -> None:
    maps, line = numbers(storage, (height + 1) * (width + 2) * size), (width + 2) * size
    window, cells = (height, line, width, size), maps.reshape(height + 1, width + 2, size)
    out = numbers(storage, size + 4)
    wanted = out.copy()
    wanted[1 : 1 + size] = cells[1:, 1 : 1 + width].sum(axis=(0, 1), dtype=storage)
    SUM.machine(out, 1, maps, line + size, size, window)
    assert np.array_equal(out, wanted)
    for keep in (0, 1):
        target = maps.copy()
        wanted = cells.copy()
        wanted[1:, 1 : 1 + width] = cells[1:, 1 : 1 + width] * keep + out[1 : 1 + size] * storage(3)
        SPREAD.machine(target, line + size, out, 1, size, window, 3, keep)
        assert np.array_equal(target, wanted.ravel()), keep


def test_python_integers_have_loops() -> None:
    maps = np.array([2**70 + k for k in range(24)], object)
    out = np.zeros(3, object)
    SUM.plain(out, 0, maps, 0, 3, (2, 12, 2, 3))
    assert out.tolist() == [int(maps[[k, k + 3, k + 12, k + 15]].sum()) for k in range(3)]
    SPREAD.plain(maps, 0, out, 0, 3, (2, 12, 2, 3), 2, 0)
    assert maps[15:18].tolist() == [2 * v for v in out]
    CLEAR.plain(maps, 1, 2)
    COPY.plain(maps, 20, out, 0, 3)
    assert maps[1:3].tolist() == [0, 0]
    assert maps[20:23].tolist() == out.tolist()
