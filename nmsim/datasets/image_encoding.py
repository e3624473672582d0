"""Images to raw integers: rate and latency spikes, standardized intensities (direct: the pixels themselves)."""

from fractions import Fraction
from math import floor, prod

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.dataset import Images
from nmsim.datasets.spec import StandardizedEncoding
from nmsim.fixedpoint.lfsr import PERIOD, Role, draw_table, first_draw, offset

_DRAWS_PER_LEVEL = 257
"""65535 / 255: draws take each of 1..65535 once, so `draw <= 257 * pixel` has probability pixel / 255."""


def rate_spikes(x: Images, draw_index: NDArray[np.int64], time_steps: int, seed: int) -> NDArray[np.int32]:
    """Bernoulli spikes (B, T, C, H, W) of images (B, C, H, W), the same on any machine and in any batch.

    Pixel `e` (C order, of `size` pixels) of the sample with draw index `d` spikes at step `t` if
    `L[(offset + ((d*T + t) << k) + e) mod 65535] <= 257 * pixel`, `k = ceil(log2(size))`, with the offset of
    layer 0 and `Role.INPUT` (docs/arithmetic.md, "Random bits").
    """
    size = prod(x.shape[1:])
    start = offset(seed, 0, Role.INPUT)
    step = draw_index[:, None] * time_steps + np.arange(time_steps)
    cycle = np.resize(draw_table(), PERIOD + size - 1)
    draws = np.lib.stride_tricks.sliding_window_view(cycle, size)[(start + first_draw(step, size)) % PERIOD]
    limits = x.reshape(len(x), 1, size).astype(np.uint16) * np.uint16(_DRAWS_PER_LEVEL)
    spikes: NDArray[np.int32] = (draws <= limits).astype(np.int32)
    return spikes.reshape(len(x), time_steps, *x.shape[1:])


def latency_spikes(x: Images, time_steps: int, threshold: int) -> NDArray[np.int32]:
    """Spikes (B, T, C, H, W): pixels of at least `threshold` spike once, at step `(255 - pixel) * T >> 8`."""
    first = (255 - x.astype(np.int64)) * time_steps >> 8
    first[x < threshold] = -1
    steps = np.arange(time_steps).reshape(1, -1, 1, 1, 1)
    spikes: NDArray[np.int32] = (first[:, None] == steps).astype(np.int32)
    return spikes


def standardized(x: Images, encoding: StandardizedEncoding) -> NDArray[np.int32]:
    """Intensities (B, C, H, W) as `(pixel / 255 - mean) / std` in the encoding's format, by one table per channel.

    The tables are formed in exact rational numbers, so that every machine gets the same integers.
    """
    tables = [_levels(*pair, encoding) for pair in zip(encoding.mean, encoding.std, strict=True)]
    return np.stack([table[x[:, channel]] for channel, table in enumerate(tables)], axis=1)


def _levels(mean: float, std: float, encoding: StandardizedEncoding) -> NDArray[np.int32]:
    """Raw value of each of the 256 intensities of a channel."""
    fmt = encoding.format
    scale = Fraction(2) ** fmt.fraction_bits / Fraction(std)
    exact = [(Fraction(pixel, 255) - Fraction(mean)) * scale for pixel in range(256)]
    rounded = [floor(abs(value) + Fraction(1, 2)) * (-1 if value < 0 else 1) for value in exact]
    return np.array([min(max(value, fmt.min_raw), fmt.max_raw) for value in rounded], np.int32)
