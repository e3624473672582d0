"""Networks, machines and needs that the mapping tests share."""

from copy import deepcopy
from typing import Any

from nmsim import config
from nmsim.contents import STORED
from nmsim.hardware.chip import ChipConfig
from nmsim.network.layers import AvgPool, Conv, Dense
from nmsim.network.published import dense
from nmsim.network.spec import NetworkSpec

WEIGHTS = ["weight", "weight_gradient", "velocity", "factor"]
OTHERS = [content.value for content in STORED if content.value not in WEIGHTS]
DRAM = {"kind": "LPDDR4", "bandwidth_bits_per_s": 1e11, "latency_ns": 60}
CHIP: dict[str, Any] = {
    "name": "test chip",
    "tech_node_nm": 28,
    "voltage_v": 0.9,
    "clock_hz": 2e8,
    "technology": "cmos",
    "mesh": {"columns": 2, "rows": 2},
    "core_types": [
        {
            "name": "core",
            "accumulate_lanes": 4,
            "neuron_slots": 64,
            "memories": [
                {"name": "weights", "holds": WEIGHTS, "words": 2048, "word_bits": 64},
                {"name": "state", "holds": OTHERS, "words": 1024, "word_bits": 32},
            ],
        }
    ],
}
NETWORK = dense(40, 32, 10)
CONVOLUTIONS = NetworkSpec(
    name="conv",
    input_shape=(2, 12, 12),
    layers=(
        Conv(kind="conv", channels=4, kernel=3, padding=1),
        AvgPool(kind="avg_pool", size=2),
        Conv(kind="conv", channels=6, kernel=4, stride=2),
        Dense(kind="dense", units=5),
    ),
)


def machine(**changes: Any) -> ChipConfig:
    """A chip of 2 x 2 cores; keys such as `mesh__rows` or `core_types__0__neuron_slots` change one value."""
    chip = deepcopy(CHIP)
    for path, value in changes.items():
        here: Any = chip
        *parents, last = [int(key) if key.isdigit() else key for key in path.split("__")]
        for key in parents:
            here = here.setdefault(key, {}) if isinstance(here, dict) else here[key]
        here[last] = value
    return config.build(ChipConfig, config.Document(chip, "test chip"))
