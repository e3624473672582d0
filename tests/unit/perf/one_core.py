"""A network of 4-3-2 neurons on a chip of one core, small enough to time with pencil and paper."""

from typing import Any

import numpy as np

from nmsim.activity import Activity, LayerActivity
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.deployment import Deployment
from nmsim.mapping.mapping import Mapping, Slice
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.work import StepWork, build_work

NETWORK = NetworkSpec.model_validate(
    {
        "input_shape": [4],
        "time_steps": 1,
        "layers": [{"kind": "dense", "units": 3}, {"kind": "dense", "units": 2}],
    }
)
CHIP: dict[str, Any] = {
    "name": "one core",
    "tech_node_nm": 28,
    "voltage_v": 0.9,
    "clock_hz": 1e8,
    "technology": "none",
    "mesh": {"columns": 1, "rows": 1},
    "core_types": [
        {
            "accumulate_lanes": 2,
            "update_lanes": 2,
            "pipeline_depth_cycles": 3,
            "neuron_slots": 8,
            "memories": [
                {"name": "weights", "holds": ["weight"], "words": 64, "word_bits": 16},
                {"name": "gradients", "holds": ["weight_gradient"], "words": 64, "word_bits": 32},
                {
                    "name": "state",
                    "holds": ["membrane", "threshold", "spike", "delta", "accumulator"],
                    "words": 64,
                    "word_bits": 32,
                    "kind": "2rw",
                },
                {"name": "queue", "holds": ["input", "weight_trace"], "words": 64, "word_bits": 16},
            ],
        }
    ],
    "noc": {"flit_bits": 32, "header_bits": 8},
    "barrier": {"base_cycles": 4, "per_tile_cycles": 2},
}


def bits(text: str) -> np.ndarray:
    return np.array([[list(map(int, step)) for step in text.split()]], np.bool_)


def activity(rule: str = "stop-w", network: NetworkSpec = NETWORK, *, static: bool = False) -> Activity:
    """Two input spikes, one hidden spike, one output spike; deltas of two hidden neurons and one output neuron."""
    hidden = LayerActivity.from_masks(
        (4,),
        (3,),
        1,
        {"inputs": bits("1010"), "spikes": bits("010"), "traces": bits("1010"), "deltas": bits("101")},
    )
    output = LayerActivity.from_masks(
        (3,),
        (2,),
        1,
        {"inputs": bits("010"), "spikes": bits("10"), "traces": bits("010"), "deltas": bits("01")},
    )
    return Activity(
        network.content_hash(), rule, "hand", 1, static, (hidden, output),
        np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([[1, 0]]),
    )  # fmt: skip


def work(
    rule: str,
    chip: dict[str, Any] | None = None,
    network: NetworkSpec = NETWORK,
    precision: Precision | None = None,
    **options: bool,
) -> StepWork:
    """The work of a training; a static input where `options` have `static_input`."""
    config = ChipConfig.model_validate(CHIP if chip is None else chip)
    pieces = (Slice(0, 0, 0, 3, 0, 1, 0, 4), Slice(1, 0, 0, 2, 0, 1, 0, 3))
    mapping = Mapping(network.content_hash(), config.content_hash(), rule, pieces, ())
    needs = TrainingNeeds.for_rule(rule, batch_size=4, **options)
    job = Deployment(network, precision or Precision(), needs, config, mapping)
    return build_work(job, activity(rule, network, static=needs.static_input))
