"""A small reference made by nmsim itself: real MNIST images, bit-accurate training, two chips, one that is too small."""

from pathlib import Path

import numpy as np

from nmsim.datasets.load import load
from nmsim.pipeline.reference_plan import PlannedDataset, ReferencePlan, StandIn

WORKLOAD = """
name: digits
description: A small network on real MNIST images, for tests.
dataset: mnist
encoding: direct
network:
  name: digits-net
  input_shape: [1, 28, 28]
  time_steps: 4
  layers:
    - {kind: conv, channels: 4, kernel: 5, stride: 2, weight_scale: 2.0}
    - {kind: dense, units: 10}
training: {rule: stop-wtl, epochs: 7, batch_size: 8}
profile: {samples: 4, split: test}
"""


def write_inputs(folder: Path) -> None:
    """A data root with 64 + 16 MNIST images, and workloads beside it."""
    digits = load("mnist-subset")
    np.savez(
        folder / "mnist.npz",
        x_train=digits.x_train[:64, 0],
        y_train=digits.y_train[:64],
        x_test=digits.x_test[:16, 0],
        y_test=digits.y_test[:16],
    )
    (folder / "digits.yaml").write_text(WORKLOAD)
    (folder / "events.yaml").write_text(WORKLOAD.replace("name: digits\n", "name: events\n"))


def example_plan(folder: Path) -> ReferencePlan:
    """Digits, a data set with a stand-in, and one that is absent."""
    preparation = {"training.epochs": 1, "dataset.train_samples": 32}
    digits = PlannedDataset(
        title="Digits",
        workload=str(folder / "digits.yaml"),
        paths=("elsewhere.npz", "mnist.npz"),
        settings={"training.momentum": 0.5},
        preparation=preparation,
        epoch_samples=60000,
        epoch_source="the official training set",
    )
    stand_in = StandIn(
        paths=("mnist.npz",), settings={"training.batch_size": 4}, note="Digits took the place of events."
    )
    events = digits.model_copy(
        update={
            "title": "Events",
            "workload": str(folder / "events.yaml"),
            "paths": ("events.npz",),
            "stand_in": stand_in,
        }
    )
    absent = digits.model_copy(update={"title": "Absent", "workload": "absent", "paths": ("absent.npz",)})
    return ReferencePlan(
        name="example",
        description="Tests.",
        seed=3,
        chips=("edge-28nm", "odin-like-28nm"),
        datasets=(digits, events, absent),
    )
