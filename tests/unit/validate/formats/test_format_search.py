"""The search for narrow formats: what it writes can be used as it is, holds what it promises, and survives a kill."""

import json
from pathlib import Path

import pytest

from nmsim.errors import CheckFailedError, RunError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.pipeline.formats import FormatsListener, FormatsPlan, search_formats
from nmsim.pipeline.numerics import ShortTraining
from nmsim.pipeline.train import read_workload
from nmsim.stop.engines import create_engine
from nmsim.stop.train import train
from nmsim.validate.formats.calibrate import Ranges
from nmsim.validate.formats.format_search import FormatSearch, Found, confirm
from nmsim.validate.formats.found import FormatSearchResult
from nmsim.validate.formats.trials import Journal, Trainer
from nmsim.validate.formats.widths import PrecisionTemplate
from nmsim.workload import WorkloadSpec, prepare

RUNS = ShortTraining(seeds=1)
LONGER = ("training.epochs=2", "training.learning_rates.weight=0.5")
TOLERANCE = 0.1
WORKLOAD = """\
name: tiny
dataset: {name: mnist-subset, train_samples: 256, test_samples: 100}
encoding: {kind: direct, downsample: 1/2}
network:
  input_shape: [1, 14, 14]
  time_steps: 2
  layers: [{kind: dense, units: 12}, {kind: dense, units: 10}]
training: {epochs: 1, batch_size: 16}
profile: {samples: 2}
"""


def spec(path: Path) -> WorkloadSpec:
    return read_workload(str(path), *LONGER)


def accuracy(workload: WorkloadSpec, seed: int) -> tuple[float, dict[str, int]]:
    """What plain training gives with the workload's precision, and the overflows it counts."""
    prepared = prepare(workload, seed)
    engine = create_engine(
        workload.network, workload.precision, workload.training, prepared.input_format, seed
    )
    history = train(engine, prepared.train, prepared.test, seed=seed, run_hash="")
    assert history.test_accuracy is not None
    return history.test_accuracy, engine.overflow_counts()


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, FormatSearchResult]:
    """Workload, folder and result of one search."""
    folder = tmp_path_factory.mktemp("searched")
    path = folder / "tiny.yaml"
    path.write_text(WORKLOAD)
    found, _ = search_formats(spec(path), folder / "out", FormatsPlan(RUNS, tolerance=TOLERANCE, budget=20))
    return path, folder / "out", found


def test_the_precision_file_is_used_as_it_is_and_keeps_what_it_says(
    searched: tuple[Path, Path, FormatSearchResult],
) -> None:
    path, out, found = searched
    narrow = read_workload(str(path), *LONGER, precision=out / "precision.yaml")
    assert narrow.precision == found.precision
    reached, overflows = accuracy(narrow, 1)
    assert reached == found.accuracy
    assert reached >= found.reference_accuracy - TOLERANCE
    sums = ("current", "error_sum", "weight_gradient", "threshold_gradient", "leak_gradient")
    assert not any(count for name, count in overflows.items() if name.endswith(sums))
    assert found.memory_bits < found.given_memory_bits
    assert accuracy(narrow, 2)[0] == found.confirmed[0].fixed


def test_a_format_is_not_narrower_than_the_range_that_was_seen(
    searched: tuple[Path, Path, FormatSearchResult],
) -> None:
    for slot in searched[2].slots:
        lowest, highest = (raw * slot.found.lsb for raw in (slot.found.min_raw, slot.found.max_raw + 1))
        if slot.setting not in {"leak_factor", "surrogate"}:
            assert lowest <= slot.low, slot
            assert slot.high <= highest, slot


