"""Windows of pools: their places, and the errors that come back through them. Maps are `(S, C, H, W)`, flat `(S, C*H*W)`."""

from types import SimpleNamespace

from nmsim.stop.device.torch_device import Tensor
from nmsim.stop.fixed.memory_plan import MAXIMUM


def windows(values: Tensor, node: SimpleNamespace, source: SimpleNamespace) -> Tensor:
    """Full windows of a pool, places in row-major order, `(S, C, h, w, places)`."""
    rows, columns = node.window_height, node.window_width
    maps = values.reshape(-1, source.channels, source.height, source.width)
    maps = maps[:, :, : node.height * rows, : node.width * columns]
    split = maps.reshape(-1, node.channels, node.height, rows, node.width, columns).transpose(3, 4)
    return split.reshape(-1, node.channels, node.height, node.width, rows * columns)


def pooled(values: Tensor, node: SimpleNamespace, source: SimpleNamespace) -> Tensor:
    """Largest value, or sum times the pool's factor, of each window, `(S, size)`."""
    found = windows(values, node, source)
    return (found.amax(-1) if node.kind == MAXIMUM else found.sum(-1) * node.factor).flatten(1)


def pool_errors(error: Tensor, values: Tensor, node: SimpleNamespace, source: SimpleNamespace) -> Tensor:
    """Errors of a pool's inputs, `(S, size)`: the window's error times its factor, or for the first maximum alone."""
    rows, columns = node.window_height, node.window_width
    error = error.reshape(-1, node.channels, node.height, node.width, 1)
    if node.kind == MAXIMUM:
        found = windows(values, node, source)
        best = found == found.amax(-1, keepdim=True)
        spread = error * (best & (best.long().cumsum(-1) == 1))
    else:
        spread = (error * node.factor).expand(-1, -1, -1, -1, rows * columns)
    spread = spread.reshape(-1, node.channels, node.height, node.width, rows, columns).transpose(3, 4)
    # inputs outside all windows get no error
    maps = error.new_zeros((len(error), source.channels, source.height, source.width))
    maps[:, :, : node.height * rows, : node.width * columns] = spread.reshape(
        len(error), node.channels, node.height * rows, node.width * columns
    )
    return maps.flatten(1)
