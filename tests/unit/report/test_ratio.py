"""Ratios of two evaluations: the interval of pairs, the band that is common to both."""

from dataclasses import replace

import numpy as np
import pytest

from nmsim.report.ratio import energy_ratio, interval_text, latency_ratio, ratio_with_interval
from nmsim.report.result import RunResult


def test_a_rule_over_itself_is_exactly_one(result: RunResult) -> None:
    item = result.subject
    for ratio in (energy_ratio(item, item), latency_ratio(item, item)):
        assert ratio is not None
        assert (ratio.mean, ratio.ci_low, ratio.ci_high, ratio.band_low, ratio.band_high) == (1, 1, 1, 1, 1)


def test_pairs_tell_rules_apart_whose_energies_overlap(result: RunResult) -> None:
    stop = result.subject
    stbp = next(item for item in result.evaluations if item.rule == "stbp")
    ratio = energy_ratio(stbp, stop)
    assert ratio is not None
    assert ratio.mean == pytest.approx(stbp.energy_j.mean / stop.energy_j.mean)
    assert ratio.ci_low is not None
    assert ratio.ci_high is not None
    low, high = stop.energy_j.ci_low, stop.energy_j.ci_high
    assert low is not None
    assert high is not None
    assert (ratio.ci_high - ratio.ci_low) / ratio.mean < (high - low) / stop.energy_j.mean
    assert ratio.band_low < ratio.mean < ratio.band_high
    alone = stop.energy_j.band_high / stop.energy_j.mean - 1
    assert ratio.band_high / ratio.mean - 1 < alone / 2, "most of a price's error is common to both"


def test_two_chips_do_not_share_the_errors_of_their_prices(result: RunResult) -> None:
    item = result.subject
    elsewhere = replace(item, chip_hash="another")
    ratio = energy_ratio(elsewhere, item)
    assert ratio is not None
    assert ratio.band_high > 1.3


def test_profiles_of_different_samples_have_no_interval(result: RunResult) -> None:
    item = result.subject
    shorter = replace(item, energy=replace(item.energy, energy_pj=item.energy.energy_pj[:, :2]))
    ratio = energy_ratio(shorter, item)
    assert ratio is not None
    assert (ratio.ci_low, ratio.ci_high) == (None, None)
    assert "(" not in ratio_with_interval(ratio)


def test_an_interval_is_written_with_as_many_digits_as_tell_its_ends_apart(result: RunResult) -> None:
    ratio = energy_ratio(result.subject, result.subject)
    assert ratio is not None
    assert interval_text(replace(ratio, ci_low=0.951, ci_high=0.9573)) == "0.951 to 0.957"
    assert interval_text(replace(ratio, ci_low=0.951, ci_high=1.03)) == "0.95 to 1.03"
    assert ratio_with_interval(None) == "n/a"
    assert np.isfinite(ratio.mean)
