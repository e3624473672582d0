"""A scalar trace is the trace of every input of a constant sample, to rounding; a trace threshold leaves small ones out."""

from typing import Any

import numpy as np
import pytest

from nmsim.errors import ConfigError, DataError, FormatError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.protocol import Batch, UpdateRates
from nmsim.stop.spec import TrainingSpec

INPUTS = QFormat.parse("u8.8")
RATES = UpdateRates(0.1, 0.02, 0.01)
NETWORK = NetworkSpec.model_validate(
    {
        "input_shape": [2, 6, 6],
        "time_steps": 5,
        "layers": [
            {"kind": "conv", "channels": 3, "kernel": 3, "padding": 1, "weight_scale": 2.0},
            {"kind": "avg_pool", "size": 2},
            {"kind": "dense", "units": 4, "weight_scale": 2.0},
        ],
    }
)
WIDE: dict[str, Any] = {
    "weight": "s30.24", "membrane": "s40.24", "delta": "s30.24", "update_rounding": "nearest",
    "weight_trace": "u30.24", "constant_trace": "u30.24", "surrogate": {"format": "u24.24", "entries": 65536},
    **dict.fromkeys(("current", "error", "weight_gradient", "static_gradient", "threshold_gradient"), "s100"),
}  # fmt: skip


def batch(steps: int = 1) -> Batch:
    rng = np.random.default_rng(4)
    return Batch(rng.integers(0, 256, (4, steps, 2, 6, 6)), INPUTS, rng.integers(0, 4, 4))


def engine(training: dict[str, Any] | None = None, **precision: Any) -> FixedEngine:
    section = Precision.model_validate(precision)
    return FixedEngine(
        NETWORK, section, TrainingSpec.model_validate({"batch_size": 4} | (training or {})), INPUTS, 1
    )


def test_a_scalar_trace_learns_what_traces_of_every_input_learn() -> None:
    scalar, every = engine(**WIDE, static_trace="scalar"), engine(**WIDE)
    start = scalar.parameters.weights[0].copy()
    for _ in range(3):
        scalar.train_batch(batch(), RATES)
        every.train_batch(batch(), RATES)
    moved = np.abs(np.asarray(scalar.parameters.weights[0] - start, float)).max()
    apart = np.abs(np.asarray(scalar.parameters.weights[0] - every.parameters.weights[0], float)).max()
    assert moved * 2.0**-24 > 1e-3
    assert apart < 1e-4 * moved


def test_a_threshold_above_every_trace_stops_the_weights_and_one_of_1_changes_nothing() -> None:
    whole, same, still = engine(), engine(trace_threshold=1), engine(trace_threshold=1 << 12)
    start = still.parameters.weights[0].copy()
    for own in (whole, same, still):
        own.train_batch(batch(), RATES)
    assert same.parameters.weights[0].tolist() == whole.parameters.weights[0].tolist()
    assert whole.parameters.weights[0].tolist() != start.tolist()
    assert still.parameters.weights[0].tolist() == start.tolist()
    assert still.record(batch())[0].trace_nonzero.sum() == 0


def test_one_sentence_for_what_a_scalar_trace_cannot_follow() -> None:
    with pytest.raises(DataError, match="needs inputs that are the same at every time step"):
        engine(static_trace="scalar").train_batch(batch(5), RATES)
    with pytest.raises(ConfigError, match="update 'in_place' needs them at every time step"):
        engine({"batch_size": 1, "update": "in_place"}, static_trace="scalar")
    with pytest.raises(FormatError, match="layer 1, static_trace: its input is not the sample"):
        engine(layers={1: {"static_trace": "scalar"}})
