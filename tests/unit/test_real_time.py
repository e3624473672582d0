"""Chips that live with the world: arrival rates, ticks, ports, clocks of event chips, hosts."""

import numpy as np
import pytest
from test_evaluate import NETWORK, PRECISION, make_activity, make_chip, run

from nmsim import config
from nmsim.cost.table import load_table
from nmsim.errors import ConfigError
from nmsim.evaluate import Evaluation, evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.event.chip import EventModel
from nmsim.perf.machine import Machine
from nmsim.perf.projection import INPUT
from nmsim.perf.traffic import Flows, Traffic
from nmsim.perf.work import StepWork, build_work
from nmsim.report.text import evaluation_lines

EVENTS = """
name: events
sources: [made up]
tech_node_nm: 28
voltage_v: 0.55
clock_hz: 75e6
technology: odin
mesh: {columns: 1, rows: 1}
core_types:
  - neuron_slots: 64
    event_timing: {synaptic_op_ns: 20, neuron_update_active_ns: 10, neuron_update_inactive_ns: 10}
    memories: [{name: all, holds: [weight, membrane, spike, threshold, accumulator, input], words: 4096, word_bits: 64}]
"""


def between(mode: str, *assignments: str) -> Evaluation:
    return run(
        "inference", f"real_time={{arrival_hz: 1000, between_samples: {mode}, wake_up_s: 1e-4}}", *assignments
    )


def work_of(chip: ChipConfig) -> StepWork:
    needs = TrainingNeeds.for_rule("inference")
    return build_work(
        Deployment(NETWORK, PRECISION, needs, chip, map_network(NETWORK, PRECISION, needs, chip)),
        make_activity(),
    )


def event_chip(*assignments: str) -> ChipConfig:
    document = config.parse_text(EVENTS, "events.yaml")
    for assignment in assignments:
        document = document.with_value(assignment)
    return config.build(ChipConfig, document)


def test_between_samples_a_chip_draws_its_standing_power() -> None:
    alone, waiting = run("inference"), between("clocked")
    assert alone.static_energy_j is not None
    standing_w = alone.static_energy_j.mean / alone.latency_s.mean
    idle_s = 1e-3 - alone.latency_s.mean
    assert waiting.latency_s.mean == alone.latency_s.mean
    assert waiting.energy_j.mean - alone.energy_j.mean == pytest.approx(standing_w * idle_s)
    assert waiting.energy.select(phase="idle").mean_j == pytest.approx(standing_w * idle_s)
    assert waiting.power_w.mean == pytest.approx(waiting.energy_j.mean / 1e-3)
    assert all(check.passed for check in waiting.audit)


def test_a_stopped_clock_leaves_leakage_and_a_cut_supply_a_part_of_it() -> None:
    idle = [between(mode).energy.select(phase="idle") for mode in ("clocked", "clock_stopped", "power_gated")]
    clocked, stopped, gated = idle
    asleep = (1e-3 - run("inference").latency_s.mean - 1e-4) / (1e-3 - run("inference").latency_s.mean)
    leakage, clock = (clocked.select(component=name).mean_j for name in ("static", "clock"))
    assert stopped.select(component="static").mean_j == pytest.approx(leakage)
    assert stopped.select(component="clock").mean_j == pytest.approx(clock * (1 - asleep))
    assert gated.select(component="static").mean_j == pytest.approx(leakage * (1 - asleep + 0.1 * asleep))
    assert all(check.passed for mode in ("clock_stopped", "power_gated") for check in between(mode).audit)


def test_a_missed_deadline_is_a_result_with_a_note() -> None:
    calm = between("clocked").real_time
    assert calm is not None
    assert (calm.missed, calm.period_s) == (0, 1e-3)
    latency_s = run("inference").perf.latency_s
    hurried = run("inference", f"real_time={{arrival_hz: {1 / np.median(latency_s) * 0.999}}}")
    assert hurried.real_time is not None
    assert hurried.real_time.missed == 0.4  # two of five samples are slower than the median
    (note,) = [note for note in hurried.notes if "arrivals" in note]
    assert note.startswith("40% of the samples take longer than the ")
    # a sample that is late leaves no time to wait
    late = latency_s > np.median(latency_s)
    idle = hurried.energy.select(phase="idle").total_pj
    assert (idle[late] == 0).all()


