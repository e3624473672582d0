"""The tensors of a layer that round or overflow, in the order of a time step and then of an update."""

from enum import IntEnum


class Tensor(IntEnum):
    """Row of a layer's numbers and of its overflow counts; the name is the one that reports print."""

    WEIGHT_TRACE = 0
    CURRENT = 1
    RESIDUAL = 2
    LEAK_TRACE = 3
    THRESHOLD_TRACE = 4
    MEMBRANE = 5
    ERROR = 6
    DELTA = 7
    ERROR_SUM = 8
    WEIGHT_GRADIENT = 9
    THRESHOLD_GRADIENT = 10
    LEAK_GRADIENT = 11
    VELOCITY = 12
    WEIGHT = 13
    WEIGHT_USED = 14
    THRESHOLD = 15
    LEAK_FACTOR = 16
    CONSTANT_TRACE = 17
    BIAS_GRADIENT = 18
    BIAS = 19
    STATIC_GRADIENT = 20

    @property
    def label(self) -> str:
        """Name in overflow counts, e.g. `weight_trace`."""
        return self.name.lower()


WEIGHT_TRACE, CURRENT, RESIDUAL = int(Tensor.WEIGHT_TRACE), int(Tensor.CURRENT), int(Tensor.RESIDUAL)
LEAK_TRACE, THRESHOLD_TRACE, MEMBRANE = (
    int(Tensor.LEAK_TRACE),
    int(Tensor.THRESHOLD_TRACE),
    int(Tensor.MEMBRANE),
)
ERROR, DELTA, ERROR_SUM = int(Tensor.ERROR), int(Tensor.DELTA), int(Tensor.ERROR_SUM)
WEIGHT_GRADIENT, THRESHOLD_GRADIENT = int(Tensor.WEIGHT_GRADIENT), int(Tensor.THRESHOLD_GRADIENT)
LEAK_GRADIENT, VELOCITY, WEIGHT = int(Tensor.LEAK_GRADIENT), int(Tensor.VELOCITY), int(Tensor.WEIGHT)
CONSTANT_TRACE, BIAS_GRADIENT, BIAS = int(Tensor.CONSTANT_TRACE), int(Tensor.BIAS_GRADIENT), int(Tensor.BIAS)
STATIC_GRADIENT = int(Tensor.STATIC_GRADIENT)
WEIGHT_USED, THRESHOLD, LEAK_FACTOR = int(Tensor.WEIGHT_USED), int(Tensor.THRESHOLD), int(Tensor.LEAK_FACTOR)
