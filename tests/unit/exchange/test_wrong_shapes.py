"""Networks whose arrays do not belong together: one sentence each, whatever the file; and files that keep no order."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_exchange import DENSE, affine, nir_graph

from nmsim.errors import ConfigError, DataError
from nmsim.exchange.array_file import from_arrays, read_arrays
from nmsim.exchange.assemble import assembled, with_weights
from nmsim.exchange.chain import Chain, LayerWeights, Neurons, one_value
from nmsim.exchange.nir_file import read_nir
from nmsim.exchange.state_file import read_state
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.import_network import ImportPlan, import_network, read_trained

WEIGHTS = {"weights0": np.ones((4, 3)), "weights1": np.ones((2, 4))}
STATE: dict[str, Any] = {
    "fc1.weight": np.ones((4, 3)), "fc2.weight": np.ones((2, 4)),
}  # fmt: skip
NORM: dict[str, Any] = {
    "fc1.weight": np.ones((4, 3)), "fc1_norm.running_mean": np.zeros(4), "fc1_norm.running_var": np.ones(4),
    "fc2.weight": np.ones((2, 4)),
}  # fmt: skip


def integrators(nir: Any, shape: tuple[int, ...] = (2,)) -> Any:
    return nir.IF(
        r=np.ones(shape), v_threshold=np.arange(np.prod(shape)).reshape(shape) + 1.0, v_reset=np.zeros(shape)
    )


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ({"fc": lambda nir: nir.Linear(np.ones((2, 5))), "if": integrators}, "input.output: [[3]] -> fc.input: [[5]]"),
        ({"a": affine, "if": integrators, "b": lambda nir: nir.Linear(np.ones((2, 7))), "if2": integrators},
            "if.output: [[2]] -> b.input: [[7]]"),
        ({"fc": affine, "if": lambda nir: integrators(nir, (3,))}, "fc.output: [[2]] -> if.input: [[3]]"),
    ],
)  # fmt: skip
def test_a_graph_whose_nodes_do_not_fit_each_other(tmp_path: Path, nodes: dict[str, Any], said: str) -> None:
    """The package says which; the sentence names the file and what to do."""
    file = nir_graph(tmp_path / "net.nir", nodes)
    with pytest.raises(DataError) as stopped:
        read_nir(file)
    assert said in str(stopped.value)
    assert str(stopped.value).endswith("export the network again, with nodes that fit each other")


@pytest.mark.parametrize(
    ("name", "changed", "sentence"),
    [
        ("fc/weight", np.ones(3), r"net.nir: not a readable NIR file \(AssertionError: Weight must be at least 2D\)"),
        ("fc/bias", np.ones(3), r"node 'fc': a bias of shape \[3\] for 2 outputs; give one each|not a readable NIR file"),
        ("if/v_threshold", np.ones(3), r"net.nir: not a readable NIR file \(AssertionError: All parameters must have"),
        ("if/r", np.zeros(0), r"net.nir: not a readable NIR file"),
        ("fc/weight", np.full((2, 3), np.nan), r"node 'fc': the value at \[0, 0\] is nan, 6 of 6 are no finite numbers"),
    ],
)  # fmt: skip
def test_a_damaged_array_of_a_graph(tmp_path: Path, name: str, changed: Any, sentence: str) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py is not installed; it comes with nir")
    file = nir_graph(tmp_path / "net.nir", {"fc": affine, "if": integrators})
    with h5py.File(file, "r+") as stream:
        del stream[f"node/nodes/{name}"]
        stream[f"node/nodes/{name}"] = changed
    with pytest.raises(DataError, match=sentence):
        assembled(read_nir(file), "net", 5)


@pytest.mark.parametrize(
    ("synapses", "shape", "sentence"),
    [
        (np.ones((2, 3)), (3,), r"node 'if': 3 values of r behind synapses with 2 outputs; give one, or one for each"),
        (np.ones((2, 3, 3, 3)), (2, 5, 5), r"'if': thresholds of shape \[2, 5, 5\] for a layer of \[2, 2, 2\] neurons"),
        (np.ones((2, 3)), (2,), None),
    ],
)  # fmt: skip
def test_a_reader_that_checks_no_shapes(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    synapses: Any,
    shape: tuple[int, ...],
    sentence: str | None,
) -> None:
    """Early versions of the package `nir` do not infer types."""
    nir = pytest.importorskip("nir", reason="the package nir is not installed (extra `exchange`)")
    layer = (
        nir.Linear(synapses) if synapses.ndim == 2 else nir.Conv2d((4, 4), synapses, 1, 0, 1, 1, np.zeros(2))
    )
    nodes = {
        "input": nir.Input(input_type={"input": np.array([3])}), "fc": layer, "if": integrators(nir, shape),
        "output": nir.Output(output_type={"output": np.array([2])}),
    }  # fmt: skip
    graph = nir.NIRGraph(nodes, [("input", "fc"), ("fc", "if"), ("if", "output")], type_check=False)
    monkeypatch.setattr(nir, "read", lambda _: graph)
    (tmp_path / "net.nir").write_bytes(b"")
    if sentence is None:
        assert assembled(read_nir(tmp_path / "net.nir"), "net", 5).network.classes == 2
        return
    with pytest.raises(DataError, match=sentence):
        assembled(read_nir(tmp_path / "net.nir"), "net", 5)


def test_thresholds_of_a_chain() -> None:
    parts = (LayerWeights("fc", np.ones((2, 3))), Neurons("if", 1.0, np.arange(3.0) + 1, "zero"))
    with pytest.raises(
        DataError, match=r"if: thresholds of shape \[3\] behind synapses with 2 outputs; give one"
    ):
        assembled(Chain("net", parts, (3,)), "net", 5)
    with pytest.raises(DataError, match=r"lif: tau holds no value; give one"):
        one_value(np.zeros(0), "lif", "tau")


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"weights0": np.ones((3, 4))}, r"weights0: weights of shape \[3, 4\], but layer 0 of the network takes \[4, 3\]"),
        ({"weights1": np.ones(8)}, r"weights1: a weight of shape \[8\] is neither \(outputs, inputs\) of a dense layer nor"),
        ({"weights1": np.ones((0, 4))}, r"weights1: a weight of shape \[0, 4\] is neither"),
        ({"bias0": np.ones(3)}, r"weights0: a bias of shape \[3\] for 4 outputs; give one each"),
        ({"bias0": np.float64(1)}, r"weights0: a bias of shape \[\] for 4 outputs"),
        ({"thresholds0": np.ones((4, 1))}, r"thresholds0 of shape \[4, 1\], but layer 0 has 4 thresholds; give one each"),
        ({"leak1": np.ones(2)}, r"leak1 of shape \[2\], but a layer has one leak factor"),
        ({"weights2": np.ones((2, 2))}, r"array 'weights2' is none of weights<i>, .* of the 2 layers"),
        ({"weight1": np.ones((2, 4))}, r"array 'weight1' is none of"),
    ],
)  # fmt: skip
def test_arrays_of_an_npz(arrays: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        from_arrays(WEIGHTS | arrays, DENSE, "a.npz")


def test_an_npz_of_what_are_no_real_numbers(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **WEIGHTS, bias0=np.ones(4, np.complex64))
    with pytest.raises(DataError, match=r"a.npz: bias0: holds complex64, not real numbers; give floats"):
        read_arrays(tmp_path / "a.npz", DENSE)


def saved(path: Path, state: dict[str, Any]) -> Path:
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed (extra `exchange`)")
    numpy.save_file(state, path)
    return path


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (STATE | {"fc2.weight": np.ones((2, 5))}, r"'fc2': weights of shape \[2, 5\], but layer 1 of the network takes"),
        (STATE | {"fc1.bias": np.ones(3)}, r"'fc1': a bias of shape \[3\] for 4 outputs; give one each"),
        (STATE | {"norm.weight": np.ones(4), "norm.bias": np.ones(4)}, r"'norm': a weight of shape \[4\] is neither"),
        (STATE | {"conv.weight": np.ones((4, 3, 3))}, r"'conv': a weight of shape \[4, 3, 3\] is neither"),
        (STATE | {"fc3.bias": np.ones(2)}, r"'fc3': bias without a weight; give the whole state_dict"),
        (STATE | {"rnn.weight_hh_l0": np.ones((4, 4))}, r"'rnn': a recurrent layer; nmsim runs feed-forward"),
        ({key: NORM[key] for key in list(NORM)[:2]}, r"'fc1_norm': batch normalisation without running_var"),
        (NORM | {"fc1_norm.running_var": -np.ones(4)}, r"'fc1_norm': running_var holds -1, and no variance is below 0"),
        (NORM | {"fc1_norm.weight": np.ones(3)}, r"'fc1_norm': weight of shape \[3\] beside a running_mean of shape \[4\]"),
        (NORM | {"fc1_norm2.running_mean": np.zeros(4), "fc1_norm2.running_var": np.ones(4)},
            r"normalisation 'fc1_norm2' of 4 channels follows another one, 'fc1_norm'; give the modules in the order"),
        ({"a_norm.running_mean": np.zeros(4), "a_norm.running_var": np.ones(4), **STATE},
            r"normalisation 'a_norm' of 4 channels follows no synapses; give the modules in the order .* with --modules"),
    ],
)  # fmt: skip
def test_a_state_dictionary(tmp_path: Path, state: dict[str, Any], sentence: str) -> None:
    file = saved(tmp_path / "net.safetensors", state)
    with pytest.raises(DataError, match=sentence):
        with_weights(DENSE, read_state(file).synapses, str(file))


def test_modules_of_a_safetensors_file_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Ten comes behind two: read as text, layers of equal sizes would change places without a word."""
    state = {f"{index}.weight": np.full((3, 3), float(index)) for index in (0, 2, 4, 10)}
    found = read_state(saved(tmp_path / "net.safetensors", state))
    assert [item.weight[0, 0] for item in found.synapses] == [0, 2, 4, 10]
    assert "read by name: 0, 2, 4, 10; another order is --modules" in found.notes[0]


