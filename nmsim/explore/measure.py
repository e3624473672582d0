"""Evaluation to metrics: the figures of one design."""

from nmsim.evaluate import Evaluation
from nmsim.explore.metric import COMPONENTS
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.mapping import Mapping


def measure(
    evaluation: Evaluation, mapping: Mapping, chip: ChipConfig, accuracy: float | None
) -> dict[str, float | int | None]:
    """Every metric of `nmsim.explore.metric.METRICS`; None where the price table or the run cannot give it."""
    energy, area = evaluation.energy_j, evaluation.area
    return {
        "energy_j": energy.mean,
        "energy_low_j": energy.band_low,
        "energy_high_j": energy.band_high,
        "forward_energy_j": evaluation.forward_energy_j.mean,
        **_by_component(evaluation),
        "latency_s": evaluation.latency_s.mean,
        "throughput_per_s": evaluation.throughput_per_s,
        "power_w": evaluation.power_w.mean,
        "deadlines_missed": None if evaluation.real_time is None else evaluation.real_time.missed,
        "edp_js": evaluation.edp_js.mean,
        "area_mm2": area.total_mm2 if area else None,
        "memory_bits": sum(use.used_bits for use in evaluation.memory),
        "memory_capacity_bits": sum(m.capacity_bits for core in chip.cores() for m in core.type.memories),
        "off_chip_bits": mapping.off_chip_bits(),
        "cores_used": len(mapping.cores_used),
        "accuracy": accuracy,
    }


def _by_component(evaluation: Evaluation) -> dict[str, float | int | None]:
    """Energy of every component; 0 for those that the chip does not have, so that they can be bounded on any chip."""
    parts = {name: table.mean_j for (name,), table in evaluation.energy.by("component").items()}
    return {f"energy_{name}_j": parts.get(name, 0.0) for name in COMPONENTS}
