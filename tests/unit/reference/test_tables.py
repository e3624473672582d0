"""Tables of the reference: they add up, name their units, and say the same as the evaluations."""

import csv
import io

import pytest

from nmsim.diagnosis import DEAD, PARTLY_TRAINED, TRAINED, UNTRAINED
from nmsim.report.network_columns import NETWORK_COLUMNS, STAND_IN
from nmsim.report.reference.for_people import (
    costs_for_people,
    extrapolation_for_people,
    operations_for_people,
)
from nmsim.report.reference.ratios import ratio_chart, ratio_table, ratios
from nmsim.report.reference.result import CASES, Reference
from nmsim.report.reference.tables import (
    activity_table,
    chip_table,
    energy_table,
    latency_table,
    memory_table,
    result_table,
    selected,
    tables,
)
from nmsim.report.tables import NOT_AVAILABLE

STAMPS = {
    prefix + stamp
    for stamp in (DEAD, UNTRAINED, PARTLY_TRAINED, TRAINED)
    for prefix in ("", f"{STAND_IN}, ")
}  # fmt: skip


def test_one_row_per_data_set_chip_and_rule(example: Reference) -> None:
    rows = result_table(example).records()
    keys = [(row["dataset"], row["chip"], row["rule"]) for row in rows]
    assert len(keys) == len(set(keys)) == 2 * 2 * len(CASES)
    fitting = [row for row in rows if row["fits"]]
    assert all(row["energy_per_sample_j"] and not row["problem"] for row in fitting)
    assert all(row["energy_per_sample_j"] is None and row["problem"] for row in rows if not row["fits"])


def test_every_row_with_an_energy_says_of_which_network_it_is(example: Reference) -> None:
    with_energies = [
        table
        for table in (*tables(example), ratio_table(example))
        if any("energy" in column.name for column in table.columns)
    ]
    assert {table.name for table in with_energies} >= {"results", "energy", "ratios"}
    for table in with_energies:
        assert {column.name for column in NETWORK_COLUMNS} <= {column.name for column in table.columns}
        assert {row["stamp"] for row in table.records()} <= STAMPS, table.name


def test_figures_are_those_of_the_evaluation(example: Reference) -> None:
    row = next(r for r in result_table(example).records() if r["rule"] == "stop-wl")
    outcome = next(o for _, o in example.outcomes() if o.case == "stop-wl")
    item = outcome.evaluation
    assert item is not None
    assert row["energy_per_sample_j"] == item.energy_j.mean
    assert row["energy_per_sample_band_high_j"] == item.energy_j.band_high
    assert row["energy_per_sample_ci95_low_j"] == item.energy_j.ci_low
    assert row["latency_per_sample_s"] == item.latency_s.mean
    assert row["throughput_samples_per_s"] == pytest.approx(1 / item.latency_s.mean)
    assert row["power_w"] == pytest.approx(item.energy_j.mean / item.latency_s.mean)
    assert row["sops_per_sample"] == item.sops_per_sample
    assert row["memory_used_bits"] <= row["memory_of_used_cores_bits"]  # type: ignore[operator]


@pytest.mark.parametrize("by", ["component", "phase", "layer"])
def test_energy_by_any_part_adds_up(example: Reference, by: str) -> None:
    totals = {(r["dataset"], r["chip"], r["rule"]): r for r in result_table(example).records() if r["fits"]}
    parts: dict[object, float] = dict.fromkeys(totals, 0.0)
    for row in energy_table(example).records():
        if row["by"] == by:
            parts[row["dataset"], row["chip"], row["rule"]] += float(row["energy_j"] or 0)
    for key, total in parts.items():
        assert total == pytest.approx(totals[key]["energy_per_sample_j"]), key  # type: ignore[index]


def test_time_by_phase_adds_up(example: Reference) -> None:
    for dataset, outcome in example.outcomes():
        if outcome.evaluation is None:
            continue
        rows = latency_table(example).records()
        key = (dataset.title, outcome.chip, outcome.case)
        own = [float(r["latency_s"] or 0) for r in rows if (r["dataset"], r["chip"], r["rule"]) == key]
        assert sum(own) == pytest.approx(outcome.evaluation.latency_s.mean)


