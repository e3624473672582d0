"""Compressed synapse memories: a mapping gives them the room of the synapses that are there, counted by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nmsim import config
from nmsim.contents import Content
from nmsim.errors import DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import map_network
from nmsim.mapping.mapping import Mapping
from nmsim.mapping.stored_weights import Present
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec

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
      - {name: weights, holds: [weight], words: WORDS, word_bits: 64}
      - {name: gradients, holds: [weight_gradient, velocity], words: 8192, word_bits: 64}
      - name: states
        holds: [membrane, spike, threshold, threshold_gradient, threshold_trace, leak_trace, weight_trace,
                accumulator, delta, input, history, temporal_error, factor]
        words: 8192
        word_bits: 64
"""
WEIGHT_BITS, GRADIENT_BITS, WORD_BITS = 16, 32, 64
FORMATS: tuple[dict[str, object], ...] = (
    {"format": "bitmap"},
    {"format": "csr"},
    {"format": "csr", "index_bits": 2},
    {"format": "csr", "transposed": "index"},
    {"format": "blocks", "rows": 2, "columns": 3},
)


def chip(words: int = 2048, **synapses: object) -> ChipConfig:
    document = config.parse_text(CHIP.replace("WORDS", str(words)), "chip.yaml")
    return config.build(
        ChipConfig, document.with_values({"options": {"synapses": synapses, "spread": "wide"}}, "a test")
    )


def masks(density: float, seed: int = 3) -> tuple[Present, ...]:
    draw = np.random.default_rng(seed)
    return tuple(Present(draw.random(layer.weight_shape) < density) for layer in NETWORK.synaptic_layers)


def mapped(machine: ChipConfig, present: tuple[Present, ...], rule: str = "stop-wtl") -> Mapping:
    return map_network(NETWORK, Precision(), TrainingNeeds.for_rule(rule), machine, present=present)


def bits_for(values: int) -> int:
    return max(1, int(np.ceil(np.log2(values)))) if values > 1 else 1


def by_hand(synapses: dict[str, object], mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Bits of the weights and their index, and how many weights are stored: one synapse at a time, `mask (N, M)`."""
    neurons, inputs = mask.shape
    there = sum(int(mask[n, i]) for n in range(neurons) for i in range(inputs))
    if synapses["format"] == "bitmap":
        return there * WEIGHT_BITS + neurons * inputs, there
    if synapses["format"] == "blocks":
        down, across = -(-inputs // 3), -(-neurons // 2)
        blocks = sum(
            any(
                mask[n, i]
                for n in range(2 * a, min(2 * a + 2, neurons))
                for i in range(3 * d, min(3 * d + 3, inputs))
            )
            for d in range(down)
            for a in range(across)
        )
        # the weights of inputs behind the last one are not stored
        stored = sum(
            2
            * len(range(3 * d, min(3 * d + 3, inputs)))
            * any(
                mask[n, i]
                for n in range(2 * a, min(2 * a + 2, neurons))
                for i in range(3 * d, min(3 * d + 3, inputs))
            )
            for d in range(down)
            for a in range(across)
        )
        return stored * WEIGHT_BITS + blocks * bits_for(across) + (down + 1) * bits_for(blocks + 1), stored
    entries, width = there, bits_for(neurons)
    if "index_bits" in synapses:
        width = 2
        for i in range(inputs):
            last = -1
            for n in range(neurons):
                if mask[n, i]:
                    entries += (n - last - 1) // 4
                    last = n
    bits = entries * (WEIGHT_BITS + width) + (inputs + 1) * bits_for(entries + 1)
    if synapses.get("transposed") == "index":
        bits += there * bits_for(entries) + (neurons + 1) * bits_for(there + 1)
    return bits, entries


@pytest.mark.parametrize("synapses", FORMATS)
@pytest.mark.parametrize("density", [0.1, 0.5, 1.0])
def test_bits_of_every_core_are_those_of_its_synapses(synapses: dict[str, object], density: float) -> None:
    present = masks(density)
    mapping = mapped(chip(**synapses), present)
    assert len({piece.core for piece in mapping.slices}) == 4
    kept = {(row.core, row.layer, row.content): row for row in mapping.residency}
    for layer in NETWORK.synaptic_layers:
        for core in {piece.core for piece in mapping.slices_of(layer.index)}:
            weights = entries = 0
            for piece in mapping.slices_of(layer.index):
                if piece.core != core:
                    continue
                part = present[layer.index].mask[
                    piece.channel_start : piece.channel_stop, piece.input_start : piece.input_stop
                ]
                bits, stored = by_hand(synapses, part.reshape(len(part), -1))
                weights, entries = weights + bits, entries + stored
            row = kept.get((core, layer.index, Content.WEIGHT))
            assert (0 if row is None else row.bits) == weights
            gradient = kept.get((core, layer.index, Content.WEIGHT_GRADIENT))
            assert (0 if gradient is None else gradient.bits) == entries * GRADIENT_BITS
            for found in filter(None, (row, gradient)):
                assert found.words is not None
                assert found.bits <= found.words * WORD_BITS


def test_a_pruned_network_fits_where_the_dense_one_does_not() -> None:
    small = chip(words=12, format="csr")
    with pytest.raises(DoesNotFitError, match="weights"):
        map_network(NETWORK, Precision(), TrainingNeeds.for_rule("stop-wtl"), small)  # all synapses are there
    with pytest.raises(DoesNotFitError, match="weights"):
        mapped(chip(words=12, format="dense"), masks(0.05))  # a dense store keeps what is absent
    mapping = mapped(small, masks(0.05))
    assert all(
        row.words <= 12 for row in mapping.residency if row.memory == "weights" and row.words is not None
    )


def test_synapses_may_be_anywhere_in_a_layer() -> None:
    """All in the last channels: pieces of equal shape need not take equal room."""
    present = []
    for layer in NETWORK.synaptic_layers:
        mask = np.zeros(layer.weight_shape, np.bool_)
        mask[-1] = True
        present.append(Present(mask))
    mapping = mapped(chip(words=48, format="csr"), tuple(present))
    used: dict[int, int] = {}
    for row in mapping.residency:
        if row.memory == "weights":
            used[row.core] = used.get(row.core, 0) + (row.words or 0)
    assert max(used.values()) <= 48


def test_a_dense_store_takes_no_notice_of_masks() -> None:
    assert mapped(chip(format="dense"), masks(0.1)) == mapped(chip(format="dense"), ())


def test_equal_masks_are_equal_and_others_are_not() -> None:
    assert masks(0.5) == masks(0.5)
    assert masks(0.5) != masks(0.5, seed=4)
