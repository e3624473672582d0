"""Designs that are evaluated one after the other share what they have in common, and not a bit of a figure changes."""

import gc
import sys
from functools import _lru_cache_wrapper
from pathlib import Path

import pytest

from nmsim import config
from nmsim.caches import BoundedCache
from nmsim.explore.configure import Configurator
from nmsim.explore.result import Result
from nmsim.explore.sample import sample
from nmsim.explore.space import DesignSpace
from nmsim.pipeline.evaluate_design import EvaluateDesign, Job, Numerics
from nmsim.pipeline.train import train

WORKLOAD = """
name: shared
dataset: {name: mnist-subset, train_samples: 64, test_samples: 40}
encoding: {kind: direct, downsample: 1/2}
network: {input_shape: [1, 14, 14], time_steps: 2, layers: [{kind: dense, units: 24}, {kind: dense, units: 10}]}
training: {rule: stop-wtl, arithmetic: float64, epochs: 1, batch_size: 16}
profile: {samples: 3}
"""
SPACE = """
name: shared
base: {chip: edge-28nm, workload: WORKLOAD, values: {chip.mesh.rows: 2}}
axes:
  - {name: columns, key: chip.mesh.columns, kind: integer, low: 2, high: 4}
  - {name: words, key: chip.core_types.trainer.memories.gradients.words, kind: power_of_two, low: 128, high: 512}
  - {name: lanes, key: chip.core_types.trainer.mac_lanes, kind: power_of_two, low: 4, high: 16}
  - {name: schedule, key: chip.options.schedule, kind: categorical, values: [sequential, overlapped, pipelined]}
  - {name: spread, key: chip.options.spread, kind: categorical, values: [searched, wide]}
  - {name: casting, key: chip.noc.casting, kind: categorical, values: [unicast, multicast]}
  - {name: flit_bits, key: chip.noc.flit_bits, kind: power_of_two, low: 16, high: 64}
  - {name: link_cycles, key: chip.noc.link_cycles, kind: integer, low: 1, high: 2}
  - {name: tile_mm, key: chip.mesh.tile_width_mm, kind: continuous, low: 0.5, high: 1.5}
  - {name: banks, key: chip.core_types.trainer.memories.weights.banks, kind: power_of_two, low: 1, high: 4}
  - {name: clock_hz, key: chip.clock_hz, kind: continuous, low: 5e7, high: 3e8, log: true}
  - {name: supply, key: chip.voltage_v, kind: continuous, low: 0.75, high: 1.0}
  - {name: price, key: technology.sram.write_over_read.value, kind: continuous, low: 1.0, high: 1.4}
objectives: [energy_per_sample_j, latency_per_sample_s, area_mm2]
"""


def evaluator(folder: Path) -> tuple[EvaluateDesign, DesignSpace]:
    """The worker's function, on a run that is trained first."""
    (folder / "workload.yaml").write_text(WORKLOAD)
    (folder / "space.yaml").write_text(SPACE.replace("WORKLOAD", str(folder / "workload.yaml")))
    document = config.load(folder / "space.yaml")
    space = config.build(DesignSpace, document)
    configurator = Configurator.of(space, document)
    numerics = Numerics(str(folder / "numerics"))
    workload = configurator.workload_of(sample(space, "sobol", 1, 1)[0])
    train(workload, numerics.run(workload.run_hash(space.base.seed)).path, seed=space.base.seed)
    return EvaluateDesign(configurator, numerics), space


def forget() -> None:
    """Nothing that an earlier design left is there for the next one."""
    gc.unfreeze()  # what a command froze is not among the objects that are looked through
    for kept in gc.get_objects():
        kind = type(kept)  # not `isinstance`: it asks a weak reference's object, which may be gone
        if issubclass(kind, BoundedCache) or (
            issubclass(kind, _lru_cache_wrapper) and str(kept.__module__).startswith("nmsim.")
        ):
            kept.cache_clear()


def test_everything_that_is_kept_is_forgotten() -> None:
    forget()
    work, assembly = (sys.modules[f"nmsim.perf.{name}"] for name in ("work", "assembly"))
    assert len(assembly._stages) == len(work._counted) == work.outline.cache_info().currsize == 0


@pytest.mark.parametrize("designs", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_figures_alone_and_among_others_are_the_same(designs: int, tmp_path: Path) -> None:
    evaluate, space = evaluator(tmp_path)
    jobs = [Job(design, values) for design, values in enumerate(sample(space, "sobol", designs, 7))]
    alone: list[Result] = []
    for job in jobs:
        forget()
        alone.append(evaluate(job))
    assert sum(result.ok for result in alone) > designs // 4
    forget()
    assert [evaluate(job) for job in jobs] == alone
    backwards = [evaluate(job) for job in reversed(jobs)]
    assert backwards[::-1] == alone
