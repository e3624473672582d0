"""The energy of a whole training: an integral that can be checked by hand, over milestones none of which may be missing."""

import numpy as np
import pytest

from nmsim.report.learning_energy import LearningEnergy, LearningPoint, learning_sums, trapezoid_weights
from nmsim.report.learning_tables import point_table
from nmsim.report.plots.learning import energy_along_learning


def point(seen: int, energy_j: list[float], accuracy: float | None = 0.5) -> LearningPoint:
    energies = np.array(energy_j)
    return LearningPoint(seen // 10, seen, accuracy, 200, 0.2, 0.3, energies, 2 * energies, 0.5, 2.0)


def training(rule: str, *points: LearningPoint, epochs: int = 2) -> LearningEnergy:
    return LearningEnergy("tester", "hash", "prices", rule, "analytic", 100, epochs, points)


STOP = training("stop-wtl", point(0, [7.0, 9.0]), point(50, [3.0, 5.0]), point(200, [1.0, 3.0]))
"""Means 8, 4 and 2 J after 0, 50 and 200 samples: 50 * 6 + 150 * 3 = 750 J, and each sample 100 * S / 2 off that."""
STBP = training("stbp", point(0, [3.5, 4.5]), point(50, [1.5, 2.5]), point(200, [0.5, 1.5]))


def test_the_whole_training_is_the_area_under_the_straight_lines():
    found = STOP.energy_j()
    assert found.mean == pytest.approx(750.0)
    assert (found.band_low, found.band_high) == pytest.approx((375.0, 1500.0))
    # the two samples alone: 50 * 5 + 150 * 2 = 550 and 50 * 7 + 150 * 4 = 950, half a width of 12.706 * 200 around 750
    assert (found.ci_low, found.ci_high) == pytest.approx((750 - 2541.24, 750 + 2541.24), abs=0.1)
    assert STOP.time_s().mean == pytest.approx(1500.0)


def test_an_epoch_may_end_between_two_milestones():
    # at 100 samples the line from (50, 4) to (200, 2) is at 10/3: 300 + 50 * (4 + 10/3) / 2, and the rest
    assert STOP.energy_j(0, 1).mean == pytest.approx(300 + 550 / 3)
    assert STOP.energy_j(1, 2).mean == pytest.approx(100 * (10 / 3 + 2) / 2)
    assert STOP.energy_j(0, 1).mean + STOP.energy_j(1, 2).mean == pytest.approx(750.0)


def test_the_last_profile_alone_tells_less_and_says_so():
    assert STOP.at_the_end_j() == 400.0
    sums = {found.of: found for found in learning_sums(STOP, (STOP, STBP), "stop-wtl")}
    assert list(sums) == ["first epoch", "last epoch", "whole training"]
    assert sums["whole training"].over_end == pytest.approx(750 / 400)


def test_ratios_are_of_paired_samples():
    ratio = STBP.over(STOP)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))


def test_a_dropped_milestone_changes_the_energy():
    without = training("stop-wtl", STOP.points[0], STOP.points[2])
    assert without.energy_j().mean == pytest.approx(1000.0)


@pytest.mark.parametrize("points", [STOP.points[1:], STOP.points[:2]])
def test_a_training_without_its_start_or_end_is_not_integrated(points):
    with pytest.raises(ValueError, match="must rise, and reach from 0 to 200"):
        training("stop-wtl", *points).energy_j()


def test_weights_add_up_to_the_length_of_the_interval():
    at = np.array([0.0, 1.0, 5.0, 6.0, 20.0])
    for start, end in ((0.0, 20.0), (0.5, 0.75), (3.0, 17.5)):
        assert trapezoid_weights(at, start, end).sum() == pytest.approx(end - start)
        assert trapezoid_weights(at, start, end) @ at == pytest.approx((end**2 - start**2) / 2)


def test_a_row_of_a_milestone_holds_its_accuracy_and_its_ratio():
    row = point_table((STOP, STBP), "stop-wtl").records()[4]
    assert (row["rule"], row["samples_seen"], row["accuracy"], row["energy_to_trained_ratio"]) == (
        "stbp",
        50,
        0.5,
        0.5,
    )


@pytest.mark.parametrize("accuracy", [None, 0.0, 1.0, 0.9])
def test_a_picture_is_drawn_with_any_accuracy_and_with_none(accuracy):
    points = [point(seen, [1.0, 2.0], accuracy) for seen in (0, 50, 200)]
    picture = energy_along_learning(training("stop-wtl", *points), None, "made up")
    assert "3 milestones" in picture.alt
