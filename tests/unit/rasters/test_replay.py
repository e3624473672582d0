"""What imported spikes cost on a chip, against loops over every synapse: strided, unpadded, padded, pooled, residual."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from recordings import SPEC, save, spikes

from nmsim.counts import Action, Component
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.work import StepWork, build_work
from nmsim.pipeline.simulate import read_chip
from nmsim.rasters import activity_of, read_rasters
from nmsim.rasters.raster import Rasters

INFERENCE = TrainingNeeds.for_rule("inference")


@pytest.fixture
def recording(tmp_path: Path) -> Rasters:
    return read_rasters(save(tmp_path, spikes()), SPEC)


def work_of(recording: Rasters, chip_name: str, *assignments: str) -> StepWork:
    chip = read_chip(chip_name, assignments)
    mapping = map_network(SPEC, Precision(), INFERENCE, chip)
    return build_work(
        Deployment(SPEC, Precision(), INFERENCE, chip, mapping), activity_of(SPEC, recording, {})
    )


def neighbours(layer: int) -> dict[int, set[int]]:
    """Neurons that each input of a layer has a synapse to, counted one by one."""
    spec = SPEC.synaptic_layers[layer]
    found: dict[int, set[int]] = {}
    if spec.kind == "dense":
        return {i: set(range(spec.neurons)) for i in range(spec.inputs)}
    (channels, height, width), (outs, rows, columns) = spec.in_shape, spec.out_shape
    for out, row, column in np.ndindex(outs, rows, columns):
        for channel, dy, dx in np.ndindex(channels, spec.weight_shape[2], spec.weight_shape[3]):
            y, x = row * spec.stride - spec.padding + dy, column * spec.stride - spec.padding + dx
            if 0 <= y < height and 0 <= x < width:
                source = (channel * height + y) * width + x
                found.setdefault(source, set()).add((out * rows + row) * columns + column)
    return found


@pytest.mark.parametrize(
    ("chip", "component", "action"),
    [
        ("edge-28nm", Component.ALU, Action.SOP),
        ("loihi-board", Component.EVENT, Action.SYNAPTIC_OP),
    ],
)
def test_synaptic_operations_are_those_of_every_spike(
    recording: Rasters, chip: str, component: Component, action: Action
) -> None:
    counts = work_of(recording, chip).counts
    sources = (recording.inputs, *recording.spikes[:-1])
    for layer, source in enumerate(sources):
        synapses = {n: len(targets) for n, targets in neighbours(layer).items()}
        expected = [sum(synapses.get(n, 0) for n in np.nonzero(sample)[1].tolist()) for sample in source]
        found = counts.select(component=str(component), action=str(action), layer=layer).counts.sum(axis=0)
        assert found.tolist() == expected


def test_packets_go_to_every_core_with_a_synapse_and_to_no_other(recording: Rasters) -> None:
    work = work_of(recording, "loihi-board", "options.spread=wide")
    chip = read_chip("loihi-board", ["options.spread=wide"])  # work's own has no sizes of memories
    mapping = map_network(SPEC, Precision(), INFERENCE, chip)
    unseen = 0
    for stage in work.stages:
        if stage.traffic is None:
            continue
        cores = mapping.neuron_core(stage.layer, SPEC.synaptic_layers[stage.layer].out_shape).reshape(-1)
        targets = {
            source: set(cores[list(neurons)].tolist()) for source, neurons in neighbours(stage.layer).items()
        }
        expected: Counter[int] = Counter()
        below = (recording.inputs, *recording.spikes)[stage.layer]
        for source in np.nonzero(below)[2].tolist():
            expected.update(targets.get(source, ()))
            unseen += source not in targets
        found = Counter(
            dict(
                zip(
                    stage.traffic.received[0].tolist(),
                    stage.traffic.received[1].sum((1, 2)).tolist(),
                    strict=True,
                )
            )
        )
        assert +found == +expected
    assert unseen  # the last row and column of the input are seen by no kernel


def test_convolutions_have_a_service_time_and_a_price_of_their_own(recording: Rasters) -> None:
    dear = work_of(recording, "loihi-board").counts
    kinds = dear.select(action=str(Action.SYNAPTIC_OP))
    by_layer = {(int(a), str(b)) for a, b in zip(kinds.columns["layer"], kinds.columns["unit"], strict=True)}
    assert by_layer == {(0, "conv"), (1, "conv"), (2, "dense")}
    machine = work_of(recording, "loihi-board").machine
    first = np.array([0])
    assert machine.service_ns(first, Action.SYNAPTIC_OP, "conv") == 3.1
    assert machine.service_ns(first, Action.SYNAPTIC_OP, "dense") == 3.8
    assert work_of(recording, "loihi-2018").machine.service_ns(first, Action.SYNAPTIC_OP, "conv") == 3.5


def test_recorded_updates_decide_who_is_active(recording: Rasters) -> None:
    updates = np.random.default_rng(5).random(recording.spikes[1].shape) < 0.5
    told = Rasters(recording.inputs, 1, recording.spikes, (None, updates, None), recording.labels)
    counts = work_of(told, "loihi-board").counts.select(layer=1)
    active = counts.select(action=str(Action.NEURON_UPDATE_ACTIVE)).counts.sum(axis=0)
    idle = counts.select(action=str(Action.NEURON_UPDATE_INACTIVE)).counts.sum(axis=0)
    assert active.tolist() == updates.sum(axis=(1, 2)).tolist()
    assert (active + idle).tolist() == [27 * 3] * 2


def test_values_behind_pools_and_sums() -> None:
    block = {
        "kind": "residual",
        "body": [{"kind": "conv", "channels": 2, "kernel": 3, "padding": 1}],
        "shortcut": [],
    }
    network = NetworkSpec.model_validate(
        {
            "input_shape": [2, 5, 5], "time_steps": 2,
            "layers": [block, {"kind": "avg_pool", "size": 2}, {"kind": "dense", "units": 3}],
        }
    )  # fmt: skip
    random = np.random.default_rng(3)
    inputs, body = (random.random((1, 2, 50)) < 0.2 for _ in range(2))
    output = random.random((1, 2, 3)) < 0.5
    rasters = Rasters(inputs, 1, (body, output), (None, None), np.array([-1]))
    found = activity_of(network, rasters, {}).layers[1]
    either = (inputs | body).reshape(2, 2, 5, 5)
    for t, channel, row, column in np.ndindex(2, 2, 2, 2):
        window = either[t, channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert found.mask("inputs")[0, t, (channel * 2 + row) * 2 + column] == window.any()
    # a sum of two spikes has 2 bits, an average of four of them two more fraction bits
    assert found.input_bits == 4


def test_one_time_step_of_input_stands_for_all(recording: Rasters) -> None:
    still = Rasters(recording.inputs[:, :1], 8, recording.spikes, recording.updates, recording.labels)
    activity = activity_of(SPEC, still, {})
    assert activity.static_input
    assert activity.layers[0].input_bits == 8
    assert np.array_equal(activity.layers[0].mask("inputs"), np.repeat(recording.inputs[:, :1], 3, axis=1))
    assert not activity_of(SPEC, recording, {}).static_input
