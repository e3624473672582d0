"""Boxes and cuts."""

from collections.abc import Sequence

import pytest
from mapping_cases import CONVOLUTIONS, NETWORK, machine

from nmsim.contents import Content
from nmsim.mapping.box import Box, cut_even, cut_large, largest_box
from nmsim.mapping.partition import _Rooms
from nmsim.mapping.room import LayerPlan, Room, Storage
from nmsim.mapping.task import Task
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec


def plans(network: NetworkSpec = NETWORK, rule: str = "inference") -> Sequence[LayerPlan]:
    return Task.of(network, Precision(), TrainingNeeds.for_rule(rule), machine()).plans


def storage(**changes: object) -> Storage:
    return Storage(machine(**changes).core_types[0])


def test_the_largest_box_is_bound_by_weights() -> None:
    small = storage(core_types__0__memories__0__words=100)
    assert largest_box(plans()[0], small) == Box(10, 1, 1)  # 40 weights of 16 bits are 10 words


def test_the_largest_box_is_bound_by_slots_and_keeps_rows_whole_where_it_can() -> None:
    assert largest_box(plans(CONVOLUTIONS)[0], storage(core_types__0__neuron_slots=150)) == Box(1, 12, 1)
    assert largest_box(plans(CONVOLUTIONS)[0], storage(core_types__0__neuron_slots=80)) == Box(1, 6, 1)


def test_a_share_of_a_core_gives_a_smaller_box() -> None:
    assert largest_box(plans()[0], storage(core_types__0__neuron_slots=32), 0.25) == Box(8, 1, 1)


def test_large_pieces_come_first() -> None:
    pieces = cut_large(plans()[0], Box(10, 1, 1))
    assert [(p.channel_start, p.channel_stop) for p in pieces] == [(0, 10), (10, 20), (20, 30), (30, 32)]


def test_even_pieces_differ_by_one() -> None:
    pieces = cut_even(plans()[0], Box(32, 1, 1), storage(), 5)
    assert [p.channels for p in pieces] == [6, 6, 7, 6, 7]


def test_rows_are_divided_when_there_are_more_cores_than_channels() -> None:
    roomy = storage(core_types__0__neuron_slots=4096)
    pieces = cut_even(plans(CONVOLUTIONS)[0], Box(4, 12, 1), roomy, 8)
    assert {(p.channels, p.rows) for p in pieces} == {(1, 6)}
    assert len(pieces) == 8


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_every_cut_covers_the_layer_once(layer: int) -> None:
    plan = plans(CONVOLUTIONS)[layer]
    roomy = storage(core_types__0__neuron_slots=4096)
    box = largest_box(plan, storage(core_types__0__neuron_slots=70))
    assert box is not None
    for pieces in (cut_large(plan, box), cut_even(plan, box, roomy, 7)):
        assert sum(piece.neurons(plan.layer) for piece in pieces) == plan.layer.neurons


def test_buffers_of_layers_share_and_those_of_one_layer_add_up() -> None:
    first, second = plans()
    room = Room(storage())
    piece = cut_even(first, Box(32, 1, 1), storage(), 4)
    for part in (piece[0], piece[1]):
        room.add(room.storage.demand(first, part))
    room.add(room.storage.demand(second, cut_large(second, Box(10, 1, 1))[0]))
    assert room.buffers[Content.INPUT_SUM].bits == 16 * 32  # 8 + 8 neurons of layer 0, or 10 of layer 1
    assert room.slots == 26


def test_streamed_pieces_take_turns() -> None:
    first = plans()[0]
    turns = Room(Storage(machine().core_types[0], streamed=frozenset({Content.WEIGHT})))
    for part in cut_even(first, Box(32, 1, 1), turns.storage, 4):
        turns.add(turns.storage.demand(first, part))
    assert turns.buffers[Content.WEIGHT].bits == 8 * 40 * 16
    assert turns.off_chip == {(0, Content.WEIGHT): 32 * 40 * 16}


def test_streamed_layers_take_turns_with_all_of_a_memory() -> None:
    """Layer 0 has the larger accumulators and layer 1 the larger deltas: a memory holds one of them at a time."""
    first, second = plans()
    turns = Room(Storage(machine().core_types[0], streamed=frozenset({Content.WEIGHT})))
    for plan in (first, second):
        turns.add(turns.storage.demand(plan, cut_large(plan, Box(plan.layer.neurons, 1, 1))[0]))
    home = turns.storage.homes[Content.DELTA]
    alone = []
    for plan in (first, second):
        room = Room(turns.storage)
        room.add(room.storage.demand(plan, cut_large(plan, Box(plan.layer.neurons, 1, 1))[0]))
        alone.append(room)
    kept = sum(amount.words for (_, kind), amount in turns.kept.items() if turns.storage.homes[kind] == home)
    largest = max(
        sum(amount.words for kind, amount in room.buffers.items() if room.storage.homes[kind] == home)
        for room in alone
    )
    assert turns.words[home] == kept + largest
    assert turns.words[home] == sum(
        amount.words
        for kind, amount in (*turns.buffers.items(), *((kind, a) for (_, kind), a in turns.kept.items()))
        if turns.storage.homes[kind] == home
    )
    for words, enough in ((turns.words[home], True), (turns.words[home] - 1, False)):
        core = machine(core_types__0__memories__1__words=words).core_types[0]
        exact = Room(Storage(core, streamed=frozenset({Content.WEIGHT})))
        exact.add(exact.storage.demand(first, cut_large(first, Box(first.layer.neurons, 1, 1))[0]))
        last = exact.storage.demand(second, cut_large(second, Box(second.layer.neurons, 1, 1))[0])
        assert exact.fits(last) == enough


def test_cores_that_nothing_is_put_on_cost_no_room() -> None:
    rooms = _Rooms(plans(), machine(), [storage()])
    assert len(rooms.cores) == len(machine().cores())
    assert rooms.take(rooms.cores[-1], cut_large(plans()[0], Box(10, 1, 1))[0])
    assert list(rooms._rooms) == rooms.cores[-1:]
