"""A run says of itself when its figures mean nothing."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmsim.diagnosis import diagnose, saturated_shares
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.report import report_run
from nmsim.pipeline.simulate import read_chip, simulate
from nmsim.stop.history import EpochRow, TrainingHistory

sys.path.insert(0, str(Path(__file__).parent / "pipeline"))
from small_run import make_workload, trained


def history(accuracy: float, samples: int = 1000, **overflows: int) -> TrainingHistory:
    row = EpochRow(0, 0.5, 1.0, 400, accuracy, samples, 0.1, 0.1, 0.1, 1.0)
    return TrainingHistory((row,), {name.replace("__", "."): count for name, count in overflows.items()})


@pytest.fixture(scope="module")
def dead(tmp_path_factory):
    folder = trained(tmp_path_factory.mktemp("dead") / "run", "network.neuron.threshold=30")
    simulate(folder, [read_chip("edge-28nm")])
    report_run(folder)
    return folder


@pytest.fixture(scope="module")
def activity(tmp_path_factory):
    folder = RunFolder(trained(tmp_path_factory.mktemp("alive") / "run"))
    found = folder.activity("stop")
    return replace(found, spike_counts=np.ones_like(found.spike_counts))


BALANCED = {"dataset": {"train_per_class": [40] * 10, "test_per_class": [100] * 10}}


def test_a_threshold_that_nothing_reaches_is_said_everywhere(dead):
    page, summary, text = (
        (dead / name).read_text() for name in ("report.html", "summary.json", "summary.md")
    )
    assert "This network is dead." in page
    assert page.index("This network is dead.") < page.index('class="cards"')
    assert '"stamp": "dead"' in summary
    assert "the output is silent in 100% of the 4 profiled samples" in page
    assert "**Warning:** the output is silent in 100%" in text
    assert "analytic<br>dead" in text


@pytest.mark.parametrize(
    ("accuracy", "stamp"),
    [
        (0.1, "untrained"),
        (0.12, "untrained"),
        (0.2, "partly trained"),
        (0.54, "partly trained"),
        (0.55, "trained"),
        (0.0, "untrained"),
    ],
)
def test_an_accuracy_that_guessing_reaches_is_called_untrained_and_half_of_the_way_trained(
    activity, accuracy, stamp
):
    found = diagnose(make_workload(), history(accuracy), activity, BALANCED)
    assert (UNTRAINED_TEXT in " ".join(found.warnings)) == (stamp == "untrained")
    assert found.stamp in {stamp, "dead"}
    assert found.accuracy_text == f"{accuracy:.2%} of 1,000"


UNTRAINED_TEXT = "is no better than always naming the largest class"


def test_the_largest_class_counts_and_not_only_chance(activity):
    skewed = {"dataset": {"train_per_class": [40] * 10, "test_per_class": [910] + [10] * 9}}
    found = diagnose(make_workload(), history(0.91), activity, skewed)
    assert any("91.00% on 1,000 held-out samples is no better" in text for text in found.warnings)


def test_classes_that_are_missing_are_named(activity):
    data = {"dataset": {"train_per_class": [400, 0, 0, 0, 0, 0, 0, 0, 0, 0], "test_per_class": [100] * 10}}
    found = diagnose(make_workload(), history(0.5), activity, data)
    assert "the train samples hold 1 of 10 classes" in found.warnings
    assert found.classes["train"] == 1


def test_saturation_is_a_share_of_values(activity):
    own = history(0.9, layer0__membrane=960)  # 400 samples, 2 steps, 12 neurons
    assert saturated_shares(make_workload(), own) == {"layer0.membrane": 960 / (400 * 2 * 12)}
    found = diagnose(make_workload(), own, activity, BALANCED)
    assert any("layer0.membrane 10.0%" in text for text in found.warnings)


def test_events_that_the_encoding_drops_are_said(activity):
    about = {**BALANCED, "encoding": {"events": 1000, "lost_events": 400}}
    found = diagnose(make_workload(), history(0.9), activity, about)
    assert "the encoding drops 40% of the events of the profiled samples" in found.warnings
