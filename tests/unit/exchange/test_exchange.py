"""Networks from other tools: what is taken over to the number, and what is refused in one sentence."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmsim.errors import ConfigError, DataError
from nmsim.exchange.array_file import from_arrays, read_arrays, write_arrays
from nmsim.exchange.assemble import assembled, with_weights
from nmsim.exchange.chain import LayerWeights
from nmsim.exchange.chosen_formats import chosen_precision, fitting
from nmsim.exchange.nir_file import read_nir
from nmsim.exchange.state_file import read_state
from nmsim.network.spec import NetworkSpec

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "raw" / "nir"
DENSE = NetworkSpec.model_validate(
    {"input_shape": [3], "layers": [{"kind": "dense", "units": 4}, {"kind": "dense", "units": 2}]}
)


def nir_graph(path: Path, nodes: dict[str, Any], *, edges: list[tuple[str, str]] | None = None) -> Path:
    nir = pytest.importorskip("nir", reason="the package nir is not installed (extra `exchange`)")
    names = ["input", *nodes, "output"]
    chain = edges or list(pairwise(names))
    everything = {
        "input": nir.Input(input_type={"input": np.array([3])}),
        **{name: make(nir) for name, make in nodes.items()},
        "output": nir.Output(output_type={"output": np.array([2])}),
    }
    nir.write(path, nir.NIRGraph(everything, chain, type_check=False))
    return path


def affine(nir: Any, *, bias: float = 0.0) -> Any:
    return nir.Affine(np.array([[0.5, -1.0, 0.25], [1.0, 0.0, -0.5]]), np.full(2, bias))


def lif(nir: Any, tau: float = 0.01, r: float = 2.0) -> Any:
    ones = np.ones(2)
    return nir.LIF(
        tau=tau * ones, r=r * ones, v_leak=0 * ones, v_threshold=np.array([1.0, 1.5]), v_reset=0 * ones
    )


def integrate(nir: Any) -> Any:
    return nir.IF(r=np.ones(2), v_threshold=np.ones(2), v_reset=np.zeros(2))


def test_a_leaky_neuron_is_one_euler_step_of_its_equation(tmp_path: Path) -> None:
    file = nir_graph(tmp_path / "net.nir", {"fc": affine, "lif": lif})
    found = assembled(read_nir(file, dt_s=0.002), "net", 5)
    assert found.parameters.leak == [pytest.approx(0.8)]  # 1 - 0.002/0.01
    np.testing.assert_allclose(
        found.parameters.weights[0], np.array([[0.5, -1.0, 0.25], [1.0, 0.0, -0.5]]) * 0.4
    )  # r dt/tau
    assert found.parameters.thresholds[0].tolist() == [1.0, 1.5]
    assert found.network.neuron.reset == "zero"
    assert found.network.time_steps == 5


def test_an_integrator_keeps_its_weights(tmp_path: Path) -> None:
    file = nir_graph(tmp_path / "net.nir", {"fc": affine, "if": integrate})
    found = assembled(read_nir(file, reset="subtract"), "net", 5)
    assert found.network.neuron.integrates
    assert found.network.neuron.reset == "subtract"
    assert found.parameters.weights[0].tolist() == [[0.5, -1.0, 0.25], [1.0, 0.0, -0.5]]


def test_a_bias_is_scaled_as_the_weights_and_the_leak_voltage_is_part_of_it(tmp_path: Path) -> None:
    def leaky(nir: Any) -> Any:
        ones = np.ones(2)
        return nir.LIF(tau=0.01 * ones, r=2 * ones, v_leak=0.1 * ones, v_threshold=ones, v_reset=0 * ones)

    file = nir_graph(tmp_path / "net.nir", {"fc": lambda nir: affine(nir, bias=0.5), "lif": leaky})
    found = assembled(read_nir(file, dt_s=0.002), "net", 5)
    assert found.network.synaptic_layers[0].bias
    assert found.parameters.bias[0] == pytest.approx([0.22, 0.22])  # (r 0.5 + v_leak) dt/tau
    silent = assembled(
        read_nir(nir_graph(tmp_path / "no.nir", {"fc": affine, "lif": lif}), dt_s=0.002), "net", 5
    )
    assert not silent.network.synaptic_layers[0].bias


@pytest.mark.parametrize(
    ("nodes", "options", "error", "sentence"),
    [
        ({"fc": affine, "lif": lif}, {}, ConfigError, r"node 'lif': its time constant is 0.01 s, so a time step needs a"),
        ({"fc": affine, "lif": lif}, {"dt_s": 0.02}, ConfigError, r"node 'lif': --dt 0.02 is not between 0 and the time"),
        ({"fc": affine}, {}, DataError, r"node 'fc': the output has no neurons, and a prediction is counted in spikes"),
        ({"a": affine, "b": lambda nir: nir.Linear(np.eye(2)), "if": integrate}, {}, DataError,
            r"node 'a': synapses without neurons behind them"),
    ],
)  # fmt: skip
def test_one_sentence_for_what_cannot_be_imported(
    tmp_path: Path, nodes: dict[str, Any], options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    file = nir_graph(tmp_path / "net.nir", nodes)
    with pytest.raises(error, match=sentence):
        assembled(read_nir(file, **options), "net", 5)


def test_recurrence_is_refused(tmp_path: Path) -> None:
    edges = [("input", "fc"), ("fc", "if"), ("if", "back"), ("back", "if"), ("if", "output")]
    square = {"fc": affine, "if": integrate, "back": lambda nir: nir.Linear(np.eye(2))}
    with pytest.raises(DataError, match=r"feeds back into itself, and nmsim runs feed-forward networks only"):
        read_nir(nir_graph(tmp_path / "net.nir", square, edges=edges))


def test_a_file_that_is_no_nir(tmp_path: Path) -> None:
    pytest.importorskip("nir", reason="the package nir is not installed (extra `exchange`)")
    (tmp_path / "a.nir").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"a.nir: not a readable NIR file"):
        read_nir(tmp_path / "a.nir")


@pytest.mark.skipif(
    not SHARED.exists(), reason="the published NIR networks are not beside the repository (../shared)"
)
def test_published_networks() -> None:
    pytest.importorskip("nir", reason="the package nir is not installed (extra `exchange`)")
    found = assembled(read_nir(SHARED / "cnn_sinabs.nir"), "cnn", 300)
    assert [layer.weight_shape for layer in found.network.synaptic_layers] == [
        (16, 2, 5, 5), (16, 16, 3, 3), (8, 16, 3, 3), (256, 128), (10, 256),
    ]  # fmt: skip
    assert [node.kind for node in found.network.nodes].count("sum_pool") == 2
    with pytest.raises(DataError, match=r"node 'lif1\.\w+' (feeds back into itself|has several)"):
        read_nir(SHARED / "braille_noDelay_noBias_subtract.nir")
    one = assembled(read_nir(SHARED / "lif_norse.nir", dt_s=0.0005), "one", 10)
    assert one.parameters.leak == [pytest.approx(0.8)]
    assert one.parameters.thresholds[0].tolist() == [pytest.approx(0.1)]


def test_arrays_go_out_and_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=(4, 3)), rng.normal(size=(2, 4))]
    np.savez(
        tmp_path / "in.npz", weights0=weights[0], weights1=weights[1], leak1=0.25, thresholds0=[1, 2, 3, 4]
    )
    found = read_arrays(tmp_path / "in.npz", DENSE)
    assert found.parameters.leak == [0.5, 0.25]
    write_arrays(tmp_path / "out.npz", found.parameters)
    again = read_arrays(tmp_path / "out.npz", DENSE)
    for one, other in zip(found.parameters.weights, again.parameters.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.parameters.thresholds[0].tolist() == [1, 2, 3, 4]
    np.savez(tmp_path / "bad.npz", weights0=weights[0].T, weights1=weights[1])
    with pytest.raises(
        DataError,
        match=r"bad.npz: weights0: weights of shape \[3, 4\], but layer 0 of the network takes \[4, 3\]",
    ):
        read_arrays(tmp_path / "bad.npz", DENSE)


def test_batch_normalisation_is_folded_exactly(tmp_path: Path) -> None:
    save_file = pytest.importorskip(
        "safetensors.numpy", reason="safetensors is not installed (extra `exchange`)"
    ).save_file
    rng = np.random.default_rng(2)
    weight, mean, variance = rng.normal(size=(4, 3)), rng.normal(size=4), rng.uniform(0.5, 2, 4)
    gain, shift = rng.normal(size=4), rng.normal(size=4)
    state = {
        "fc1.weight": weight, "norm.weight": gain, "norm.bias": shift, "norm.running_mean": mean,
        "norm.running_var": variance,
        "out.weight": rng.normal(size=(2, 4)),
    }  # fmt: skip
    save_file(state, tmp_path / "net.safetensors")
    # safetensors sorts names, so that 'norm' would come before 'out' but also behind 'fc1': the order of layers holds
    first, out = read_state(tmp_path / "net.safetensors").synapses
    x = rng.normal(size=3)
    expected = gain * (weight @ x - mean) / np.sqrt(variance + 1e-5) + shift
    assert first.bias is not None
    np.testing.assert_allclose(first.weight @ x + first.bias, expected)
    with pytest.raises(DataError, match=r"'fc1': a bias other than 0 .* describe the layer with bias: true"):
        with_weights(DENSE, [first, out], "net")
    described = DENSE.model_dump()
    described["layers"][0]["bias"] = True
    found = with_weights(NetworkSpec.model_validate(described), [first, out], "net")
    np.testing.assert_array_equal(found.parameters.bias[0], first.bias)
    assert found.parameters.bias[1] is None
    write_arrays(tmp_path / "out.npz", found.parameters)
    again = read_arrays(tmp_path / "out.npz", found.network)
    np.testing.assert_array_equal(again.parameters.bias[0], first.bias)


@pytest.mark.parametrize(
    ("largest", "bits", "text"),
    [(1.0, 16, "s16.14"), (0.99, 16, "s16.15"), (3.9, 8, "s8.5"), (0.1, 4, "s4.6")],
)
def test_formats_hold_the_largest_value(largest: float, bits: int, text: str) -> None:
    fmt = fitting(largest, bits)
    assert str(fmt) == text
    assert fmt.max_raw * fmt.lsb >= largest * (1 - 2.0 ** (1 - bits))


def test_membranes_get_a_bit_of_headroom() -> None:
    rng = np.random.default_rng(3)
    trained = with_weights(
        DENSE, [LayerWeights("a", rng.normal(size=(4, 3))), LayerWeights("b", rng.normal(size=(2, 4)))], "x"
    )
    precision = chosen_precision(trained, [3.0, 0.2], 16)
    assert str(precision.resolve(0).membrane.format) == "s16.12"  # 3 doubled
    assert str(precision.resolve(1).membrane.format) == "s16.13"  # the threshold, 1, doubled


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("weights0", np.nan, r"weights0: the value at \[0, 0\] is nan, 12 of 12 are no finite numbers"),
        ("bias1", np.inf, r"weights1, bias: the value at \[0\] is inf"),
        ("thresholds0", np.nan, r"thresholds0: the value at \[0\] is nan"),
        ("leak0", np.nan, r"leak0: the value at \[\] is nan"),
    ],
)
def test_what_is_no_number_is_refused_with_its_place(name: str, value: float, said: str) -> None:
    network = NetworkSpec.model_validate(
        {
            "input_shape": [4],
            "time_steps": 2,
            "layers": [{"kind": "dense", "units": 3}, {"kind": "dense", "units": 2}],
        }
    )
    arrays = {"weights0": np.ones((3, 4)), "weights1": np.ones((2, 3))}
    shapes = {"weights0": (3, 4), "bias1": (2,), "thresholds0": (3,), "leak0": ()}
    with pytest.raises(DataError, match=said):
        from_arrays(arrays | {name: np.full(shapes[name], value)}, network, "a.npz")


def test_a_layer_has_one_leak_factor() -> None:
    network = NetworkSpec.model_validate(
        {"input_shape": [4], "time_steps": 2, "layers": [{"kind": "dense", "units": 3}]}
    )
    with pytest.raises(
        DataError, match=r"leak0 of shape \[3\], but a layer has one leak factor; give one number"
    ):
        from_arrays({"weights0": np.ones((3, 4)), "leak0": np.ones(3)}, network, "a.npz")
