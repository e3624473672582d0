"""A small reference made by nmsim itself: real MNIST images, bit-accurate training, two chips, one that is too small."""

from pathlib import Path

import numpy as np

from nmsim import config
from nmsim.datasets.load import load
from nmsim.pipeline.reference_plan import PlannedDataset, ReferencePlan, StandIn
from nmsim.pipeline.simulate import CHIPS

EXAMPLE_CHIPS = ("edge-28nm", "odin-like-28nm")
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
    """A data root with 64 + 16 MNIST images, and workloads and chips beside it.

    The chips spread layers by a policy: what the search of a mapping finds is a matter of `tests/unit/mapper`.
    """
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
    for name in EXAMPLE_CHIPS:
        document = config.load(config.find(CHIPS, name)).with_value("options.spread=balanced")
        (folder / f"{name}.yaml").write_text(config.to_yaml(document.data))


def example_plan(folder: Path) -> ReferencePlan:
    """Digits, a data set with a stand-in, and one that is absent."""
    preparation = {"training.epochs": 1, "dataset.train_samples": 32}
    followed = preparation | {"profile.milestones": 3, "profile.milestone_samples": 4}
    digits = PlannedDataset(
        title="Digits",
        workload=str(folder / "digits.yaml"),
        paths=("elsewhere.npz", "mnist.npz"),
        settings={"training.momentum": 0.5},
        preparation=followed,
        epoch_samples=60000,
        epoch_source="the official training set",
    )
    stand_in = StandIn(
        paths=("mnist.npz",), settings={"training.batch_size": 4}, note="Digits took the place of events."
    )
    events = digits.model_copy(
        update={
            "title": "Events",
            "preparation": preparation,
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
        chips=tuple(str(folder / f"{name}.yaml") for name in EXAMPLE_CHIPS),
        datasets=(digits, events, absent),
    )
