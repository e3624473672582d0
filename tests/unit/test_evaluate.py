"""Evaluation: from activity to a priced, audited record."""

from pathlib import Path

import numpy as np
import pytest

from nmsim import config, records
from nmsim.activity import Activity, LayerActivity
from nmsim.audit import audit
from nmsim.cost.static import static_power
from nmsim.cost.table import load_table
from nmsim.counts import ActionCounts
from nmsim.errors import CostError, TooFastError
from nmsim.evaluate import Evaluation, assess, evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec

NETWORK = config.build(
    NetworkSpec,
    config.parse_text(
        "{name: small, input_shape: [40], time_steps: 4, layers: [{kind: dense, units: 24}, {kind: dense, units: 8}]}",
        "network.yaml",
    ),
)
CHIP = """
name: tester
sources: [assumed]
tech_node_nm: 28
voltage_v: 0.9
clock_hz: 200e6
technology: cmos
mesh: {columns: 2, rows: 2}
barrier: {base_cycles: 10, per_tile_cycles: 2}
core_types:
  - neuron_slots: 64
    accumulate_lanes: 4
    mac_lanes: 2
    memories:
      - {name: weights, holds: [weight], words: 2048, word_bits: 64}
      - {name: gradients, holds: [weight_gradient, velocity], words: 8192, word_bits: 64}
      - name: states
        holds: [membrane, spike, threshold, threshold_gradient, threshold_trace, leak_trace, weight_trace,
                accumulator, delta, input, history, temporal_error, factor]
        words: 4096
        word_bits: 64
"""
PRECISION = Precision()


def make_chip(*assignments: str) -> ChipConfig:
    document = config.parse_text(CHIP, "chip.yaml")
    for assignment in assignments:
        document = document.with_value(assignment)
    return config.build(ChipConfig, document)


def make_activity(samples: int = 5, seed: int = 1) -> Activity:
    random = np.random.default_rng(seed)

    def layer(inputs: int, neurons: int) -> LayerActivity:
        shapes = {"inputs": inputs, "spikes": neurons, "traces": inputs, "deltas": neurons}
        share = random.uniform(0.1, 0.6, (samples, 1, 1))
        masks = {name: random.random((samples, 4, size)) < share for name, size in shapes.items()}
        return LayerActivity.from_masks((inputs,), (neurons,), 1, masks)

    layers = (layer(40, 24), layer(24, 8))
    labels = np.zeros(samples, np.int64)
    spikes = np.zeros((samples, 8), np.int64)
    return Activity(
        NETWORK.content_hash(), "stop-wtl", "fixed", 4, False, layers, np.arange(samples), labels, spikes
    )


def run(rule: str = "stop-wtl", *assignments: str, samples: int = 5, batch_size: int = 16) -> Evaluation:
    chip, needs = make_chip(*assignments), TrainingNeeds.for_rule(rule, batch_size=batch_size)
    mapping = map_network(NETWORK, PRECISION, needs, chip)
    costs = load_table(chip.technology)
    return evaluate(Deployment(NETWORK, PRECISION, needs, chip, mapping), make_activity(samples), costs)


@pytest.fixture(scope="module")
def training() -> Evaluation:
    return run()


@pytest.mark.parametrize("rule", ["inference", "stop-w", "stop-wtl", "stbp"])
def test_every_check_passes_under_every_rule(rule: str) -> None:
    found = run(rule)
    assert [check for check in found.audit if not check.passed] == []
    assert len(found.audit) >= 13
    assert found.training == (rule != "inference")


def test_the_record_says_what_it_is_about(training: Evaluation) -> None:
    assert (training.chip_name, training.network_name, training.costs_name) == ("tester", "small", "cmos")
    assert (training.rule, training.model, training.samples, training.time_steps) == (
        "stop-wtl",
        "analytic",
        5,
        4,
    )
    assert training.batch_size == 16
    assert training.chip_hash == make_chip().content_hash()
    assert training.activity_hash == make_activity().content_hash
    assert training.mapping_hash != run("inference").mapping_hash


