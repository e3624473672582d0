"""What holds for every network on every machine, mapped by every spread."""

from dataclasses import dataclass
from math import prod
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmsim import config
from nmsim.contents import STORED, Content
from nmsim.errors import DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping import automatic, box, partition, place
from nmsim.mapping.automatic import finished, map_network
from nmsim.mapping.fit import FitReport
from nmsim.mapping.manual import ManualMapping, map_manually
from nmsim.mapping.mapping import Mapping, Slice
from nmsim.mapping.partition import LayerCut, Spread
from nmsim.mapping.remedy import changed, fit_report
from nmsim.mapping.task import Task
from nmsim.network.memory import TrainingNeeds
from nmsim.network.memory_table import SHARED
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec, SynapticLayer

WEIGHTS = ["weight", "weight_gradient", "velocity", "factor"]
OTHERS = [content.value for content in STORED if content.value not in WEIGHTS]
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RULES = st.sampled_from(["inference", "stop-w", "stop-wtl", "stbp"])

SPREADS = st.sampled_from(["balanced", "compact", "wide"])


@st.composite
def networks(draw: st.DrawFn) -> NetworkSpec:
    """Dense and convolutional networks, with strides, padding, pools and residual blocks."""
    dense = st.builds(lambda n: {"kind": "dense", "units": n}, st.integers(1, 40))
    if draw(st.booleans()):
        return NetworkSpec.model_validate(
            {
                "input_shape": [draw(st.integers(1, 60))],
                "layers": draw(st.lists(dense, min_size=1, max_size=3)),
            }
        )
    conv = {"kind": "conv", "channels": draw(st.integers(1, 6)), "kernel": draw(st.integers(1, 4)),
            "stride": draw(st.integers(1, 2)), "padding": draw(st.integers(0, 2))}  # fmt: skip
    layers = [conv]
    if draw(st.booleans()):
        same = {"kind": "conv", "channels": conv["channels"], "kernel": 3, "padding": 1}
        layers.append({"kind": "residual", "body": [same]})
    if draw(st.booleans()):
        layers.append({"kind": "avg_pool", "size": 2})
    layers.append(draw(dense))
    shape = [draw(st.integers(1, 3)), draw(st.integers(6, 12)), draw(st.integers(6, 12))]
    return NetworkSpec.model_validate({"input_shape": shape, "layers": layers})


@st.composite
def machines(draw: st.DrawFn) -> ChipConfig:
    """Chips of one or two types of core, roomy or tight, with and without DRAM and bounds."""

    def core(name: str, tiles: list[list[int]] | None) -> dict[str, object]:
        return {
            "name": name, "tiles": tiles, "accumulate_lanes": draw(st.integers(1, 8)),
            "per_tile": draw(st.integers(1, 2)), "neuron_slots": draw(st.integers(12, 600)),
            "max_fan_in": draw(st.none() | st.integers(16, 200)),
            "memories": [
                {"name": "w", "holds": WEIGHTS, "words": draw(st.integers(60, 4000)), "word_bits": 64},
                {"name": "s", "holds": OTHERS, "words": draw(st.integers(200, 4000)), "word_bits": 40},
            ],
        }  # fmt: skip

    columns, rows = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    types = [core("core", None)]
    if columns * rows > 1 and draw(st.booleans()):
        types.append(core("other", [[0, 0]]))
    dram = {"kind": "LPDDR4", "bandwidth_bits_per_s": 1e11, "latency_ns": 60}
    chip = {
        "name": "chip", "tech_node_nm": 28, "voltage_v": 0.9, "clock_hz": 1e8, "technology": "cmos",
        "mesh": {"columns": columns, "rows": rows}, "core_types": types,
        "dram": dram if draw(st.booleans()) else None,
        "noc": {"topology": draw(st.sampled_from(["mesh", "torus"]))},
        "options": {"spread": draw(st.sampled_from(["balanced", "compact", "wide"]))},
    }  # fmt: skip
    return config.build(ChipConfig, config.Document(chip, "chip"))


@dataclass
class Tried:
    """A mapping, or the report of its failure."""

    mapping: Mapping | None
    report: FitReport | None


def tried(network: NetworkSpec, chip: ChipConfig, rule: str, *, remedies: bool = False) -> Tried:
    try:
        needs = TrainingNeeds.for_rule(rule)
        return Tried(map_network(network, Precision(), needs, chip, remedies=remedies), None)
    except DoesNotFitError as error:
        report = error.report
    assert isinstance(report, FitReport)
    return Tried(None, report)


@SLOW
@given(networks(), machines(), RULES)
def test_every_neuron_is_owned_once_and_sums_its_whole_fan_in_once(
    network: NetworkSpec, chip: ChipConfig, rule: str
) -> None:
    mapping = tried(network, chip, rule).mapping
    for layer in network.synaptic_layers if mapping else ():
        rows = layer.out_shape[1] if layer.kind == "conv" else 1
        owners = np.zeros((layer.out_shape[0], rows), int)
        fan_in = np.zeros((layer.out_shape[0], rows, layer.weight_shape[1]), int)
        for piece in mapping.slices_of(layer.index) if mapping else ():
            box = slice(piece.channel_start, piece.channel_stop), slice(piece.row_start, piece.row_stop)
            owners[box] += piece.owner
            fan_in[(*box, slice(piece.input_start, piece.input_stop))] += 1
        assert (owners == 1).all()
        assert (fan_in == 1).all()


