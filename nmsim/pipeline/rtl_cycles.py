"""Cycles of the RTL compared with both performance models, stage by stage, on the machine as it is built."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import Activity, LayerActivity
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import deploy_network
from nmsim.network.memory import TrainingNeeds
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.event.chip import EventModel
from nmsim.perf.model import PerfResult
from nmsim.perf.stage import StageKind
from nmsim.perf.work import build_work
from nmsim.rtl.built import built_chip, stored_precision
from nmsim.rtl.design import Design
from nmsim.rtl.package import PHASES
from nmsim.stop.raw import RawRun

FloatArray = NDArray[np.float64]
Cycles = Mapping[tuple[int, int, int], int]
STAGES = {
    "INTEGRATE": StageKind.INTEGRATE, "NEURON": StageKind.NEURON, "TRACE": StageKind.NEURON, "DELTA": StageKind.DELTA,
    "PROPAGATE": StageKind.PROPAGATE, "GRADIENT": StageKind.GRADIENT, "UPDATE": StageKind.UPDATE,
    "THRESHOLD": StageKind.UPDATE, "LEAK": StageKind.UPDATE,
}  # fmt: skip
"""The model's stage that a stage of the RTL belongs to; in place, weights change in the gradient's stage."""


@dataclass(frozen=True)
class StageRow:
    """Cycles of one stage over all samples, its share of updates included: RTL, analytic model, event-driven model."""

    name: str
    rtl: int
    analytic: float
    event: float

    def gap(self, model: str) -> float:
        """The model's cycles less the RTL's, by the RTL's."""
        found: float = getattr(self, model)
        return (found - self.rtl) / self.rtl if self.rtl else 0.0


@dataclass(frozen=True)
class CycleComparison:
    """Rows by stage, and the gap of every sample `(S,)`, without updates."""

    rows: tuple[StageRow, ...]
    sample_gaps: FloatArray

    @property
    def total(self) -> StageRow:
        """All stages."""
        rtl = sum(row.rtl for row in self.rows)
        return StageRow(
            "all", rtl, sum(row.analytic for row in self.rows), sum(row.event for row in self.rows)
        )

    def record(self) -> dict[str, Any]:
        """For `cycles.json`."""
        return {
            "stages": [asdict(row) for row in (*self.rows, self.total)],
            "sample_gaps": self.sample_gaps.tolist(),
            "median_sample_gap": float(np.median(self.sample_gaps)),
            "largest_sample_gap": float(np.abs(self.sample_gaps).max()),
        }


def activity_of(design: Design, run: RawRun) -> Activity:
    """What happened in the samples of a raw run."""
    layers = []
    for own, raw in zip(design.side.formats, run.layers, strict=True):
        masks = {
            "inputs": raw.inputs != 0, "spikes": raw.spikes != 0, "traces": raw.weight_trace != 0, "deltas": raw.delta != 0,
        }  # fmt: skip
        shapes = own.layer.in_shape, own.layer.out_shape
        bits = own.input.format().total_bits
        layers.append(LayerActivity.from_masks(*shapes, bits, {k: v.astype(bool) for k, v in masks.items()}))
    samples = len(run.predictions)
    return Activity(
        design.side.network.content_hash(), str(design.training.rule), "fixed", design.side.network.time_steps,
        design.static, tuple(layers), np.arange(samples), np.zeros(samples, np.int64), run.spike_counts.astype(np.int64),
    )  # fmt: skip


def model_results(design: Design, chip: ChipConfig, run: RawRun) -> tuple[PerfResult, PerfResult]:
    """Analytic and event-driven model on the machine as it is built, with the samples of a raw run."""
    built = built_chip(design, chip)
    kind = "in_place" if design.in_place else "on_chip"
    options = built.options.model_copy(update={"weight_gradient": kind, "static_input_once": design.once})
    built = built.model_copy(update={"options": options})
    needs = TrainingNeeds.for_rule(
        str(design.training.rule),
        update=design.training.update,
        batch_size=design.training.batch_size,
        sample_bits=design.input.bits,
        static_input=design.static,
    )
    job = deploy_network(design.side.network, stored_precision(design), needs, built)
    work = build_work(job, activity_of(design, run))
    return AnalyticModel().run(work), EventModel(timeline=False).run(work)


def compare_cycles(design: Design, chip: ChipConfig, run: RawRun, cycles: Cycles) -> CycleComparison:
    """Cycles by stage: the RTL's as its bench counted them, the models' on the same samples."""
    analytic, event = model_results(design, chip, run)
    samples, updates = len(run.predictions), len(run.updates)
    rtl = _by_stage(design, cycles)
    rows = []
    for index, label in enumerate(analytic.stages):
        own, other = (
            _total(model.stage_cycles[index], label.cadence, updates) for model in (analytic, event)
        )
        found = rtl.get((label.part, label.layer), 0)
        if own or found:
            rows.append(StageRow(label.name, found, own, other))
    per_sample = np.zeros(samples)
    for (sample, phase, _), number in cycles.items():
        if _stage(design, PHASES[phase]) is not StageKind.UPDATE:
            per_sample[sample] += number
    return CycleComparison(tuple(rows), (analytic.cycles - per_sample) / per_sample)


def _total(cycles: FloatArray, cadence: str, updates: int) -> float:
    """Cycles of a stage over all samples, or over all updates."""
    return float(cycles[0, 0]) * updates if cadence == "batch" else float(cycles.sum())


def _stage(design: Design, phase: str) -> StageKind:
    return StageKind.GRADIENT if phase == "UPDATE" and design.in_place else STAGES[phase]


def _by_stage(design: Design, cycles: Cycles) -> dict[tuple[StageKind, int], int]:
    found: dict[tuple[StageKind, int], int] = {}
    for (_, phase, layer), number in cycles.items():
        key = _stage(design, PHASES[phase]), layer
        found[key] = found.get(key, 0) + number
    return found
