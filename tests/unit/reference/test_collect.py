"""Collecting a reference: what is run, on which samples, under which settings, and what becomes of failures."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_reference import example_plan, write_inputs

from nmsim import records
from nmsim.diagnosis import _measured, _stamp
from nmsim.errors import ConfigError, DataError
from nmsim.figures import MACS
from nmsim.network.memory import TrainingNeeds
from nmsim.network.memory_table import network_memory
from nmsim.pipeline.kept import find_kept, read_kept
from nmsim.pipeline.reference import Listener, collect
from nmsim.pipeline.reference_cases import SCHEMA, KeptCase
from nmsim.pipeline.reference_plan import ReferencePlan, planned_workload, read_plan
from nmsim.pipeline.simulate import read_chip
from nmsim.report.reference.result import CASES, Reference
from nmsim.report.reference.tables import tables
from nmsim.report.reference.write import record, reference_files
from nmsim.rules import STOP_WTL
from nmsim.stop.train import Progress

ALL = [case.name for case in CASES]


def test_the_seven_rules() -> None:
    assert ALL == ["inference", "stop-w", "stop-wt", "stop-wl", "stop-wtl", "stbp-stored", "stbp-recomputed"]


def test_every_rule_on_every_chip(example: Reference) -> None:
    digits = example.datasets[0]
    assert [outcome.case for outcome in digits.on_chip("edge-28nm")] == ALL
    assert [outcome.case for outcome in digits.on_chip("odin-like-28nm")] == ALL
    items = {outcome.case: outcome.evaluation for outcome in digits.on_chip("edge-28nm")}
    assert all(item is not None and item.audit_passed for item in items.values())
    energy = {case: item.energy_j.mean for case, item in items.items() if item}
    assert energy["inference"] < energy["stop-w"] < energy["stop-wtl"]
    assert (
        energy["inference"] < energy["stbp-recomputed"]
    )  # whether STBP costs more than STOP is the machine's to say
    assert items["stbp-stored"].chip_hash != items["stbp-recomputed"].chip_hash  # type: ignore[union-attr]


def test_a_network_that_does_not_fit_is_a_result_with_its_reason(example: Reference) -> None:
    outcome = example.datasets[0].on_chip("odin-like-28nm")[-1]
    assert outcome.evaluation is None
    assert "does not fit" in outcome.problem


def test_preparation_and_figures_have_their_own_settings(example: Reference) -> None:
    digits = example.datasets[0]
    assert digits.prepared_samples == 32
    assert digits.workload.training.epochs == 7
    assert digits.prepared.training.epochs == 1
    assert digits.workload.training.momentum == digits.prepared.training.momentum == 0.5
    assert digits.workload.training.rule == STOP_WTL
    assert digits.activities["stop"].samples == 4
    assert digits.activities["stop"].origin == "fixed"
    assert digits.history.test_samples == 16


def test_one_activity_serves_all_rules_of_a_scheme(example: Reference) -> None:
    digits = example.datasets[0]
    for outcome in digits.on_chip("edge-28nm"):
        scheme = "stbp" if outcome.case.startswith("stbp") else "stop"
        assert outcome.evaluation is not None
        assert outcome.evaluation.activity_hash == digits.activities[scheme].content_hash


def test_a_stand_in_says_so_and_brings_its_settings(example: Reference) -> None:
    events = example.datasets[1]
    assert events.stand_in == "Digits took the place of events."
    assert events.workload.training.batch_size == events.prepared.training.batch_size == 4
    assert example.datasets[0].stand_in == ""


def test_absent_data_is_named(example: Reference) -> None:
    assert [(entry.title, entry.reason) for entry in example.absent] == [
        ("Absent", "none of absent.npz is below the data root")
    ]


def test_no_path_of_this_computer_is_kept(example: Reference, files: dict[str, str], inputs: Path) -> None:
    assert example.datasets[0].provenance["dataset"]["source"] == "mnist.npz"
    assert not any(str(inputs) in text for text in files.values())


def test_memory_of_a_case_is_the_networks(example: Reference) -> None:
    digits = example.datasets[0]
    needs = TrainingNeeds(
        carries="history",
        momentum=True,
        stbp_history="recompute",
        batch_size=8,
        sample_bits=8,
        static_input=True,
    )
    expected = network_memory(digits.workload.network, digits.workload.precision, needs)
    assert digits.memory["stbp-recomputed"].bits() == expected.bits()
    assert digits.memory["stbp-stored"].bits("state_only") > expected.bits("state_only")


def test_macs_are_those_of_the_cores_without_the_update(example: Reference) -> None:
    """Inference of a static input: the first layer multiplies once per sample for every non-zero pixel and window."""
    digits = example.datasets[0]
    activity, network = digits.activities["stop"], digits.workload.network
    pixels = activity.layers[0].mask("inputs")[:, 0].reshape(-1, 28, 28)
    windows = sum(
        pixels[:, row : row + 5, column : column + 5].sum()
        for row in range(0, 24, 2)
        for column in range(0, 24, 2)
    )
    outcome = next(item for item in digits.on_chip("edge-28nm") if item.case == "inference")
    channels = network.synaptic_layers[0].out_shape[0]
    neurons = sum(layer.neurons for layer in network.synaptic_layers)
    first = channels * int(windows) / activity.samples
    assert outcome.evaluation is not None
    assert first <= (MACS.of(outcome.evaluation) or 0) <= first + 2 * neurons * network.time_steps


def test_the_same_data_elsewhere_gives_the_same_bytes_and_resume_too(
    example: Reference, files: dict[str, str], tmp_path: Path
) -> None:
    """Another folder for data, workloads and training runs changes the plan's hash, which names them, and nothing else."""
    write_inputs(tmp_path)
    plan = example_plan(tmp_path)
    other = replace(collect(plan, tmp_path, tmp_path / "work"), plan_hash=example.plan_hash)
    again = collect(plan, tmp_path, tmp_path / "work", resume=True)
    assert dict(reference_files(other)) == files
    assert {table.name: table.csv() for table in tables(again)} == {
        table.name: table.csv() for table in tables(example)
    }
    assert record(again)["datasets"] == record(example)["datasets"]


