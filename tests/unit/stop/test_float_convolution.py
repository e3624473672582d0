"""Windows of a convolution: against loops over every index, and against each other as adjoints."""

import numpy as np
import pytest

from nmsim.stop.float.windows import Windows

SHAPES = [
    ((2, 5, 6), 3, 1, 1),
    ((1, 7, 7), 3, 2, 0),
    ((3, 6, 4), 2, 2, 1),
    ((2, 4, 5), 1, 1, 0),
    ((2, 5, 5), 1, 2, 0),
    ((1, 3, 3), 3, 1, 2),
]


@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), SHAPES)
def test_every_window_holds_the_pixels_under_it(
    shape: tuple[int, int, int], kernel: int, stride: int, padding: int
) -> None:
    channels, height, width = shape
    maps = np.random.default_rng(0).normal(size=(2, height, width, channels))
    windows = Windows(shape, kernel, stride, padding)
    rows = (height + 2 * padding - kernel) // stride + 1
    columns = (width + 2 * padding - kernel) // stride + 1
    gathered = windows.gather(maps).reshape(2, rows, columns, kernel, kernel, channels)
    for sample, row, column, r, c, channel in np.ndindex(gathered.shape):
        y, x = row * stride + r - padding, column * stride + c - padding
        inside = 0 <= y < height and 0 <= x < width
        expected = maps[sample, y, x, channel] if inside else 0.0
        assert gathered[sample, row, column, r, c, channel] == expected


@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), SHAPES)
def test_scatter_is_the_adjoint_of_gather(
    shape: tuple[int, int, int], kernel: int, stride: int, padding: int
) -> None:
    rng = np.random.default_rng(1)
    maps = rng.normal(size=(3, shape[1], shape[2], shape[0]))
    windows = Windows(shape, kernel, stride, padding)
    gathered = windows.gather(maps)
    other = rng.normal(size=gathered.shape)
    back = windows.scatter(other, 3)
    assert back.shape == maps.shape
    assert np.vdot(gathered, other) == pytest.approx(np.vdot(maps, back), rel=1e-12)


def test_a_map_that_is_not_contiguous_is_gathered_the_same() -> None:
    maps = np.random.default_rng(2).normal(size=(2, 5, 5, 4))
    windows = Windows((2, 5, 5), 3, 1, 0)
    view = maps[..., :2]
    assert np.array_equal(windows.gather(view), windows.gather(view.copy()))
