"""Recordings of tools whose layers hear each other some steps later."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recordings import NETWORK, save, spikes

from nmsim import config
from nmsim.errors import DataError, RunError
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.imported import RecordedNetwork, import_activity
from nmsim.rasters import aligned, read_rasters
from nmsim.rasters.align import steps_behind
from nmsim.rasters.raster import Rasters

CHAIN = NetworkSpec.model_validate(
    {
        "input_shape": [3],
        "time_steps": 5,
        "layers": [{"kind": "dense", "units": units} for units in (4, 2, 1)],
    }
)


def recorded(delay_steps: int) -> tuple[Rasters, Rasters]:
    """The same spikes at the steps they answer, and as a tool with a delay records them; silent at the end."""
    random = np.random.default_rng(5)
    masks = [random.random((2, 5, units)) < 0.4 for units in (4, 2, 1)]
    for depth, mask in enumerate(masks):
        mask[:, 5 - depth * delay_steps :] = False
    late = [np.roll(mask, depth * delay_steps, axis=1) for depth, mask in enumerate(masks)]
    inputs, labels = random.random((2, 5, 3)) < 0.5, np.full(2, -1)
    own = Rasters(inputs, 1, tuple(masks), (None, masks[1], None), labels)
    return own, replace(own, spikes=tuple(late), updates=(None, late[1], None))


@pytest.mark.parametrize("delay_steps", [0, 1, 2])
def test_a_delay_is_taken_out_layer_by_layer(delay_steps: int) -> None:
    own, late = recorded(delay_steps)
    found = aligned(late, CHAIN, delay_steps)
    for a, b in zip((*found.spikes, found.updates[1]), (*own.spikes, own.updates[1]), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(found.inputs, own.inputs)


def test_the_depth_of_a_branch_is_that_of_its_longest_way() -> None:
    network = NetworkSpec.model_validate(
        {
            "input_shape": [2, 4, 4], "time_steps": 2,
            "layers": [
                {"kind": "conv", "channels": 2, "kernel": 3, "padding": 1},
                {
                    "kind": "residual",
                    "body": [{"kind": "conv", "channels": 2, "kernel": 3, "padding": 1} for _ in range(2)],
                },
                {"kind": "dense", "units": 2},
            ],
        }
    )  # fmt: skip
    assert steps_behind(network, 1) == (0, 1, 2, 3)


@pytest.mark.parametrize("delays", [(0, 1, 2), (1, 0, 3), (0, 0, 0)])
def test_every_layer_may_have_a_delay_of_its_own(delays: tuple[int, ...]) -> None:
    late = tuple(np.cumsum(delays).tolist())
    own, _ = recorded(0)
    spikes = tuple(mask.copy() for mask in own.spikes)
    for mask, steps in zip(spikes, late, strict=True):
        mask[:, 5 - steps :] = False
    moved = (np.roll(mask, steps, axis=1) for mask, steps in zip(spikes, late, strict=True))
    found = aligned(replace(own, spikes=tuple(moved), updates=(None,) * 3), CHAIN, delays)
    for mask, expected in zip(found.spikes, spikes, strict=True):
        np.testing.assert_array_equal(mask, expected)


def test_delays_are_one_for_all_or_one_for_each_layer() -> None:
    with pytest.raises(DataError, match="2 numbers for the 3 layers with weights; give one number for each"):
        aligned(recorded(0)[0], CHAIN, (1, 1))


def test_spikes_that_nothing_can_have_caused_are_refused_with_their_place() -> None:
    own, _ = recorded(0)
    with pytest.raises(DataError) as error:
        aligned(own, CHAIN, 2)
    sample, step, neuron = np.argwhere(own.spikes[1][:, :2])[0]
    assert str(error.value) == (
        f"'layer1': neuron {neuron} is active in step {step} of sample {sample}, but with these delays nothing can have"
        " reached it before step 2; give the delay per layer that the tool has, or 0"
    )


def test_one_recording_under_two_delays_is_two_runs(tmp_path: Path) -> None:
    network = tmp_path / "network.yaml"
    network.write_text(NETWORK)
    spec = config.build(RecordedNetwork, config.load(network)).network
    arrays = spikes()
    for index, depth in enumerate(steps_behind(spec, 1)):
        for name in (f"layer{index}", f"updates{index}"):
            if name in arrays:
                arrays[name][:, :depth] = 0
    path = save(tmp_path, arrays)
    import_activity(path, network, tmp_path / "run", delay_steps=1)
    with pytest.raises(
        RunError, match=r"holds run \w+-0, this configuration is \w+-0; give another --out, or --overwrite"
    ):
        import_activity(path, network, tmp_path / "run")
    assert read_rasters(path, spec).samples
