"""Milestones: training samples recorded while a network learns, without a bit of the training changed."""

import re

import numpy as np
import pytest
from small_run import make_workload, trained

from nmsim.errors import ConfigError, RunError
from nmsim.pipeline.along import simulate_along
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.milestones import milestone_samples, planned_updates, read_milestones
from nmsim.pipeline.report import report_run
from nmsim.pipeline.simulate import read_chip, simulate
from nmsim.pipeline.train import train

FOLLOWED = ("profile.milestones=4", "profile.milestone_samples=8", "training.epochs=2")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("milestones") / "run", *FOLLOWED)


@pytest.mark.parametrize(
    ("asked", "updates"),
    [
        ("0", ()),
        ("2", (0, 100)),
        ("4", (0, 25, 50, 100)),
        ("[0.5, 1]", (0, 25, 50, 100)),
        ("9", (0, 1, 3, 6, 12, 25, 50, 100)),
    ],
)
def test_milestones_double_or_stand_at_the_epochs_asked_for(asked, updates):
    workload = make_workload("training.epochs=2", f"profile.milestones={asked}")
    assert planned_updates(workload, 100) == updates


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("1", "the start and the end of a training are two; give 0 or at least 2"),
        ("[1, 0.5]", "must be epochs from 0 on, each later than the one before"),
        ("[0.5, 3]", "names epoch 3, but training has 2; leave it out, or raise training.epochs"),
    ],
)
def test_milestones_that_cannot_be_are_refused(asked, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        make_workload("training.epochs=2", f"profile.milestones={asked}")


def test_large_samples_get_fewer():
    assert milestone_samples(make_workload()) == 256
    assert milestone_samples(make_workload("network.time_steps=200")) < 256
    assert milestone_samples(make_workload("profile.milestone_samples=5")) == 5


def test_no_bit_of_the_training_changes(run, tmp_path):
    plain = RunFolder(trained(tmp_path / "plain", "training.epochs=2"))
    followed = RunFolder(run)
    own, other = plain.parameters(), followed.parameters()
    assert all(np.array_equal(own[name], other[name]) for name in own)
    for row, with_milestones in zip(plain.history().rows, followed.history().rows, strict=True):
        assert (row.train_loss, row.test_accuracy) == (
            with_milestones.train_loss,
            with_milestones.test_accuracy,
        )
    assert plain.history().overflow_counts == followed.history().overflow_counts


def test_every_milestone_holds_the_same_training_samples_and_an_accuracy(run):
    found = read_milestones(RunFolder(run), "stop")
    assert [item.meta["samples_seen"] for item in found] == [0, 16, 40, 80]
    assert all(np.array_equal(item.sample_index, found[0].sample_index) for item in found)
    assert all(item.meta["split"] == "train" and item.meta["accuracy_samples"] == 20 for item in found)
    assert found[-1].meta["accuracy"] == RunFolder(run).history().test_accuracy


def test_an_interrupted_training_ends_with_the_same_milestones(run, tmp_path):
    def stop_late(progress):
        if progress.epoch == 1 and progress.batch == 2:
            raise KeyboardInterrupt

    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(make_workload(*FOLLOWED), folder, seed=1, listen=stop_late)
    train(make_workload(*FOLLOWED), folder, seed=1, resume=True)
    for rule in ("stop", "stbp"):
        again, whole = read_milestones(RunFolder(folder), rule), read_milestones(RunFolder(run), rule)
        assert [item.content_hash for item in again] == [item.content_hash for item in whole]


def test_a_missing_milestone_is_said_and_not_bridged(tmp_path):
    folder = RunFolder(trained(tmp_path / "run", *FOLLOWED))
    folder.milestone_file(5, "stop").unlink()
    with pytest.raises(RunError, match="the milestone after 5 updates is missing"):
        simulate_along(folder.path, [read_chip("edge-28nm")])


def test_a_run_without_milestones_says_how_to_get_them(tmp_path):
    folder = trained(tmp_path / "run")
    with pytest.raises(RunError, match=r"train again with --set profile\.milestones=8 and --overwrite"):
        simulate_along(folder, [read_chip("edge-28nm")])


def test_inference_has_no_training_to_follow(run):
    with pytest.raises(ConfigError, match="trains nothing, so there is no training to follow"):
        simulate_along(run, [read_chip("edge-28nm")], rules=["inference"])


def test_the_report_tells_the_energy_of_the_training(run):
    chip = read_chip("edge-28nm")
    simulate(run, [chip], rules=["stop-wtl"])
    done = simulate_along(run, [chip])
    assert [item.rule for item in done.found] == ["stop-wtl", "stbp"]
    report_run(run)
    page, table = (run / "report.html").read_text(), (run / "learning-energy.csv").read_text()
    assert "Energy along learning" in page
    assert table.splitlines()[0].endswith("stamp,accuracy,accuracy_samples")
    assert len(table.splitlines()) == 1 + 2 * 3
    assert '"of": "whole training"' in (run / "summary.json").read_text()
