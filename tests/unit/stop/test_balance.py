"""Weight scales: every layer spikes at the rate asked for, and the factors are those that the engine starts with."""

from pathlib import Path

import numpy as np
import pytest

from nmsim import config
from nmsim.datasets.load import load
from nmsim.errors import CheckFailedError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.layers import AvgPool, Conv, Dense, Residual
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.train import balance_workload
from nmsim.stop.balance import RANGE, balance
from nmsim.stop.float.engine import FloatEngine
from nmsim.stop.initial import initial_parameters
from nmsim.stop.protocol import Batch
from nmsim.stop.spec import TrainingSpec
from nmsim.workload import WorkloadSpec

LAYERS = (
    Conv(kind="conv", channels=6, kernel=3, padding=1),
    AvgPool(kind="avg_pool", size=2),
    Residual(
        kind="residual",
        body=(
            Conv(kind="conv", channels=8, kernel=3, padding=1, stride=2),
            Conv(kind="conv", channels=8, kernel=3, padding=1),
        ),
        shortcut=(Conv(kind="conv", channels=8, kernel=1, stride=2),),
    ),
    Dense(kind="dense", units=24),
    Dense(kind="dense", units=10),
)


def network(*scales: float) -> NetworkSpec:
    """The test network, with a factor per layer if given."""
    given = iter(scales)

    def scaled(layers: tuple[object, ...]) -> tuple[object, ...]:
        found = []
        for layer in layers:
            changes: dict[str, object] = {}
            if isinstance(layer, Residual):
                changes = {"body": scaled(layer.body), "shortcut": scaled(layer.shortcut)}
            elif isinstance(layer, Conv | Dense) and scales:
                changes = {"weight_scale": next(given)}
            found.append(layer.model_copy(update=changes))  # type: ignore[attr-defined]
        return tuple(found)

    return NetworkSpec(input_shape=(1, 28, 28), time_steps=5, layers=scaled(LAYERS))  # type: ignore[arg-type]


def digits(count: int = 24) -> Batch:
    images = load("mnist-subset").x_train[:count]
    return Batch(images[:, None].astype(np.int32), QFormat.parse("u8.8"), np.zeros(count, np.int64))


def test_the_engine_spikes_at_the_rates_that_were_found() -> None:
    found = balance(network(), TrainingSpec(), digits(), seed=4, spike_rate=0.12)
    training = TrainingSpec(arithmetic="float32")
    engine = FloatEngine(network(*(layer.weight_scale for layer in found)), training, seed=4)
    rates = [float(record.spikes.mean()) for record in engine.record(digits())]
    assert rates == pytest.approx([layer.spike_rate for layer in found], rel=1e-3)
    assert all(
        0.1 < rate < 0.14 for layer, rate in zip(found, rates, strict=True) if layer.weight_scale < RANGE[1]
    )


def test_without_them_a_deep_layer_falls_silent() -> None:
    engine = FloatEngine(network(*[0.5] * 6), TrainingSpec(arithmetic="float32"), seed=4)
    assert engine.record(digits())[-1].spikes.mean() < 0.001


def test_factors_do_not_depend_on_those_the_network_has() -> None:
    scaled = balance(network(*[2.0] * 6), TrainingSpec(), digits(), 4, 0.12)
    assert scaled == balance(network(), TrainingSpec(), digits(), 4, 0.12)


def test_a_factor_scales_only_its_own_layer() -> None:
    plain = initial_parameters(network(), TrainingSpec(), 1).weights
    scaled = initial_parameters(network(1, 1, 3.0, 1, 1, 1), TrainingSpec(), 1).weights
    for index, (left, right) in enumerate(zip(plain, scaled, strict=True)):
        np.testing.assert_allclose(right, left * (3.0 if index == 2 else 1.0))


def test_the_neurons_factor_holds_where_a_layer_has_none() -> None:
    spec = network().model_copy(update={"neuron": network().neuron.model_copy(update={"weight_scale": 1.5})})
    assert [spec.weight_scale(index) for index in range(6)] == [1.5] * 6
    assert network(1, 2, 3, 4, 5, 6).weight_scale(3) == 4


def test_black_samples_cannot_be_balanced() -> None:
    black = Batch(np.zeros((2, 1, 1, 28, 28), np.int32), QFormat.parse("u8.8"), np.zeros(2, np.int64))
    with pytest.raises(
        CheckFailedError, match=r"layer 0 spikes at a rate of 0\.00% with factor 3, below 1%; give"
    ):
        balance(network(), TrainingSpec(), black, 1, 0.1)


@pytest.mark.parametrize(
    ("name", "file", "rate", "samples"),
    [
        ("cifar10-vgg11", "cifar10.npz", 0.15, 16),
        ("cifar10-vgg6", "cifar10.npz", 0.15, 128),
        ("mnist-lenet5", "mnist.npz", 0.1, 64),
    ],
)
def test_shipped_factors_are_the_found_ones(
    name: str, file: str, rate: float, samples: int, shared_data: Path
) -> None:
    workload = config.read(WorkloadSpec, config.find("workloads", name)).with_data(str(shared_data / file))
    found = balance_workload(workload, samples=samples, spike_rate=rate)
    shipped = [workload.network.weight_scale(layer.layer) for layer in found]
    assert [layer.weight_scale for layer in found] == pytest.approx(shipped, rel=0.06)
    assert all(layer.spike_rate > 0.05 for layer in found)
