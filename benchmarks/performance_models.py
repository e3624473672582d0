"""Analytic against event-driven: latency gap over random designs, and both models' speed on real network shapes.

Run as `python benchmarks/performance_models.py [designs]`.
"""

import resource
import sys
import time
from typing import Any

from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.census import ActivityCensus
from nmsim.perf.event.chip import EventModel
from nmsim.perf.work import build_work
from nmsim.validate.model_gap import gap_of, random_gaps, summary
from nmsim.validate.synthetic import Densities, synthetic_activity

HOLDS = (
    ("weights", ["weight"]),
    ("gradients", ["weight_gradient", "velocity"]),
    ("state", ["membrane", "threshold", "threshold_gradient", "spike", "leak_trace", "threshold_trace", "accumulator",
               "delta", "history", "temporal_error", "factor"]),
    ("traces", ["weight_trace", "input"]),
)  # fmt: skip


def chip(columns: int, rows: int, lanes: int) -> ChipConfig:
    """A mesh of cores with memories large enough for every network here."""
    memories = [
        {"name": name, "holds": holds, "words": 1 << 21, "word_bits": 64, "banks": 4} for name, holds in HOLDS
    ]
    core = {"neuron_slots": 1 << 20, "neuron_lanes": 8, "update_lanes": 8, "memories": memories}
    core |= {"accumulate_lanes": lanes, "mac_lanes": lanes}
    return ChipConfig.model_validate(
        {
            "name": f"{columns} x {rows}", "tech_node_nm": 16, "voltage_v": 0.8, "clock_hz": 5e8, "technology": "none",
            "mesh": {"columns": columns, "rows": rows}, "core_types": [core], "noc": {"flit_bits": 64},
        }
    )  # fmt: skip


def conv(channels: int) -> dict[str, Any]:
    """A 3 x 3 convolution."""
    return {"kind": "conv", "channels": channels, "kernel": 3, "padding": 1}


def dense(units: int) -> dict[str, Any]:
    """A dense layer."""
    return {"kind": "dense", "units": units}


POOL = {"kind": "avg_pool", "size": 2}
MNIST = {"name": "784-256-10", "input_shape": [784], "layers": [dense(256), dense(10)]}
VGG = {
    "name": "VGG-11", "input_shape": [3, 32, 32],
    "layers": [conv(64), POOL, conv(128), POOL, conv(256), conv(256), POOL, conv(512), conv(512), POOL, conv(512), conv(512),
               POOL, {"kind": "global_avg_pool"}, dense(10)],
}  # fmt: skip
MILLION = {
    "name": "a million neurons", "input_shape": [2, 64, 64],
    "layers": [conv(64)] * 4 + [{"kind": "avg_pool", "size": 4}, dense(10)],
}  # fmt: skip
GESTURE = {
    "name": "LeNet on 2 x 32 x 32 events", "input_shape": [2, 32, 32], "time_steps": 20,
    "layers": [conv(16), POOL, conv(32), POOL, dense(128), dense(11)],
}  # fmt: skip


def timed(network: NetworkSpec, machine: ChipConfig, rule: str, samples: int) -> None:
    """One line on the time that building the work and running the models takes."""
    needs = TrainingNeeds.for_rule(rule)
    mapping = map_network(network, Precision(), needs, machine)
    activity = synthetic_activity(network, samples, Densities(0.3, 0.12, 0.5), rule=rule)
    census = ActivityCensus(network, activity)
    marks = [time.process_time()]
    work = build_work(Deployment(network, Precision(), needs, machine, mapping), activity, census)
    marks.append(time.process_time())
    estimate = AnalyticModel().run(work)
    marks.append(time.process_time())
    line = (
        f"{network.name} ({sum(layer.neurons for layer in network.synaptic_layers):,} neurons), {rule}, "
        f"{len(mapping.cores_used)} cores, {samples} sample(s): work {marks[1] - marks[0]:.3f} s, "
        f"analytic {marks[2] - marks[1]:.3f} s"
    )
    start = time.process_time()
    gap = gap_of(estimate, EventModel().run(work), work, network.name)
    line += f", event-driven {time.process_time() - start:.2f} s, latency gap {gap.error:+.1%}: {gap.cause}"
    print(f"{line}; peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def main(designs: int) -> None:
    """Print the gap over random designs, then the speed on networks of real size."""
    start = time.process_time()
    gaps = random_gaps(range(designs))
    total = summary(gaps)
    print(
        f"{total.works} random designs in {time.process_time() - start:.0f} s: latency of the analytic model against the "
        f"event-driven one, median {total.median:.1%}, 95th percentile {total.p95:.1%}, worst {total.worst:.1%}, "
        f"bias {total.bias:+.1%}"
    )
    for gap in sorted(gaps, key=lambda gap: -abs(gap.error))[:12]:
        print(f"  {gap.error:+.1%} {gap.name}, {gap.rule}, {gap.schedule}, {gap.cores} cores: {gap.cause}")
    timed(NetworkSpec.model_validate(MNIST), chip(4, 4, 16), "stop-wtl", 10)
    timed(NetworkSpec.model_validate(GESTURE), chip(4, 4, 16), "stop-wtl", 1)
    for rule in ("inference", "stop-wtl", "stbp"):
        timed(NetworkSpec.model_validate(VGG), chip(8, 8, 64), rule, 1)
    for rule in ("inference", "stop-wtl"):
        timed(NetworkSpec.model_validate(MILLION), chip(32, 32, 64), rule, 1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
