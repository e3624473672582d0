"""Loads and flights on a line of four tiles: one cycle in the own router, two per hop, one flit per packet."""

import numpy as np
from four_tiles import machine

from nmsim.perf.projection import INPUT
from nmsim.perf.traffic import Flow, Flows, Traffic
from nmsim.perf.traffic_load import TrafficLoad


def load(*flows: tuple[int, tuple[int, ...], int]) -> TrafficLoad:
    made: list[Flow] = [(source, targets, np.full((1, 1), packets)) for source, targets, packets in flows]
    traffic = Traffic.of(machine(), Flows.of(made), packet_bits=10)
    assert traffic is not None
    return TrafficLoad(traffic)


def test_a_shared_link_is_taken_during_the_mean_flight_of_its_packets() -> None:
    shared = load((0, (2,), 5), (1, (2,), 3))
    # eight flits over the link from 1 to 2; flights of 1 + 2 x 2 and 1 + 2
    assert shared.cycles == 8 + (5 * 5 + 3 * 3) / 8
    assert shared.first_arrivals(np.array([0, 2]))[:, 0, 0].tolist() == [0, 3]


def test_an_ejection_port_is_taken_from_the_first_arrival_on() -> None:
    # ten flits from both sides, the nearest one hop away
    assert load((1, (2,), 5), (3, (2,), 5)).cycles == 10 + 3
    assert load((1, (2,), 2), (3, (2,), 2)).ports[1, 2] == 4


def test_the_last_packet_leaves_its_port_and_then_flies() -> None:
    assert load((0, (1,), 4), (0, (3,), 4)).cycles == 8 + (1 + 2 * 3)


def test_a_multicast_is_injected_once_and_ejected_everywhere() -> None:
    many = load((0, (1, 2, 3), 6))
    assert many.ports[0, 0] == 6
    assert many.ports[1, :, 0, 0].tolist() == [0, 6, 6, 6]
    assert many.links.sum() == 3 * 6


def test_a_core_does_not_send_to_itself_over_the_network() -> None:
    local = load((2, (2,), 9))
    assert local.cycles == 0
    assert not local.links.any()
    assert local.traffic.received[1].sum() == 9


def test_the_input_enters_at_the_first_tile() -> None:
    assert load((INPUT, (2,), 3)).ports[0, 0] == 3
    assert load((INPUT, (0,), 3)).cycles == 3 + 1
