"""NeuroBench's metrics, against the package's own numbers and against counting one by one."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.neurobench import neurobench_of, synapses_by_input

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def agreement() -> dict[str, object]:
    return runpy.run_path(str(ROOT / "benchmarks" / "neurobench_agreement.py"))


def test_every_shared_metric_equals_that_of_the_package_neurobench(agreement: dict[str, object]) -> None:
    """`neurobench_2_3.json` was measured by neurobench 2.3.0 with PyTorch 2.13: `neurobench_agreement.py measure`."""
    expected = json.loads(Path(__file__).with_name("neurobench_2_3.json").read_text())
    found = agreement["ours"]()  # type: ignore[operator]
    assert round(found.pop("connection_sparsity"), 4) == expected.pop("connection_sparsity")  # it rounds
    assert found == expected


@pytest.mark.parametrize(
    "layer", [{"kernel": 3, "stride": 2, "padding": 1}, {"kernel": 2}, {"kernel": 5, "padding": 3}]
)
def test_synapses_of_a_convolution_are_those_that_counting_finds(layer: dict[str, int]) -> None:
    described = {"input_shape": [2, 7, 6], "layers": [{"kind": "conv", "channels": 3, **layer}]}
    own = NetworkSpec.model_validate(described).synaptic_layers[0]
    there = np.random.default_rng(0).random(own.weight_shape) < 0.6
    counted = np.zeros(own.in_shape, np.int64)
    for channel, y, x in np.ndindex(*own.out_shape):
        for source, row, column in np.ndindex(*own.weight_shape[1:]):
            at = y * own.stride + row - own.padding, x * own.stride + column - own.padding
            if there[channel, source, row, column] and all(
                0 <= i < n for i, n in zip(at, own.in_shape[1:], strict=True)
            ):
                counted[source, at[0], at[1]] += 1
    np.testing.assert_array_equal(synapses_by_input(own, there), counted)


def test_the_footprint_of_fixed_point_counts_stored_widths(agreement: dict[str, object]) -> None:
    network, weights, activity = agreement["case"]()  # type: ignore[operator]
    found = neurobench_of(network, weights, activity, Precision())
    assert found.footprint_bytes == (392 * 16 + 16 * 16 + 3 * 16) / 8