def test_an_order_can_be_stated(tmp_path: Path) -> None:
    state = {
        "out.weight": np.full((3, 3), 2.0), "hidden.weight": np.full((3, 3), 1.0),
        "bn.running_mean": np.zeros(3), "bn.running_var": np.full(3, 4.0 - 1e-5),
    }  # fmt: skip
    file = saved(tmp_path / "net.safetensors", state)
    with pytest.raises(DataError, match="--modules"):
        read_state(file)
    found = read_state(file, ("hidden", "bn", "out"))
    assert [item.weight[0, 0] for item in found.synapses] == [pytest.approx(0.5), 2.0]
    assert not found.notes
    with pytest.raises(
        DataError, match=r"module 'bn' is not among --modules; name each of bn, hidden, out once"
    ):
        read_state(file, ("hidden", "out"))
    with pytest.raises(DataError, match=r"module 'fc' is not in it; name each of"):
        read_state(file, ("hidden", "fc", "bn", "out"))
    np.savez(tmp_path / "a.npz", **WEIGHTS)
    with pytest.raises(
        ConfigError, match=r"--modules orders the modules of a state dictionary, and this is none"
    ):
        import_network(tmp_path / "a.npz", tmp_path / "run", ImportPlan("mnist-subset", modules=("a",)))


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    """Thresholds and leak factors that snnTorch keeps in the dictionary are not those of the network section."""
    state = STATE | {"lif1.beta": np.float32(0.9).reshape(1), "lif1.threshold": np.ones(1, np.float32)}
    found = read_state(saved(tmp_path / "net.safetensors", state))
    assert found.notes[1] == (
        "not read: lif1.beta, lif1.threshold; thresholds and leak factors are those of the network section"
    )


