"""The front door: verbs and values of `import nmsim`."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nmsim
from nmsim.errors import DataError, DoesNotFitError, NmsimError, RunError


def data(count: int = 48) -> object:
    rng = np.random.default_rng(2)
    labels = np.arange(count) % 2
    images = rng.integers(0, 60, (count, 4, 4)) + 150 * (
        np.arange(4)[None, None, :] // 2 == labels[:, None, None]
    )
    return nmsim.from_arrays(images.astype(np.uint8), labels, images[:16].astype(np.uint8), labels[:16])


WORKLOAD = nmsim.WorkloadSpec(
    name="tiny", dataset="own", encoding="direct",
    network=nmsim.NetworkSpec(
        name="tiny", time_steps=4, input_shape=(1, 4, 4), layers=(nmsim.Dense(units=8), nmsim.Dense(units=2))
    ),
    training=nmsim.TrainingSpec(epochs=1, batch_size=16), profile={"samples": 4},
)  # fmt: skip


@pytest.fixture(scope="module")
def run() -> nmsim.Run:
    return nmsim.train(WORKLOAD, data=data(), seed=3, progress=False)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def job(run: nmsim.Run) -> nmsim.Deployment:
    found = nmsim.deploy(run, "edge-28nm")
    assert isinstance(found, nmsim.Deployment)
    return found


@pytest.fixture(scope="module")
def item(run: nmsim.Run, job: nmsim.Deployment) -> nmsim.Evaluation:
    return nmsim.evaluate(job, run)


def test_a_run_is_kept_and_read_back(run: nmsim.Run, tmp_path: Path) -> None:
    assert run.folder is None
    again = nmsim.load(str(run.save(str(tmp_path / "run"))))
    assert isinstance(again, nmsim.Run)
    assert again.workload == run.workload
    assert again.history == run.history
    assert again.activity.content_hash == run.activity.content_hash
    assert all(np.array_equal(again.parameters[name], array) for name, array in run.parameters.items())


def test_a_folder_holds_one_run(run: nmsim.Run, tmp_path: Path) -> None:
    run.save(tmp_path / "run")
    other = nmsim.train(WORKLOAD, data=data(), seed=4, progress=False)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="holds"):
        other.save(tmp_path / "run")


def test_training_into_a_folder_gives_the_same_bits(run: nmsim.Run, tmp_path: Path) -> None:
    again = nmsim.train(WORKLOAD, tmp_path / "run", data=data(), seed=3, progress=False)  # type: ignore[arg-type]
    assert again.folder == tmp_path / "run"
    assert all(np.array_equal(again.parameters[name], array) for name, array in run.parameters.items())


def test_an_evaluation_is_what_the_stages_find(
    run: nmsim.Run, item: nmsim.Evaluation, tmp_path: Path
) -> None:
    folder = run.save(tmp_path / "run")
    staged = nmsim.simulate(folder, [nmsim.read_chip("edge-28nm")], rules=["stop-wtl"])
    assert staged.evaluations[0].energy_j == item.energy_j
    assert staged.evaluations[0].latency_s == item.latency_s


def test_a_network_that_does_not_fit_is_an_answer(run: nmsim.Run) -> None:
    large = nmsim.NetworkSpec(
        name="large", time_steps=4, input_shape=(1, 4, 4), layers=(nmsim.Dense(units=100_000),)
    )
    report = nmsim.deploy(WORKLOAD.model_copy(update={"network": large}), "odin-like-28nm", "inference")
    assert isinstance(report, nmsim.FitReport)
    with pytest.raises(DoesNotFitError, match="does not fit"):
        nmsim.evaluate(report, run)


def test_comparisons_have_ratios_to_the_first(run: nmsim.Run, item: nmsim.Evaluation) -> None:
    inference = nmsim.evaluate(nmsim.deploy(run, "edge-28nm", "inference"), run)
    found = nmsim.compare(item, inference)
    ratio = found.ratio("energy_per_sample_j")
    assert ratio == inference.energy_j.mean / item.energy_j.mean
    assert [entry.rule for entry in found] == ["stop-wtl", "inference"]
    with pytest.raises(NmsimError, match="nothing to compare"):
        nmsim.compare()


def test_values_print_in_a_screenful_and_are_tables_in_a_notebook(
    run: nmsim.Run, job: nmsim.Deployment, item: nmsim.Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for value in (run, item, nmsim.compare(item, item), job.mapping):
        lines = str(value).splitlines()
        assert 2 < len(lines) <= 50
        assert max(map(len, lines)) <= 80
        assert repr(value) == str(value)
        assert "<table" in value._repr_html_()
        assert value.plot().svg.startswith(b"<?xml")
        assert len(value.to_frame())


def test_a_picture_is_written_where_a_path_says(item: nmsim.Evaluation, tmp_path: Path) -> None:
    item.plot(str(tmp_path / "energy.svg"))
    assert (tmp_path / "energy.svg").read_bytes().startswith(b"<?xml")


def test_a_report_is_written_from_values(run: nmsim.Run, item: nmsim.Evaluation, tmp_path: Path) -> None:
    files = nmsim.report(run, [item], [nmsim.read_chip("edge-28nm")], tmp_path)
    assert tmp_path / "report.html" in files or any(path.suffix == ".html" for path in files)
    with pytest.raises(RunError, match="is not among `chips`"):
        nmsim.report(run, [item], [], tmp_path)


def test_validation_takes_a_run(tmp_path: Path) -> None:
    found = nmsim.validate("mnist-dense", samples=2, test_samples=0)
    assert found.samples == 2
    assert found.tensors


def test_own_data_must_be_given() -> None:
    with pytest.raises(DataError, match="has no path"):
        nmsim.train(WORKLOAD, progress=False)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (
            (np.zeros((2, 4, 4)), [0, 1]),
            "x_train: holds float64 from 0 to 0, and pixels that are not uint8 need their range",
        ),
        ((np.zeros((2, 4, 4), np.uint8), [0]), "y_train: 1 labels for 2 samples"),
        ((np.zeros(4, np.uint8), [0]), r"x_train: shape \[4\] is none of"),
        ((np.zeros((2, 4, 4), np.uint8), [0, -1]), "label -1 is negative"),
        ((np.zeros((2, 4, 4), np.uint8), [0.5, 1]), "labels are whole numbers"),
    ],
)
def test_wrong_arrays_are_one_sentence(arrays: tuple[object, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        nmsim.from_arrays(*arrays)  # type: ignore[arg-type]


def test_what_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="neither a run nor a study nor an activity"):
        nmsim.load(tmp_path)
    with pytest.raises(RunError, match="is not kept by nmsim"):
        nmsim.save(3, tmp_path / "x")  # type: ignore[arg-type]


def test_rooms_that_are_verbs_can_be_entered_and_called(item: nmsim.Evaluation) -> None:
    import nmsim.report.words

    assert nmsim.report.words.sample_kind(item) == "training sample"
    with pytest.raises(RunError):
        nmsim.report("/nowhere")


def test_a_run_does_not_wait_for_packages_that_it_does_not_need() -> None:
    heavy = {"matplotlib", "nmsim.explore", "scipy.optimize", "scipy.sparse", "scipy.special", "scipy.stats"}
    code = f"import sys, nmsim.evaluate, nmsim.cli.stages; print(sorted({heavy} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        == "[]\n"
    )


def test_importing_the_package_is_quick() -> None:
    code = "import sys, nmsim; dir(nmsim); print(len({'numpy', 'numba', 'matplotlib', 'pydantic'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "0\n"
    )