def test_energy_is_the_sum_of_its_table(training: Evaluation) -> None:
    assert training.energy_j.mean == pytest.approx(training.energy.total_pj.mean() * 1e-12)
    assert training.energy_j.band_low < training.energy_j.mean < training.energy_j.band_high
    forward = [
        part.mean_j
        for (phase,), part in training.energy.by("phase").items()
        if phase in {"integrate", "neuron"}
    ]
    assert training.forward_energy_j.mean == pytest.approx(sum(forward))
    assert training.static_energy_j is not None
    leakage_w = static_power(make_chip(), load_table("cmos")).total_w
    assert training.static_energy_j.mean == pytest.approx(leakage_w * training.latency_s.mean)


def test_power_delay_product_and_throughput_follow_from_energy_and_time(training: Evaluation) -> None:
    assert training.power_w.mean == pytest.approx(training.energy_j.mean / training.latency_s.mean)
    assert training.throughput_per_s == pytest.approx(1 / training.latency_s.mean)
    per_sample = training.energy.total_pj * 1e-12 * training.perf.latency_s
    assert training.edp_js.mean == pytest.approx(per_sample.mean())
    low, mean = training.power_w.band_low, training.power_w.mean
    assert low / mean == pytest.approx(training.energy_j.band_low / training.energy_j.mean)


def test_the_interval_is_students_over_samples(training: Evaluation) -> None:
    joules = training.energy.total_pj * 1e-12
    # 2.776445 is the 97.5 % point of Student's t with 4 degrees of freedom
    half = 2.776445 * joules.std(ddof=1) / np.sqrt(5)
    assert training.energy_j.ci_high == pytest.approx(joules.mean() + half, rel=1e-6)
    assert training.energy_j.ci_low == pytest.approx(joules.mean() - half, rel=1e-6)


def test_one_sample_has_no_interval() -> None:
    found = run(samples=1)
    assert found.energy_j.ci_low is None
    assert found.latency_s.ci_high is None


def test_incremental_and_all_in_energy_per_sop_are_two_figures(training: Evaluation) -> None:
    activity = make_activity()
    synapses = activity.layers[0].mask("inputs").sum() * 24 + activity.layers[1].mask("inputs").sum() * 8
    assert training.sops_per_sample == synapses / 5
    assert training.energy_per_sop_all_in_j == pytest.approx(
        training.energy_j.mean / training.sops_per_sample
    )
    integrate = training.energy.select(phase="integrate")
    dynamic_j = integrate.mean_j - integrate.select(action="power").mean_j
    assert training.energy_per_sop_incremental_j == pytest.approx(dynamic_j / training.sops_per_sample)
    assert training.energy_per_sop_incremental_j < training.energy_per_sop_all_in_j


def test_the_update_is_shared_by_its_batch() -> None:
    alone, shared = run(batch_size=1), run(batch_size=64)
    ratio = (
        alone.energy.select(phase="update", component="sram").mean_j
        / shared.energy.select(phase="update", component="sram").mean_j
    )
    assert ratio == pytest.approx(64)


def test_memory_use_is_the_mappings(training: Evaluation) -> None:
    assert {use.memory for use in training.memory} == {"weights", "gradients", "states"}
    for use in training.memory:
        assert use.used_bits == sum(use.by_content_bits.values())
        assert 0 <= use.utilization <= 1
    # 40 x 24 + 24 x 8 weights of 16 bits, four to a word of 64 bits
    assert sum(use.used_bits for use in training.memory if use.memory == "weights") >= (960 + 192) * 16


def test_a_table_without_areas_says_so() -> None:
    found = run("inference", "technology=cmos")
    assert found.area is not None
    table = load_table("cmos")
    bare = table.model_copy(update={"area": table.area.model_copy(update={"router_um2_per_bit": None})})
    needs = TrainingNeeds.for_rule("inference")
    chip = make_chip()
    mapping = map_network(NETWORK, PRECISION, needs, chip)
    found = evaluate(Deployment(NETWORK, PRECISION, needs, chip, mapping), make_activity(), bare)
    assert found.area is None
    assert found.unavailable["area"].startswith("cmos: area.router_um2_per_bit is not in this table")


