"""Packets of layers that are split over cores, found for all slices at once, against one neuron after the other."""

from collections import Counter
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nmsim.mapping.mapping import Slice
from nmsim.network.layers import AvgPool
from nmsim.network.spec import Conv, Dense, NetworkSpec
from nmsim.perf.census import LayerCensus, Mask
from nmsim.perf.geometry import LayerGeometry, LayerSlices
from nmsim.perf.phases.error import _errors
from nmsim.perf.phases.integrate import _partial_sums
from nmsim.perf.projection import projections

SAMPLES, STEPS, CORES = 2, 3, 5


def network(stride: int, padding: int, *, pooled: bool) -> NetworkSpec:
    pool = (AvgPool(kind="avg_pool", size=2),) if pooled else ()
    return NetworkSpec(
        input_shape=(2, 7, 7),
        layers=(
            Conv(kind="conv", channels=4, kernel=3, padding=1),
            *pool,
            Conv(kind="conv", channels=6, kernel=3, stride=stride, padding=padding),
            Dense(kind="dense", units=5),
        ),
    )


def case(seed: int, stride: int, padding: int, *, pooled: bool) -> tuple[Any, Any, Any]:
    """A layer in random slices, the layer below on random cores, and how they are connected."""
    rng = np.random.default_rng(seed)
    spec = network(stride, padding, pooled=pooled)
    below, layer = spec.synaptic_layers[:2]
    inputs, (channels, rows, _) = layer.in_shape[0], layer.out_shape

    def bounds(size: int) -> tuple[int, int]:
        first, past = sorted(rng.choice(size + 1, 2, replace=False).tolist())
        return first, past

    # the first slice owns everything, so that all others sum for it
    boxes = [((0, channels), (0, rows), (0, inputs))]
    boxes += [(bounds(channels), bounds(rows), bounds(inputs)) for _ in range(7)]
    slices = tuple(
        Slice(1, int(rng.integers(CORES)), *c, *r, *i, owner=number == 0)
        for number, (c, r, i) in enumerate(boxes)
    )
    shape = (SAMPLES, STEPS)
    masks = {
        "inputs": layer.in_shape,
        "traces": layer.in_shape,
        "spikes": layer.out_shape,
        "deltas": layer.out_shape,
    }
    found = {name: Mask(rng.random((*shape, *size)) < 0.1) for name, size in masks.items()}
    census = LayerCensus(LayerGeometry.of(layer), input_bits=1, **found)
    task = SimpleNamespace(
        slices=LayerSlices.of(layer, slices), deltas=census.deltas, inputs=census.inputs, recorded=census, shape=shape,
        machine=SimpleNamespace(tile=np.arange(CORES)), static=False,
    )  # fmt: skip
    of_row = rng.integers(CORES, size=below.out_shape[:2])
    owners = np.broadcast_to(of_row[:, :, None], below.out_shape).reshape(-1)
    return task, SimpleNamespace(owners=owners), projections(spec, 1)[0]


@pytest.mark.parametrize(
    ("stride", "padding", "pooled"), [(1, 1, False), (1, 1, True), (2, 0, False), (3, 2, True)]
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_errors_go_to_the_owners_of_what_their_inputs_are_fed_by(
    seed: int, stride: int, padding: int, pooled: bool
) -> None:
    task, source, projection = case(seed, stride, padding, pooled=pooled)
    flows = _errors(task, source, projection)
    found = Counter[tuple[int, ...]]()
    for sender, targets, packets in zip(flows.source.tolist(), flows.targets, flows.packets, strict=True):
        for s, t in product(range(SAMPLES), range(STEPS)):
            found[sender, *targets, s, t] += int(packets[s, t])
    expected = Counter[tuple[int, ...]]()
    slices, geometry, deltas = task.slices, task.slices.geometry, task.deltas.ones
    _, height, width = geometry.in_shape
    for row, s, t in product(range(len(slices)), range(SAMPLES), range(STEPS)):
        reached = set()
        channels, rows = range(slices.c0[row], slices.c1[row]), range(slices.r0[row], slices.r1[row])
        for c, y, x in product(channels, rows, range(geometry.out_shape[2])):
            if deltas[s, t, c, y, x]:
                places = product(range(geometry.kernel), repeat=2)
                start = (y * stride - padding, x * stride - padding)
                reached |= {(start[0] + down, start[1] + right) for down, right in places}
        for (y, x), i in product(reached, range(slices.i0[row], slices.i1[row])):
            if 0 <= y < height and 0 <= x < width:
                fed_by = source.owners[projection.reaches == (i * height + y) * width + x]
                for owner in set(fed_by.tolist()):
                    expected[int(slices.core[row]), owner, s, t] += 1
    assert +found == +expected
    assert found.total() > 0


@pytest.mark.parametrize(("stride", "padding"), [(1, 1), (2, 0), (3, 2)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_partial_sums_are_of_neurons_that_an_input_reaches(seed: int, stride: int, padding: int) -> None:
    task, _, _ = case(seed, stride, padding, pooled=False)
    slices, geometry, inputs = task.slices, task.slices.geometry, task.inputs.ones
    shared = slices.shared_neurons
    found = _partial_sums(task, shared)
    assert shared.owner.tolist() == [0] * 7
    assert shared.row.tolist() == list(range(1, 8))
    for number, row in enumerate(shared.row.tolist()):
        assert [bound[number] for bound in shared.boxes] == [bound[row] for bound in slices.neuron_box]
        expected = np.zeros((SAMPLES, STEPS), np.int64)
        rows = range(slices.r0[row], slices.r1[row])
        for y, x, s, t in product(rows, range(geometry.out_shape[2]), range(SAMPLES), range(STEPS)):
            top, left = y * stride - padding, x * stride - padding
            window = inputs[
                s, t, slices.i0[row] : slices.i1[row],
                max(top, 0) : max(top + geometry.kernel, 0), max(left, 0) : max(left + geometry.kernel, 0),
            ]  # fmt: skip
            expected[s, t] += slices.channels[row] * bool(window.any())
        assert np.array_equal(found[number], expected)