def test_a_terminal_says_how_a_chip_lives_with_its_samples() -> None:
    line = evaluation_lines([between("clocked")])[-1]
    assert line.startswith("  a sample every 1 ms: at work ")
    assert line.endswith("; misses no deadline")


def test_a_tick_is_the_longer_of_itself_and_the_work() -> None:
    free = AnalyticModel().run(work_of(make_chip()))
    middle = float(np.median(free.slot_cycles)) / 200e6
    ticked = [
        model.run(work_of(make_chip(f"barrier.tick_s={middle}"))) for model in (AnalyticModel(), EventModel())
    ]
    np.testing.assert_allclose(ticked[0].slot_cycles, np.maximum(free.slot_cycles, middle * 200e6))
    for found in ticked:
        assert (found.slot_cycles >= middle * 200e6 * (1 - 1e-12)).all()
        np.testing.assert_allclose(sum(found.phase_cycles.values()), found.sample_cycles)
    busy = [found.phase_cycles[phase] for found in (free, ticked[0]) for phase in ("integrate", "neuron")]
    np.testing.assert_allclose(busy[:2], busy[2:])


def test_event_times_follow_the_clock_they_were_published_at() -> None:
    fast, fixed = (
        [
            AnalyticModel().run(work_of(event_chip(*keys, f"clock_hz={hz}"))).latency_s.mean()
            for hz in (75e6, 150e6)
        ]
        for keys in (("core_types.0.event_timing.at_clock_hz=75e6",), ())
    )
    assert fast[1] == pytest.approx(fast[0] / 2)
    assert fixed[1] == pytest.approx(fixed[0], rel=1e-3)  # but for the cycles of packets


def test_packets_are_dealt_out_over_the_ports() -> None:
    machine = Machine.of(make_chip("noc.ingress=[[0, 0], [1, 1]]"))
    packets = np.full((1, 1), 7)
    several = Traffic.of(machine, Flows.of([(INPUT, (1, 2), packets)]), 8)
    assert several is not None
    assert several.source.tolist() == [INPUT, INPUT - 1]
    assert several.packets[:, 0, 0].tolist() == [4, 3]
    assert several.source_tile.tolist() == [0, 3]
    near = Traffic.of(machine, Flows.of([(INPUT, (3,), packets)]), 8)
    assert near is not None
    assert (near.source.tolist(), near.link_flits.sum()) == ([INPUT - 1], 0)


def test_more_ports_take_samples_faster_and_both_models_agree_on_the_counts() -> None:
    one, two = ("noc={flit_bits: 4}", "noc={flit_bits: 4, ingress: [[0, 0], [1, 1]]}")
    slow, fast = (AnalyticModel().run(work_of(make_chip(keys))) for keys in (one, two))
    assert fast.latency_s.mean() < slow.latency_s.mean()
    event = EventModel().run(work_of(make_chip(two)))
    assert (event.packets_received == event.packets_sent).all()
    assert event.cycles.mean() == pytest.approx(fast.cycles.mean(), rel=0.15)


def test_a_port_outside_the_mesh_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"noc.ingress names tile \[2, 0\] outside the 2 x 2 tiles of all chips"
    ):
        make_chip("noc.ingress=[[2, 0]]")


def test_a_host_costs_its_power_and_the_bytes_that_it_sends() -> None:
    alone, hosted = run("inference"), run("inference", "host={power_w: 1e-3, energy_pj_per_byte: 100}")
    activity = make_activity()
    packets = activity.layers[0].mask("inputs").sum() / 5
    # 6 bits of address name one of 40 inputs
    expected_j = packets * 6 / 8 * 100e-12 + 1e-3 * alone.latency_s.mean
    assert hosted.energy.select(component="host").mean_j == pytest.approx(expected_j)
    assert hosted.energy_j.mean - alone.energy_j.mean == pytest.approx(expected_j)
    assert all(check.passed for check in hosted.audit)


def test_an_event_chip_takes_a_host_too() -> None:
    chip = event_chip("host={energy_pj_per_byte: 10}")
    needs = TrainingNeeds.for_rule("inference")
    mapping = map_network(NETWORK, PRECISION, needs, chip)
    found = evaluate(
        Deployment(NETWORK, PRECISION, needs, chip, mapping), make_activity(), load_table("odin")
    )
    assert found.energy.select(component="host").mean_j > 0
