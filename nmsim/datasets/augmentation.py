"""Random shifts and flips of training samples, drawn from the specified LFSR so that any machine repeats them."""

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.spec import Augmentation
from nmsim.fixedpoint.lfsr import PERIOD, Role, draw_table, first_draw, offset

_FLIP_BIT = 15


def augmented(
    raw: NDArray[np.int32], how: Augmentation, draw_index: NDArray[np.int64], seed: int
) -> NDArray[np.int32]:
    """Samples (B, T, C, H, W) shifted by up to `shift_pixels` in both directions, zeros moving in, and maybe mirrored.

    Sample with draw index `d` uses two draws, `L[(offset + 2*d + e) mod 65535]` with the offset of layer 0 and
    `Role.AUGMENTATION`: rows move by `draw mod (2s+1) - s` (e = 0), columns likewise (e = 1), and bit 15 of the second
    draw mirrors the columns if `flip` is set. All time steps of a sample change alike.
    """
    start = offset(seed, 0, Role.AUGMENTATION) + first_draw(draw_index, 2)
    table, reach = draw_table(), how.shift_pixels
    vertical, horizontal = table[start % PERIOD], table[(start + 1) % PERIOD]
    rows = vertical.astype(np.int64) % (2 * reach + 1) - reach
    columns = horizontal.astype(np.int64) % (2 * reach + 1) - reach
    mirrored = (horizontal >> _FLIP_BIT).astype(bool) & how.flip
    moved = np.where(mirrored[:, None, None, None, None], raw[..., ::-1], raw)
    return _shifted(_shifted(moved, rows, -2), columns, -1)


def _shifted(raw: NDArray[np.int32], steps: NDArray[np.int64], axis: int) -> NDArray[np.int32]:
    """Each sample moved by its own number of pixels along an axis."""
    result = np.zeros_like(raw)
    size = raw.shape[axis]
    source, target = np.moveaxis(raw, axis, 1), np.moveaxis(result, axis, 1)
    for step in np.unique(steps[np.abs(steps) < size]):
        chosen = steps == step
        low, high = max(step, 0), size + min(step, 0)
        target[chosen, low:high] = source[chosen, low - step : high - step]
    return result