def test_an_event_table_leaves_area_out_and_declares_what_it_does_not_price() -> None:
    timing = "{synaptic_op_ns: 3.5, neuron_update_active_ns: 8.4, neuron_update_inactive_ns: 5.3}"
    found = run(
        "inference",
        "tech_node_nm=14",
        "voltage_v=0.75",
        "technology=loihi-2018",
        f"core_types.0.event_timing={timing}",
    )
    assert found.area is None
    assert found.unavailable == {"area": "loihi-2018: a table of level 'event' has no areas"}
    assert {gap.action for gap in found.unpriced} == {"spike_out", "axon_in", "axon_out", "barrier"}
    assert [check for check in found.audit if not check.passed] == []
    assert found.sops_per_sample > 0
    assert found.energy_per_sop_incremental_j >= 23.6e-12


def test_operations_dearer_than_those_of_published_chips_are_noted(training: Evaluation) -> None:
    def notes(found: Evaluation) -> list[str]:
        return [note for note in found.notes if "published digital chips of 22 to 28 nm" in note]

    joules = training.energy_per_sop_incremental_j
    assert joules is not None
    assert bool(notes(training)) == (joules > 10e-12)
    wide = run(
        "inference", "core_types.0.memories.0.word_bits=1024", "core_types.0.memories.2.word_bits=1024"
    )
    assert wide.energy_per_sop_incremental_j is not None
    assert wide.energy_per_sop_incremental_j > 10e-12
    assert notes(wide)
    assert not notes(run("inference", "tech_node_nm=45"))


def test_a_missing_price_stops_the_evaluation() -> None:
    table = load_table("cmos")
    bare = table.model_copy(update={"logic": table.logic.model_copy(update={"multiply_pj_per_bit2": None})})
    chip, needs = make_chip(), TrainingNeeds.for_rule("stop-w")
    mapping = map_network(NETWORK, PRECISION, needs, chip)
    with pytest.raises(
        CostError, match=r"^cmos: logic.multiply_pj_per_bit2 is not in this table, so what needs it"
    ):
        evaluate(Deployment(NETWORK, PRECISION, needs, chip, mapping), make_activity(), bare)


def test_a_clock_too_fast_for_its_supply_has_no_figures() -> None:
    with pytest.raises(
        TooFastError, match=r"^tester: 5 GHz at 0.9 V is too fast\n  logic: asks 5 GHz, can do 1.6 GHz"
    ):
        run("inference", "clock_hz=5e9")
    assert not any("clock" in note for note in run("inference").notes)


def test_memories_that_take_the_cycles_they_need_are_noted_and_fill_longer() -> None:
    auto = [f"core_types.0.memories.{index}.access_cycles=auto" for index in range(3)]
    by_hand = [f"core_types.0.memories.{index}.access_cycles=2" for index in range(3)]
    found = run("inference", "clock_hz=1.2e9", *auto)
    assert "core type 'core': memory 'gradients' takes 2 cycles per access at this clock" in found.notes
    # weights (16 KB) answer in one cycle at 1.2 GHz, gradients (64 KB) and states (32 KB) in two
    assert found.latency_s.mean == run("inference", "clock_hz=1.2e9", *auto[:1], *by_hand[1:]).latency_s.mean
    assert run("inference", *auto).latency_s.mean == run("inference").latency_s.mean


def test_a_memory_outside_the_fit_is_noted() -> None:
    found = run("inference", "core_types.0.memories.0.word_bits=512")
    assert (
        "core type 'core': words of weights 512 bit lie outside the 8 to 410 bit that the memory prices were fitted on:"
        " extrapolated, with a wider band" in found.notes
    )


