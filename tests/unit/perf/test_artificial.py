"""The same network as a dense artificial one: counts by brute force, a time and an energy by hand, and what is refused."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import nmsim
from nmsim import config
from nmsim.activity import Activity
from nmsim.cli.verbs import app
from nmsim.counts import Action, Component, Phase
from nmsim.errors import NotModelledError, RunError
from nmsim.evaluate import Evaluation, Model, evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import deploy_network
from nmsim.network.memory import TrainingNeeds, activation_bits
from nmsim.network.memory_table import network_memory
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.operations import operations_of
from nmsim.perf.work import build_work
from nmsim.validate.synthetic import Densities, synthetic_activity

MAPS = {
    "input_shape": [2, 9, 9],
    "time_steps": 6,
    "layers": [
        {"kind": "conv", "channels": 5, "kernel": 3, "stride": 2, "padding": 1},
        {"kind": "avg_pool", "size": 2},
        {"kind": "conv", "channels": 4, "kernel": 3, "padding": 1},
        {"kind": "dense", "units": 7},
    ],
}
DENSE = {"input_shape": [30], "time_steps": 6, "layers": [{"kind": "dense", "units": 12}]}
WEIGHT_BITS, CURRENT_BITS, MEMBRANE_BITS = (
    getattr(Precision().resolve(0), name).format.total_bits for name in ("weight", "current", "membrane")
)


def made(
    network: dict[str, Any], chip: ChipConfig, model: Model = "analytic", **how: Any
) -> tuple[Evaluation, Activity]:
    spec = NetworkSpec.model_validate(network)
    recorded = synthetic_activity(spec, 3, Densities(0.1, 0.1, 0), rule="inference", **how)
    activity = recorded.as_artificial(spec)
    needs = TrainingNeeds.for_rule("ann", sample_bits=activity.layers[0].input_bits)
    job = deploy_network(spec, Precision(), needs, chip)
    return evaluate(job, activity, model=model), activity


def multiplications(spec: NetworkSpec) -> list[int]:
    """Synapses of every layer whose input lies in the map, one by one."""
    found = []
    for layer in spec.synaptic_layers:
        if layer.kind == "dense":
            found.append(layer.inputs * layer.neurons)
            continue
        (channels, rows, columns), (out_channels, in_channels, kernel, _) = (
            layer.out_shape,
            layer.weight_shape,
        )
        assert channels == out_channels
        inside = 0
        for row, column, dy, dx in product(range(rows), range(columns), range(kernel), range(kernel)):
            y, x = row * layer.stride + dy - layer.padding, column * layer.stride + dx - layer.padding
            inside += 0 <= y < layer.in_shape[1] and 0 <= x < layer.in_shape[2]
        found.append(inside * channels * in_channels)
    return found


@pytest.mark.parametrize("network", [MAPS, DENSE], ids=["maps", "dense"])
@pytest.mark.parametrize(
    ("chip", "model"),
    [("edge-28nm", "analytic"), ("edge-28nm", "event"), ("single-core-dram-28nm", "analytic")],
)
def test_every_synapse_is_multiplied_once_whatever_was_silent(
    network: dict[str, Any], chip: str, model: Model
) -> None:
    spec = NetworkSpec.model_validate(network)
    found, _ = made(network, nmsim.read_chip(chip), model)
    assert found.audit_passed
    macs = found.perf.counts.select(component=Component.ALU.value, action=Action.MAC.value)
    for layer, expected in enumerate(multiplications(spec)):
        assert macs.select(layer=layer).counts.sum(axis=0).tolist() == [expected] * 3
        widths = {
            tuple(int(macs.select(layer=layer).columns[name][0]) for name in ("bits_a", "bits_b", "bits_c"))
        }
        assert widths == {(8 if layer == 0 else 3, WEIGHT_BITS, CURRENT_BITS)}
    alu = found.perf.counts.select(component=Component.ALU.value)
    neurons = sum(layer.neurons for layer in spec.synaptic_layers)
    assert alu.total(action=Action.MULTIPLY.value) == 3 * neurons
    assert alu.total(action=Action.SOP.value) == 0
    assert found.sops_per_sample == sum(multiplications(spec))
    assert found.time_steps == 1
    assert all(
        one.kind == "MAC" and one.dense is not None and one.served <= one.dense
        for one in operations_of(found, spec)
    )


def test_an_energy_and_a_time_by_hand() -> None:
    """One core, one layer: MACs, weights read a row an input, sums in registers, one requantization a neuron."""
    text = """
name: plain
sources: [made up for tests]
tech_node_nm: 28
voltage_v: 0.9
clock_hz: 1e8
technology: cmos
mesh: {columns: 1, rows: 1}
power: {static_power_w: 0, clock_power_w_per_hz: 0, control_overhead_factor: 1}
options: {spread: compact, dataflow: {integrate: output_stationary}}
core_types:
  - neuron_slots: 16
    mac_lanes: 12
    neuron_lanes: 1
    pipeline_depth_cycles: 0
    memories:
      - {name: weights, holds: [weight], words: 1024, word_bits: 192}
      - {name: states, holds: [membrane, spike, threshold, accumulator, input], words: 512, word_bits: 64}
