"""Two orders of a map: C-order `(C, H, W)` of the contracts, channel-last `(H, W, C)` of the float engines.

Channel-last makes the windows of a convolution runs of contiguous memory, and its output a matrix product.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.network.spec import Shape


def internal_shape(shape: Shape) -> Shape:
    """Shape of a value inside the engines: `(H, W, C)` of a map `(C, H, W)`, else one axis."""
    return (*shape[1:], shape[0]) if len(shape) == 3 else (prod(shape),)


def to_internal(values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """`(B, *shape)` or `(B, n)` in C-order to `(B, *internal_shape(shape))`, contiguous."""
    if len(shape) != 3:
        return values.reshape(len(values), -1)
    return np.ascontiguousarray(np.moveaxis(values.reshape(-1, *shape), 1, -1))


def to_c_order(values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """`(B, ...)` in internal order to `(B, n)` in C-order of `shape`."""
    if len(shape) == 3:
        values = np.moveaxis(values.reshape(-1, *internal_shape(shape)), -1, 1)
    return values.reshape(len(values), -1)
