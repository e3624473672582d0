"""A real run for the report's tests: trained on real images, recorded, mapped, replayed and priced by nmsim itself."""

from dataclasses import asdict

import numpy as np

from nmsim import config
from nmsim.activity import Activity
from nmsim.cost.table import load_table
from nmsim.evaluate import Evaluation, Model, evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.report.result import RunResult
from nmsim.rules import STBP, LearningRule
from nmsim.stop.float.engine import FloatEngine
from nmsim.stop.record_activity import record_activity
from nmsim.stop.stbp.engine import StbpEngine
from nmsim.stop.train import train
from nmsim.workload import Prepared, WorkloadSpec, prepare

CHIP = """
name: tester
description: A small mesh for tests.
sources: [made up for tests]
tech_node_nm: 28
voltage_v: 0.9
clock_hz: 200e6
technology: cmos
mesh: {columns: 2, rows: 2, tile_width_mm: 0.8, tile_height_mm: 0.8}
barrier: {base_cycles: 4, per_tile_cycles: 1}
core_types:
  - neuron_slots: 128
    accumulate_lanes: 16
    mac_lanes: 8
    neuron_lanes: 2
    update_lanes: 4
    memories:
      - {name: weights, holds: [weight], words: 16384, word_bits: 64, banks: 4}
      - {name: gradients, holds: [weight_gradient, threshold_gradient, threshold, velocity, factor], words: 32768,
         word_bits: 64, banks: 4}
      - {name: states, holds: [membrane, spike, threshold_trace, leak_trace, delta, accumulator, history,
         temporal_error], words: 4096, word_bits: 64, banks: 2}
      - {name: traces, holds: [weight_trace, input], words: 4096, word_bits: 32}
"""
WORKLOAD = """
name: mnist-test
description: A small network on real MNIST images, for tests.
dataset: {name: mnist-subset, train_samples: 192, test_samples: 64}
encoding: direct
network:
  input_shape: [1, 28, 28]
  time_steps: 4
  layers:
    - {kind: dense, units: 48}
    - {kind: dense, units: 10}
training: {rule: stop-wtl, arithmetic: float64, epochs: 2, batch_size: 16}
profile: {samples: 4, split: test}
"""
VERSIONS = {"nmsim": "0", "python": "3"}


def make_chip(*assignments: str) -> ChipConfig:
    """The test chip with some keys set."""
    document = config.parse_text(CHIP, "chip.yaml")
    for assignment in assignments:
        document = document.with_value(assignment)
    return config.build(ChipConfig, document)


def make_result(*assignments: str, chips: tuple[ChipConfig, ...] = (), seed: int = 1) -> RunResult:
    """The test workload with some keys set, on the given chips: inference, its own rule (by both models), and STBP."""
    document = config.parse_text(WORKLOAD, "workload.yaml")
    for assignment in assignments:
        document = document.with_value(assignment)
    workload = config.build(WorkloadSpec, document)
    prepared = prepare(workload, seed)
    engine = FloatEngine(workload.network, workload.training, seed)
    history = train(engine, prepared.train, prepared.test, seed=seed, run_hash=workload.run_hash(seed))
    activities = {"stop": _profile(engine, prepared, workload.training.rule)}
    stbp = StbpEngine(workload.network, workload.training.model_copy(update={"rule": STBP}), seed)
    stbp.parameters = engine.parameters
    activities["stbp"] = _profile(stbp, prepared, STBP)
    chips = chips or (make_chip(),)
    own = str(workload.training.rule)
    runs: tuple[tuple[str, Model], ...] = (
        (own, "analytic"),
        (own, "event"),
        ("inference", "analytic"),
        ("stbp", "analytic"),
    )
    evaluations = tuple(
        _evaluate(workload, activities, chip, rule, model) for chip in chips for rule, model in runs
    )
    dataset = {
        **asdict(prepared.dataset.provenance),
        "source": "test images",
        "train_samples": len(prepared.dataset.train),
        "test_samples": len(prepared.dataset.test),
    }
    provenance = {"versions": VERSIONS, "dataset": dataset}
    return RunResult(workload, seed, provenance, history, activities["stop"], evaluations, chips)


def _profile(engine: FloatEngine | StbpEngine, prepared: Prepared, rule: LearningRule) -> Activity:
    chosen = np.arange(prepared.workload.profile.samples)
    batch = prepared.test.batch(chosen, 0)
    return record_activity(
        engine, batch, chosen, prepared.input_format, rule=rule, origin="float64", meta={"split": "test"}
    )


def _evaluate(
    workload: WorkloadSpec, activities: dict[str, Activity], chip: ChipConfig, rule: str, model: Model
) -> Evaluation:
    activity = activities["stbp" if rule == "stbp" else "stop"]
    needs = TrainingNeeds.for_rule(
        rule,
        batch_size=workload.training.batch_size,
        sample_bits=activity.layers[0].input_bits,
        static_input=activity.static_input,
        keep_static_current=activity.static_input,
    )
    mapping = map_network(workload.network, workload.precision, needs, chip)
    costs = load_table(chip.technology)
    job = Deployment(workload.network, workload.precision, needs, chip, mapping)
    return evaluate(job, activity, costs, model=model, detail=True)
