"""A trained run goes out as NIR or arrays, and comes back as the same network."""

from pathlib import Path

import numpy as np
import pytest
from small_run import trained

from nmsim.errors import DataError
from nmsim.exchange.assemble import assembled
from nmsim.exchange.nir_export import write_nir
from nmsim.exchange.nir_file import read_nir
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.export_network import export_network
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.import_network import ImportPlan, import_network
from nmsim.stop.protocol import Parameters

pytest.importorskip("nir", reason="the package nir is not installed (extra `exchange`)")


@pytest.mark.parametrize("to", ["nir", "npz"])
def test_a_run_that_went_out_and_came_back_predicts_the_same(tmp_path: Path, to: str) -> None:
    run = trained(tmp_path / "run")
    own = RunFolder(run)
    file = tmp_path / f"net.{to}"
    export_network(run, file, to)  # type: ignore[arg-type]
    plan = ImportPlan(
        "mnist-subset",
        network=own.workload_file if to == "npz" else None,
        time_steps=2,
        dt_s=1e-3,
        reset="subtract",
        precision=own.workload_file,
        assignments=("dataset.train_samples=40", "dataset.test_samples=20", "profile.samples=4"),
    )
    found = import_network(file, tmp_path / "back", plan)
    back = RunFolder(tmp_path / "back")
    for name, array in own.parameters().items():
        if name.startswith(("weights", "thresholds", "leak")):
            np.testing.assert_array_equal(back.parameters()[name], array, err_msg=name)
    assert found.fixed_accuracy == own.history().rows[-1].test_accuracy
    np.testing.assert_array_equal(back.activity("stop").spike_counts, own.activity("stop").spike_counts)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_convolutions_pools_biases_and_every_threshold_go_out_and_come_back(
    tmp_path: Path, reset: str
) -> None:
    layers = [
        {"kind": "conv", "channels": 3, "kernel": 3, "padding": 1, "stride": 2, "bias": True},
        {"kind": "sum_pool", "size": 2},
        {"kind": "conv", "channels": 4, "kernel": 2, "threshold_sharing": "layer"},
        {"kind": "avg_pool", "size": 2},
        {"kind": "dense", "units": 5},
    ]
    network = NetworkSpec.model_validate(
        {
            "input_shape": [2, 22, 22],
            "time_steps": 7,
            "neuron": {"leak_factor": 0.75, "reset": reset},
            "layers": layers,
        }
    )
    random = np.random.default_rng(0)
    own = list(network.synaptic_layers)
    parameters = Parameters(
        [random.normal(size=layer.weight_shape) for layer in own],
        [random.uniform(0.5, 2, layer.threshold_count) for layer in own],
        [0.75, 0.5, 0.9],
        [None] * 3,
        [None] * 3,
        [random.normal(size=layer.weight_shape[0]) if layer.bias else None for layer in own],
    )
    write_nir(tmp_path / "net.nir", network, parameters)
    back = assembled(read_nir(tmp_path / "net.nir", dt_s=1e-3, reset=reset), "back", 7)  # type: ignore[arg-type]
    assert [layer.kind for layer in back.network.layers] == [layer["kind"] for layer in layers]
    assert back.network.neuron.reset == reset
    for name in ("weights", "thresholds"):
        for ours, theirs in zip(getattr(parameters, name), getattr(back.parameters, name), strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-14)
    np.testing.assert_allclose(back.parameters.leak, parameters.leak, rtol=1e-14)
    np.testing.assert_allclose(back.parameters.bias[0], parameters.bias[0], rtol=1e-14)


def test_what_nir_lacks_is_one_sentence(tmp_path: Path) -> None:
    layers = [{"kind": "max_pool", "size": 2}, {"kind": "dense", "units": 2}]
    network = NetworkSpec.model_validate({"input_shape": [1, 4, 4], "layers": layers})
    empty = Parameters([np.zeros((2, 4))], [np.ones(2)], [0.5], [None], [None])
    with pytest.raises(DataError, match="layer 0 is of kind 'max_pool', which NIR does not have"):
        write_nir(tmp_path / "net.nir", network, empty)


def test_an_imported_network_whose_formats_hold_no_random_weights_goes_out_again(tmp_path: Path) -> None:
    own = RunFolder(trained(tmp_path / "run"))
    export_network(own.path, tmp_path / "net.npz", "npz")
    with np.load(tmp_path / "net.npz") as arrays:
        small = {name: array * (0.02 if name.startswith("weights") else 1) for name, array in arrays.items()}
    np.savez(tmp_path / "small.npz", **small)
    plan = ImportPlan("mnist-subset", network=own.workload_file, assignments=("dataset.train_samples=40",))
    import_network(tmp_path / "small.npz", tmp_path / "imported", plan)
    export_network(tmp_path / "imported", tmp_path / "again.npz", "npz")
    with np.load(tmp_path / "again.npz") as again:
        np.testing.assert_allclose(again["weights0"], small["weights0"], atol=1e-5)
