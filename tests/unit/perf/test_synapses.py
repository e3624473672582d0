"""Work that follows the synapses that are there equals an independent count, one synapse, sample and step at a time."""

from itertools import product

import numpy as np
import pytest

from nmsim.activity import LayerActivity
from nmsim.hardware.synapse_memory import SynapseMemory, SynapseStore
from nmsim.network.layers import Conv, Dense
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.perf.sparse_synapses import LayerEvents, Meetings, SynapseWork, by_input, growth_cost

RNG = np.random.default_rng(7)


def recorded(layer: SynapticLayer) -> LayerActivity:
    masks = {
        name: RNG.random((3, 4, layer.inputs if name in {"inputs", "traces"} else layer.neurons)) < 0.4
        for name in ("inputs", "spikes", "traces", "deltas")
    }
    return LayerActivity.from_masks(layer.in_shape, layer.out_shape, 1, masks)


def layers() -> list[SynapticLayer]:
    network = NetworkSpec(
        input_shape=(2, 5, 6),
        time_steps=4,
        layers=(
            Conv(kind="conv", channels=3, kernel=3, padding=1),
            Conv(kind="conv", channels=2, kernel=2, stride=2),
            Dense(kind="dense", units=5),
        ),
    )
    return list(network.synaptic_layers)


def meetings(layer: SynapticLayer, mask: np.ndarray) -> list[tuple[int, int]]:
    """Neuron and input of every synapse that is there, positions of a convolution one by one."""
    if layer.kind == "dense":
        return [(int(n), int(i)) for n, i in zip(*np.nonzero(mask), strict=True)]
    (_, height, width), (_, rows, columns) = layer.in_shape, layer.out_shape
    found = []
    for k, c, ky, kx in zip(*np.nonzero(mask), strict=True):
        for y, x in product(range(rows), range(columns)):
            iy, ix = y * layer.stride - layer.padding + ky, x * layer.stride - layer.padding + kx
            if 0 <= iy < height and 0 <= ix < width:
                neuron = (int(k) * rows + y) * columns + x
                found.append((neuron, (int(c) * height + int(iy)) * width + int(ix)))
    return found


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("kind", ["bitmap", "csr", "blocks"])
def test_synaptic_operations_equal_a_count_from_the_mask(index: int, kind: str) -> None:
    layer = layers()[index]
    mask = RNG.random(layer.weight_shape) < 0.3
    record = recorded(layer)
    store = SynapseStore(SynapseMemory(format=kind, rows=2, columns=2), by_input(mask), 8, 32)
    counts = SynapseWork(
        store, Meetings(store.mask, LayerEvents.of(layer, record)), lanes=4, gradient_bits=32
    ).counts()
    inputs, traces, deltas = (record.mask(name) for name in ("inputs", "traces", "deltas"))
    sops = pairs = errors = 0
    for neuron, source in meetings(layer, mask):
        sops += int(inputs[:, :, source].sum())
        errors += int(deltas[:, :, neuron].sum())
        pairs += int((traces[:, :, source] & deltas[:, :, neuron]).sum())
    assert store.synapses == int(mask.sum())
    assert round(counts.sops * 3) == sops
    assert round(counts.pairs * 3) == pairs
    assert round(counts.errors * 3) == errors


def test_errors_of_a_dense_layer_meet_each_synapse_of_a_delta() -> None:
    layer = layers()[2]
    mask = RNG.random(layer.weight_shape) < 0.3
    record = recorded(layer)
    memory = SynapseMemory(format="csr")
    store = SynapseStore(memory, by_input(mask), 8, 32)
    counts = SynapseWork(
        store, Meetings(store.mask, LayerEvents.of(layer, record)), lanes=4, gradient_bits=32
    ).counts()
    deltas = record.mask("deltas")
    assert round(counts.errors * 3) == sum(int(deltas[:, :, n].sum() * mask[n].sum()) for n in range(5))
    # the whole store is walked at every step with any delta
    walks = int(deltas.any(axis=2).sum())
    assert round(counts.error_passed * 3) == walks * int(mask.sum())


def test_an_indexed_way_back_reads_a_list_and_a_word_per_synapse() -> None:
    layer = layers()[2]
    mask = np.zeros(layer.weight_shape, bool)
    mask[1, [0, 3, 7]] = True
    masks = {name: np.zeros((1, 1, layer.inputs), bool) for name in ("inputs", "traces")}
    masks |= {name: np.zeros((1, 1, 5), bool) for name in ("spikes", "deltas")}
    masks["deltas"][0, 0, 1] = True
    record = LayerActivity.from_masks(layer.in_shape, layer.out_shape, 1, masks)
    store = SynapseStore(SynapseMemory(format="csr", transposed="index"), by_input(mask), 8, 32)
    counts = SynapseWork(
        store, Meetings(store.mask, LayerEvents.of(layer, record)), lanes=4, gradient_bits=32
    ).counts()
    assert counts.errors == 3
    assert counts.error_words == 1 + 1 + 3  # pointers, a word of three places, three weights


def test_a_growth_decision_by_hand() -> None:
    mask = np.zeros((4, 8), bool)
    mask[0, :4] = True
    found = growth_cost(SynapseStore(SynapseMemory(format="bitmap"), mask, 8, 32), gradient_bits=16, lanes=4)
    assert found.accumulator_bits == 28 * 16
    assert found.ranking_words == 17 * 16  # 16 passes and a last one over 32 scores, two a word
    assert found.ranking_cycles == 17 * 16
    assert found.rebuild_words == 2 * (4 + 1)  # flags of four rows, one word of weights
