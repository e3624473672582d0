"""Bursts on links: wormhole, arbitration, back-pressure; a bounded queue at a core."""

from typing import Any

import pytest
from event_twin.chance import Chance
from event_twin.core import Core, Share
from event_twin.noc import Noc, Way
from event_twin.sram import Sram
from event_twin.timeline import Timeline

from nmsim.hardware.chip import ChipConfig
from nmsim.perf.machine import Machine

OFF = Timeline(on=False)


def machine(buffer_flits: int = 2, **memory: Any) -> Machine:
    queue = {"name": "queue", "holds": ["input"], "words": 8, "word_bits": 16} | memory
    return Machine.of(
        ChipConfig.model_validate(
            {
                "name": "line", "tech_node_nm": 28, "voltage_v": 0.9, "clock_hz": 1e8, "technology": "none",
                "mesh": {"columns": 4, "rows": 1}, "core_types": [{"neuron_slots": 1, "memories": [queue]}],
                "noc": {"buffer_flits": buffer_flits},
            }
        )
    )  # fmt: skip


def way(machine: Machine, source: int, target: int, turn_flits: int = 100) -> Way:
    tree = machine.links.grid.tree(source, (target,))
    occupancy = machine.links.occupancy_cycles(32).tolist()
    steps, ends = tuple(zip(tree.links, tree.parents, strict=True)), ((target, target, tree.leaves[0]),)
    return Way(source, source, tree, steps, ends, False, occupancy, 1, turn_flits, "test")


def test_head_and_tail_of_a_lone_burst() -> None:
    line = machine()
    [arrival] = Noc(line, OFF).send(100.0, way(line, 0, 2), packets=5)
    # one cycle in the own router, two hops of a router and a link each; four more flits behind the head
    assert arrival.head == 100 + 1 + 2 * 2
    assert arrival.tail == arrival.head + 5


def test_two_bursts_share_a_link() -> None:
    line = machine(buffer_flits=100)
    noc = Noc(line, OFF)
    noc.send(0.0, way(line, 0, 2), packets=5)
    [second] = noc.send(0.0, way(line, 1, 2), packets=5)
    # the link from tile 1 is taken from 3 (entry 1, one hop 2) to 8: two flits go before, three after
    assert second.head == 1 + 2
    assert second.tail == 8 + 3 + 2
    [third] = noc.send(0.0, way(line, 1, 2), packets=5)
    assert third.head == 11 + 2
    assert noc.link_stall_cycles == 11 - 1


def test_a_waiting_burst_keeps_the_links_behind_it_taken() -> None:
    for buffer, taken_until in ((2, 20 + 1 + 3), (5, 6), (100, 6)):
        line = machine(buffer)
        noc = Noc(line, OFF)
        link = line.links.grid.route(1, 2)[0]
        noc.links[link].hold(21.0)
        noc.send(0.0, way(line, 0, 2), packets=5)
        first = line.links.grid.route(0, 1)[0]
        # five flits enter the first link at 1; two fit the queue beyond it, three wait until the head moves at 21
        assert noc.links[first].free == taken_until


def test_queues_on_the_way_hold_more_the_further_back() -> None:
    line = machine(buffer_flits=2)
    noc = Noc(line, OFF)
    last = line.links.grid.route(2, 3)[0]
    noc.links[last].hold(31.0)
    noc.send(0.0, way(line, 0, 3), packets=7)
    behind = [noc.links[link].free for link in line.links.grid.route(0, 2)]
    # of seven flits five are behind the queue at the last link, three behind the one before, one still at the port
    assert behind == [31 + 3, 31 + 5]
    assert noc.inject_free[0] == 31 + 1


def test_a_long_burst_waits_only_for_the_turn_of_another() -> None:
    line = machine(buffer_flits=2)
    noc = Noc(line, OFF)
    noc.links[line.links.grid.route(1, 2)[0]].hold(21.0)
    noc.send(0.0, way(line, 0, 2, turn_flits=4), packets=5)
    # the head is at the taken link at 3 and, in turn with what takes it, moves on four cycles later, three flits behind
    assert noc.links[line.links.grid.route(0, 1)[0]].free == 3 + 4 + 3


def test_a_full_queue_holds_the_way_up() -> None:
    line = machine()
    noc = Noc(line, OFF)
    sent = way(line, 0, 1)
    [arrival] = noc.send(0.0, sent, packets=6)
    link = sent.tree.links[0]
    noc.block(arrival, until=50.0)
    assert noc.links[link].free == 50 - 2
    assert noc.queue_stall_cycles == 50 - arrival.tail


def test_a_queue_admits_what_fits_and_makes_the_rest_wait() -> None:
    core = Core(machine(), 0, Chance(), OFF)
    core.enqueue(done=30.0, packets=5)
    core.enqueue(done=70.0, packets=3)
    assert core.admit(10.0, packets=4, packet_bits=16) == 30.0
    assert core.admit(10.0, packets=5, packet_bits=16) == 10.0
    core.enqueue(done=90.0, packets=5)
    assert core.admit(10.0, packets=6, packet_bits=16) == 90.0


def test_resources_of_a_core_serve_side_by_side_and_in_order() -> None:
    core = Core(machine(kind="2rw"), 0, Chance(), OFF)
    share = Share.of(lanes=[8.0, 0, 0, 0, 0], words=[20.0], bursts=[1.0], fill_cycles=0, clocked=True)
    assert core.serve(0.0, share, 1.0, "test") == 10.0
    assert core.serve(0.0, share, 0.5, "test") == 15.0
    assert core.lane_free[0] == 12.0


def test_one_bank_has_no_conflicts() -> None:
    memory = Sram(1, 2.0, Chance(), OFF, "m")
    assert memory.serve(5.0, words=10, bursts=10, name="test") == 10.0
    assert memory.conflict_cycles == 0


def test_whole_turns_over_the_banks_have_no_conflicts() -> None:
    memory = Sram(4, 1.0, Chance(), OFF, "m")
    assert memory.serve(0.0, words=80, bursts=10, name="test") == 20.0
    assert memory.conflict_cycles == 0


@pytest.mark.parametrize("bursts", [10, 1000])
def test_single_words_at_random_banks_meet(bursts: int) -> None:
    memory = Sram(4, 1.0, Chance(), OFF, "m")
    end = memory.serve(0.0, words=bursts, bursts=bursts, name="test")
    assert bursts / 4 < end < bursts
    assert memory.conflict_cycles == pytest.approx(end - bursts / 4)


def test_conflicts_of_many_bursts_have_the_spread_of_single_draws() -> None:
    chance, single = Chance(), Chance()
    many, few = [], []
    for _ in range(400):
        loads = [0.0] * 4
        for bank, times in chance.starts(600, 4):
            loads[bank] += times
        many.append(max(loads))
        loads = [0.0] * 4
        for _ in range(600):
            loads[single.below(4)] += 1
        few.append(max(loads))
    assert sum(many) / 400 == pytest.approx(sum(few) / 400, rel=0.01)
