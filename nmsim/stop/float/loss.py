"""Loss on the output spikes of one time step, and its error; the same for STOP and STBP."""

from typing import Literal

import numpy as np

from nmsim.stop.protocol import FloatArray, IntArray

Loss = Literal["cross_entropy", "squared_error"]


def output_error(loss: Loss, spikes: FloatArray, labels: IntArray) -> tuple[FloatArray, float]:
    """Error e = dE/ds `(B, C)` and loss E summed over samples; spikes `(B, C)`, labels `(B,)` their columns.

    cross_entropy: E = -log softmax(s)_y, e = softmax(s) - y; squared_error: E = |s - y|^2 / 2, e = s - y.
    """
    rows = np.arange(len(labels))
    if loss == "squared_error":
        error = spikes.copy()
        error[rows, labels] -= 1
        return error, 0.5 * float(np.vdot(error, error))
    error = np.exp(spikes)
    total = error.sum(axis=1, keepdims=True)
    value = float(np.log(total).sum() - spikes[rows, labels].sum())
    error /= total
    error[rows, labels] -= 1
    return error, value
