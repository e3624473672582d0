"""A chip with a compressed synapse memory does what the masks of its activity ask for, counted one synapse at a time."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from nmsim import config
from nmsim.activity import SYNAPSES, Activity, LayerActivity
from nmsim.counts import Action, Component, Phase
from nmsim.errors import ConfigError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.synapse_memory import SynapseStore
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.work import StepWork, build_work

NETWORK = config.build(
    NetworkSpec,
    config.parse_text(
        "{name: pruned, input_shape: [2, 5, 6], time_steps: 3, layers: [{kind: conv, channels: 3, kernel: 3, padding: 1},"
        " {kind: conv, channels: 4, kernel: 2, stride: 2}, {kind: dense, units: 5}]}",
        "network.yaml",
    ),
)
CHIP = """
name: tester
tech_node_nm: 28
voltage_v: 0.9
clock_hz: 200e6
technology: cmos
mesh: {columns: 2, rows: 2}
core_types:
  - neuron_slots: 128
    accumulate_lanes: 4
    mac_lanes: 2
    memories:
      - {name: weights, holds: [weight], words: 2048, word_bits: 64}
      - {name: gradients, holds: [weight_gradient, velocity], words: 8192, word_bits: 64}
      - name: states
        holds: [membrane, spike, threshold, threshold_gradient, threshold_trace, leak_trace, weight_trace,
                accumulator, delta, input, history, temporal_error, factor]
        words: 8192
        word_bits: 64
