"""Formats of a sparse weight matrix, by hand: 4 inputs, 8 neurons, 8-bit weights, 32-bit words."""

import numpy as np
import pytest

from nmsim.hardware.synapse_memory import SynapseMemory, SynapseStore

ROWS = ("10000001", "00000000", "01100000", "11111111")
MASK = np.array([[int(c) for c in row] for row in ROWS], bool)


def store(**settings: object) -> SynapseStore:
    return SynapseStore(SynapseMemory(**settings), MASK, weight_bits=8, word_bits=32)


def test_dense_stores_every_weight() -> None:
    own = store(format="dense")
    assert (own.weight_storage_bits, own.index_storage_bits) == (4 * 8 * 8, 0)
    assert own.row_words.tolist() == [2, 2, 2, 2]
    assert own.entries.tolist() == [8, 8, 8, 8]


def test_a_bitmap_stores_a_flag_per_synapse_and_the_weights_that_are_there() -> None:
    own = store(format="bitmap")
    assert (own.weight_storage_bits, own.index_storage_bits) == (12 * 8, 32)
    assert own.row_words.tolist() == [2, 1, 2, 3]  # a word of flags, then 4 weights a word
    assert own.decode_cycles(4).tolist() == [1, 1, 1, 2]  # an empty row still costs a look at its flags


def test_csr_stores_whole_numbers_and_pointers() -> None:
    own = store(format="csr")
    # 12 entries of 8 + 3 bits; five pointers that tell 0..12 apart
    assert (own.weight_storage_bits, own.index_storage_bits) == (96, 12 * 3 + 5 * 4)
    assert own.row_words.tolist() == [
        1 + 1,
        1,
        1 + 1,
        1 + 4,
    ]  # a word of pointers; two entries of 11 bits a word


def test_csr_gaps_that_are_too_long_need_fillers() -> None:
    own = store(format="csr", index_bits=2)
    # row 0: neuron 0, then a gap of 6: two-bit gaps reach 3, so a filler passes 4 places and the rest is 2
    assert own.entries.tolist() == [3, 0, 2, 8]
    assert own.weight_storage_bits == 13 * 8


def test_csr_gaps_by_simulation() -> None:
    """Walking the entries, fillers included, visits exactly the synapses."""
    rng = np.random.default_rng(1)
    mask = rng.random((40, 100)) < 0.05
    own = SynapseStore(SynapseMemory(format="csr", index_bits=3), mask, 8, 32)
    for row, present in enumerate(mask):
        place, entries = -1, 0
        for neuron in np.flatnonzero(present):
            while neuron - place - 1 > 7:  # a filler stands 8 places on
                place, entries = place + 8, entries + 1
            place, entries = int(neuron), entries + 1
        assert own.entries[row] == entries


def test_n_of_m_keeps_fixed_slots() -> None:
    own = store(format="n_of_m", keep=2, group=4)
    # one group of inputs, 8 neurons, two slots of 8 + 2 bits each
    assert (own.weight_storage_bits, own.index_storage_bits) == (16 * 8, 16 * 2)


def test_blocks_are_stored_whole() -> None:
    own = store(format="blocks", rows=4, columns=2)
    # inputs 0-1 meet both blocks of neurons, inputs 2-3 both: four blocks of 8 weights
    assert own.weight_storage_bits == 4 * 8 * 8
    assert own.index_storage_bits == 4 * 1 + 3 * 3  # a bit tells two apart; three pointers tell 0..4 apart


def test_a_list_for_the_way_back_names_every_synapse() -> None:
    forward, both = store(format="csr"), store(format="csr", transposed="index")
    assert both.storage_bits - forward.storage_bits == 12 * 4 + 9 * 4


def test_lanes_and_cores_wait_for_the_fullest() -> None:
    own = store(format="csr")
    # two lanes, neurons dealt out by number: 1, 0, 1, 4 cycles; an even share is 1, 0, 1, 4
    assert own.lane_imbalance(2) == pytest.approx(1.0)
    # two cores of four neurons: 1 + 2 + 4 and 1 + 4 synapses, mean 6
    assert own.core_imbalance(2) == pytest.approx(7 / 6)
