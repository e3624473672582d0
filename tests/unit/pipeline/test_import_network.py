"""A network from elsewhere becomes a run: quantized, measured, fine-tuned."""

import json
from pathlib import Path

import numpy as np
import pytest

from nmsim.errors import ConfigError, RunError
from nmsim.exchange.array_file import write_arrays
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.import_network import ImportPlan, import_network
from nmsim.pipeline.simulate import rules_of
from nmsim.pipeline.start import started_from, trained_parameters
from nmsim.pipeline.train import read_workload, train

NETWORK = """\
network:
  name: small
  input_shape: [784]
  time_steps: 4
  layers:
    - {kind: dense, units: 32}
    - {kind: dense, units: 10}
"""
SHORT = ("dataset.train_samples=640", "dataset.test_samples=100")


@pytest.fixture(scope="module")
def float_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short training in float64."""
    out = tmp_path_factory.mktemp("runs") / "float"
    own = (
        f"network.time_steps={4}",
        "network.layers.0.units=32",
        "training.arithmetic=float64",
        "training.epochs=3",
    )
    train(
        read_workload(
            "mnist-dense", *own, "dataset={name: mnist-subset, train_samples: 640, test_samples: 100}"
        ),
        out,
    )
    return out


@pytest.fixture(scope="module")
def files(float_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_arrays(folder / "net.npz", trained_parameters(RunFolder(float_run)))
    (folder / "net.yaml").write_text(NETWORK)
    return folder


def plan(files: Path, **options: object) -> ImportPlan:
    return ImportPlan("mnist-subset", network=files / "net.yaml", assignments=SHORT, **options)  # type: ignore[arg-type]


def test_sixteen_bits_lose_nothing_and_two_do(files: Path, float_run: Path, tmp_path: Path) -> None:
    measured = RunFolder(float_run).history().test_accuracy
    fine = import_network(files / "net.npz", tmp_path / "fine", plan(files))
    assert fine.real_accuracy == measured
    assert abs(fine.fixed_accuracy - fine.real_accuracy) <= 0.02
    coarse = import_network(files / "net.npz", tmp_path / "coarse", plan(files, bits=2))
    assert coarse.fixed_accuracy < fine.fixed_accuracy - 0.05


def test_fine_tuning_starts_where_the_import_ended(files: Path, tmp_path: Path) -> None:
    import_network(files / "net.npz", tmp_path / "net", plan(files))
    folder = RunFolder(tmp_path / "net")
    parameters = trained_parameters(folder)
    workload = folder.workload().model_copy(update={"start": None})
    still = workload.training.model_copy(
        update={"epochs": 1, "learning_rates": workload.training.learning_rates.model_copy(
            update={"weight": 0.0, "threshold": 0.0, "leak": 0.0})}
    )  # fmt: skip
    own = started_from(workload.model_copy(update={"training": still}), parameters)
    history = train(own, tmp_path / "tuned", start=parameters)
    assert history.test_accuracy == folder.history().test_accuracy
    after = trained_parameters(RunFolder(tmp_path / "tuned"))
    for one, other in zip(parameters.weights, after.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    train(own, tmp_path / "tuned", resume=True)  # reads them from the folder


def test_what_a_training_starts_from_is_part_of_its_identity(files: Path, tmp_path: Path) -> None:
    import_network(files / "net.npz", tmp_path / "net", plan(files))
    folder = RunFolder(tmp_path / "net")
    workload = folder.workload()
    assert workload.start is not None
    assert workload.run_hash(1) != workload.model_copy(update={"start": None}).run_hash(1)
    with pytest.raises(
        RunError, match=r"the workload starts from parameters \(start \w{12}\) that are not here"
    ):
        train(workload, tmp_path / "elsewhere")


def test_a_reset_to_zero_is_replayed_without_training(files: Path, tmp_path: Path) -> None:
    own = ImportPlan(
        "mnist-subset", network=files / "net.yaml", assignments=(*SHORT, "network.neuron.reset=zero")
    )
    import_network(files / "net.npz", tmp_path / "net", own)
    assert rules_of(tmp_path / "net") == ("inference", "ann")
    run = json.loads((tmp_path / "net" / "run.json").read_text())
    assert run["imported"]["file"] == "net.npz"
    with pytest.raises(ConfigError, match=r"neuron.reset: 'zero' is for inference"):
        train(RunFolder(tmp_path / "net").workload(), tmp_path / "net")


def test_files_that_need_more_are_told_so(files: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"net.npz: holds weights and not how they are connected; give --network"
    ):
        import_network(files / "net.npz", tmp_path / "a", ImportPlan("mnist-subset"))
    with pytest.raises(ConfigError, match=r"net.onnx: no known kind of network; give a .nir, .npz"):
        import_network(files / "net.onnx", tmp_path / "a", ImportPlan("mnist-subset"))
    with pytest.raises(
        ConfigError, match=r"net.nir: a NIR file has no number of time steps; give --time-steps"
    ):
        import_network(files / "net.nir", tmp_path / "a", ImportPlan("nmnist"))
