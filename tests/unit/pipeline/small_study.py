"""A small real study: a 196-24-10 network on the MNIST subset, and edge chips around it."""

from collections.abc import Callable
from pathlib import Path

from nmsim import config
from nmsim.config import Document
from nmsim.pipeline.study import StudyOptions, StudyProgress

WORKLOAD = """
name: small
dataset: {name: mnist-subset, train_samples: 64, test_samples: 40}
encoding: {kind: direct, downsample: 1/2}
network:
  input_shape: [1, 14, 14]
  time_steps: 2
  layers: [{kind: dense, units: 24}, {kind: dense, units: 10}]
training: {rule: stop-w, arithmetic: float64, epochs: 1, batch_size: 16}
profile: {samples: 2}
"""
SPACE = """
name: small-study
description: Which chip for a small network?
base: {chip: edge-28nm, workload: WORKLOAD, values: {chip.mesh.rows: 2}}
axes:
  - {name: columns, key: chip.mesh.columns, kind: power_of_two, low: 1, high: 4}
  - {name: lanes, key: chip.core_types.trainer.mac_lanes, kind: power_of_two, low: 4, high: 16}
  - {name: gradient_words, key: chip.core_types.trainer.memories.gradients.words, kind: power_of_two, low: 64, high: 256}
  - {name: schedule, key: chip.options.schedule, kind: categorical, values: [sequential, overlapped]}
objectives: [energy_per_sample_j, latency_per_sample_s, area_mm2]
"""


def make_space(folder: Path, *assignments: str, more: str = "") -> Document:
    """The space as a document, its workload written into `folder`."""
    workload = folder / "workload.yaml"
    workload.write_text(WORKLOAD)
    (folder / "space.yaml").write_text(SPACE.replace("WORKLOAD", str(workload)) + more)
    document = config.load(folder / "space.yaml")
    for assignment in assignments:
        document = document.with_value(assignment)
    return document


def options(
    out: Path, *, listen: Callable[[StudyProgress], None] = lambda _: None, **others: object
) -> StudyOptions:
    """Options of a study without full reports unless asked for."""
    return StudyOptions(out, listen=listen, **{"reports": 0, **others})  # type: ignore[arg-type]
