"""Neurons without a leak, resets to zero, sum pools and averages over any window: by hand, and what refuses them."""

from typing import Any

import numpy as np
import pytest

from nmsim.errors import ConfigError, FormatError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.float import FloatEngine
from nmsim.stop.protocol import Batch, Parameters, UpdateRates
from nmsim.stop.raw import RawRun, run_raw
from nmsim.stop.spec import TrainingSpec

SPIKES, AT_REST = QFormat.parse("u1.0"), UpdateRates(0.0, 0.0, 0.0)


def network(**neuron: Any) -> NetworkSpec:
    return NetworkSpec.model_validate(
        {
            "input_shape": [2],
            "time_steps": 4,
            "neuron": {"leak_factor": 1.0, **neuron},
            "layers": [{"kind": "dense", "units": 1}],
        }
    )


def run(spec: NetworkSpec, *, rule: str = "stop-wt", leak: int = 65536, rate: float = 0.0) -> RawRun:
    weights = Parameters(
        [np.array([[4915, 3277]])], [np.array([1024])], [leak], [None]
    )  # 0.6, 0.4; threshold 1
    inputs = np.array([[[1, 1], [1, 1], [1, 0], [0, 1]]])
    rates = [UpdateRates(rate, rate, 0.0)]
    training = TrainingSpec(rule=rule, batch_size=1)
    return run_raw(spec, Precision(), training, weights, inputs, SPIKES, np.array([0]), 0, rates)


def test_a_neuron_without_a_leak_keeps_what_it_has() -> None:
    """Currents 8192, 8192, 4915, 3277 in s32.13 are 1024, 1024, 614.4, 409.6 of s16.10."""
    layer = run(network()).layers[0]
    assert layer.membrane[0, :, 0].tolist() == [
        1024,
        1024,
        614,
        1024,
    ]  # 614.375 + 409.625 after the third step's rounding
    assert layer.spikes[0, :, 0].tolist() == [1, 1, 0, 1]
    assert layer.residual[0, :, 0].tolist() == [0, 0, 0, 614]
    assert layer.weight_trace[0].tolist() == [
        [256, 256],
        [512, 512],
        [768, 512],
        [768, 768],
    ]  # sums of inputs, u12.8


def test_a_reset_to_zero_drops_what_is_above_the_threshold() -> None:
    spec = network(reset="zero", threshold=0.5)
    weights = Parameters([np.array([[4915, 3277]])], [np.array([512])], [65536], [None])
    inputs = np.array([[[1, 1], [0, 1], [0, 1], [0, 0]]])
    training = TrainingSpec(rule="stop-wt", batch_size=1)
    found = {
        reset: run_raw(
            spec.model_copy(update={"neuron": spec.neuron.model_copy(update={"reset": reset})}),
            Precision(), training, weights, inputs, SPIKES, np.array([0]), 0, [AT_REST],
        ).layers[0]
        for reset in ("zero", "subtract")
    }  # fmt: skip
    assert found["zero"].membrane[0, :, 0].tolist() == [1024, 410, 820, 0]
    assert found["subtract"].membrane[0, :, 0].tolist() == [1024, 922, 820, 308]


def test_float_engines_do_the_same() -> None:
    spec = NetworkSpec.model_validate(
        {
            "input_shape": [1, 6, 6],
            "time_steps": 5,
            "neuron": {"leak_factor": 1.0, "reset": "zero", "threshold": 2.0},
            "layers": [{"kind": "sum_pool", "size": 3}, {"kind": "conv", "channels": 2, "kernel": 1}],
        }
    )
    rng = np.random.default_rng(5)
    inputs = rng.integers(0, 2, (3, 5, 1, 6, 6))
    weights = rng.integers(1, 5, (2, 1, 1, 1))  # eighths: exact in both
    training = TrainingSpec(rule="stop-w", batch_size=1)
    labels = np.zeros(3, np.int64)
    raw = Parameters([weights * 1024], [np.array([2048, 2048])], [65536], [None])
    fixed = run_raw(spec, Precision(), training, raw, inputs, SPIKES, labels, 0, [AT_REST] * 3)
    engine = FloatEngine(spec, training)
    engine.parameters = Parameters([weights / 8], [np.array([2.0, 2.0])], [1.0], [None], [None])
    spikes = engine.infer(Batch(inputs, SPIKES, labels))
    assert fixed.spike_counts.tolist() == spikes.tolist()
    assert spikes.sum() > 5


def test_an_average_over_nine_is_the_sum_times_the_nearest_ninth() -> None:
    layers = [{"kind": "avg_pool", "size": 3}, {"kind": "dense", "units": 1}]
    spec = NetworkSpec.model_validate({"input_shape": [1, 3, 4], "time_steps": 1, "layers": layers})
    weights = Parameters([np.array([[8192]])], [np.array([1024])], [32768], [None])  # 1 in s16.13
    sample = np.array([[[[1, 1, 0, 1], [1, 1, 1, 1], [0, 1, 1, 1]]]])[
        None
    ]  # 7 in the window, the last column drops
    training = TrainingSpec(rule="stop-w", batch_size=1)
    precision = Precision.model_validate({"current": "s40"})
    found = run_raw(spec, precision, training, weights, sample, SPIKES, np.array([0]), 0, [AT_REST]).layers[0]
    assert found.inputs[0, 0].tolist() == [7 * 7282]  # 65536 / 9 = 7281.8
    assert found.current[0, 0].tolist() == [7 * 7282 * 8192]  # F = 16 + 13
    assert found.membrane[0, 0].tolist() == [796]  # 7/9 of 1024 is 796.4
    real = FloatEngine(spec, training)
    with pytest.raises(ConfigError, match=r"^network.layers: the avg_pool over 9 inputs is for inference"):
        real.train_batch(Batch(sample, SPIKES, np.array([0])), UpdateRates(0.1, 0, 0))
    whole = [{"kind": "global_avg_pool"}, {"kind": "dense", "units": 1}]
    spec = NetworkSpec.model_validate({"input_shape": [1, 3, 4], "time_steps": 1, "layers": whole})
    with pytest.raises(ConfigError, match=r"^network.layers: the global_avg_pool over 12"):
        run_raw(
            spec, precision, training, weights, sample, SPIKES, np.array([0]), 0, [UpdateRates(0.1, 0, 0)]
        )


def test_what_learns_refuses_what_it_cannot_follow() -> None:
    with pytest.raises(
        ConfigError, match=r"^training.rule: 'stop-wtl' learns leak factors, but neuron.leak_factor is 1"
    ):
        run(network(), rule="stop-wtl")
    with pytest.raises(
        ConfigError, match=r"^neuron.reset: 'zero' is for inference, because the traces of learning"
    ):
        run(network(reset="zero"), rate=0.1)
    with pytest.raises(FormatError, match=r"^layer 0, leak_factor: the raw value 32768 is not one"):
        run(network(), leak=32768)
    engine = FloatEngine(network(reset="zero"), TrainingSpec(rule="stop-w", batch_size=1))
    with pytest.raises(ConfigError, match=r"^neuron.reset: 'zero' is for inference"):
        engine.train_batch(
            Batch(np.zeros((1, 4, 2), np.int64), SPIKES, np.array([0])), UpdateRates(0.1, 0, 0)
        )
