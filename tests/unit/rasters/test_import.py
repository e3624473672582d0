"""A recording of another tool as a run: simulated, reported, and never trained on."""

import sys
from pathlib import Path

import numpy as np
import pytest
from recordings import NETWORK, csv_text, save, spikes

from nmsim.cli.main import main
from nmsim.errors import ConfigError, DataError, NmsimError, RunError
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.perf.work import build_work
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.imported import import_activity
from nmsim.pipeline.report import report_run
from nmsim.pipeline.simulate import read_chip, simulate
from nmsim.pipeline.simulations import Simulations
from nmsim.workload import prepare


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.yaml"
    path.write_text(NETWORK)
    return path


@pytest.fixture
def run(tmp_path: Path, network: Path) -> Path:
    import_activity(save(tmp_path, spikes()), network, tmp_path / "run")
    return tmp_path / "run"


def test_any_chip_replays_it_and_the_report_says_where_it_came_from(run: Path) -> None:
    found = simulate(
        run, [read_chip("edge-28nm"), read_chip("loihi-board")], models=("analytic", "event")
    ).evaluations
    assert [(item.chip_name, item.rule, item.model) for item in found] == [
        (chip, "inference", model) for chip in ("edge-28nm", "loihi-board") for model in ("analytic", "event")
    ]
    assert all(item.audit_passed for item in found)
    report_run(run)
    page, summary = (run / "report.html").read_text(), (run / "summary.md").read_text()
    assert "recorded in another tool" in page
    assert "spikes.npz, with spikes only: no traces, no deltas" in page
    assert "was trained" not in page
    assert "imported spikes" in summary


def test_lines_and_arrays_make_the_same_activity(tmp_path: Path, network: Path, run: Path) -> None:
    path = tmp_path / "spikes.csv"
    path.write_text(csv_text(spikes()))
    layers = import_activity(path, network, tmp_path / "other").layers
    own = RunFolder(run).activity("stop").layers
    for a, b in zip(own, layers, strict=True):
        assert all(np.array_equal(a.mask(name), b.mask(name)) for name in a.masks)


def test_recorded_updates_survive_the_file(tmp_path: Path, network: Path) -> None:
    arrays = spikes()
    activity = import_activity(
        save(tmp_path, {**arrays, "updates0": arrays["layer0"]}), network, tmp_path / "run"
    )
    loaded = RunFolder(tmp_path / "run").activity("stop")
    assert np.array_equal(loaded.layers[0].mask("updates"), arrays["layer0"].reshape(2, 3, -1))
    assert loaded.layers[1].updates is None
    assert loaded.content_hash == activity.content_hash


def test_a_workload_file_gives_its_network(tmp_path: Path, run: Path) -> None:
    arrays = spikes()
    again = import_activity(save(tmp_path, arrays), run / "workload.yaml", tmp_path / "again")
    assert again.network_hash == RunFolder(run).activity("stop").network_hash


def test_training_is_refused(run: Path) -> None:
    chip, name = read_chip("edge-28nm"), RunFolder(run).workload().name
    for rule in ("stop-w", "stbp"):
        with pytest.raises(ConfigError) as stopped:
            simulate(run, [chip], rules=[rule])
        assert str(stopped.value) == (
            f"rule '{rule}': the run {name} holds imported spikes, which tell no traces and deltas; use inference or ann,"
            " or train the network with nmsim"
        )
    workload = RunFolder(run).workload()
    with pytest.raises(
        DataError, match="it is a recording of spikes, which can be replayed on chips but has no samples"
    ):
        prepare(workload, seed=1)
    needs = TrainingNeeds.for_rule("stop-w")
    mapping = map_network(workload.network, workload.precision, needs, chip)
    activity = RunFolder(run).activity("stop")
    with pytest.raises(
        RunError, match="recorded in inference and holds no traces and deltas, which rule 'stop-w' needs"
    ):
        build_work(Deployment(workload.network, workload.precision, needs, chip, mapping), activity)


def test_another_recording_needs_leave_and_takes_old_evaluations_away(
    tmp_path: Path, network: Path, run: Path
) -> None:
    simulate(run, [read_chip("edge-28nm")])
    path = save(tmp_path, spikes())
    import_activity(path, network, run)  # the same one again
    other = save(tmp_path, spikes(seed=2))
    with pytest.raises(
        RunError, match=r"holds this run on other data .*; give another --out, or --overwrite"
    ):
        import_activity(other, network, run)
    simulate(run, [read_chip("edge-28nm")])
    import_activity(other, network, run, overwrite=True)
    with pytest.raises(RunError, match="nothing was simulated yet"):
        Simulations(RunFolder(run)).require()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "kernel: 3, stride",
            "kernell: 3, stride",
            "network.yaml:5: network.layers[0].kernell: unknown key 'kernell'",
        ),
        ("time_steps: 3", "time_steps: 4", "spikes.npz: array 'input' has 3 time steps, but the network 4"),
        ("units: 5", "units: 6", "spikes.npz: array 'layer2' has shape [2, 3, 5], but needs (samples, 3, 6)"),
        ("network:", "networks:", "unknown key 'networks'; did you mean 'network'?"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    tmp_path: Path,
    network: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    sentence: str,
) -> None:
    network.write_text(NETWORK.replace(old, new))
    path = save(tmp_path, spikes())
    arguments = [
        "nmsim",
        "import-activity",
        str(path),
        "--network",
        str(network),
        "--out",
        str(tmp_path / "out"),
    ]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == NmsimError.exit_code
    message = capsys.readouterr().err
    assert sentence in message
    assert not (tmp_path / "out").exists()