"""
    chip = config.build(ChipConfig, config.parse_text(text, "chip.yaml"))
    found, _ = made(DENSE, chip)
    macs, neurons = 30 * 12, 12
    counts = found.perf.counts

    def accesses(memory: str, action: str) -> int:
        return counts.total(component="sram", unit=memory, action=action) // found.samples

    assert accesses("weights", "read") == 30  # 12 weights of 16 bits a word, a row for each input
    packets = 30 // ((32 - 8) // 8)  # three values of 8 bits behind a header of 8 in a flit of 32
    sums, scales, values = 12 // 2, 12 // 4, -(-30 // 8)  # words of 64 bits
    assert (
        accesses("states", "write") == packets + sums + sums
    )  # the queue, finished sums, and their clearing
    assert accesses("states", "read") == values + sums + scales
    assert (
        found.perf.phase_cycles[Phase.NEURON].tolist() == [2 * sums + scales] * 3
    )  # one port: more than 12 lanes' worth
    flight = found.perf.phase_cycles[Phase.INTEGRATE] - macs / 12
    assert ((flight >= 0) & (flight <= packets + 2)).all()  # packets come in while the lanes work
    multiply, add = 0.002507, 0.002299  # pJ per bit2 and bit at 28 nm, 0.9 V
    served = found.energy.select(component="alu", action="mac").mean_j
    assert served == pytest.approx(macs * (multiply * 8 * 16 + add * 32) * 1e-12, rel=1e-9)
    scaled = found.energy.select(component="alu", action="multiply").mean_j
    assert scaled == pytest.approx(neurons * multiply * 32 * 16 * 1e-12, rel=1e-9)


def test_the_width_of_activations_matches_the_count_of_spikes() -> None:
    assert [activation_bits(steps) for steps in (1, 2, 3, 4, 6, 7, 8, 15, 16)] == [1, 2, 2, 3, 3, 3, 4, 4, 5]
    events = synthetic_activity(
        NetworkSpec.model_validate(MAPS), 1, static_input=False, input_bits=1, rule="inference"
    )
    widths = [layer.input_bits for layer in events.as_artificial(NetworkSpec.model_validate(MAPS)).layers]
    assert widths == [3, 3, 3]  # frames of events are summed over the six steps


def test_energy_follows_the_width_of_activations_and_of_weights() -> None:
    chip = nmsim.read_chip("edge-28nm")
    few, many = (made({**MAPS, "time_steps": steps}, chip)[0] for steps in (1, 200))
    assert many.energy.select(action="mac").mean_j > 1.2 * few.energy.select(action="mac").mean_j
    assert few.latency_s.mean <= many.latency_s.mean


def test_memory_holds_weights_scales_and_values_and_no_state() -> None:
    spec = NetworkSpec.model_validate(DENSE)
    held = network_memory(spec, Precision(), TrainingNeeds.for_rule("ann", sample_bits=8)).by_kind()
    assert {str(kind): bits for kind, bits in held.items() if str(kind) != "leak_factor"} == {
        "weight": 30 * 12 * WEIGHT_BITS, "threshold": 12 * MEMBRANE_BITS, "input_sum": 12 * CURRENT_BITS, "input": 30 * 8,
    }  # fmt: skip
    state = network_memory(spec, Precision(), TrainingNeeds.for_rule("ann")).bits("state_only")
    assert state == 0


def test_a_chip_of_whole_events_has_no_multiplication() -> None:
    spec = NetworkSpec.model_validate(DENSE)
    with pytest.raises(
        NotModelledError, match="'loihi' is described by the time of a spike's events and has none for a"
    ):
        deploy_network(spec, Precision(), TrainingNeeds.for_rule("ann"), nmsim.read_chip("loihi-board"))


@pytest.mark.parametrize("rule", ["ann", "inference"])
def test_spikes_and_values_are_not_taken_for_each_other(rule: str) -> None:
    spec = NetworkSpec.model_validate(DENSE)
    recorded = synthetic_activity(spec, 1, rule="inference")
    activity = recorded if rule == "ann" else recorded.as_artificial(spec)
    job = deploy_network(spec, Precision(), TrainingNeeds.for_rule(rule), nmsim.read_chip("edge-28nm"))
    with pytest.raises(RunError, match=r"takes what Activity\.as_artificial makes of a recording"):
        build_work(job, activity)


def test_it_stands_next_to_inference_without_an_accuracy(tmp_path: Path) -> None:
    workload = nmsim.read_workload("mnist-dense", "training.epochs=1", "profile.samples=2")
    nmsim.train(workload, tmp_path / "run", seed=1)
    for command in ("simulate", "compare"):
        done = CliRunner().invoke(
            app, [command, str(tmp_path / "run"), "--rule", "inference,ann", "--chip", "edge-28nm"]
        )
        assert done.exit_code == 0, done.output
    assert CliRunner().invoke(app, ["report", str(tmp_path / "run")]).exit_code == 0
    lines = [line.split(",") for line in (tmp_path / "run" / "energy.csv").read_text().splitlines()]
    accuracy = (
        lines[0].index("accuracy_fraction") if "accuracy_fraction" in lines[0] else lines[0].index("accuracy")
    )
    by_rule = {line[1]: line[accuracy] for line in lines[1:]}
    assert by_rule["ann"] == ""
    assert float(by_rule["inference"]) > 0
    served = [
        line for line in (tmp_path / "run" / "operations.csv").read_text().splitlines() if ",ann," in line
    ]
    assert len(served) == 2
    assert np.all(["MAC" in line for line in served])
