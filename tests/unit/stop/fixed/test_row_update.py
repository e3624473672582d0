"""A row of weights updated in vectors is the exact update by dW, element by element."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nmsim.fixedpoint.compiled import kernel
from nmsim.fixedpoint.format import Overflow, QFormat, Rounding
from nmsim.fixedpoint.quantize import LEFT_Q, quantize, step_numbers
from nmsim.stop.fixed.factored import find_traces
from nmsim.stop.fixed.memory_plan import LAYER_FIELDS
from nmsim.stop.fixed.row_update import ROW_LANES, pair_deltas, pair_traces, rows_fit, update_row
from nmsim.stop.fixed.shapes import padded

FORMAT, FRACTION, MANTISSA = QFormat.parse("s16.13"), 36, 201


def updated(weights, memory, layers, deltas, factors, draws, changes, row, place):
    layer = layers[0]
    pair_deltas(deltas, memory, layer)
    pair_traces(factors, memory, layer, place)
    return update_row(weights, deltas, layer, factors, draws, changes, row)


UPDATED = kernel(updated)


@pytest.mark.skipif(not ROW_LANES, reason="this processor has no multiply-add of pairs")
@pytest.mark.parametrize("group", [1, 6, 7])
@pytest.mark.parametrize("outputs", [1, 16, 37])
def test_a_row_of_weights(group: int, outputs: int) -> None:
    rng, inputs, place, wide = np.random.default_rng(group), 5, 3, padded(outputs)
    layers = np.zeros(1, np.dtype([(name, np.int64) for name in LAYER_FIELDS]))
    layers["group"], layers["channels"], layers["inputs"], layers["words"] = (
        group,
        outputs,
        inputs,
        inputs + outputs,
    )
    layers["delta"], layers["error_depth"] = inputs, wide
    slots = rng.integers(-32768, 32768, (group, inputs + outputs)).astype(np.int16)
    slots[:, place] = rng.integers(-9000, 9000, group) // group
    weights = np.zeros(wide, np.int16)
    weights[:outputs] = rng.integers(-32768, 32768, outputs)
    draws = rng.integers(0, 65536, wide).astype(np.uint16)
    row = np.array(step_numbers(FRACTION, FORMAT, Rounding.STOCHASTIC, Overflow.SATURATE))
    row[LEFT_Q] = MANTISSA
    before, changes = weights.tolist(), np.full(wide, 3, np.int32)
    deltas = np.full((group + 1) // 2 * 2 * wide, 77, np.int16)
    factors = np.zeros((group + 1) // 2, np.int32)
    over = UPDATED.machine(weights, slots.ravel(), layers, deltas, factors, draws, changes, row, place)
    gradient = slots[:, inputs:].T.astype(np.int64) @ slots[:, place].astype(np.int64)
    assert np.abs(gradient).max() < 2**31
    wanted = [
        quantize(
            (w << FRACTION - 13) - MANTISSA * g, FRACTION, FORMAT, Rounding.STOCHASTIC, Overflow.SATURATE, d
        )
        for w, g, d in zip(before[:outputs], gradient.tolist(), draws.tolist(), strict=False)
    ]
    assert weights.tolist() == [value for value, _ in wanted] + [0] * (wide - outputs)
    assert over == sum(outside for _, outside in wanted)
    assert (changes - 3).tolist() == np.abs(weights.astype(int) - before).tolist()


def test_an_input_whose_trace_is_ever_not_zero_is_seen() -> None:
    layer: Any = SimpleNamespace(group=3, words=6, counted_trace=1, inputs=4)
    slots = np.array([[5, 0, 7, 0, 0, 5], [5, 0, -7, 0, -2, 5], [5, 0, 0, 1, 2, 5]], np.int16)
    traced = np.full(4, 9, np.int16)
    find_traces(traced, slots.ravel(), layer)
    assert (traced != 0).tolist() == [False, True, True, True]


def test_long_rows_are_updated_in_runs() -> None:
    row = np.array(step_numbers(FRACTION, FORMAT, Rounding.STOCHASTIC, Overflow.SATURATE))
    weights = np.zeros(1, np.int16)
    layer: Any = SimpleNamespace(error_depth=1024, inputs=784)
    assert bool(rows_fit(layer, weights, row)) == (ROW_LANES > 0)
    assert not rows_fit(SimpleNamespace(error_depth=1056, inputs=784), weights, row)
    assert not rows_fit(SimpleNamespace(error_depth=1024, inputs=1 << 15), weights, row)
