"""Boxes and cuts."""

from collections.abc import Iterable, Sequence

import pytest
from mapping_cases import CONVOLUTIONS, NETWORK, machine

from nmsim.contents import Content
from nmsim.mapping.box import Box, cut_even, cut_large, largest_box
from nmsim.mapping.mapping import Slice
from nmsim.mapping.partition import _Cores, _Rooms
from nmsim.mapping.residency import Account
from nmsim.mapping.room import Amount, LayerPlan, Room, Storage
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


def account(storage: Storage, plan_pieces: Sequence[tuple[LayerPlan, Slice]]) -> Account:
    return Account(storage, [(storage.demand(plan, piece), 1) for plan, piece in plan_pieces])


def filled(storage: Storage, plan_pieces: Sequence[tuple[LayerPlan, Slice]]) -> Room:
    room = Room(storage)
    for plan, piece in plan_pieces:
        room = room.with_piece(storage.demand(plan, piece))
    return room


def whole(plan: LayerPlan) -> tuple[LayerPlan, Slice]:
    return plan, cut_large(plan, Box(plan.layer.neurons, 1, 1))[0]


def test_buffers_of_layers_share_and_those_of_one_layer_add_up() -> None:
    first, second = plans()
    piece = cut_even(first, Box(32, 1, 1), storage(), 4)
    taken = [(first, piece[0]), (first, piece[1]), whole(second)]
    buffer = account(storage(), taken).buffers[Content.INPUT_SUM]
    assert buffer.bits == 16 * 32  # 8 + 8 neurons of layer 0, or 10 of layer 1
    room = filled(storage(), taken)
    assert room.largest[storage().homes[Content.INPUT_SUM], Content.INPUT_SUM] == buffer.words
    assert room.slots == 26


def test_streamed_pieces_take_turns() -> None:
    first = plans()[0]
    turns = Storage(machine().core_types[0], streamed=frozenset({Content.WEIGHT}))
    taken = account(turns, [(first, part) for part in cut_even(first, Box(32, 1, 1), turns, 4)])
    assert taken.buffers[Content.WEIGHT].bits == 8 * 40 * 16
    assert taken.off_chip == {(0, Content.WEIGHT): 32 * 40 * 16}


def test_equal_pieces_are_accounted_for_together() -> None:
    first = plans()[0]
    for store in (storage(), Storage(machine().core_types[0], streamed=frozenset({Content.WEIGHT}))):
        demand = store.demand(first, cut_even(first, Box(32, 1, 1), store, 4)[0])
        together, apart = Account(store, [(demand, 3)]), Account(store, [(demand, 1)] * 3)
        assert together.rows(0) == apart.rows(0)


def test_streamed_layers_take_turns_with_all_of_a_memory() -> None:
    """Layer 0 has the larger accumulators and layer 1 the larger deltas: a memory holds one of them at a time."""
    both = [whole(plan) for plan in plans()]
    turns = Storage(machine().core_types[0], streamed=frozenset({Content.WEIGHT}))
    home = turns.homes[Content.DELTA]

    def words(amounts: Iterable[tuple[Content, Amount]]) -> int:
        return sum(amount.words for kind, amount in amounts if turns.homes[kind] == home)

    together = account(turns, both)
    kept = words((kind, amount) for (_, kind), amount in together.kept.items())
    used = filled(turns, both).words[home]
    assert used == kept + max(words(account(turns, [one]).buffers.items()) for one in both)
    assert used == kept + words(together.buffers.items())
    for bound, enough in ((used, True), (used - 1, False)):
        core = machine(core_types__0__memories__1__words=bound).core_types[0]
        exact = Storage(core, streamed=frozenset({Content.WEIGHT}))
        assert filled(exact, both[:1]).fits(exact.demand(*both[1])) == enough


def test_a_room_does_not_change_when_another_is_made_of_it() -> None:
    first, second = plans()
    room = filled(storage(), [whole(first)])
    before = room.words, room.slots
    room.with_piece(storage().demand(*whole(second)))
    assert (room.words, room.slots) == before


def test_cores_that_nothing_is_put_on_share_one_room() -> None:
    rooms = _Rooms(plans(), _Cores.of(machine(), [storage()]))
    assert len(rooms.cores) == len(machine().cores())
    piece = cut_large(plans()[0], Box(10, 1, 1))[0]
    assert rooms.take(rooms.cores[-1], plans()[0].alike(piece), piece)
    assert len({id(room) for room in rooms._rooms.values()}) == 2


def test_cores_that_took_alike_pieces_share_one_room() -> None:
    rooms = _Rooms(plans(), _Cores.of(machine(), [storage()]))
    first, second = cut_large(plans()[0], Box(10, 1, 1))[:2]
    assert all(rooms.take(core, plans()[0].alike(first), piece) for core, piece in ((0, first), (1, second)))
    assert rooms._rooms[0] is rooms._rooms[1]
    assert rooms._rooms[0] is not rooms._rooms[2]
