"""Sums over active inputs alone are those over all inputs, at every density and for weights at the bound of 16 bits."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_runs import batches, engine, train

from nmsim.fixedpoint.compiled import kernel
from nmsim.network.spec import NetworkSpec
from nmsim.stop.fixed.active import Lists, active_sums_into, adding_pays, group_within, list_active
from nmsim.stop.fixed.compress import list_equal, list_plainly
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.fixed.row_adder import add_rows as add_rows_of
from nmsim.stop.fixed.row_adder import plain_adder
from nmsim.stop.fixed.tile import pair_lanes

SPIKING = NetworkSpec.model_validate(
    {
        "input_shape": [2, 9, 11],
        "time_steps": 3,
        "layers": [
            {"kind": "conv", "channels": 35, "kernel": 3, "padding": 1, "weight_scale": 3},
            {"kind": "conv", "channels": 64, "kernel": 3, "padding": 2, "stride": 2, "weight_scale": 2},
            {"kind": "avg_pool", "size": 2},
            {"kind": "conv", "channels": 416, "kernel": 2, "weight_scale": 2},
            {"kind": "residual", "body": [{"kind": "conv", "channels": 416, "kernel": 1, "weight_scale": 2}]},
            {"kind": "dense", "units": 32, "weight_scale": 2},
            {"kind": "dense", "units": 5, "weight_scale": 2},
        ],
    }
)


def _spiking(**options: Any) -> FixedEngine:
    return engine(SPIKING, engine={"workers": 1, "max_samples_in_flight": 2} | options)


def sums_of_active(out, entries, marks, segments, memory, weights, layers, index, slots, group):
    """Sums of a layer over the active inputs of so many slots; how many there are, and whether adding them pays."""
    layer, lists = layers[index], Lists(entries, marks, segments)
    count = list_active(lists, memory, layer, slots)
    middle = slots * layer.positions // 2  # rows are formed in blocks that may begin inside a map
    if group:
        active_sums_into(out, lists, weights, layer, 0, middle, group)
        behind = out[middle * layer.channels :]
        active_sums_into(behind, lists, weights, layer, middle, slots * layer.positions, group)
    return count, adding_pays(layer, slots, count, group)


def _expected(layer: Any, inputs: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.int64]:
    """Sums `(slots, positions, C)`, from inputs `(slots, H, W, C_in)` and weights `(C, fan_in)` in C order."""
    if not layer.kernel:
        return inputs.reshape(len(inputs), 1, -1).astype(np.int64) @ weights.T.astype(np.int64)
    edge, kernel, stride = layer.padding, layer.kernel, layer.stride
    padded = np.pad(inputs.astype(np.int64), ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    own = weights.astype(np.int64).reshape(layer.channels, layer.input_channels, kernel, kernel)
    found = np.zeros((len(inputs), layer.height, layer.width, layer.channels), np.int64)
    for y in range(kernel):
        for x in range(kernel):
            under = padded[:, y::stride, x::stride][:, : layer.height, : layer.width]
            found += under @ own[:, :, y, x].T
    return found.reshape(len(inputs), layer.positions, layer.channels)


def _sums(
    index: int, density: float, weights: NDArray[np.int64], group: int | None = None
) -> tuple[NDArray[Any], NDArray[Any], int, int, bool]:
    """Sums of a layer, what they should be, active inputs, the group, and whether adding pays."""
    made, slots = _spiking(), 2
    layer, work, held = made.layout.layers[index], made._accumulator.workers[0].work, made.raw.held
    parameters = made.parameters
    parameters.weights[index] = weights.reshape(parameters.weights[index].shape)
    made.load_parameters(parameters)
    rng = np.random.default_rng(7)
    shape = (slots, *((layer.input_height, layer.input_width) if layer.kernel else (1, 1)))
    inputs = rng.integers(1, layer.listed + 1, (*shape, layer.inputs // (shape[1] * shape[2])))
    inputs *= rng.random(inputs.shape) < density
    for slot in range(slots):
        begin = slot * layer.words + layer.source_values
        work.memory[begin : begin + layer.inputs] = inputs[slot].ravel()
    if group is None:
        group = group_within(int(held.weight_bounds[index, 4]))
    out = np.full(slots * layer.positions * layer.channels, 77, np.int64)
    count, pays = kernel(sums_of_active, "test").machine(
        out, work.entries, work.marks, work.segments, work.memory, held.backward, made.layout.plan.layers, index, slots,
        group,
    )  # fmt: skip
    if not layer.kernel:  # inputs as stored, weights in C order of the map
        weights = weights.reshape(layer.channels, -1)[:, _stored_order(made, index)]
    expected = _expected(layer, inputs, weights)
    assert count == np.count_nonzero(inputs)
    return out.reshape(expected.shape), expected, count, group, bool(pays)


def _stored_order(made: FixedEngine, index: int) -> NDArray[np.int64]:
    """C-order index of every stored input of a dense layer."""
    order: NDArray[np.int64] = np.argsort(made.raw.slices[index].order)
    return order


def _random_weights(index: int, largest: int) -> NDArray[np.int64]:
    layer = _spiking().layout.layers[index]
    return np.random.default_rng(5).integers(-largest, largest + 1, layer.channels * layer.fan_in)


def test_layers_behind_spikes_are_listed_where_rows_are_whole_vectors() -> None:
    assert [layer.listed for layer in _spiking().layout.layers] == [0, 1, 4, 1, 2, 0]
    assert not any(layer.listed for layer in _spiking(storage=np.int32).layout.layers)
    assert not any(
        layer.listed for layer in engine(SPIKING, batch_size=1).layout.layers[4:]
    )  # by input already


@pytest.mark.parametrize("density", [0.0, 0.002, 0.5, 1.0])
@pytest.mark.parametrize("index", [1, 2, 3, 4])
def test_sums_are_those_over_all_inputs(index: int, density: float) -> None:
    found, expected, count, group, pays = _sums(index, density, _random_weights(index, 900))
    assert group in {36, 37}
    np.testing.assert_array_equal(found, expected)
    assert pays == (density < 0.4)
    assert (count == 0) == (density == 0)


@pytest.mark.parametrize("largest", [32767, 16384, 16383, 4096, 4095, -32767])
def test_weights_at_the_bound_of_a_group(largest: int) -> None:
    found, expected, _, group, _ = _sums(3, 1.0, np.full(416 * 416, largest))
    assert group == {32767: 1, 16384: 1, 16383: 2, 4096: 7, 4095: 8, -32767: 1}[largest]
    np.testing.assert_array_equal(found, expected)


def test_one_weight_more_than_the_bound_overflows_sixteen_bits() -> None:
    if not pair_lanes():
        pytest.skip("this processor adds rows in 64 bits")
    found, expected, _, group, _ = _sums(3, 1.0, np.full(416 * 416, 4096), group=8)
    assert group == 8
    assert (found != expected).all()


def test_the_most_negative_weight_is_never_added() -> None:
    _, _, _, group, pays = _sums(3, 0.01, np.full(416 * 416, -32768))
    assert group == 0
    assert not pays


@pytest.mark.parametrize("columns", [32, 64, 128, 256])
def test_vectors_add_rows_as_the_definition(columns: int) -> None:
    rng = np.random.default_rng(columns)
    weights, lists = (
        rng.integers(-4000, 4001, 9000).astype(np.int16),
        rng.integers(0, 800, 40).astype(np.int32),
    )
    segments = np.array([0, 8, 16, 1, 8, 8, 3, 2, 8, 33, 7, 4, 33, 40, 0, 3])
    for keep in (0, 1):
        out, plain = np.arange(300), np.arange(300)
        _add(out, columns, weights, lists, segments, keep)
        plain_adder(columns)(weights.astype(int), lists, segments, 4, 8, plain[5:], keep)
        np.testing.assert_array_equal(out, plain)


def _add(
    out: NDArray[Any],
    columns: int,
    weights: NDArray[Any],
    lists: NDArray[Any],
    segments: NDArray[Any],
    keep: int,
) -> None:
    kernel(rows_added, "test").machine(columns, weights, lists, segments, 4, 8, out[5:], keep)


def rows_added(columns, weights, lists, segments, count, group, out, keep):
    """`add_rows` as an entry."""
    add_rows_of(columns, weights, lists, segments, count, group, out, keep)


@pytest.mark.parametrize("size", [1, 15, 16, 35, 64])
def test_lists_of_equal_values_as_the_definition(size: int) -> None:
    values = np.random.default_rng(size).integers(0, 3, 80).astype(np.int16)
    entries, plain = np.zeros(120, np.int32), np.zeros(120, np.int32)
    count = kernel(equal_listed, "test").machine(entries, 3, values, 7, size, 2, -40, 9)
    assert count == list_plainly(plain, 3, values, 7, size, 2, -40, 9)
    assert count == 3 + np.count_nonzero(values[7 : 7 + size] == 2)
    np.testing.assert_array_equal(entries[:count], plain[:count])


def equal_listed(entries, count, values, begin, size, value, entry, apart):
    """`list_equal` as an entry."""
    return list_equal(entries, count, values, begin, size, value, entry, apart)


@pytest.mark.parametrize(
    "precision", [{}, {"rounding": "stochastic", "current": "s24", "overflow": "wrap"}], ids=str
)
@pytest.mark.parametrize("static", [True, False], ids=["static", "moving"])
def test_active_inputs_change_no_bit(precision: dict[str, Any], static: bool) -> None:
    given = batches(SPIKING, 3, 8, static=static)
    plain = engine(SPIKING, precision, engine={"workers": 1, "storage": np.int32})
    active = engine(SPIKING, precision, engine={"workers": 1})
    assert train(active, given) == train(plain, given)
    np.testing.assert_array_equal(active.infer(given[0]), plain.infer(given[0]))
    record = active.record(given[0])
    densities = [float(own.input_nonzero.mean()) for own in record]
    assert min(densities[1:5]) > 0.01  # there is something to add,
    assert any(density < 0.3 for density in densities[1:5])  # and few enough for it
