"""The search of mappings against trying everything (small pairs) and against the policies (large pairs), with its time.

Run as `python benchmarks/mapping_search.py [small|large|both] [pairs of each]`; every pair is a line.
"""

import sys
import time
from dataclasses import replace
from itertools import product
from statistics import median
from typing import Any

import numpy as np

from nmsim.activity import Activity
from nmsim.cost.table import load_table
from nmsim.errors import DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.dataflow import FLOWS
from nmsim.mapper.costing import Coster
from nmsim.mapper.mapping_search import POLICIES, search_mapping
from nmsim.mapping.automatic import finished, map_network
from nmsim.mapping.flow import LayerFlow
from nmsim.mapping.mapping import Mapping
from nmsim.mapping.partition import LayerCut
from nmsim.mapping.task import Task
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.validate.synthetic import Densities, synthetic_activity

COSTS = load_table("cmos")
STATE = ["membrane", "spike", "threshold", "threshold_gradient", "threshold_trace", "leak_trace", "delta", "accumulator",
         "history", "temporal_error"]  # fmt: skip
OBJECTIVES = ("energy", "latency", "edp")


def pick(random: np.random.Generator, *choices: Any) -> Any:
    """One of some choices."""
    return choices[int(random.integers(len(choices)))]


def chip(random: np.random.Generator, columns: int, rows: int, *, large: bool) -> ChipConfig:
    """A mesh of equal cores with a memory for weights, one for gradients, one for the rest, and registers for sums."""
    lanes, scale = pick(random, 4, 8, 16), 16 if large else 1
    word = 16 * lanes
    memories = [
        {"name": "sums", "holds": ["accumulator"], "words": pick(random, lanes, 8 * lanes), "word_bits": 32,
         "kind": "registers", "banks": lanes},
        {"name": "weights", "holds": ["weight"], "words": 1024 * scale, "word_bits": word},
        {"name": "gradients", "holds": ["weight_gradient"], "words": 2048 * scale, "word_bits": word, "banks": 2},
        {"name": "state", "holds": STATE, "words": 512 * scale, "word_bits": word, "banks": 2},
        {"name": "inputs", "holds": ["input", "weight_trace"], "words": 512 * scale, "word_bits": 64, "kind": "1r1w"},
    ]  # fmt: skip
    core = {
        "accumulate_lanes": lanes, "mac_lanes": lanes, "neuron_lanes": pick(random, 2, 4), "update_lanes": lanes,
        "neuron_slots": 4096 * scale, "memories": memories,
    }  # fmt: skip
    return ChipConfig.model_validate(
        {"name": "pair", "tech_node_nm": 28, "voltage_v": 0.9, "clock_hz": 1e8, "technology": "cmos",
         "mesh": {"columns": columns, "rows": rows}, "core_types": [core],
         "dram": {"kind": "LPDDR4", "bandwidth_bits_per_s": 5e10, "latency_ns": 60}}
    )  # fmt: skip


def network(random: np.random.Generator, *, large: bool) -> NetworkSpec:
    """Two layers, dense or convolutional; many for a large pair."""
    if not large:
        if random.random() < 0.5:
            units = [int(n) for n in random.integers(8, 64, 2)]
            layers = [{"kind": "dense", "units": n} for n in units]
            return NetworkSpec.model_validate(
                {"input_shape": [int(random.integers(16, 128))], "layers": layers}
            )
        conv = {"kind": "conv", "channels": int(random.integers(4, 16)), "kernel": 3, "padding": 1}
        layers = [conv, {"kind": "dense", "units": 10}]
        return NetworkSpec.model_validate({"input_shape": [2, 8, 8], "time_steps": 4, "layers": layers})
    width, pool = int(pick(random, 16, 32, 64)), {"kind": "avg_pool", "size": 2}
    layers = [conv_of(width), pool, conv_of(2 * width), pool, conv_of(4 * width), conv_of(4 * width), pool]
    layers.append({"kind": "dense", "units": 10})
    return NetworkSpec.model_validate({"input_shape": [3, 32, 32], "time_steps": 4, "layers": layers})


def conv_of(channels: int) -> dict[str, Any]:
    """A 3 x 3 convolution."""
    return {"kind": "conv", "channels": channels, "kernel": 3, "padding": 1}


def pair(seed: int, *, large: bool) -> tuple[NetworkSpec, TrainingNeeds, Activity, ChipConfig]:
    """A network with activity, a rule and a chip."""
    random = np.random.default_rng(seed)
    net = network(random, large=large)
    side = pick(random, 4, 8) if large else 2
    machine = chip(random, side, side if large else pick(random, 1, 2), large=large)
    rule = pick(random, "inference", "stop-wtl")
    densities = Densities(*random.uniform(0.05, 0.4, 3).tolist())
    return (
        net,
        TrainingNeeds.for_rule(rule, batch_size=16),
        synthetic_activity(net, 1, densities, rule=rule),
        machine,
    )


