"""Intervals over samples."""

import numpy as np
import pytest

from nmsim.statistics import mean_interval, ratio_of_means


def test_the_interval_of_a_mean_is_students() -> None:
    # mean 2, standard deviation 1, t(2 degrees of freedom, 97.5 %) = 4.302653
    found = mean_interval(np.array([1.0, 2.0, 3.0]))
    assert found.value == 2.0
    assert found.low == pytest.approx(2 - 4.302653 / np.sqrt(3), rel=1e-6)
    assert found.high == pytest.approx(2 + 4.302653 / np.sqrt(3), rel=1e-6)


def test_one_sample_has_no_interval() -> None:
    assert (mean_interval(np.array([3.0])).low, ratio_of_means(np.array([3.0]), np.array([2.0])).high) == (
        None,
        None,
    )


def test_what_paired_samples_share_cancels_in_their_ratio() -> None:
    below = np.array([1.0, 5.0, 20.0, 3.0])
    found = ratio_of_means(1.25 * below, below)
    assert found.value == found.low == found.high == 1.25


def test_the_interval_of_a_ratio_holds_the_truth_in_95_of_100_profiles() -> None:
    """Samples differ by a factor of two, the ratio from sample to sample by 5 %; profiles of 16 samples."""
    random = np.random.default_rng(7)
    hits, wider, profiles = 0, 0, 2000
    for _ in range(profiles):
        below = np.exp(random.normal(0, 0.5, 16))
        above = 1.1 * below * (1 + random.normal(0, 0.05, 16))
        found, alone = ratio_of_means(above, below), mean_interval(above)
        hits += found.low <= 1.1 <= found.high
        wider += (alone.high - alone.low) / alone.value > 3 * (found.high - found.low)
    assert 0.925 < hits / profiles < 0.965
    assert wider > 0.99 * profiles


def test_pairs_need_the_same_number_on_both_sides() -> None:
    with pytest.raises(ValueError, match="paired samples need the same number on both sides, not 3 and 2"):
        ratio_of_means(np.ones(3), np.ones(2))