"""
SAMPLES, STEPS = 2, 3
Masks = list[NDArray[np.bool_]]


def chip(**synapses: object) -> ChipConfig:
    document = config.parse_text(CHIP, "chip.yaml")
    return config.build(
        ChipConfig, document.with_values({"options": {"synapses": synapses, "spread": "wide"}}, "a test")
    )


def activity(masks: Masks | None, density: float = 0.4) -> Activity:
    rng = np.random.default_rng(5)
    layers = []
    for layer in NETWORK.synaptic_layers:
        sizes = {
            "inputs": layer.inputs,
            "traces": layer.inputs,
            "spikes": layer.neurons,
            "deltas": layer.neurons,
        }
        found = {name: rng.random((SAMPLES, STEPS, size)) < density for name, size in sizes.items()}
        if masks is not None:
            found[SYNAPSES] = masks[layer.index]
        layers.append(LayerActivity.from_masks(layer.in_shape, layer.out_shape, 1, found))
    return Activity(
        NETWORK.content_hash(), "stop-wtl", "fixed", STEPS, False, tuple(layers), np.arange(SAMPLES),
        np.zeros(SAMPLES, np.int64), np.zeros((SAMPLES, 5), np.int64),
    )  # fmt: skip


def random_masks(present: float) -> Masks:
    rng = np.random.default_rng(11)
    return [rng.random(layer.weight_shape) < present for layer in NETWORK.synaptic_layers]


def work(record: Activity, machine: ChipConfig) -> StepWork:
    needs = TrainingNeeds.for_rule("stop-wtl", batch_size=4)
    mapping = map_network(NETWORK, Precision(), needs, machine)
    return build_work(Deployment(NETWORK, Precision(), needs, machine, mapping), record)


def counted_one_by_one(record: Activity, masks: Masks) -> list[tuple[int, int, int]]:
    """Synaptic operations, errors and pairs of every layer: each synapse, sample and step by itself."""
    found = []
    for layer, mask, own in zip(NETWORK.synaptic_layers, masks, record.layers, strict=True):
        inputs, traces, deltas = (own.mask(name) for name in ("inputs", "traces", "deltas"))
        sops = errors = pairs = 0
        for place in zip(*np.nonzero(mask), strict=True):
            if layer.kind == "dense":
                ends = [(int(place[0]), int(place[1]))]
            else:
                k, c, ky, kx = (int(axis) for axis in place)
                (_, height, width), (_, rows, columns) = layer.in_shape, layer.out_shape
                ends = [
                    ((k * rows + y) * columns + x, (c * height + iy) * width + ix)
                    for y, x in product(range(rows), range(columns))
                    for iy, ix in [
                        (y * layer.stride - layer.padding + ky, x * layer.stride - layer.padding + kx)
                    ]
                    if 0 <= iy < height and 0 <= ix < width
                ]
            for neuron, source in ends:
                sops += int(inputs[:, :, source].sum())
                errors += int(deltas[:, :, neuron].sum())
                pairs += int((deltas[:, :, neuron] & traces[:, :, source]).sum())
        found.append((sops, errors if layer.index else 0, pairs))
    return found


def done(found: StepWork, layer: int, phase: Phase, action: Action, name: str) -> int:
    """Operations of a layer in a phase, in stages of one name."""
    return sum(
        int(block.counts.sum())
        for stage in found.stages
        if stage.layer == layer and stage.phase == phase and stage.part.value == name
        for block in stage.blocks
        if block.key[0] == Component.ALU and block.key[1] == action
    )


@pytest.mark.parametrize(
    "synapses",
    [
        {"format": "bitmap"},
        {"format": "csr"},
        {"format": "csr", "index_bits": 2},
        {"format": "csr", "transposed": "index"},
        {"format": "blocks", "rows": 2, "columns": 2},
    ],
    ids=lambda own: " ".join(map(str, own.values())),
)
def test_operations_follow_the_masks_exactly(synapses: dict[str, object]) -> None:
    masks = random_masks(0.3)
    record = activity(masks)
    found = work(record, chip(**synapses))
    plain = work(record, chip())
    for layer, (sops, errors, pairs) in enumerate(counted_one_by_one(record, masks)):
        assert done(found, layer, Phase.INTEGRATE, Action.SOP, "integrate") == sops
        assert done(found, layer, Phase.ERROR, Action.MAC, "propagate") == errors
        neurons = int(record.layers[layer].mask("deltas").sum()) * 2  # threshold and leak, one each
        assert done(found, layer, Phase.ERROR, Action.MAC, "delta") == neurons
        assert done(found, layer, Phase.GRADIENT, Action.MAC, "gradient") == pairs
        assert done(plain, layer, Phase.INTEGRATE, Action.SOP, "integrate") > sops
        updates, all_updates = (
            done(one, layer, Phase.UPDATE, Action.MULTIPLY, "update") // SAMPLES for one in (found, plain)
        )
        assert all_updates - updates == int((~masks[layer]).sum())


def test_all_synapses_in_a_bitmap_are_the_work_of_a_dense_store_and_flags() -> None:
    full, dense = work(activity(None), chip(format="bitmap")), work(activity(None), chip())
    for layer in range(3):
        for phase, action, name in (
            (Phase.INTEGRATE, Action.SOP, "integrate"),
            (Phase.ERROR, Action.MAC, "propagate"),
            (Phase.GRADIENT, Action.MAC, "gradient"),
        ):
            assert done(full, layer, phase, action, name) == done(dense, layer, phase, action, name)


def test_masks_change_nothing_on_a_chip_with_a_dense_store() -> None:
    with_masks, without = work(activity(random_masks(0.2)), chip()), work(activity(None), chip())
    assert (with_masks.counts.counts == without.counts.counts).all()


def test_fewer_synapses_never_take_more_words_or_lanes() -> None:
    many, few = (work(activity(random_masks(present)), chip(format="csr")) for present in (0.6, 0.2))
    for one, other in zip(few.stages, many.stages, strict=True):
        assert one.uses.words.sum() <= other.uses.words.sum()
        assert one.uses.lanes.sum() <= other.uses.lanes.sum()


def test_slots_of_n_of_m_must_hold_the_masks() -> None:
    with pytest.raises(ConfigError, match="2 of 4 cannot hold"):
        work(activity(random_masks(0.9)), chip(format="n_of_m", keep=2, group=4))


@pytest.mark.parametrize("kind", ["in_place", "factored"])
def test_compressed_synapses_keep_whole_gradients(kind: str) -> None:
    document = config.parse_text(CHIP, "chip.yaml").with_values(
        {"options": {"synapses": {"format": "csr"}, "weight_gradient": kind}}, "a test"
    )
    with pytest.raises(ConfigError, match=r"does not go with options\.synapses csr"):
        work(activity(random_masks(0.3)), config.build(ChipConfig, document))


def test_runs_of_neighbours_that_a_row_meets() -> None:
    mask = np.array([[1, 0, 0, 0, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
    store = SynapseStore(chip(format="csr").options.synapses, mask, 8, 32)
    assert store.runs_met(2).tolist() == [2, 0, 3]


def test_a_mask_survives_the_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    masks = random_masks(0.3)
    record = activity(masks)
    record.save(tmp_path / "activity.npz")
    again = Activity.load(tmp_path / "activity.npz")
    assert again.content_hash == record.content_hash != activity(None).content_hash
    for layer, mask in zip(NETWORK.synaptic_layers, masks, strict=True):
        found = again.layers[layer.index].first(1).synapse_mask(layer.weight_shape)
        assert found is not None
        assert (found == mask).all()
