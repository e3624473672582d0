"""The STBP engine on equal terms with a fixed-point run: deltas that round to zero are zero."""

import numpy as np

from nmsim.datasets.load import load
from nmsim.fixedpoint.format import QFormat
from nmsim.network.layers import Dense
from nmsim.network.neuron import Neuron
from nmsim.network.precision import Precision, TensorPrecision
from nmsim.network.spec import NetworkSpec
from nmsim.rules import STBP, STOP_WTL
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.protocol import Batch
from nmsim.stop.spec import TrainingSpec
from nmsim.stop.stbp.engine import StbpEngine

NETWORK = NetworkSpec(
    input_shape=(1, 28, 28),
    time_steps=4,
    neuron=Neuron(weight_scale=3.0),
    layers=tuple(Dense(kind="dense", units=units) for units in (40, 30, 10)),
)
TRAINING = TrainingSpec(rule=STBP, arithmetic="float64")


def digits() -> Batch:
    subset = load("mnist-subset")
    return Batch(subset.x_train[:12, None].astype(np.int32), QFormat.parse("u8.8"), subset.y_train[:12])


def with_delta(text: str) -> Precision:
    return Precision(delta=TensorPrecision(format=QFormat.parse(text)))


def densities(precision: Precision | None) -> list[float]:
    engine = StbpEngine(NETWORK, TRAINING, 2, precision=precision)
    return [float(record.delta_nonzero.mean()) for record in engine.record(digits())]


def test_the_coarser_the_format_the_fewer_deltas() -> None:
    exact, fine, coarse = densities(None), densities(with_delta("s16.14")), densities(with_delta("s8.4"))
    assert exact == [1.0, 1.0, 1.0]
    assert all(left >= middle > right for left, middle, right in zip(exact, fine, coarse, strict=True))
    assert min(fine) < 1.0


def test_they_vanish_where_those_of_the_bit_accurate_engine_do() -> None:
    """At the last time step BPTT and STOP have the same deltas of the last layer, from the same table."""
    precision = with_delta("s8.4")
    fixed = FixedEngine(NETWORK, precision, TrainingSpec(rule=STOP_WTL), QFormat.parse("u8.8"), 2)
    stop = fixed.record(digits())[-1].delta_nonzero[:, -1]
    stbp = StbpEngine(NETWORK, TRAINING, 2, precision=precision).record(digits())[-1].delta_nonzero[:, -1]
    assert 0.05 < stop.mean() < 0.95
    assert (stop == stbp).mean() > 0.95, "they differ only where rounding took a membrane over a table entry"


def test_what_goes_on_is_rounded_too() -> None:
    """With steps of 4 in the format, nothing is left to send to the layers below the last."""
    gradients = StbpEngine(NETWORK, TRAINING, 2, precision=with_delta("s4.-2")).gradients(digits())
    assert not gradients.weights[0].any()
    assert StbpEngine(NETWORK, TRAINING, 2).gradients(digits()).weights[0].any()
