"""The shipped workloads: each is valid, is the network it names, and has the published sizes."""

from math import prod
from pathlib import Path

import pytest

from nmsim import config
from nmsim.datasets.catalog import entry_of
from nmsim.datasets.encoding import encoded_input
from nmsim.network.published import dense, lenet5, resnet18, vgg11, vgg11_wide
from nmsim.network.spec import NetworkSpec
from nmsim.rules import STOP_WTL
from nmsim.workload import WorkloadSpec

SHIPPED = config.shipped("workloads")
PUBLISHED = {
    "mnist-dense": dense(784, 256, 10),
    "mnist-full": dense(784, 800, 10),
    "mnist-lenet5": lenet5(),
    "mnist-lenet5-small": lenet5(),
    "fashion-mnist-lenet5": lenet5(),
    "nmnist-lenet5": lenet5((2, 34, 34)),
    "cifar10-vgg11": vgg11(),
    "cifar10-vgg11-wide": vgg11_wide(),
    "cifar10-resnet18": resnet18(classes=10),
    "cifar100-resnet18": resnet18(classes=100),
    "dvs-gesture-vgg11": vgg11((2, 128, 128), classes=11),
    "dvs-cifar10-vgg11": vgg11((2, 48, 48), classes=10),
}


def read(name: str) -> WorkloadSpec:
    return config.read(WorkloadSpec, SHIPPED[name])


def sizes(network: NetworkSpec) -> list[tuple[object, ...]]:
    """Everything that shapes a layer, input flattened or not."""
    return [
        (layer.kind, layer.inputs, layer.out_shape, layer.weight_shape, layer.stride, layer.padding)
        for layer in network.synaptic_layers
    ]


def samples_of(workload: WorkloadSpec) -> tuple[tuple[int, ...], int | None]:
    """Shape of a sample and number of classes: of a data set in the catalogue, or of events that the user brings."""
    spec = workload.dataset
    if spec.name == "own":
        assert spec.sensor is not None
        return (2, *spec.sensor), spec.classes
    entry = entry_of(spec.name)
    return entry.shape, entry.classes


STARTED_AS_INTEGRATORS = (
    "cifar10-vgg6-tuned",
    "cifar10-vgg6-wide-tuned",
    "cifar100-vgg6-tuned",
    "mnist-lenet5-large-tuned",
    "mnist-lenet5-tuned",
)
"""Their float starts are networks of integrate-and-fire neurons (docs/results.md)."""


@pytest.mark.parametrize("name", SHIPPED)
def test_each_is_valid_and_fits_its_data(name: str) -> None:
    workload = read(name)
    shape, classes = samples_of(workload)
    encoded = encoded_input(workload.encoding, shape)
    network = workload.network
    assert workload.name == name
    assert workload.description
    assert network.input_shape == encoded.shape or prod(network.input_shape) == prod(encoded.shape)
    assert network.classes == classes
    assert workload.training.rule == STOP_WTL
    leak_factor = 0.9999 if name in STARTED_AS_INTEGRATORS else 0.5
    assert (network.time_steps, network.neuron.threshold, network.neuron.leak_factor) == (6, 1.0, leak_factor)


def test_every_shipped_file_says_first_what_was_published_and_what_was_chosen() -> None:
    for name, path in SHIPPED.items():
        comment = Path(path).read_text().partition("name:")[0]
        assert comment.startswith("# "), name


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_network_is_the_one_that_its_name_says(name: str) -> None:
    assert sizes(read(name).network) == sizes(PUBLISHED[name])


def test_every_data_set_of_the_report_has_a_full_and_a_small_workload() -> None:
    full = {read(name).dataset.name for name in SHIPPED if not name.endswith("-small")}
    small = {read(name).dataset.name for name in SHIPPED if name.endswith(("-small", "-dense"))}
    assert {"mnist", "fashion-mnist", "nmnist", "cifar10", "cifar100", "dvs-gesture", "dvs-cifar10"} <= full
    assert {"fashion-mnist", "nmnist", "cifar10", "cifar100", "dvs-gesture", "dvs-cifar10"} <= small


@pytest.mark.parametrize(
    ("name", "weights", "neurons", "macs"),
    [
        ("cifar10-vgg11", 9_222_848, 151_562, 152_769_536),
        ("cifar10-vgg11-wide", 9_222_848, 409_610, 605_754_368),
        ("cifar100-resnet18", 11_210_432, 614_500, 555_468_800),
        ("mnist-full", 635_200, 810, 635_200),
        ("mnist-lenet5", 61_470, 6_518, 416_520),
    ],
)
def test_published_counts(name: str, weights: int, neurons: int, macs: int) -> None:
    """VGG-11: the figures of docs/algorithm.md; the others follow from their layer lists by hand."""
    layers = read(name).network.synaptic_layers
    assert sum(layer.weights for layer in layers) == weights
    assert sum(layer.neurons for layer in layers) == neurons
    assert sum(layer.dense_macs for layer in layers) == macs


def test_inputs_of_the_synaptic_layers_of_vgg11() -> None:
    """M of VGG-11 after pooling, layer by layer: what sizes the weight traces."""
    inputs = [layer.inputs for layer in read("cifar10-vgg11").network.synaptic_layers]
    by_hand = [3 * 32 * 32, 64 * 256, 128 * 64, 256 * 64, 256 * 16, 512 * 16, 512 * 4, 512 * 4, 512]
    assert inputs == by_hand
    assert sum(inputs) == 60_928