def test_an_evaluation_is_stored_and_read_back(training: Evaluation, tmp_path: Path) -> None:
    records.save(tmp_path / "evaluation.npz", training, "test-1")
    back = records.load(tmp_path / "evaluation.npz", Evaluation, "test-1", "make it again")
    assert back.energy_j == training.energy_j
    assert back.audit == training.audit
    assert np.array_equal(back.energy.energy_pj, training.energy.energy_pj)
    assert back.energy.band_j == training.energy.band_j


def failed(evaluation: Evaluation, perf: object) -> set[str]:
    chip, table = make_chip(), load_table("cmos")
    checks = audit(chip, perf, evaluation.energy, static_power(chip, table), [("m", 0.5)])
    return {check.name for check in checks if not check.passed}


def test_the_audit_finds_what_is_wrong(training: Evaluation) -> None:
    from dataclasses import replace

    perf = training.perf
    assert failed(training, perf) == set()
    assert failed(training, replace(perf, packets_received=perf.packets_received - 1)) == {
        "packets sent are received"
    }
    assert failed(training, replace(perf, cycles=perf.cycles / 1000)) >= {
        "memory accesses of a sample fit the bandwidth",
        "time by phase adds up",
    }
    counts = perf.counts
    more = ActionCounts(counts.columns, counts.counts * 2, counts.per_batch)
    assert "flit hops equal flits on links" in failed(training, replace(perf, counts=more))
    negative = ActionCounts(counts.columns, -counts.counts, counts.per_batch)
    assert "no count is negative" in failed(training, replace(perf, counts=negative))
    energy = replace(training.energy, energy_pj=training.energy.energy_pj * 1.001)
    assert failed(replace(training, energy=energy), perf) >= {"counts x prices equal the total"}
    short = training.energy.select(component=("alu", "sram", "control", "static"))
    assert "every action that happened has one price" in failed(replace(training, energy=short), perf)


def test_an_overfull_memory_fails_the_audit(training: Evaluation) -> None:
    chip = make_chip()
    checks = audit(
        chip, training.perf, training.energy, static_power(chip, load_table("cmos")), [("m", 1.01)]
    )
    assert [check.name for check in checks if not check.passed] == ["what memories hold fits their capacity"]


def test_a_result_can_be_priced_again_with_another_table(training: Evaluation) -> None:
    chip, needs = make_chip(), TrainingNeeds.for_rule("stop-wtl", batch_size=16)
    mapping = map_network(NETWORK, PRECISION, needs, chip)
    again = assess(
        Deployment(NETWORK, PRECISION, needs, chip, mapping),
        make_activity(),
        load_table("cmos"),
        training.perf,
    )
    assert again.energy_j == training.energy_j
    lower = make_chip("voltage_v=0.7")
    cheaper = assess(
        Deployment(NETWORK, PRECISION, needs, lower, mapping),
        make_activity(),
        load_table("cmos"),
        training.perf,
    )
    dynamic = {"component": ("alu", "sram", "noc", "control", "sync")}
    ratio = cheaper.energy.select(**dynamic).mean_j / training.energy.select(**dynamic).mean_j
    assert ratio == pytest.approx((0.7 / 0.9) ** 2)


def test_no_total_is_made_of_what_has_no_source() -> None:
    found = run("stop-wtl", "power.static_power_w=0.001", "sources=[]")
    missing = ("energy", "forward_energy", "static_energy", "power", "edp", "energy_per_sop_all_in")
    assert (found.energy_j, found.power_w, found.edp_js, found.static_energy_j) == (None, None, None, None)
    assert all("power.static_power_w" in found.unavailable[name] for name in missing)
    assert found.latency_s.mean > 0
    assert found.energy.mean_j > 0  # what is priced, action by action, stays


def test_a_chip_that_could_not_exist_fails_its_audit() -> None:
    found = run("stop-wtl", "power.static_power_w=50")
    assert not found.audit_passed
    assert {check.group for check in found.failed_checks} == {"plausible"}