def test_a_stopped_report_goes_on(inputs: Path, tmp_path: Path) -> None:
    plan = example_plan(inputs)
    plan = plan.model_copy(update={"datasets": plan.datasets[:1], "chips": plan.chips[:1]})

    class StoppedError(Exception):
        pass

    def stop(text: str) -> None:
        if "stop-w " in text:
            raise StoppedError

    with pytest.raises(StoppedError):
        collect(plan, inputs, tmp_path, listener=Listener(say=stop))
    trained: list[Progress] = []
    said: list[str] = []
    found = collect(
        plan,
        inputs,
        tmp_path,
        resume=True,
        listener=Listener(said.append, lambda _: nullcontext(trained.append)),
    )
    assert trained == [], "the training was finished and is not done again"
    assert not any("inference" in text for text in said), "nor is the case that was"
    assert any("stop-w " in text for text in said)
    assert len(found.datasets[0].outcomes) == len(CASES)


def test_a_case_that_was_made_of_something_else_is_made_again(inputs: Path, tmp_path: Path) -> None:
    plan = example_plan(inputs)
    plan = plan.model_copy(update={"datasets": plan.datasets[:1], "chips": plan.chips[:1]})
    collect(plan, inputs, tmp_path)
    files = sorted(tmp_path.glob("*/cases/*.npz"))
    assert len(files) == len(CASES)
    other = records.load(files[0], KeptCase, SCHEMA, "")
    records.save(files[0], replace(other, made_of="of another chip"), SCHEMA)
    files[1].write_bytes(b"damaged")
    said: list[str] = []
    collect(plan, inputs, tmp_path, resume=True, listener=Listener(said.append))
    again = [text for text in said if " on " in text and "prepare" not in text]
    assert len(again) == 2, again


def test_no_data_at_all_is_an_error(inputs: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of the data of plan 'example' is there; give the folder"):
        collect(example_plan(inputs), tmp_path, tmp_path / "work")


def test_titles_and_workloads_are_distinct(inputs: Path) -> None:
    plan = example_plan(inputs)
    twice = {**plan.model_dump(mode="json"), "datasets": [plan.datasets[0].model_dump(mode="json")] * 2}
    with pytest.raises(ValueError, match=r"datasets: the titles .* repeat"):
        ReferencePlan.model_validate(twice)


def test_the_shipped_plan_is_sound() -> None:
    plan = read_plan("five-data-sets")
    assert [entry.title for entry in plan.datasets] == [
        "MNIST, trained", "CIFAR-10, trained", "CIFAR-100, partly trained", "N-MNIST, trained",
        "DVS-Gesture windows, trained", "MNIST", "CIFAR-10", "CIFAR-100", "DVS-Gesture", "DVS-CIFAR10",
    ]  # fmt: skip
    assert len(plan.chips) >= 3
    for name in plan.chips:
        read_chip(name)
    for entry in plan.datasets:
        if entry.kept is not None:
            own = planned_workload(entry, entry.settings, None, "plan")
            assert (
                read_kept(find_kept(entry.kept)).workload.network.content_hash() == own.network.content_hash()
            )
        for settings in (entry.settings, entry.preparation):
            workload = planned_workload(entry, settings, None, "plan")
            assert workload.training.arithmetic == "fixed"
        if entry.stand_in is not None:
            assert entry.stand_in.note
            planned_workload(entry, entry.stand_in.settings, None, "plan")


def test_a_title_that_says_trained_is_what_the_kept_network_is_stamped() -> None:
    for entry in read_plan("five-data-sets").datasets:
        if entry.kept is not None:
            kept = read_kept(find_kept(entry.kept))
            measured, guess = _measured(kept.history), 1 / kept.workload.network.classes
            assert entry.title.endswith(f", {_stamp(measured, guess)}"), entry.title


def test_a_wrong_key_of_a_plan_names_its_data_set(inputs: Path) -> None:
    entry = example_plan(inputs).datasets[0]
    with pytest.raises(ConfigError, match=r"plan x, data set Digits: training\.batchsize: unknown key"):
        planned_workload(entry, {"training.batchsize": 3}, None, "plan x, data set Digits")


def test_spike_rates_are_alive_in_every_layer(example: Reference) -> None:
    rates = [layer.density("spikes") for layer in example.datasets[0].activities["stop"].layers]
    assert np.min(rates) > 0.01


def test_energy_is_followed_along_a_preparation_that_recorded_milestones(example: Reference) -> None:
    digits, events = example.datasets[:2]
    assert [(item.chip_name, item.rule) for item in digits.learning] == [
        ("edge-28nm", "stop-wtl"), ("edge-28nm", "stbp"),
    ]  # fmt: skip
    own = digits.learning[0]
    assert [point.samples_seen for point in own.points] == [0, 16, 32]
    assert own.samples == 4
    assert own.points[-1].accuracy == digits.history.test_accuracy
    assert events.learning == ()
