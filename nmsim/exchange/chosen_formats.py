"""Fixed-point formats of a network that was trained in real numbers, from its weights and from what its membranes do."""

from math import ceil, log2

import numpy as np

from nmsim.exchange.assemble import TrainedNetwork
from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import LayerPrecision, Precision, TensorPrecision

MEMBRANE_BITS = 16
HEADROOM = 1.0
"""Bits of range kept above the largest membrane that the calibration samples reached: other samples may reach further."""


def fitting(largest: float, bits: int) -> QFormat:
    """The signed format of so many bits with the most fraction bits that still holds `largest` in magnitude.

    >>> str(fitting(1.79, 16)), str(fitting(0.3, 8))
    ('s16.14', 's8.8')
    """
    integer = ceil(log2(largest * (1 + 2.0**-bits))) if largest > 0 else 0
    return QFormat(signed=True, total_bits=bits, fraction_bits=bits - 1 - integer)


def chosen_precision(trained: TrainedNetwork, largest_membranes: list[float], weight_bits: int) -> Precision:
    """A precision section by layer: weights in a format that holds the largest, membranes with a bit to spare."""
    layers = {}
    own = trained.parameters
    for index, (weights, thresholds, membrane) in enumerate(
        zip(own.weights, own.thresholds, largest_membranes, strict=True)
    ):
        bias = own.bias_of(index)
        largest = max(float(np.abs(weights).max()), 0.0 if bias is None else float(np.abs(bias).max()))
        reached = max(membrane, float(np.max(thresholds))) * 2**HEADROOM
        layers[index] = LayerPrecision(
            weight=TensorPrecision(format=fitting(largest, weight_bits)),
            membrane=TensorPrecision(format=fitting(reached, MEMBRANE_BITS)),
        )
    return Precision(layers=layers)
