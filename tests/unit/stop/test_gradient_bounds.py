"""The bound by which a gradient panel is multiplied in 32 bits counts the most negative delta in full."""

import numpy as np
import pytest

from nmsim.fixedpoint.compiled import kernel
from nmsim.stop.fixed.gradient import largest_delta_sum
from nmsim.stop.fixed.memory_plan import LAYER_FIELDS


@pytest.mark.parametrize("delta", [-32768, 32767])
@pytest.mark.parametrize("convolution", [False, True])
def test_a_panel_of_extreme_deltas_has_the_sum_of_their_magnitudes(delta: int, convolution: bool) -> None:
    layers = np.zeros(1, np.dtype([(name, np.int64) for name in LAYER_FIELDS]))
    layers["kernel"], layers["plane"], layers["channels"], layers["neurons"] = convolution, 1, 2, 2
    layers["panel_rows"], panels = 64, np.zeros(2 * 64, np.int16)
    deltas = panels.reshape(2, 64)[:, :48] if convolution else panels.reshape(64, 2)[:48].T
    deltas[1] = delta  # the second channel's
    scratch = np.full(2, 7)
    largest = kernel(_largest, str(convolution)).machine(layers, panels, 48, scratch)
    assert largest == 48 * abs(delta)


def _largest(layers, panels, slots, scratch):
    return largest_delta_sum(layers[0], panels, slots, scratch)