def best_of_all(
    net: NetworkSpec, needs: TrainingNeeds, activity: Activity, machine: ChipConfig, objective: Any
) -> float:
    """The least objective over cores by layer, widths of pieces and dataflows by layer and phase."""
    price = Coster(net, Precision(), needs, activity, machine, COSTS)
    flows_of = [FLOWS if layer.kind == "conv" else FLOWS[:2] for layer in net.synaptic_layers]
    least = float("inf")
    for mapping in every_mapping(net, needs, machine):
        for integrate in product(*flows_of):
            for error, gradient in product(FLOWS[:2], FLOWS[::2]) if needs.trains else [(FLOWS[0], FLOWS[0])]:
                flows = tuple(LayerFlow(own, error, gradient) for own in integrate)
                least = min(least, price(replace(mapping, flows=flows)).value(objective))
    return least


def every_mapping(net: NetworkSpec, needs: TrainingNeeds, machine: ChipConfig) -> list[Mapping]:
    """Those of the policies, and of every number of cores and width of pieces of each layer, each once."""
    task, found = Task.of(net, Precision(), needs, machine), {}
    for policy in POLICIES:
        mapping = map_network(net, Precision(), needs, machine, spread=policy)
        found[mapping.slices] = mapping
    cores, lanes = len(machine.cores()), machine.core_types[0].accumulate_lanes
    cuts = [LayerCut(count, width) for count in range(1, cores + 1) for width in (1, lanes)]
    for chosen in product(cuts, repeat=len(net.synaptic_layers)):
        partition = task.solve(tuple(chosen))
        if partition is not None:
            mapping = finished(task, partition, movable=True)
            found.setdefault(mapping.slices, mapping)
    return list(found.values())


def small(pairs: int) -> None:
    """Search against exhaustive enumeration."""
    excess = []
    for seed in range(pairs):
        objective = OBJECTIVES[seed % 3]
        net, needs, activity, machine = pair(seed, large=False)
        try:
            found = search_mapping(net, Precision(), needs, activity, machine, COSTS, objective=objective)
        except DoesNotFitError:
            continue
        excess.append(found.cost.value(objective) / best_of_all(net, needs, activity, machine, objective) - 1)
    print(
        f"small: {len(excess)} pairs, above the best of all: median {median(excess):.2%}, worst {max(excess):.2%}"
    )


def large(pairs: int) -> None:
    """Search against the three policies, in a line a pair and in all."""
    gains: dict[str, list[float]] = {"balanced": [], "compact": [], "wide": [], "best policy": []}
    seconds = []
    print("| pair | cores | rule | for | balanced | compact | wide | tried | seconds |")
    print("|---|---|---|---|---|---|---|---|---|")
    for seed in range(pairs):
        objective = OBJECTIVES[seed % 3]
        net, needs, activity, machine = pair(1000 + seed, large=True)
        start = time.process_time()
        try:
            found = search_mapping(net, Precision(), needs, activity, machine, COSTS, objective=objective)
        except DoesNotFitError:
            print(
                f"| {pair_name(net)} | {len(machine.cores())} | {needs.rule} | does not fit | | | | | |",
                flush=True,
            )
            continue
        seconds.append(time.process_time() - start)
        own = {policy: found.gain(policy) for policy in found.policies}
        for policy, gain in own.items():
            gains[policy].append(gain)
        gains["best policy"].append(min(own.values()))
        columns = " | ".join(f"{own[policy]:.2f}x" if policy in own else "no room" for policy in POLICIES)
        print(
            f"| {pair_name(net)} | {len(machine.cores())} | {needs.rule} | {objective} | {columns} |"
            f" {found.tried} | {seconds[-1]:.1f} |",
            flush=True,
        )
    for policy, found_gains in gains.items():
        print(
            f"large: {len(found_gains)} pairs, {policy} needs {median(found_gains):.2f}x (median),"
            f" {min(found_gains):.2f}x to {max(found_gains):.2f}x"
        )
    print(f"large: search takes {median(seconds):.1f} s in the median, {max(seconds):.1f} s at most")


def pair_name(net: NetworkSpec) -> str:
    """Channels of the layers of a network."""
    return "-".join(str(layer.weight_shape[0]) for layer in net.synaptic_layers)


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    if which in {"small", "both"}:
        small(count)
    if which in {"large", "both"}:
        large(count)