def test_without_pytorch_its_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    (tmp_path / "net.pt").write_bytes(b"anything")
    with pytest.raises(
        ConfigError, match=r"needs PyTorch; install it with `pip install torch`, or save the model's"
    ):
        read_state(tmp_path / "net.pt")
    with pytest.raises(DataError, match=r"gone.pt: no such file; give a .safetensors, .pt or .pth file"):
        read_state(tmp_path / "gone.pt")


class Touches:
    """Writes a file when it is unpickled by a reader that runs what it reads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_with_pytorch_its_files_are_read_and_no_code_in_them_runs(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; it reads its own files")
    network = tmp_path / "net.yaml"
    network.write_text(
        "network:\n  input_shape: [3]\n  layers: [{kind: dense, units: 4}, {kind: dense, units: 2}]\n"
    )
    model = torch.nn.Sequential(torch.nn.Linear(3, 4, bias=False), torch.nn.Linear(4, 2, bias=False))
    torch.save(model.state_dict(), tmp_path / "net.pt")
    found = read_trained(tmp_path / "net.pt", ImportPlan("mnist-subset", network=network))
    np.testing.assert_array_equal(found.parameters.weights[0], model[0].weight.detach().double().numpy())
    touched = tmp_path / "touched"
    cases: dict[str, tuple[Any, str]] = {
        "model": (
            model,
            r"not a state dictionary of tensors \(UnpicklingError\); save `model.state_dict\(\)`",
        ),
        "evil": ({"fc.weight": Touches(touched)}, r"not a state dictionary of tensors \(UnpicklingError\)"),
        "more": ({"state_dict": model.state_dict()}, r"holds more than named tensors"),
        "sparse": ({"fc.weight": torch.eye(3).to_sparse()}, r"'fc.weight': no dense tensor of real numbers"),
        "complex": (
            {"fc.weight": torch.zeros(2, 2, dtype=torch.complex64)},
            r"no dense tensor of real numbers",
        ),
    }
    for name, (held, sentence) in cases.items():
        torch.save(held, tmp_path / f"{name}.pt")
        with pytest.raises(DataError, match=sentence):
            read_state(tmp_path / f"{name}.pt")
    assert not touched.exists()


def test_a_network_of_maps_wants_kernels_of_its_size() -> None:
    network = NetworkSpec.model_validate(
        {
            "input_shape": [1, 6, 6],
            "layers": [{"kind": "conv", "channels": 2, "kernel": 3}, {"kind": "dense", "units": 2}],
        }
    )
    arrays = {"weights0": np.ones((2, 1, 5, 5)), "weights1": np.ones((2, 32))}
    with pytest.raises(
        DataError, match=r"weights of shape \[2, 1, 5, 5\], but layer 0 of the network takes \[2, 1, 3, 3\]"
    ):
        from_arrays(arrays, network, "a.npz")
