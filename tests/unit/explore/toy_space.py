"""A small design space with a closed-form cost, for tests that need no chip."""

from nmsim import config
from nmsim.config import Document
from nmsim.explore.result import Result, Status
from nmsim.explore.space import DesignSpace, Values

TEXT = """
name: toy
base: {chip: edge-28nm, workload: mnist-dense}
axes:
  - {name: columns, key: chip.mesh.columns, kind: power_of_two, low: 1, high: 8}
  - {name: lanes, key: chip.core_types.trainer.mac_lanes, kind: power_of_two, low: 1, high: 32}
  - {name: words, key: chip.core_types.trainer.memories.weights.words, kind: power_of_two, low: 1024, high: 16384}
  - {name: schedule, key: chip.options.schedule, kind: categorical, values: [sequential, overlapped]}
  - {name: node, key: chip.tech_node_nm, kind: categorical, values: [65, 28, 16]}
objectives: [energy_per_sample_j, latency_per_sample_s, area_mm2]
"""


def document(text: str = TEXT) -> Document:
    return config.parse_text(text, "space.yaml")


def space(text: str = TEXT) -> DesignSpace:
    return config.build(DesignSpace, document(text))


def toy_result(design: int, values: Values, model: str = "analytic") -> Result:
    """Area, latency and energy by hand: trade-offs in every axis, and designs that do not fit."""
    columns, lanes, words, schedule, node = values
    if columns * words < 8192:
        return Result(design, model, values, Status.DOES_NOT_FIT, "weights: needs 8,192 words, has fewer")
    shrink = (node / 28) ** 2
    area = (
        columns * (words * 2e-5 + lanes * 0.002 + 0.02) * shrink * (1.15 if schedule == "overlapped" else 1.0)
    )
    latency = 1e-4 / min(columns * lanes, 200) ** 0.9 * (0.7 if schedule == "overlapped" else 1.0) + 1e-6 * (
        columns + lanes
    )
    energy = 1e-6 * (
        shrink**0.75 * (1 + words**0.5 / 100) + area * latency * 1e5 / shrink**0.5 + 0.02 * columns
    )
    metrics = {
        "energy_per_sample_j": energy,
        "latency_per_sample_s": latency,
        "area_mm2": area,
        "off_chip_bits": 0,
        "accuracy": 0.9,
    }
    return Result(design, model, values, Status.OK, metrics=metrics)