def forget() -> None:
    """Everything that earlier mappings have left."""
    for module in (automatic, box, partition, place):
        for kept in vars(module).values():
            if hasattr(kept, "cache_clear") and not isinstance(kept, type):
                kept.cache_clear()


@SLOW
@given(networks(), machines(), RULES, SPREADS)
def test_a_chip_is_mapped_like_its_outline(
    network: NetworkSpec, chip: ChipConfig, rule: str, spread: Spread
) -> None:
    needs = TrainingNeeds.for_rule(rule)
    task = Task.of(network, Precision(), needs, chip)
    forget()
    direct = task.solve(spread)
    if direct is None:
        with pytest.raises(DoesNotFitError) as failed:
            map_network(network, Precision(), needs, chip, spread=spread, remedies=False)
        assert failed.value.report == fit_report(task, spread, search=False)
    else:
        direct_mapping = finished(task, direct, movable=True)
        forget()
        assert map_network(network, Precision(), needs, chip, spread=spread) == direct_mapping


@st.composite
def elsewise(draw: st.DrawFn, chip: ChipConfig) -> ChipConfig:
    """A chip that differs in some of what no mapping looks at; under `compact` lanes are among that."""
    choices: dict[str, list[object]] = {
        "clock_hz": [2e8], "voltage_v": [0.8], "mesh.tile_width_mm": [0.5], "noc.flit_bits": [32, 128],
        "noc.casting": ["unicast"], "barrier.base_cycles": [3], "options.dataflow.integrate": ["input_stationary"],
        "options.dataflow.error": ["searched"], "options.clear_state": ["sweep"], "options.trace_decay": ["lazy"],
        "options.layers_in_turn": ["true"], "power.control_overhead_factor": [1.1],
        "core_types.0.mac_lanes": [4], "core_types.0.neuron_lanes": [3], "core_types.0.update_lanes": [5],
        "core_types.0.memories.0.banks": [4], "core_types.0.memories.1.kind": ["1r1w"],
    }  # fmt: skip
    if chip.dram is not None:
        choices |= {"dram.bandwidth_bits_per_s": [5e10], "dram.latency_ns": [10]}
    keys = draw(st.lists(st.sampled_from(sorted(choices)), min_size=1, unique=True))
    return changed(chip, tuple(f"{key}={draw(st.sampled_from(choices[key]))}" for key in keys))


@SLOW
@given(networks(), machines(), RULES, SPREADS, st.data())
def test_chips_that_differ_in_what_no_mapping_looks_at_are_mapped_alike(
    network: NetworkSpec, chip: ChipConfig, rule: str, spread: Spread, data: st.DataObject
) -> None:
    """Each by itself, without what is kept of the other, and not by its outline."""
    needs, found = TrainingNeeds.for_rule(rule), []
    for one in (chip, data.draw(elsewise(chip))):
        forget()
        task = Task.of(network, Precision(), needs, one)
        partition_found = task.solve(spread)
        made = None if partition_found is None else finished(task, partition_found, movable=True)
        found.append(made and (made.slices, made.residency, made.notes))
    assert found[0] == found[1]


@SLOW
@given(networks(), machines(), RULES, st.sampled_from([2, 4, 32]))
def test_lanes_matter_to_how_layers_are_cut_and_their_factor_to_nothing_else(
    network: NetworkSpec, chip: ChipConfig, rule: str, factor: int
) -> None:
    """Cut for given numbers of cores, a network is spread alike by cores that are all so many times as fast."""
    lanes = [core.accumulate_lanes for core in chip.core_types]
    faster = changed(
        chip, tuple(f"core_types.{i}.accumulate_lanes={factor * n}" for i, n in enumerate(lanes))
    )
    cuts = tuple(LayerCut(max(1, len(chip.cores()) - layer.index)) for layer in network.synaptic_layers)
    found = []
    for one in (chip, faster):
        forget()
        found.append(Task.of(network, Precision(), TrainingNeeds.for_rule(rule), one).solve(cuts))
    assert found[0] == found[1]


@SLOW
@given(networks(), machines(), RULES)
def test_no_partition_exists_where_a_layer_takes_more_than_all_cores_have(
    network: NetworkSpec, chip: ChipConfig, rule: str
) -> None:
    task = Task.of(network, Precision(), TrainingNeeds.for_rule(rule), chip)
    for storages in task.storages:
        told = partition.too_much(task.plans, chip, storages)
        with patch.object(partition, "too_much", return_value=False):
            found = next(partition.partitions(task.plans, chip, storages, "balanced"), None)
        assert found is None or not told


