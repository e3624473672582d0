"""Draws of weights stored by input, and sums that are stored by input."""

import numpy as np
import pytest

from nmsim.fixedpoint.lfsr import PERIOD, draw_table
from nmsim.fixedpoint.quantize import OFFSET, Step
from nmsim.stop.fixed.factored import draws_by_input, next_place, place_of_draws
from nmsim.stop.fixed.update import BLOCK


@pytest.mark.parametrize("fan_in", [1, 5, 256, 257 * 3, 784, 4369, 65535, 70000])
def test_a_run_of_outputs_draws_what_their_places_in_c_order_draw(fan_in: int) -> None:
    table, factor = draws_by_input(fan_in)
    orbits, length = table.shape[0], table.shape[1] - BLOCK
    outputs = np.arange(min(BLOCK, 300))
    for first in (0, 1, 17, 40503 % PERIOD, PERIOD - 1):
        begin = first // orbits * factor % length
        run = table[first % orbits, begin : begin + outputs.size]
        assert np.array_equal(run, draw_table()[(first + outputs * fan_in) % PERIOD])


def test_the_draws_of_an_orbit_are_all_of_its_draws_once() -> None:
    table, _ = draws_by_input(255)
    orbits, length = table.shape[0], table.shape[1] - BLOCK
    assert (orbits, length) == (255, 257)
    for orbit in (0, 3, 254):
        assert sorted(table[orbit, :length]) == sorted(draw_table()[orbit::255])


@pytest.mark.parametrize("fan_in", [1, 5, 257 * 3, 784, 65535, 70000])
def test_draws_of_the_next_input_follow_without_division(fan_in: int) -> None:
    table, factor = draws_by_input(fan_in)
    row = [0] * len(Step)
    for first in (0, 17, PERIOD - 3):
        row[OFFSET] = first
        place = place_of_draws(row, table, factor, 0)
        for k in range(1, 1000):
            place = next_place(table, factor, *place)
            assert place == place_of_draws(row, table, factor, k)
