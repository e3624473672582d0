"""A workload that trains in a second, for tests of run folders."""

from pathlib import Path

from nmsim import config
from nmsim.pipeline.train import train
from nmsim.workload import WorkloadSpec

TEXT = """
name: tiny
dataset: {name: mnist-subset, train_samples: 40, test_samples: 20}
encoding: direct
network:
  name: tiny
  input_shape: [784]
  time_steps: 2
  layers: [{kind: dense, units: 12}, {kind: dense, units: 10}]
training: {epochs: 1, batch_size: 8}
profile: {samples: 4}
"""


def make_workload(*assignments: str) -> WorkloadSpec:
    document = config.parse_text(TEXT, "tiny.yaml")
    for assignment in assignments:
        document = document.with_value(assignment)
    return config.build(WorkloadSpec, document)


def trained(folder: Path, *assignments: str, seed: int = 1, overwrite: bool = False) -> Path:
    train(make_workload(*assignments), folder, seed=seed, overwrite=overwrite)
    return folder