@SLOW
@given(networks(), machines(), RULES)
def test_no_bound_is_ever_broken(network: NetworkSpec, chip: ChipConfig, rule: str) -> None:
    mapping = tried(network, chip, rule).mapping
    if mapping is None:
        return
    layers, cores = network.synaptic_layers, chip.cores()
    assert all(use.words_used <= use.words for use in mapping.memory_use(chip))
    state_off_chip = any(r.content is Content.MEMBRANE and r.memory is None for r in mapping.residency)
    for core in mapping.cores_used:
        owned = [p.neurons(layers[p.layer]) for p in mapping.slices if p.core == core and p.owner]
        assert (max(owned, default=0) if state_off_chip else sum(owned)) <= cores[core].type.neuron_slots
    for piece in mapping.slices:
        bound = cores[piece.core].type.max_fan_in
        taps = prod(layers[piece.layer].weight_shape[2:])
        assert bound is None or (piece.input_stop - piece.input_start) * taps <= bound


def counted(layer: SynapticLayer, piece: Slice) -> tuple[int, int, int]:
    """Weights, neurons and inputs of a piece, counted one by one."""
    channels, units = (
        range(piece.channel_start, piece.channel_stop),
        range(piece.input_start, piece.input_stop),
    )
    if layer.kind == "dense":
        return len(channels) * len(units), len(channels), len(units)
    kernel, (_, height, _) = layer.weight_shape[2], layer.in_shape
    seen = {
        row * layer.stride - layer.padding + tap
        for row in range(piece.row_start, piece.row_stop)
        for tap in range(kernel)
    }
    reach = [row for row in range(height) if min(seen) <= row <= max(seen)]
    weights = sum(1 for _ in channels for _ in units for _ in range(kernel * kernel))
    neurons = len(channels) * (piece.row_stop - piece.row_start) * layer.out_shape[2]
    return weights, neurons, len(units) * len(reach) * layer.in_shape[2]


@SLOW
@given(networks(), machines(), RULES)
def test_the_bits_of_every_core_are_those_of_its_slices(
    network: NetworkSpec, chip: ChipConfig, rule: str
) -> None:
    mapping = tried(network, chip, rule).mapping
    if mapping is None:
        return
    found = {(r.core, r.layer, r.content): r.bits for r in mapping.residency if r.layer != SHARED}
    for layer in network.synaptic_layers:
        for core in mapping.cores_used:
            pieces = [p for p in mapping.slices_of(layer.index) if p.core == core]
            counts = [counted(layer, piece) for piece in pieces]
            owned = sum(c[1] for c, p in zip(counts, pieces, strict=True) if p.owner)
            weights, inputs = sum(c[0] for c in counts), sum(c[2] for c in counts)
            expected = {Content.WEIGHT: weights * 16, Content.MEMBRANE: owned * 16, Content.SPIKE: owned}
            if rule != "inference":
                expected[Content.WEIGHT_GRADIENT] = weights * 32
            if rule.startswith("stop"):
                expected[Content.WEIGHT_TRACE] = inputs * 12
            if rule == "stop-wtl":
                expected |= {Content.THRESHOLD_TRACE: owned * 12, Content.LEAK_TRACE: owned * 16}
            assert {c: found.get((core, layer.index, c), 0) for c in expected} == expected


@SLOW
@given(networks(), machines(), RULES)
def test_only_a_chip_with_dram_takes_turns(network: NetworkSpec, chip: ChipConfig, rule: str) -> None:
    found = tried(network, chip, rule)
    if chip.dram is None and found.mapping is not None:
        assert not found.mapping.time_multiplexed
        assert found.mapping.off_chip_bits() == 0
    if found.mapping is not None:
        assert found.mapping.time_multiplexed == any(
            "time-multiplexed" in note for note in found.mapping.notes
        )


@SLOW
@given(networks(), machines(), RULES)
def test_the_same_input_gives_the_same_mapping(network: NetworkSpec, chip: ChipConfig, rule: str) -> None:
    first, second = tried(network, chip, rule), tried(network, chip, rule)
    assert first == second


@settings(SLOW, max_examples=25)
@given(networks(), machines(), RULES)
def test_every_remedy_makes_it_fit_and_every_shortfall_is_one(
    network: NetworkSpec, chip: ChipConfig, rule: str
) -> None:
    report = tried(network, chip, rule, remedies=True).report
    if report is None:
        return
    assert report.shortfalls
    assert all(shortfall.gap > 0 for shortfall in report.shortfalls)
    for remedy in report.remedies:
        better = changed(chip, remedy.assignments)
        assert len(better.cores()) == remedy.cores
        assert tried(network, better, rule).mapping is not None


@SLOW
@given(networks(), machines(), RULES)
def test_a_mapping_written_by_hand_can_be_the_automatic_one(
    network: NetworkSpec, chip: ChipConfig, rule: str
) -> None:
    mapping = tried(network, chip, rule).mapping
    if mapping is None:
        return
    copied = map_manually(network, Precision(), TrainingNeeds.for_rule(rule), chip, ManualMapping.of(mapping))
    assert set(copied.slices) == set(mapping.slices)
    assert copied.off_chip_bits() <= mapping.off_chip_bits()