def test_after_a_kill_the_same_result_without_training_twice(workload: Path, tmp_path: Path) -> None:
    plan, out = FormatsPlan(RUNS, tolerance=TOLERANCE, budget=8, confirm_seeds=0), tmp_path / "out"
    whole, _ = search_formats(spec(workload), tmp_path / "whole", plan)

    class KilledError(Exception):
        pass

    def kill(found: Found, _: int) -> None:
        if len(found.trials) == 5:
            raise KilledError

    with pytest.raises(KilledError):
        search_formats(spec(workload), out, plan, listener=FormatsListener(kill))
    journal = out / "trials.jsonl"
    first = journal.read_text().splitlines()
    journal.write_text(journal.read_text() + '{"run": "torn')
    with pytest.raises(RunError, match="go on with --resume, or replace it with --overwrite"):
        search_formats(spec(workload), out, plan)
    trained: set[str] = set()
    listener = FormatsListener(training=lambda name, _: trained.add(name))
    resumed, _ = search_formats(spec(workload), out, plan, resume=True, listener=listener)
    assert resumed == whole
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    runs = [line["run"] for line in lines[1:]]
    assert len(set(runs)) == len(runs)
    assert [json.loads(line) for line in first] == lines[: len(first)]
    assert len(trained) == len(lines) - len(first)


def test_a_result_that_fails_on_other_seeds_gets_wider(workload: Path, tmp_path: Path) -> None:
    """No format is better than float64 by all samples, so that widths grow to those of the start, a bit at a time."""
    base = spec(workload)
    with Journal.open(tmp_path / "trials.jsonl", resume=False, overwrite=False) as journal:
        trainer = Trainer(lambda seed: prepare(base, seed), (1,), journal)
        prepared = trainer.prepared(1)
        layout = PrecisionTemplate(
            base.network, base.training, base.precision, prepared.input_format, trainer.real(1)[1], 1
        )
        needs = TrainingNeeds.for_rule("stop-wtl")
        search = FormatSearch(layout, needs, trainer, 0.0, 10)
        search.found.widths = search.start.with_bits("weight", 14).with_bits("delta", 15)
        judge = Trainer(lambda seed: prepare(base, seed), (2,), journal)
        widths, confirmed = confirm(search, judge, -1.0)
        trials = search.found.trials
        assert widths == search.start
        assert [trial.what for trial in trials] == [
            "the formats found", "the formats found and 1 bits more", "the formats found and 2 bits more",
        ]  # fmt: skip
        assert not any(trial.passes for trial in trials)
        memory = [trial.memory_bits for trial in trials]
        assert memory == sorted(set(memory))
        assert confirmed[0].fixed == trials[-1].accuracy
        accepted, _ = confirm(search, judge, 1.0)
        assert accepted == search.found.widths


def test_saturating_formats_may_be_narrower_than_their_range(workload: Path, tmp_path: Path) -> None:
    base = spec(workload)
    place = (0, "membrane")
    ends = {place: (-20.0, 20.0)}
    needed = [
        PrecisionTemplate(
            base.network, base.training, base.precision, QFormat.parse("u8.8"), Ranges(ends), 1, saturating
        ).needed(place)
        for saturating in (False, True)
    ]
    assert needed == [5, None]
    found, _ = search_formats(
        base, tmp_path / "out", FormatsPlan(RUNS, tolerance=0.3, budget=150, saturating=True, confirm_seeds=0)
    )
    narrower = [
        slot.setting
        for slot in found.slots
        if slot.found.max_raw * slot.found.lsb < slot.high or slot.found.min_raw * slot.found.lsb > slot.low
    ]
    assert set(narrower) - {"leak_factor", "surrogate"}


def test_a_target_out_of_reach_is_said(workload: Path, tmp_path: Path) -> None:
    """Sums whose weights are 0 or far too large, whatever the width of everything else."""
    hopeless = spec(workload)
    hopeless = hopeless.model_copy(update={"precision": Precision.model_validate({"weight_used": "s2.-4"})})
    plan = FormatsPlan(RUNS, tolerance=0.0, confirm_seeds=0)
    with pytest.raises(
        CheckFailedError, match=r"^formats: no start reaches the target accuracy .*--tolerance"
    ):
        search_formats(hopeless, tmp_path / "out", plan)
