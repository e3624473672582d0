"""The bound by which a gradient panel is multiplied in 32 bits counts the most negative delta in full."""

import numpy as np
import pytest

from nmsim.fixedpoint.compiled import kernel
from nmsim.stop.fixed.gradient import close_panel
from nmsim.stop.fixed.memory_plan import LAYER_FIELDS


@pytest.mark.parametrize("delta", [-32768, 32767])
def test_a_panel_of_extreme_deltas_has_the_sum_of_their_magnitudes(delta: int) -> None:
    layers = np.zeros(1, np.dtype([(name, np.int64) for name in LAYER_FIELDS]))
    layers["kernel"], layers["plane"], layers["channels"], layers["panel_rows"] = 1, 1, 2, 64
    panels = np.zeros(2 * 64, np.int16)
    panels[64 : 64 + 48] = delta  # the second channel's row
    largest = kernel(close_panel, "test").machine(panels, np.zeros(0, np.int16), layers, 0, 48)
    assert largest == 48 * abs(delta)