def test_extrapolation_is_the_mean_times_samples_and_epochs(example: Reference) -> None:
    dataset, outcome = next(pair for pair in example.outcomes() if pair[1].case == "stop-wtl")
    assert outcome.evaluation is not None
    found = dataset.extrapolation(outcome)
    assert found is not None
    energy = outcome.evaluation.energy_j
    assert (found.samples_per_epoch, found.epochs) == (60000, 7)
    assert found.epoch_energy_j.mean == pytest.approx(energy.mean * 60000)
    assert found.training_energy_j.ci_high == pytest.approx((energy.ci_high or 0) * 60000 * 7)
    assert found.training_latency_s.mean == pytest.approx(outcome.evaluation.latency_s.mean * 60000 * 7)


def test_inference_has_no_epoch(example: Reference) -> None:
    rows = [row for row in result_table(example).records() if row["rule"] == "inference"]
    assert all(row["epoch_energy_j"] is None and row["sample"] == "inference" for row in rows)
    assert "inference" not in [row[1] for row in extrapolation_for_people(example.datasets[0]).rows]


def test_memory_in_both_conventions(example: Reference) -> None:
    rows = {(row["dataset"], row["rule"]): row for row in memory_table(example).records()}
    digits = example.datasets[0]
    stored, wtl = rows["Digits", "stbp-stored"], rows["Digits", "stop-wtl"]
    assert stored["stbp_stored_over_state_only"] == 1
    assert wtl["state_only_bits"] == digits.memory["stop-wtl"].bits("state_only")
    ratio = float(stored["everything_bits"] or 0) / float(wtl["everything_bits"] or 1)
    assert wtl["stbp_stored_over_everything"] == pytest.approx(ratio)


def test_densities_are_those_of_the_record(example: Reference) -> None:
    digits = example.datasets[0]
    rows = [row for row in activity_table(example).records() if row["dataset"] == "Digits"]
    assert len(rows) == 2 * len(digits.layers)
    assert rows[0]["spike_rate"] == digits.activities["stop"].layers[0].density("spikes")
    assert rows[-1]["trace_density"] is None, "STBP keeps no traces"


def test_chips_with_their_area(example: Reference) -> None:
    held, empty = chip_table(example).records()
    assert float(held["area_band_low_mm2"] or 0) < float(held["area_mm2"] or 0)
    assert empty["area_mm2"] is None, "nothing fits it, so nothing was evaluated"


def test_a_choice_of_columns_and_rows(example: Reference) -> None:
    table = selected(result_table(example), "rule", "power_w", dataset="Events", chip="edge-28nm", name="x")
    assert [column.name for column in table.columns] == ["rule", "power_w"]
    assert [row[0] for row in table.rows] == [case.name for case in CASES]


def test_for_people_a_span_has_one_unit(example: Reference) -> None:
    outcomes = example.datasets[0].on_chip("edge-28nm")
    energy, band = costs_for_people(outcomes).rows[0][1:3]
    low, _, rest = str(band).partition("\u00a0to\u00a0")
    high, _, unit = rest.partition("\u00a0")
    assert float(low) < float(high)
    assert unit.endswith("J")
    assert energy == outcomes[0].evaluation.energy_j.mean  # type: ignore[union-attr]
    assert len(operations_for_people(example.datasets[0].on_chip("odin-like-28nm")).rows) == 0
    assert NOT_AVAILABLE not in str(band)


def test_csv_files_have_units_in_their_columns(example: Reference) -> None:
    for table in tables(example):
        header = next(csv.reader(io.StringIO(table.csv())))
        assert len(header) == len(set(header))
        for name in header:
            if name.startswith(("energy_per_sample", "latency_per", "epoch_energy", "training_time", "area")):
                assert name.endswith(("_j", "_s", "_mm2")), name


def test_recomputing_a_history_leaves_the_errors_of_prices_common(example: Reference) -> None:
    """Its chip has another hash, for an option of it is set; its prices are those of STOP-WTL's chip."""
    found = [
        item for item in ratios(example) if item.case == "stbp-recomputed" and item.energy_ratio is not None
    ]
    assert found
    for item in found:
        assert item.energy_ratio is not None
        assert item.energy_ratio.ci_low is not None
        assert (item.energy_ratio.band_high - item.energy_ratio.band_low) / item.energy_ratio.mean < 0.3


def test_names_beside_the_chart_of_ratios_are_not_cut(example: Reference) -> None:
    marks = [layer["encoding"]["y"] for layer in ratio_chart(example)["layer"] if "y" in layer["encoding"]]
    assert marks
    assert all(place["axis"]["labelLimit"] == 0 for place in marks), (
        "Vega cuts at 180 pixels unless told 0: no limit"
    )
