"""A bias is the weight of one more input that is 1 at every time step, in both arithmetics."""

import numpy as np
import pytest

from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.engines import create_engine
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.float.engine import FloatEngine
from nmsim.stop.protocol import Batch, UpdateRates
from nmsim.stop.spec import TrainingSpec

RATES = UpdateRates(0.1, 0.02, 0.01)
INPUTS = QFormat.parse("u8.7")  # 128 is 1


def network(inputs: int, *, bias: bool) -> NetworkSpec:
    layers = [{"kind": "dense", "units": 6, "bias": bias}, {"kind": "dense", "units": 3}]
    return NetworkSpec.model_validate({"input_shape": [inputs], "time_steps": 4, "layers": layers})


def batch(samples: int, *, with_one: bool) -> Batch:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (samples, 1, 9))
    if with_one:
        pixels = np.concatenate([pixels, np.full((samples, 1, 1), 128)], axis=2)
    return Batch(pixels, INPUTS, rng.integers(0, 3, samples))


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("rule", ["stop-wtl", "stop-w", "stbp"])
def test_a_bias_learns_as_the_weight_of_an_input_of_one(rule: str, momentum: float) -> None:
    training = TrainingSpec(rule=rule, arithmetic="float64", batch_size=4, momentum=momentum)
    own = create_engine(network(9, bias=True), Precision(), training, INPUTS, 1)
    wider = create_engine(network(10, bias=False), Precision(), training, INPUTS, 1)
    wide, weights = wider.parameters, own.parameters.weights
    wide.weights[0][:, :9] = weights[0]
    wide.weights[0][:, 9] = 0
    wide.weights[1][:] = weights[1]
    for _ in range(3):
        own.train_batch(batch(4, with_one=False), RATES)
        wider.train_batch(batch(4, with_one=True), RATES)
    bias = own.parameters.bias_of(0)
    assert bias is not None
    assert np.abs(bias).max() > 1e-3
    assert bias == pytest.approx(wider.parameters.weights[0][:, 9], abs=1e-12)
    assert own.parameters.weights[1] == pytest.approx(wider.parameters.weights[1], abs=1e-12)


def test_biases_survive_a_checkpoint_and_follow_the_float_engine() -> None:
    training = TrainingSpec(batch_size=4)
    wide = {
        "weight": "s30.24", "membrane": "s40.24", "delta": "s30.24", "update_rounding": "nearest",
        "weight_trace": "u30.24", "constant_trace": "u30.24", "surrogate": {"format": "u24.24", "entries": 65536},
        **dict.fromkeys(("current", "error", "weight_gradient", "bias_gradient", "threshold_gradient"), "s100"),
    }  # fmt: skip
    spec, precision = network(9, bias=True), Precision.model_validate(wide)
    fixed = FixedEngine(spec, precision, training, INPUTS, 1)
    floating = FloatEngine(spec, training, 1, precision=precision)
    for _ in range(2):
        fixed.train_batch(batch(4, with_one=False), RATES)
        floating.train_batch(batch(4, with_one=False), RATES)
    found, expected = fixed.parameters.bias_of(0), floating.parameters.bias_of(0)
    assert found is not None
    assert np.asarray(found, float) * 2.0**-24 == pytest.approx(expected, abs=1e-3)
    again = FixedEngine(spec, precision, training, INPUTS, 7)
    again.restore(fixed.state())
    restored = again.parameters.bias_of(0)
    assert restored is not None
    assert restored.tolist() == found.tolist()
