"""`nmsim validate` as a user calls it: files, advice as a precision file, a run beside a workload."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nmsim.cli.verbs import app
from nmsim.pipeline.numerics import (
    NumericsListener,
    NumericsPlan,
    ShortTraining,
    measure_numerics,
    validate_numerics,
)
from nmsim.pipeline.subject import read_subject
from nmsim.pipeline.train import read_workload, train
from nmsim.validate.numerics.measured import AccuracyGap, FindingKind, SeedAccuracy


def test_a_workload_is_compared_and_its_advice_can_be_used(workload: Path, tmp_path: Path) -> None:
    plan = NumericsPlan(samples=4, test_samples=20, training=ShortTraining(seeds=2))
    given = ("precision.delta=s12.7",)
    result, paths = validate_numerics(read_subject(str(workload), given), tmp_path / "out", plan)
    assert all(path.exists() for path in paths)
    data = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert data["untrained"] is True
    assert [row["seed"] for row in data["accuracy"]] == [1, 2]
    assert data["accuracy_gap"]["interval_95"] > data["accuracy_gap"]["deviation"]
    assert {"own_sqnr_db", "saturation_rate", "underflow_rate", "unused_integer_bits"} <= data["tensors"][
        0
    ].keys()
    assert {row["time_step"] for row in data["tensors_by_step"]} == {1, 2, 3}
    page = (tmp_path / "out" / "validation.html").read_text()
    assert "These are initial parameters" in page
    advised = read_workload(str(workload), precision=tmp_path / "out" / "precision.yaml")
    finding = next(item for item in result.findings if item.key.endswith("0.delta"))
    assert str(advised.precision.resolve(0).delta.format) == finding.value
    again = measure_numerics(
        read_subject(str(workload), precision=tmp_path / "out" / "precision.yaml"),
        NumericsPlan(samples=4, test_samples=20),
        NumericsListener(),
    )
    kinds = {FindingKind.OVERFLOW, FindingKind.SATURATION, FindingKind.UNDERFLOW}
    assert not [item.sentence for item in again.findings if item.kind in kinds]


def test_formats_for_a_run_hold_what_it_began_with(workload: Path, tmp_path: Path) -> None:
    spec = read_workload(str(workload), "training.epochs=20", "training.learning_rates.weight=0.5")
    run = tmp_path / "run"
    train(spec, run, seed=1)
    subject = read_subject(str(run), ("precision.weight_gradient=s48",))
    assert subject.trained
    assert subject.start is not None
    plan = NumericsPlan(samples=8, test_samples=20)
    result = measure_numerics(subject, plan, NumericsListener())
    assert not result.untrained
    alone = measure_numerics(replace(subject, start=None), plan, NumericsListener())
    assert [item.value for item in alone.findings] != [item.value for item in result.findings]
    begin = read_subject(str(workload), ("precision.weight_gradient=s48",))
    start = measure_numerics(begin, plan, NumericsListener())
    named = {item.key: item.value for item in result.findings if item.key.endswith(("delta", "membrane"))}
    assert named
    for item in start.tensors:
        fmt = named.get(f"precision.layers.{item.layer}.{item.setting}")
        if fmt is not None and item.tensor != "threshold":
            total, fraction = map(int, fmt[1:].split("."))
            assert max(item.spread.high, -item.spread.low) <= 2.0 ** (total - 1 - fraction)


def test_the_accuracy_is_the_reports_or_says_why_not(workload: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    history = train(read_workload(str(workload)), run, seed=1)
    part = CliRunner().invoke(app, ["validate", str(run), "--samples", "2", "--test-samples", "20"])
    assert "20 of 100 held-out samples" in part.output
    assert "the report's accuracy is that of all of them: --test-samples 100 compares these" in part.output
    whole = CliRunner().invoke(app, ["validate", str(run), "--samples", "2", "--test-samples", "100"])
    assert f"all 100 held-out samples: fixed point {history.rows[-1].test_accuracy:.2%}" in whole.output


def test_a_gap_says_what_it_is_worth() -> None:
    seeds = (
        SeedAccuracy(1, 0.90, 0.92, 100),
        SeedAccuracy(2, 0.91, 0.92, 100),
        SeedAccuracy(3, 0.92, 0.92, 100),
    )
    gap = AccuracyGap("3 seeds", seeds)
    assert gap.interval == pytest.approx(4.3027 * 0.01 / 3**0.5, rel=1e-4)
    assert gap.sentence == (
        "mean gap -1.00%, fixed point minus float64, +-2.48% (95 % interval over 3 seeds): no difference that exceeds the"
        " spread of seeds"
    )
    sure = AccuracyGap("", tuple(SeedAccuracy(i, 0.90 + i / 1000, 0.95, 100) for i in range(4)))
    assert sure.sentence.endswith(": a difference")
    assert AccuracyGap("", seeds[:1]).sentence.endswith("; one seed tells no uncertainty")


def test_the_command_line_says_what_to_do_next(
    workload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["validate", str(workload), "--samples", "2", "--test-samples", "10"])
    assert shown.exit_code == 0
    text = " ".join(shown.output.split())
    assert "These are initial parameters: training widens ranges" in text
    assert "No training runs were compared; --seeds 3 measures" in text
    assert "All of these changes: --precision" in text
    folder = tmp_path / "runs" / "tiny-validation"
    assert (folder / "precision.yaml").exists()
