"""A chip of four tiles in a row, with a queue in every core."""

from nmsim.hardware.chip import ChipConfig
from nmsim.perf.machine import Machine


def machine() -> Machine:
    """The machine of that chip."""
    queue = {"name": "queue", "holds": ["input"], "words": 8, "word_bits": 16}
    return Machine.of(
        ChipConfig.model_validate(
            {
                "name": "line", "tech_node_nm": 28, "voltage_v": 0.9, "clock_hz": 1e8, "technology": "none",
                "mesh": {"columns": 4, "rows": 1}, "core_types": [{"neuron_slots": 1, "memories": [queue]}],
                "noc": {"buffer_flits": 2},
            }
        )
    )  # fmt: skip
