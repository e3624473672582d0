"""A raw run takes nothing that it would have to reinterpret."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from small_runs import DENSE, MAPS, PIXELS, RATES, batches, engine

from nmsim.errors import ConfigError, DataError, FormatError, NmsimError
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.protocol import Parameters
from nmsim.stop.raw import RawRun, run_raw
from nmsim.stop.spec import TrainingSpec

RATE = (
    "run_raw: rates[0].weight {} is not a number from 0 to 255, which is what a mantissa of eight bits and a right shift"
    " reach; use one"
)


def given(network: NetworkSpec = DENSE, size: int = 2) -> dict[str, Any]:
    (batch,) = batches(network, 1, size)
    return {
        "network": network, "precision": Precision(), "training": TrainingSpec(batch_size=size),
        "parameters": engine(network, batch_size=size).parameters, "inputs": batch.inputs, "input_format": PIXELS,
        "labels": batch.labels, "seed": 3, "rates": [RATES],
    }  # fmt: skip


def run(**changes: Any) -> RawRun:
    return run_raw(**(given() | changes))


def parameters(**changes: Any) -> Parameters:
    found = given()["parameters"]
    assert isinstance(found, Parameters)
    return replace(found, **changes)


def first(values: list[Any], other: Any) -> list[Any]:
    return [other, *values[1:]]


def of(name: str) -> list[Any]:
    return list(getattr(given()["parameters"], name))


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        (
            lambda: {"parameters": parameters(weights=first(of("weights"), of("weights")[0].T))},
            DataError, "layer 0, weights: shape (40, 21) is not (21, 40); give the network's",
        ),
        (
            lambda: {"parameters": parameters(weights=of("weights")[:1])},
            DataError, "weights: 1 entries for 2 synaptic layers; give one per layer",
        ),
        (
            lambda: {"parameters": parameters(thresholds=first(of("thresholds"), np.array([512])))},
            DataError, "layer 0, thresholds: shape (1,) is not (21,); give the network's",
        ),
        (
            lambda: {"parameters": parameters(weights=first(of("weights"), of("weights")[0] + 0.5))},
            DataError,
            "layer 0, weights: float64 values are no raw integers; multiply by 2**F of their format and round",
        ),
        (
            lambda: {"parameters": parameters(weights=first(of("weights"), np.full((21, 40), 40000)))},
            FormatError, "layer 0, weight: the raw value 40000 is outside -32768..32767 of s16.13; use s17.13",
        ),
        (
            lambda: {"parameters": parameters(leak=[32768, np.array([32768])])},
            DataError, "layer 1, leak: shape (1,) is not (); give the network's",
        ),
        (
            lambda: {"parameters": parameters(mask=[np.ones((40, 21), bool), None])},
            DataError, "layer 0, mask: shape (40, 21) is not (21, 40); give the network's",
        ),
        (
            lambda: {"parameters": parameters(velocity=of("weights"))},
            DataError, "layer 0, velocity: there is none without momentum; give None",
        ),
        (
            lambda: {
                "training": TrainingSpec(batch_size=2, momentum=0.5),
                "parameters": parameters(velocity=[np.full((21, 40), 2**31), None]),
            },
            DataError,
            (
                "layer 0, velocity: raw values 2147483648..2147483648 are outside s32.22; use a wider"
                " precision.velocity"
            ),
        ),
        (
            lambda: {"inputs": given()["inputs"] * 1.0},
            DataError, "inputs: float64 values are no raw integers; multiply by 2**F of their format and round",
        ),
        (
            lambda: {"labels": np.array([0, 1, 2])},
            DataError, "labels of shape (3,) do not go with 2 samples; give one each",
        ),
        (
            lambda: {"training": TrainingSpec(batch_size=4)},
            DataError, "2 samples are no whole number of batches of 4; give a multiple of batch_size",
        ),
        (
            lambda: {"rates": [RATES, RATES]},
            DataError, "2 learning rates do not go with 1 updates; give one per update",
        ),
        (
            lambda: {"training": TrainingSpec(batch_size=2, rule="stbp")},
            ConfigError, "run_raw: rule stbp has no fixed-point training; use a stop rule",
        ),
        (lambda: {"seed": -1}, ConfigError, "run_raw: seed -1 is not an integer of 0 or more; use one"),
        (lambda: {"seed": 1.5}, ConfigError, "run_raw: seed 1.5 is not an integer of 0 or more; use one"),
        (
            lambda: {"rates": [replace(RATES, weight=-0.1)]},
            ConfigError, RATE.format("-0.1"),
        ),
        (
            lambda: {"rates": [replace(RATES, weight=float("nan"))]},
            ConfigError, RATE.format("nan"),
        ),
        (
            lambda: {"rates": [replace(RATES, weight=float("inf"))]},
            ConfigError, RATE.format("inf"),
        ),
        (
            lambda: {"parameters": parameters(thresholds=first(of("thresholds"), np.full(21, -5)))},
            DataError, "layer 0, thresholds: the raw value -5 is below theta_min, which is 1 here; use 1 or more",
        ),
        (
            lambda: {
                "training": TrainingSpec(batch_size=2, alpha_max=0.25),
                "parameters": parameters(leak=[20000, 1]),
            },
            DataError, "layer 0, leak: the raw value 20000 is above alpha_max, which is 16384 here; use 16384 or less",
        ),
        (
            lambda: {"precision": Precision.model_validate({"layers": {"2": {"weight": "s8.5"}}})},
            ConfigError,
            "precision.layers names layer 2, but the network has synaptic layers 0..1; use one of them",
        ),
    ],
)  # fmt: skip
def test_one_sentence_for_each_mistake(changes: Any, error: type[NmsimError], sentence: str) -> None:
    with pytest.raises(error) as found:
        run(**changes())
    assert str(found.value) == sentence


@pytest.mark.parametrize("network", [DENSE, MAPS], ids=["dense", "maps"])
def test_shapes_are_those_of_the_documentation(network: NetworkSpec) -> None:
    found = run_raw(**(given(network) | {"seed": 0}))
    samples, steps = 2, network.time_steps
    for layer, record in zip(network.synaptic_layers, found.layers, strict=True):
        inputs, neurons = (samples, steps, layer.inputs), (samples, steps, layer.neurons)
        for name in ("inputs", "weight_trace"):
            assert getattr(record, name).shape == inputs, name
        for name in (
            "residual", "leak_trace", "threshold_trace", "current", "membrane", "spikes", "error", "surrogate", "delta",
        ):  # fmt: skip
            assert getattr(record, name).shape == neurons, name
        assert record.weight_gradient is not None
        assert record.weight_gradient.shape == (samples, layer.weights)
        assert record.threshold_gradient is not None
        assert record.threshold_gradient.shape == (samples, layer.threshold_count)
        assert record.weight_before is None


def test_the_given_parameters_are_left_alone() -> None:
    start = given()["parameters"]
    before = [array.copy() for array in start.weights]
    found = run(parameters=start)
    assert any((found.updates[0].weights[0] != before[0]).ravel())
    assert found.updates[0].weights[0].dtype == found.layers[0].current.dtype == np.int64
    for array, other in zip(start.weights, before, strict=True):
        np.testing.assert_array_equal(array, other)


def test_in_place_the_weights_of_every_step_are_told() -> None:
    """A step's current is the sum over the weights that are told for it, and the last ones lead to the update."""
    network = DENSE
    found = run_raw(
        **(given(network, 1) | {"training": TrainingSpec(batch_size=1, update="in_place"), "seed": 0})
    )
    changed = 0
    for index, record in enumerate(found.layers):
        assert record.weight_before is not None
        told = record.weight_before[0].reshape(network.time_steps, *found.updates[0].weights[index].shape)
        for step in range(network.time_steps):
            exact = told[step] @ record.inputs[0, step]
            np.testing.assert_array_equal(record.current[0, step], exact)
        every = [*told, found.updates[0].weights[index]]
        changed += sum(bool((one != other).any()) for one, other in pairwise(every))
    assert changed > 3


def test_factored_gives_the_integers_of_accumulate() -> None:
    one, other = (
        run_raw(**(given(DENSE, 1) | {"training": TrainingSpec(batch_size=1, update=update)}))
        for update in ("accumulate", "factored")
    )
    for mine, yours in zip(one.updates[0].weights, other.updates[0].weights, strict=True):
        np.testing.assert_array_equal(mine, yours)
    for first_layer, second_layer in zip(one.layers, other.layers, strict=True):
        np.testing.assert_array_equal(first_layer.weight_gradient, second_layer.weight_gradient)
