"""The files beside the page: totals agree, schema holds, the same run gives the same bytes."""

import csv
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmsim.evaluate import Evaluation
from nmsim.perf.model import TimelineEvent
from nmsim.report.result import RunResult
from nmsim.report.summary import SCHEMA, Summary, summary_schema, summary_text
from nmsim.report.trace import lanes
from nmsim.report.write import report_files, write_report
from nmsim.stop.history import TrainingHistory

EXPECTED = {
    "summary.json", "summary.md", "energy.csv", "latency.csv", "stages.csv", "memory.csv", "timesteps.csv", "cores.csv",
    "links.csv", "actions.csv", "operations.csv", "area.csv", "training.csv", "trace.json", "report.html",
}  # fmt: skip


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def totals(folder: Path, name: str, column: str) -> dict[tuple[str, str, str], float]:
    found: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in rows(folder, name):
        found[row["chip"], row["rule"], row["model"]] += float(row[column])
    return dict(found)


def key(item: Evaluation) -> tuple[str, str, str]:
    return item.chip_name, item.rule, item.model


@pytest.fixture(scope="module")
def summary(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return content


def test_every_file_is_written_and_named(folder: Path) -> None:
    found = {path.name for path in folder.iterdir() if path.is_file()}
    assert found == EXPECTED
    assert len(list((folder / "pictures").glob("*.svg"))) >= 9


def test_every_row_with_an_energy_says_of_which_network_it_is(folder: Path) -> None:
    named = []
    for path in sorted(folder.glob("*.csv")):
        head = rows(folder, path.name)[0]
        if any(name.endswith("_j") for name in head):
            named.append(path.name)
            assert head["stamp"], path.name
    assert {"energy.csv", "timesteps.csv"} <= set(named)


def test_the_same_run_gives_the_same_bytes(result: RunResult, folder: Path, tmp_path: Path) -> None:
    written = write_report(result, tmp_path)
    assert written
    for path in written:
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes(), path.name


def test_energies_add_up_to_the_totals(folder: Path, result: RunResult) -> None:
    found = totals(folder, "energy.csv", "energy_j")
    assert len(found) == len(result.evaluations)
    for item in result.evaluations:
        assert found[key(item)] == pytest.approx(item.energy_j.mean, rel=1e-9)


def test_every_energy_lies_in_its_band(folder: Path) -> None:
    for row in rows(folder, "energy.csv"):
        assert float(row["energy_band_low_j"]) <= float(row["energy_j"]) <= float(row["energy_band_high_j"])


def test_times_add_up_to_the_latency(folder: Path, result: RunResult) -> None:
    found = totals(folder, "latency.csv", "latency_s")
    for item in result.evaluations:
        assert found[key(item)] == pytest.approx(item.latency_s.mean, rel=1e-9)


def test_energies_of_cores_and_of_what_they_share_add_up(folder: Path, result: RunResult) -> None:
    found = totals(folder, "cores.csv", "energy_j")
    for item in result.evaluations:
        outside = item.energy.select(
            core=tuple(set(item.energy.columns["core"].tolist()) - set(item.perf.cores.tolist()))
        )
        assert found[key(item)] + outside.mean_j == pytest.approx(item.energy_j.mean, rel=1e-9)


def test_flits_of_links_are_those_of_the_model(folder: Path, result: RunResult) -> None:
    found = totals(folder, "links.csv", "flits_per_sample")
    for item in result.evaluations:
        assert found[key(item)] == pytest.approx(item.perf.link_flits.sum(axis=0).mean())


def test_every_memory_is_listed_with_what_it_holds(folder: Path, result: RunResult) -> None:
    listed = rows(folder, "memory.csv")
    assert len(listed) == sum(len(item.memory) for item in result.evaluations)
    for row in listed:
        contents = dict(part.split("=") for part in row["contents"].split())
        assert sum(map(int, contents.values())) == int(row["used_bits"]) <= int(row["capacity_bits"])


def test_time_steps_hold_the_latency_of_slots_and_the_dynamic_energy(folder: Path, result: RunResult) -> None:
    item = result.subject
    own = [
        row for row in rows(folder, "timesteps.csv") if (row["chip"], row["rule"], row["model"]) == key(item)
    ]
    latency = sum(float(row["slot_latency_s"]) for row in own if row["slot_latency_s"])
    assert latency == pytest.approx(float(item.perf.cycles.mean()) / item.perf.clock_hz)
    assert item.step_energy is not None
    energy = [float(row["dynamic_energy_j"]) for row in own if row["dynamic_energy_j"]]
    assert energy == pytest.approx((item.step_energy.total_pj * 1e-12).tolist())
    for row in own[: item.time_steps]:
        parts = [
            float(value)
            for name, value in row.items()
            if name.endswith("_energy_j") and name[0] != "d" and value
        ]
        assert sum(parts) == pytest.approx(float(row["dynamic_energy_j"]))


def test_training_holds_every_epoch(folder: Path, result: RunResult) -> None:
    listed = rows(folder, "training.csv")
    assert [float(row["test_accuracy"]) for row in listed] == [
        row.test_accuracy for row in result.history.rows
    ]


def test_the_summary_has_its_schema_and_reads_back(summary: dict[str, Any], folder: Path) -> None:
    assert summary["schema"] == SCHEMA == "nmsim/summary-2"
    again = Summary.model_validate(summary)
    assert summary_text(again) == (folder / "summary.json").read_text(encoding="utf-8")


def test_an_unknown_key_is_no_summary(summary: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        Summary.model_validate({**summary, "more": 1})


def test_the_published_schema_is_the_one_in_use() -> None:
    path = Path(__file__).parents[3] / "docs" / "schemas" / "summary-2.json"
    assert json.loads(path.read_text(encoding="utf-8")) == summary_schema(), (
        f"write it anew: see {path.name} in docs/report.md"
    )


UNITS = (
    "_j", "_s", "_w", "_js", "_mm2", "_bits", "_fraction", "_samples", "_density", "_rate", "_per_sample", "_per_epoch",
    "_step", "_ratio",
)  # fmt: skip
PLAIN = {
    "milestones",
    "samples",
    "time_steps",
    "batch_size",
    "seed",
    "epochs",
    "subject",
    "expected",
    "found",
    "cores_used",
}
"""Counts, and the two figures of a check, whose unit is a field of its own."""


def test_every_figure_of_the_schema_names_its_unit() -> None:
    schema = summary_schema()
    for part in (schema, *schema["$defs"].values()):
        for name, field in part.get("properties", {}).items():
            kinds = {option.get("type") for option in field.get("anyOf", [field])}
            assert not kinds & {"number", "integer"} or name in PLAIN or name.endswith(UNITS), name


def test_the_summary_repeats_the_records(summary: dict[str, Any], result: RunResult) -> None:
    subject = summary["evaluations"][summary["subject"]]
    item = result.subject
    assert subject["energy_per_sample_j"] == item.energy_j.mean
    assert subject["energy_per_sample_ci95_j"] == [item.energy_j.ci_low, item.energy_j.ci_high]
    assert sum(subject["energy_by_layer_j"].values()) == pytest.approx(item.energy_j.mean)
    assert sum(subject["latency_by_phase_s"].values()) == pytest.approx(item.latency_s.mean)
    assert summary["accuracy"]["held_out_samples"] == 64
    assert {entry["rule"] for entry in summary["memory"]} == {
        "inference",
        "stop-w",
        "stop-wt",
        "stop-wl",
        "stop-wtl",
        "stbp",
    }


def test_extrapolations_scale_mean_interval_and_band(summary: dict[str, Any], result: RunResult) -> None:
    item, entry = result.subject, summary["extrapolation"][0]
    assert (entry["samples_per_epoch"], entry["epochs"]) == (192, 2)
    assert entry["energy_per_epoch_j"] == pytest.approx(192 * item.energy_j.mean)
    assert entry["energy_full_training_ci95_j"][1] == pytest.approx(384 * (item.energy_j.ci_high or 0))
    assert entry["energy_full_training_band_j"][0] == pytest.approx(384 * item.energy_j.band_low)
    assert {e["rule"] for e in summary["extrapolation"]} == {"stop-wtl", "stbp"}


def test_markdown_and_page_tell_the_same_energy(folder: Path) -> None:
    text = (folder / "summary.md").read_text(encoding="utf-8")
    stated = text.split("Modelled; ")[1].split(" in all")[0]
    assert stated in (folder / "report.html").read_text(encoding="utf-8")


def test_the_trace_loads_and_its_events_nest(folder: Path, result: RunResult) -> None:
    trace = json.loads((folder / "trace.json").read_text(encoding="utf-8"))
    bars: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    names: set[tuple[int, int]] = set()
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            start, end = event["ts"] * 1e6, (event["ts"] + event["dur"]) * 1e6
            bars[event["pid"], event["tid"]].append((round(start), round(end)))
        elif event["name"] == "thread_name":
            names.add((event["pid"], event["tid"]))
    assert set(bars) == names
    kinds = [event["args"]["name"] for event in trace["traceEvents"] if event["name"] == "process_name"]
    assert kinds == ["core", "memory", "link", "barrier"]
    for event in trace["traceEvents"]:
        assert {"ph", "name", "pid", "tid"} <= set(event)
        if event["ph"] == "X":
            assert event["ts"] >= 0
            assert event["dur"] > 0
            assert event["args"]["busy_cycles"] > 0
    assert trace["otherData"]["left_out_bars"] == 0
    assert sum(map(len, bars.values())) == sum(len(item.perf.timeline) for item in result.evaluations) > 50
    for spans in bars.values():
        for begin, end in spans:
            assert not any(begin < other < end < last for other, last in spans)
    item = next(item for item in result.evaluations if item.perf.timeline)
    latest = max(event.start_cycles + event.duration_cycles for event in item.perf.timeline)
    assert max(end for spans in bars.values() for _, end in spans) == pytest.approx(latest / 200 * 1e6)


def test_overlapping_bars_of_a_track_go_to_lanes_of_their_own() -> None:
    random = np.random.default_rng(5)
    events = [
        TimelineEvent("t", str(i), float(s), float(d), float(d))
        for i, (s, d) in enumerate(random.integers(1, 40, (60, 2)))
    ]
    spread = lanes(events)
    assert sorted(event.name for lane in spread for event in lane) == sorted(event.name for event in events)
    for lane in spread:
        spans = [(event.start_cycles, event.start_cycles + event.duration_cycles) for event in lane]
        assert not any(a < c < b < d for a, b in spans for c, d in spans)
    assert (
        len(
            lanes(
                [
                    TimelineEvent("t", "a", 0, 10, 10),
                    TimelineEvent("t", "b", 2, 3, 3),
                    TimelineEvent("t", "c", 10, 1, 1),
                ]
            )
        )
        == 1
    )


def test_a_run_without_training_or_event_model_has_no_such_files(result: RunResult) -> None:
    analytic = tuple(item for item in result.evaluations if item.model == "analytic")
    names = {
        name for name, _ in report_files(replace(result, history=TrainingHistory(), evaluations=analytic))
    }
    assert names & {"training.csv", "trace.json", "pictures/training-curve.svg"} == set()
    assert "report.html" in names


def test_the_counts_of_actions_are_those_that_were_priced(result: RunResult, folder: Path) -> None:
    item = result.subject
    mine = [
        row for row in rows(folder, "actions.csv") if row["rule"] == item.rule and row["model"] == item.model
    ]
    macs = sum(float(row["count_per_sample"]) for row in mine if row["action"] == "mac")
    counts = item.perf.counts.select(action="mac")
    once, always = (
        counts.counts[keep].sum() / item.samples for keep in (counts.per_batch, ~counts.per_batch)
    )
    assert macs == pytest.approx(always + once / item.batch_size)
    assert {row["phase"] for row in mine} >= {"integrate", "neuron", "error", "gradient", "update"}


def test_operations_are_the_synapses_served_and_their_conventional_energy(
    result: RunResult, folder: Path
) -> None:
    item = result.subject
    mine = [
        row
        for row in rows(folder, "operations.csv")
        if row["rule"] == item.rule and row["model"] == item.model
    ]
    kinds = {
        kind: sum(float(row["operations_per_sample"]) for row in mine if row["operation"] == kind)
        for kind in ("AC", "MAC")
    }
    integrated = sum(float(row["operations_per_sample"]) for row in mine if row["phase"] == "integrate")
    assert integrated == pytest.approx(item.sops_per_sample)
    energy = sum(float(row["convention_45nm_j"]) for row in mine)
    assert energy == pytest.approx((0.9 * kinds["AC"] + 4.6 * kinds["MAC"]) * 1e-12)
    alu = item.energy.select(component="alu", action=("sop", "mac")).mean_j
    assert sum(float(row["modelled_arithmetic_j"]) for row in mine) == pytest.approx(alu)
    passes = [row for row in mine if row["phase"] in {"integrate", "error", "gradient"}]
    assert passes
    assert all(
        float(row["operations_per_sample"]) <= float(row["dense_operations_per_sample"]) for row in passes
    )


def test_areas_of_components_add_up_to_the_chip(result: RunResult, folder: Path) -> None:
    found = {row["component"]: row for row in rows(folder, "area.csv")}
    parts = [float(row["area_mm2"]) for name, row in found.items() if name != "total"]
    assert sum(parts) == pytest.approx(float(found["total"]["area_mm2"]))
    assert (
        float(found["total"]["area_band_low_mm2"]) < sum(parts) < float(found["total"]["area_band_high_mm2"])
    )
    assert result.subject.area is not None
