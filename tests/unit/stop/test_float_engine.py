"""The float engines around their equations: execution, records, saved state, refusals."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from float_engines import DENSE, INTENSITY, MAPS, RATES, arrays, engine, samples

from nmsim.errors import DataError
from nmsim.network.neuron import Surrogate
from nmsim.network.precision import Precision
from nmsim.stop.float import FloatEngine
from nmsim.stop.protocol import Batch
from nmsim.stop.stbp import StbpEngine
from nmsim.stop.surrogate import table_entries


@pytest.mark.parametrize("network", [DENSE, MAPS])
@pytest.mark.parametrize("kind", [FloatEngine, StbpEngine])
def test_the_split_for_execution_changes_nothing_but_rounding(network: dict[str, Any], kind: type) -> None:
    whole = engine(network, kind=kind)
    batch = samples(whole, 5)
    expected = whole.gradients(batch)
    for size in (1, 2, 5):
        got = engine(network, kind=kind, max_samples_in_flight=size).gradients(batch)
        assert np.array_equal(got.result.spike_counts, expected.result.spike_counts)
        for one, other in zip(
            got.weights + got.thresholds, expected.weights + expected.thresholds, strict=True
        ):
            assert np.allclose(one, other, rtol=1e-12, atol=1e-13)
        assert np.allclose(got.leak, expected.leak, rtol=1e-12)


@pytest.mark.parametrize("network", [DENSE, MAPS])
@pytest.mark.parametrize("kind", [FloatEngine, StbpEngine])
def test_float32_stays_float32_and_near_float64(network: dict[str, Any], kind: type) -> None:
    double, single = (engine(network, kind=kind, arithmetic=kind_) for kind_ in ("float64", "float32"))
    batch = samples(double)
    for _ in range(3):
        double.train_batch(batch, RATES)
        single.train_batch(batch, RATES)
    for one, other in zip(arrays(single), arrays(double), strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-5)
    assert all(
        array.dtype == np.float32 for array in single.parameters.weights + single.parameters.thresholds
    )


@pytest.mark.parametrize("kind", [FloatEngine, StbpEngine])
def test_inference_sees_the_spikes_of_training_with_classes_in_c_order(kind: type) -> None:
    network = {
        **MAPS,
        "input_shape": [2, 12, 12],
    }  # the output is a map (2, 2, 2): C-order and internal order differ
    one = engine(network, kind=kind)
    batch = samples(one, 4)
    counts = one.infer(batch)
    assert counts.shape == (4, 8)
    assert 0 < counts.sum() < counts.size * 5
    assert np.array_equal(counts, one.gradients(batch).result.spike_counts)
    assert np.array_equal(counts, one.record(batch)[-1].spikes.sum(axis=1))


def test_the_label_of_a_map_as_output_is_an_index_in_c_order() -> None:
    one = engine({**MAPS, "input_shape": [2, 12, 12]})
    batch = samples(one, 8)
    last = one.tensors(batch)[-1]
    softmax = np.exp(last.spikes) / np.exp(last.spikes).sum(axis=2, keepdims=True)
    assert np.allclose(last.error, softmax - np.eye(8)[batch.labels][:, np.newaxis], rtol=1e-14)


@pytest.mark.parametrize("network", [DENSE, MAPS])
@pytest.mark.parametrize("static", [False, True])
def test_a_record_is_where_the_tensors_are_not_zero(network: dict[str, Any], *, static: bool) -> None:
    one = engine(network, max_samples_in_flight=3)
    batch = samples(one, static=static)
    batch.inputs[batch.inputs < 100] = 0
    before = [array.copy() for array in arrays(one)]
    records, tensors = one.record(batch), one.tensors(batch)
    for record, tensor, layer in zip(records, tensors, one.network.synaptic_layers, strict=True):
        assert record.input_nonzero.shape == (4, 5, layer.inputs)
        assert record.spikes.shape == (4, 5, layer.neurons)
        assert np.array_equal(record.input_nonzero, tensor.input != 0)
        assert np.array_equal(record.spikes, tensor.spikes == 1)
        assert np.array_equal(record.trace_nonzero, tensor.weight_trace != 0)
        assert np.array_equal(record.delta_nonzero, tensor.delta != 0)
    first = np.broadcast_to(batch.inputs, (4, 5, *one.network.input_shape)).reshape(4, 5, -1)
    assert np.array_equal(tensors[0].input, first / 256)
    assert all(np.array_equal(a, b) for a, b in zip(before, arrays(one), strict=True))


@pytest.mark.parametrize("static", [False, True])
def test_a_record_of_stbp_holds_its_errors_through_time(*, static: bool) -> None:
    network = {**DENSE, "neuron": {"threshold": 0.5, "surrogate": "rectangle", "leak_factor": 0.5}}
    one, stop = engine(network, kind=StbpEngine, max_samples_in_flight=3), engine(network)
    batch = samples(one, static=static)
    batch.inputs[batch.inputs < 100] = 0
    records, tensors = one.record(batch), stop.tensors(batch)
    for record, tensor in zip(records, tensors, strict=True):
        assert np.array_equal(record.input_nonzero, tensor.input != 0)
        assert np.array_equal(record.trace_nonzero, tensor.input != 0)
        assert np.array_equal(record.spikes, tensor.spikes != 0)
    later = np.zeros((4, 5))
    for t in reversed(range(5)):
        later = tensors[1].delta[:, t] + 0.5 * later
        assert np.array_equal(records[1].delta_nonzero[:, t], later != 0)
    assert np.any(records[1].delta_nonzero != (tensors[1].delta != 0))


def test_the_tensors_of_a_dense_network_follow_the_rows_of_the_step() -> None:
    one = engine()
    batch = samples(one)
    own, (first, second) = one.parameters, one.tensors(batch)
    before = dict.fromkeys(("membrane", "spikes", "leak_trace", "threshold_trace", "weight_trace"), 0.0)
    for t in range(5):
        alpha, theta = own.leak[0], own.thresholds[0]
        residual = before["membrane"] - theta * before["spikes"]
        now = {
            "leak_trace": alpha * before["leak_trace"] + residual,
            "threshold_trace": alpha * (before["threshold_trace"] - before["spikes"]),
            "weight_trace": alpha * before["weight_trace"] + first.input[:, t],
            "membrane": alpha * residual + first.input[:, t] @ own.weights[0].T,
        }
        now["spikes"] = (now["membrane"] >= theta) * 1.0
        for name, expected in now.items():
            assert np.allclose(getattr(first, name)[:, t], expected, rtol=1e-13, atol=1e-14)
        before = now
    assert np.array_equal(second.input, first.spikes)
    assert np.allclose(first.error, second.delta @ own.weights[1], rtol=1e-13, atol=1e-15)
    assert np.allclose(
        second.delta, second.error * np.exp(-abs(second.membrane - own.thresholds[1])), rtol=1e-13
    )


@pytest.mark.parametrize("kind", [FloatEngine, StbpEngine])
def test_a_restored_engine_goes_on_to_the_same_bits(kind: type) -> None:
    one, other = engine(MAPS, kind=kind, momentum=0.9), engine(MAPS, kind=kind, momentum=0.9)
    one.parameters.mask[1] = np.random.default_rng(3).random(one.parameters.weights[1].shape) < 0.5
    one.train_batch(samples(one), RATES)
    state = one.state()
    one.train_batch(samples(one, seed=1), RATES)
    other.restore(state)
    other.train_batch(samples(one, seed=1), RATES)
    assert all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))
    assert np.array_equal(other.parameters.velocity[0], one.parameters.velocity[0])
    assert one.overflow_counts() == {}


def test_with_a_precision_section_phi_is_read_from_its_table() -> None:
    exact, tabled = engine(), engine(precision=Precision())
    batch = samples(exact)
    for i, tensors in enumerate(tabled.tensors(batch)):
        entries = table_entries(Surrogate.EXPONENTIAL, Precision().surrogate) / 256
        distance = abs(tensors.membrane - tabled.parameters.thresholds[i])
        phi = entries[np.minimum((distance / 0.125).astype(int), 63)]
        assert np.allclose(tensors.delta, tensors.error * phi, rtol=1e-14)
        assert not np.allclose(tensors.delta, exact.tensors(batch)[i].delta, rtol=1e-3)


def peak_bytes(one: FloatEngine, batch: Batch) -> int:
    one.train_batch(batch, RATES)
    tracemalloc.start()
    one.train_batch(batch, RATES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("static", [False, True])
def test_memory_of_stop_does_not_grow_with_time_steps_but_that_of_stbp_does(*, static: bool) -> None:
    peaks = {}
    for kind in (FloatEngine, StbpEngine):
        for time_steps in (4, 32):
            one = engine(MAPS, kind=kind, time_steps=time_steps)
            peaks[kind, time_steps] = peak_bytes(one, samples(one, 32, static=static))
    assert peaks[FloatEngine, 32] < 1.1 * peaks[FloatEngine, 4]
    assert peaks[StbpEngine, 32] > 4 * peaks[StbpEngine, 4]


@pytest.mark.parametrize(("change", "sentence"), [
    (
        {"inputs": np.zeros((2, 5, 11), np.int64)},
        ("network 'network': a batch has inputs [2, 5, 11], but the network takes [samples, 1 or 5, 12]; match"
        " input_shape and time_steps to the data set"),
    ),
    (
        {"inputs": np.zeros((2, 4, 12), np.int64)},
        ("network 'network': a batch has inputs [2, 4, 12], but the network takes [samples, 1 or 5, 12]; match"
        " input_shape and time_steps to the data set"),
    ),
    (
        {"labels": np.zeros(3, np.int64)},
        "network 'network': a batch has 2 inputs but 3 labels; give each input one label",
    ),
    (
        {"labels": np.array([0, 5])},
        "network 'network': labels 0..5 are not all in 0..4; give the output layer one neuron per class",
    ),
])  # fmt: skip
def test_a_batch_that_does_not_fit_the_network_is_refused(change: dict[str, Any], sentence: str) -> None:
    fields = {"inputs": np.zeros((2, 5, 12), np.int64), "labels": np.zeros(2, np.int64)} | change
    with pytest.raises(DataError) as caught:
        engine().infer(Batch(fields["inputs"], INTENSITY, fields["labels"]))
    assert str(caught.value) == sentence
