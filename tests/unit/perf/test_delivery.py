"""Compiled passes over deliveries against the scalar routes and numpy: the same links and flights."""

import numpy as np
import pytest

from nmsim.hardware.routing import Grid
from nmsim.perf import delivery
from nmsim.perf.delivery import crossings, first_flights, flights, last_out

GRIDS = [Grid(1, 1), Grid(5, 1), Grid(4, 3), Grid(4, 3, torus=True), Grid(5, 4, torus=True)]


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_a_flow_crosses_the_links_of_its_tree_once(grid: Grid) -> None:
    random = np.random.default_rng(grid.tiles)
    flow = np.sort(random.integers(0, 6, 40))
    source = random.integers(0, grid.tiles, 6)[flow]
    target = random.integers(0, grid.tiles, 40)
    links, flows = crossings(grid, source, target, flow)
    assert (np.diff(flows) >= 0).all()
    for number in set(flow.tolist()):
        rows = flow == number
        tree = grid.tree(int(source[rows][0]), target[rows].tolist())
        assert tuple(links[flows == number].tolist()) == tree.links


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_a_flight_adds_the_latencies_of_its_route_in_order(
    grid: Grid, monkeypatch: pytest.MonkeyPatch, *, kept: bool
) -> None:
    random = np.random.default_rng(grid.tiles)
    monkeypatch.setattr(delivery, "MOST_TILES", grid.tiles if kept else 0)
    source, target = random.integers(0, grid.tiles, (2, 60))
    latency = random.random(grid.links)
    found = flights(grid, source, target, 0.1, latency)
    for start, stop, flight in zip(source.tolist(), target.tolist(), found.tolist(), strict=True):
        expected = 0.1
        for link in grid.route(start, stop):
            expected += latency[link]
        assert flight == expected


def test_first_flights_by_row_are_those_of_numpy() -> None:
    random = np.random.default_rng(1)
    row, values = random.integers(0, 5, 30), random.integers(0, 9, (30, 2, 3))
    flight, first = random.random(30), np.full((7, 2, 3), np.inf)
    np.minimum.at(first, row, np.where(values > 4, flight[:, None, None], np.inf))
    assert np.array_equal(first_flights(row, flight, values > 4, 7), first)
    which = random.integers(0, 4, 30)
    few = random.integers(0, 9, (4, 2, 3)) > 4
    assert np.array_equal(
        first_flights(row, flight, few, 7, which), first_flights(row, flight, few[which], 7)
    )


def test_nothing_sent_is_nothing_found() -> None:
    none = np.zeros(0, np.int64)
    assert [len(part) for part in crossings(Grid(3, 3), none, none, none)] == [0, 0]
    assert np.isinf(first_flights(none, none.astype(float), np.zeros((0, 4), np.bool_), 2)).all()


@pytest.mark.parametrize("decides", ["injection", "ejection", "links"])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_the_last_packet_is_out_when_numpy_says_so(grid: Grid, decides: str) -> None:
    random = np.random.default_rng(grid.tiles)
    flow = np.sort(random.integers(0, 6, 20))
    source = random.integers(0, grid.tiles, 6)
    target = random.integers(0, grid.tiles, 20)
    packets = random.integers(0, 3, (6, 2, 3))
    flight = random.random(20)
    links, crosses = crossings(grid, source[flow], target, flow)
    ports = random.random((2, grid.tiles, 2, 3)) * random.integers(0, 2, (2, grid.tiles, 2, 3))
    crossed = np.zeros((grid.links, 2, 3), np.int64)
    np.add.at(crossed, links, packets[crosses])
    taken = crossed * random.random((grid.links, 1, 1))
    ports *= np.array([decides == "injection", decides == "ejection"])[:, None, None, None] * 99 + 1
    taken *= 99 if decides == "links" else 1

    sent, longest = packets > 0, np.zeros(6)
    np.maximum.at(longest, flow, flight)
    injected = sent * (ports[0][source] + longest[:, None, None])
    first = first_flights(target, flight, sent[flow], grid.tiles)
    ejected = np.where(ports[1] > 0, ports[1] + np.where(np.isfinite(first), first, 0.0), 0.0)
    weighted = np.zeros(taken.shape)
    np.add.at(weighted, links, (packets * longest[:, None, None])[crosses])
    mean = np.divide(weighted, crossed, out=np.zeros_like(weighted), where=weighted > 0)
    linked = np.where(taken > 0, taken + mean, 0.0)
    ends = np.max([part.max(axis=0, initial=0.0) for part in (injected, ejected, linked)], axis=0)

    found = last_out(packets, source, (flow, target, flight), (links, crosses), ports, taken, crossed)
    assert np.array_equal(found, ends)
    turned = np.moveaxis(np.ascontiguousarray(np.moveaxis(packets, 0, -1)), -1, 0)
    assert np.array_equal(
        last_out(turned, source, (flow, target, flight), (links, crosses), ports, taken, crossed), ends
    )
