"""Evaluations side by side."""

from dataclasses import replace

import pytest

from nmsim.report.compare import COMPARED, comparison, side_by_side
from nmsim.report.plots.evaluations import comparison_chart
from nmsim.report.ratio import energy_ratio, interval_text
from nmsim.report.result import RunResult
from nmsim.report.tables import ratio_text


def test_ratios_are_to_the_first_row(result: RunResult) -> None:
    first, *others = comparison(result.subject_first).records()
    ratios = [name for name in first if name.endswith("_ratio")]
    assert ratios == [
        "energy_ratio", "latency_ratio", "power_ratio", "throughput_ratio", "edp_ratio", "memory_ratio", "area_ratio",
    ]  # fmt: skip
    assert all(first[name] == 1 for name in ratios)
    for row in others:
        energy = row["energy_per_sample_j"], first["energy_per_sample_j"]
        assert row["energy_ratio"] == pytest.approx(float(energy[0] or 0) / float(energy[1] or 1))


def test_the_subject_comes_first_and_its_like_next(result: RunResult) -> None:
    found = [(item.rule, item.model) for item in result.subject_first]
    assert found[:2] == [("stop-wtl", "analytic"), ("stop-wtl", "event")]
    assert sorted(found) == sorted((item.rule, item.model) for item in result.evaluations)


def test_for_people_a_cell_holds_figure_and_ratio_and_the_first_row_only_figures(result: RunResult) -> None:
    table = side_by_side(result.subject_first)
    column = [c.name for c in table.columns].index("latency_per_sample_s")
    first, *others = [str(row[column]) for row in table.rows]
    assert "x" not in first
    assert all(text.split("\n")[1].endswith("x") for text in others)


def test_ratios_of_energy_and_time_carry_the_interval_of_paired_samples_and_the_band(
    result: RunResult,
) -> None:
    stop, stbp = (next(i for i in result.evaluations if i.rule == rule) for rule in ("stop-wtl", "stbp"))
    row = comparison([stop, stbp]).records()[1]
    ends = [row[f"energy_ratio_{end}"] for end in ("ci95_low", "ci95_high", "band_low", "band_high")]
    ratio = energy_ratio(stbp, stop)
    assert ratio is not None
    assert ends == [ratio.ci_low, ratio.ci_high, ratio.band_low, ratio.band_high]
    assert None not in (row["latency_ratio_ci95_low"], row["latency_ratio_ci95_high"])
    shown = dict(
        zip(
            (c.name for c in side_by_side([stop, stbp]).columns),
            side_by_side([stop, stbp]).rows[1],
            strict=True,
        )
    )
    assert str(shown["energy_per_sample_j"]).endswith("\n" + interval_text(ratio).replace(" ", "\n", 1))
    assert str(shown["band"]).endswith(f"\n{ratio_text(ratio.band_low)}\nto {ratio_text(ratio.band_high)}")


def test_figures_without_a_price_have_no_ratio(result: RunResult) -> None:
    no_area = replace(result.evaluations[1], area=None)
    row = comparison([result.evaluations[0], no_area]).records()[1]
    assert row["area_mm2"] is None
    assert row["area_ratio"] is None


def test_the_live_chart_writes_the_unit_of_the_chosen_figure_at_its_marks(result: RunResult) -> None:
    axis = comparison_chart(result.evaluations)["layer"][0]["encoding"]["x"]
    assert axis["title"] is None
    for figure in COMPARED:
        assert f'"{figure.heading}": "{figure.unit}"' in axis["axis"]["labelExpr"]
