"""A kept run is the run: the same parameters, history and accuracy after a way through one file."""

from pathlib import Path

import numpy as np
import pytest

from nmsim.errors import ConfigError, RunError
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.kept import find_kept, keep_run, read_kept, restore_run
from nmsim.pipeline.start import fingerprint, read_start, started_from, trained_parameters
from nmsim.pipeline.train import read_workload, train
from nmsim.storage import read_arrays, write_arrays

SMALL = (
    "network.layers=[{kind: dense, units: 32}, {kind: dense, units: 10}]",
    "dataset.train_samples=1000",
    "dataset.test_samples=40",
    "training.epochs=3",
    "profile.samples=2",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("kept") / "run"
    train(read_workload("mnist-dense", *SMALL), folder, seed=3)
    return RunFolder(folder)


@pytest.fixture(scope="module")
def file(run: RunFolder) -> Path:
    out = run.path.parent / "small.npz"
    keep_run(run, out, "nmsim train mnist-dense --seed 3")
    return out


def test_a_restored_run_has_the_parameters_and_the_accuracy_of_the_run(
    run: RunFolder, file: Path, tmp_path: Path
) -> None:
    found = restore_run(read_kept(file), tmp_path / "again")
    again = RunFolder(tmp_path / "again")
    assert found.agrees
    assert found.same_data
    assert found.samples == 40
    assert found.accuracy > 0.5
    assert again.history().test_accuracy == run.history().test_accuracy == found.accuracy
    for name, array in run.parameters().items():
        np.testing.assert_array_equal(array, again.parameters()[name], err_msg=name)
    np.testing.assert_array_equal(
        run.activity("stop").layers[1].mask("spikes"), again.activity("stop").layers[1].mask("spikes")
    )
    assert again.provenance()["kept"]["how"] == "nmsim train mnist-dense --seed 3"


def test_changed_parameters_are_seen_as_another_accuracy(file: Path, tmp_path: Path) -> None:
    header, arrays = read_arrays(file, "nmsim/kept-1", "")
    largest = max(arrays, key=lambda name: arrays[name].size)
    arrays[largest] = np.zeros_like(arrays[largest])
    schema = header.pop("schema")
    write_arrays(tmp_path / "changed.npz", schema, header, arrays)
    assert not restore_run(read_kept(tmp_path / "changed.npz"), tmp_path / "again").agrees


def test_the_profile_can_be_larger_than_the_kept_one(file: Path, tmp_path: Path) -> None:
    restore_run(read_kept(file), tmp_path / "again", profile_samples=5)
    assert RunFolder(tmp_path / "again").activity("stop").samples == 5


def test_a_file_of_another_kind_and_a_name_that_is_not_there_are_refused(run: RunFolder) -> None:
    with pytest.raises(RunError, match="nmsim keep"):
        read_kept(run.parameters_file)
    with pytest.raises(ConfigError, match="no kept run of that name"):
        find_kept("nothing-like-it")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("mnist-lenet5-tuned", "mnist.npz"),
        ("mnist-lenet5-large-tuned", "mnist.npz"),
        ("cifar10-vgg6-tuned", "cifar10.npz"),
        ("cifar10-vgg6-wide-tuned", "cifar10.npz"),
        ("cifar100-vgg6-tuned", "cifar100.npz"),
        ("nmnist-lenet5", "nmnist.npz"),
    ],
)
def test_a_shipped_run_has_its_accuracy_on_this_machine(
    name: str, data: str, shared_data: Path, tmp_path: Path
) -> None:
    kept = read_kept(find_kept(name))
    found = restore_run(kept, tmp_path / name, path=str(shared_data / data), profile_samples=1)
    assert (found.accuracy, found.samples) == (kept.history.test_accuracy, kept.history.test_samples)


@pytest.fixture(scope="module")
def further(run: RunFolder) -> RunFolder:
    """A run that started from the parameters of another."""
    parameters = trained_parameters(run)
    workload = started_from(read_workload("mnist-dense", *SMALL, "training.epochs=1"), parameters)
    folder = run.path.parent / "further"
    train(workload, folder, seed=4, start=parameters)
    return RunFolder(folder)


def test_a_run_that_started_from_parameters_takes_them_along(
    run: RunFolder, further: RunFolder, tmp_path: Path
) -> None:
    keep_run(further, tmp_path / "further.npz", "nmsim train mnist-dense --from run")
    restore_run(read_kept(tmp_path / "further.npz"), tmp_path / "again")
    again = RunFolder(tmp_path / "again")
    assert fingerprint(read_start(again, again.workload())) == fingerprint(trained_parameters(run))
    assert fingerprint(trained_parameters(again)) == fingerprint(trained_parameters(further))


def test_a_start_that_is_not_the_workloads_is_refused(further: RunFolder, tmp_path: Path) -> None:
    keep_run(further, tmp_path / "further.npz", "nmsim train mnist-dense --from run")
    header, arrays = read_arrays(tmp_path / "further.npz", "nmsim/kept-1", "")
    arrays["start.weights0"] = arrays["start.weights0"] + 1
    write_arrays(tmp_path / "changed.npz", header.pop("schema"), header, arrays)
    with pytest.raises(RunError, match="not the parameters that the workload starts from"):
        read_kept(tmp_path / "changed.npz")
