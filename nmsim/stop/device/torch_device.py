"""PyTorch and one of its devices. It is imported when a device is asked for, and not before."""

from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import ConfigError

Tensor = Any
"""A tensor of PyTorch."""


class TorchDevice:
    """A device that holds int64 and float64, by the name that PyTorch gives it, such as cuda or cpu.

    Raises:
        ConfigError: PyTorch is not installed or has no such device, or the device has no float64.
    """

    def __init__(self, name: str) -> None:
        try:
            import torch
        except ImportError:
            raise ConfigError(
                f"device {name}: passes on a device need PyTorch; install it with `pip install torch` (extra `torch`), or"
                " leave the device out"
            ) from None
        try:
            self.device = torch.device(name)
            torch.ones(1, dtype=torch.float64, device=self.device).item()
        except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
            reason = shorten(str(error), 80)
            raise ConfigError(
                f"device {name}: PyTorch cannot compute in float64 there ({reason}); use cuda or cpu, or leave it out"
            ) from None
        self.torch: Any = torch

    def put(self, array: NDArray[Any]) -> Tensor:
        """A copy of an array of integers, int64."""
        return self.torch.as_tensor(np.ascontiguousarray(array, np.int64), device=self.device)

    def zeros(self, *shape: int) -> Tensor:
        """Zeros, int64."""
        return self.torch.zeros(shape, dtype=self.torch.int64, device=self.device)

    def up_to(self, stop: int) -> Tensor:
        """`0, 1, ..., stop - 1`."""
        return self.torch.arange(stop, device=self.device)
