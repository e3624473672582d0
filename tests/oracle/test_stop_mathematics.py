"""The thirteen mathematical properties of STOP (docs/algorithm.md): the float64 engine against a tape."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import autodiff
import numpy as np
import pytest
from autodiff import Array

from nmsim.fixedpoint.format import QFormat
from nmsim.network.spec import NetworkSpec
from nmsim.stop.float import FloatEngine
from nmsim.stop.protocol import Batch, UpdateRates
from nmsim.stop.spec import TrainingSpec
from nmsim.stop.stbp import StbpEngine

INTENSITY = QFormat(signed=False, total_bits=8, fraction_bits=8)
SPIKES = QFormat(signed=False, total_bits=1, fraction_bits=0)
TOLERANCE = 1e-12
SURROGATES = ["exponential", "triangle", "rectangle", "rational"]
LOSSES = {"cross_entropy": autodiff.cross_entropy, "squared_error": autodiff.squared_error}
SEEDS = range(6)

CONVOLUTIONS = {
    "conv and average pool": (
        [2, 9, 8],
        [
            {"kind": "conv", "channels": 4, "kernel": 3, "padding": 1},
            {"kind": "avg_pool", "size": 2},
            {"kind": "conv", "channels": 3, "kernel": 2, "stride": 2, "threshold_sharing": "neuron"},
            {"kind": "flatten"},
            {"kind": "dense", "units": 5},
        ],
    ),
    "residual with a shortcut convolution": (
        [2, 6, 6],
        [
            {"kind": "conv", "channels": 3, "kernel": 3, "padding": 1, "threshold_sharing": "layer"},
            {
                "kind": "residual",
                "body": [
                    {"kind": "conv", "channels": 4, "kernel": 3, "stride": 2, "padding": 1},
                    {"kind": "conv", "channels": 4, "kernel": 3, "padding": 1},
                ],
                "shortcut": [{"kind": "conv", "channels": 4, "kernel": 1, "stride": 2}],
            },
            {"kind": "dense", "units": 4},
        ],
    ),
    "identity residual and global average": (
        [1, 6, 6],
        [
            {"kind": "avg_pool", "size": 2},
            {"kind": "conv", "channels": 3, "kernel": 2, "padding": 1},
            {"kind": "residual", "body": [{"kind": "conv", "channels": 3, "kernel": 3, "padding": 1}]},
            {"kind": "global_avg_pool"},
            {"kind": "dense", "units": 4, "threshold_sharing": "layer"},
        ],
    ),
    "max pool and a convolution as output": (
        [2, 7, 7],
        [
            {"kind": "conv", "channels": 3, "kernel": 3, "padding": 1},
            {"kind": "max_pool", "size": 3},
            {"kind": "conv", "channels": 3, "kernel": 1},
        ],
    ),
}


@dataclass
class Case:
    """A random network with random parameters and samples, for an engine and for the tape."""

    engine: FloatEngine | StbpEngine
    batch: Batch
    layers: list[dict[str, Any]]
    surrogate: str

    @property
    def network(self) -> NetworkSpec:
        return self.engine.network

    def real_inputs(self) -> Array:
        """`(B, T, ...)`."""
        steps = np.broadcast_to(
            self.batch.inputs,
            (len(self.batch.labels), self.network.time_steps, *self.batch.inputs.shape[2:]),
        )
        return steps * self.batch.format.lsb

    def tape_gradients(self, kind: str) -> tuple[Any, ...]:
        """Gradients (dW, dTheta, dAlpha) by layer, and the loss, from automatic differentiation."""
        own = self.engine.parameters
        network = autodiff.SpikingNetwork(self.layers, own.weights, own.thresholds, own.leak, self.surrogate)
        loss = network.loss(
            self.real_inputs(), self.batch.labels, kind=kind, loss=LOSSES[self.engine.training.loss]
        )
        loss.backward()
        gradients = [
            [var.grad for var in variables]
            for variables in (network.weights, network.thresholds, network.alphas)
        ]
        return *gradients, float(loss.value), sum(network.output)


def make_case(
    seed: int,
    layers: list[dict[str, Any]] | None = None,
    input_shape: list[int] | None = None,
    *,
    rule: str = "stop-wtl",
    time_steps: int | None = None,
    alphas: list[float] | None = None,
    surrogate: str = "exponential",
    loss: str = "cross_entropy",
    inputs: str = "intensity",
    static: bool = False,
    training: dict[str, Any] | None = None,
) -> Case:
    rng = np.random.default_rng(seed)
    if layers is None:
        sizes = rng.integers(3, 12, size=rng.integers(2, 5))
        layers = [
            {"kind": "dense", "units": int(n), "threshold_sharing": str(rng.choice(["neuron", "layer"]))}
            for n in sizes
        ]
        input_shape = [int(rng.integers(4, 15))]
    time_steps = int(rng.integers(2, 8)) if time_steps is None else time_steps
    network = NetworkSpec.model_validate(
        {
            "input_shape": input_shape,
            "time_steps": time_steps,
            "neuron": {"surrogate": surrogate},
            "layers": layers,
        }
    )
    spec = TrainingSpec(rule=rule, arithmetic="float64", loss=loss, **(training or {}))
    engine = (StbpEngine if rule == "stbp" else FloatEngine)(network, spec, seed, max_samples_in_flight=3)
    own = engine.parameters
    for i, layer in enumerate(network.synaptic_layers):
        own.weights[i] = rng.normal(0.15, 1.5, layer.weight_shape) / np.sqrt(layer.fan_in)
        own.thresholds[i] = rng.uniform(0.2, 0.7, layer.threshold_count)
        own.leak[i] = float(rng.uniform(0.05, 0.95)) if alphas is None else alphas[i % len(alphas)]
    samples = int(rng.integers(2, 6))
    shape = (samples, 1 if static else time_steps, *network.input_shape)
    raw = rng.integers(0, 256, shape) if inputs == "intensity" else (rng.random(shape) < 0.4).astype(np.int64)
    batch = Batch(
        raw, INTENSITY if inputs == "intensity" else SPIKES, rng.integers(0, network.classes, samples)
    )
    return Case(engine, batch, layers, surrogate)


def assert_close(actual: Any, expected: Any) -> None:
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= TOLERANCE * max(1.0, np.abs(expected).max())


def assert_gradients_agree(case: Case, kind: str, layers: Iterable[int] | None = None) -> None:
    gradients = case.engine.gradients(case.batch)
    weights, thresholds, alphas, loss, spike_counts = case.tape_gradients(kind)
    for i in range(len(weights)) if layers is None else layers:
        assert_close(gradients.weights[i], weights[i])
        assert_close(gradients.thresholds[i], thresholds[i])
        assert_close(gradients.leak[i], alphas[i])
    assert_close(gradients.result.loss_sum, loss)
    assert np.array_equal(gradients.result.spike_counts, spike_counts)
    assert gradients.result.correct == np.sum(spike_counts.argmax(axis=1) == case.batch.labels)


def active_cases(
    count: int,
    layers: list[dict[str, Any]] | None = None,
    input_shape: list[int] | None = None,
    **options: Any,
) -> list[Case]:
    """The first `count` random cases in which every layer has both spikes and silence."""
    found = []
    for seed in range(50 * count):
        case = make_case(seed, layers, input_shape, **options)
        if all(0 < layer.spikes.mean() < 1 for layer in case.engine.tensors(case.batch)):
            found.append(case)
        if len(found) == count:
            return found
    pytest.fail("no random case has spikes and silence in every layer")


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("loss", LOSSES)
def test_01_stop_is_the_gradient_of_its_graph(surrogate: str, loss: str) -> None:
    for case in active_cases(6, surrogate=surrogate, loss=loss):
        assert_gradients_agree(case, "stop")


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("static", [False, True])
def test_01_stop_is_the_gradient_of_its_graph_with_maps(name: str, *, static: bool) -> None:
    shape, layers = CONVOLUTIONS[name]
    for case in active_cases(3, layers, shape, static=static, inputs="intensity" if static else "spikes"):
        assert_gradients_agree(case, "stop")


def test_02_the_last_layer_is_bptt_with_detached_reset() -> None:
    for case in active_cases(6):
        assert_gradients_agree(case, "detached", layers=[len(case.layers) - 1])


def test_03_a_one_layer_network_is_bptt_with_detached_reset() -> None:
    for case in active_cases(6, [{"kind": "dense", "units": 6}], [10]):
        assert_gradients_agree(case, "detached")


def test_04_one_time_step_is_full_bptt_and_leaves_the_leak_alone() -> None:
    for case in active_cases(6, time_steps=1):
        assert_gradients_agree(case, "full")
        assert case.engine.gradients(case.batch).leak == [0.0] * len(case.layers)


def test_05_without_leak_above_a_layer_is_bptt_with_detached_reset() -> None:
    layers = [{"kind": "dense", "units": n} for n in (9, 8, 7, 6)]
    compared = 0
    for seed in SEEDS:
        for i in range(len(layers)):
            alphas = [0.7] * (i + 1) + [0.0] * (len(layers) - i - 1)
            case = make_case(seed, layers, [12], alphas=alphas)
            assert_gradients_agree(case, "detached", layers=range(i, len(layers)))
            compared += np.any(case.engine.gradients(case.batch).weights[i])
    assert compared == len(SEEDS) * len(layers)


def test_06_the_membrane_is_the_weighted_traces() -> None:
    for case in active_cases(6):
        for layer, one in zip(case.network.synaptic_layers, case.engine.tensors(case.batch), strict=True):
            own = case.engine.parameters
            theta = np.broadcast_to(own.thresholds[layer.index], layer.neurons)
            assert_close(
                one.weight_trace @ own.weights[layer.index].T + theta * one.threshold_trace, one.membrane
            )


def test_07_threshold_trace_and_next_weight_trace_are_one_spike_trace() -> None:
    for case in active_cases(4, time_steps=6, alphas=[0.6]):
        assert_spike_traces(case, pool=None)
    shape, layers = CONVOLUTIONS["conv and average pool"]
    for case in active_cases(3, layers[:3], shape, alphas=[0.6]):
        assert_spike_traces(case, pool=2)


def assert_spike_traces(case: Case, pool: int | None) -> None:
    history = case.engine.tensors(case.batch)
    for i, one in enumerate(history):
        alpha = case.engine.parameters.leak[i]
        q = np.zeros_like(one.spikes)
        for t in range(case.network.time_steps):
            q[:, t] = one.spikes[:, t] + (alpha * q[:, t - 1] if t else 0)
        assert_close(one.threshold_trace, one.spikes - q)
        if i + 1 < len(history):
            if pool:
                c, h, w = case.network.synaptic_layers[i].out_shape
                q = q.reshape(*q.shape[:2], c, h, w)[..., : h // pool * pool, : w // pool * pool]
                q = q.reshape(*q.shape[:3], h // pool, pool, w // pool, pool).mean(axis=(4, 6))
                q = q.reshape(*q.shape[:2], -1)
            assert_close(history[i + 1].weight_trace, q)


def test_08_the_trace_of_a_static_input_is_a_geometric_sum() -> None:
    for static in active_cases(6, static=True):
        alpha, steps = static.engine.parameters.leak[0], static.network.time_steps
        t = np.arange(1, steps + 1)[:, np.newaxis]
        expected = static.real_inputs()[:, :1] * (1 - alpha**t) / (1 - alpha)
        assert_close(static.engine.tensors(static.batch)[0].weight_trace, expected)
        repeated = Batch(np.repeat(static.batch.inputs, steps, axis=1), INTENSITY, static.batch.labels)
        assert_close(static.engine.tensors(repeated)[0].weight_trace, expected)
        once, every_step = static.engine.gradients(static.batch), static.engine.gradients(repeated)
        for one, other in zip(once.weights, every_step.weights, strict=True):
            assert_close(one, other)


def test_09_with_half_leak_the_trace_of_spikes_is_their_history_in_binary() -> None:
    for case in active_cases(4, time_steps=7, alphas=[0.5], inputs="spikes"):
        for one in case.engine.tensors(case.batch):
            for t in range(case.network.time_steps):
                bits = one.input[:, : t + 1].astype(np.int64)
                newest_first = sum(bits[:, k] << k for k in range(t + 1))
                assert np.array_equal(one.weight_trace[:, t] * 2**t, newest_first)


def test_10_zero_rates_of_thresholds_and_leaks_leave_stop_w() -> None:
    for seed in SEEDS:
        only, all_three = (
            make_case(seed, rule=rule, training={"momentum": 0.5}) for rule in ("stop-w", "stop-wtl")
        )
        thresholds, leak = (
            [t.copy() for t in all_three.engine.parameters.thresholds],
            list(all_three.engine.parameters.leak),
        )
        before = [w.copy() for w in only.engine.parameters.weights]
        for _ in range(4):
            only.engine.train_batch(only.batch, UpdateRates(0.3, 0.2, 0.1))
            all_three.engine.train_batch(all_three.batch, UpdateRates(0.3, 0.0, 0.0))
        own, other = only.engine.parameters, all_three.engine.parameters
        assert all(np.array_equal(a, b) for a, b in zip(own.weights, other.weights, strict=True))
        assert not any(np.array_equal(a, b) for a, b in zip(own.weights, before, strict=True))
        for parameters in (own, other):
            assert all(np.array_equal(a, b) for a, b in zip(parameters.thresholds, thresholds, strict=True))
            assert parameters.leak == leak


def test_11_a_batch_is_the_sum_of_its_samples() -> None:
    for case in active_cases(6):
        whole = case.engine.gradients(case.batch)
        parts = [
            case.engine.gradients(
                Batch(case.batch.inputs[b : b + 1], INTENSITY, case.batch.labels[b : b + 1])
            )
            for b in range(len(case.batch.labels))
        ]
        for i in range(len(case.layers)):
            assert_close(whole.weights[i], sum(part.weights[i] for part in parts))
            assert_close(whole.thresholds[i], sum(part.thresholds[i] for part in parts))
            assert_close(whole.leak[i], sum(part.leak[i] for part in parts))


def test_12_zero_output_error_gives_zero_everywhere() -> None:
    case = make_case(
        0, [{"kind": "dense", "units": 8}, {"kind": "dense", "units": 4}], [6], loss="squared_error"
    )
    own = case.engine.parameters
    own.weights[0] = np.full((8, 6), 4.0)
    label = 2
    own.weights[1] = np.where(np.arange(4)[:, np.newaxis] == label, 5.0, -5.0) * np.ones((4, 8))
    case.batch.inputs[...] = np.maximum(case.batch.inputs, 64)
    case.batch.labels[...] = label
    gradients = case.engine.gradients(case.batch)
    assert np.all(gradients.result.spike_counts == np.eye(4)[label] * case.network.time_steps)
    assert gradients.result.loss_sum == 0
    assert not any(np.any(tensor) for tensor in (*gradients.weights, *gradients.thresholds, *gradients.leak))
    assert not any(np.any(one.delta) for one in case.engine.tensors(case.batch))
    case.batch.labels[0] = 1
    assert np.any(case.engine.gradients(case.batch).weights[0])


def test_13_without_input_spikes_weights_and_leaks_stay() -> None:
    for seed in SEEDS:
        case = make_case(seed)
        case.batch.inputs[...] = 0
        gradients = case.engine.gradients(case.batch)
        assert not any(np.any(gradient) for gradient in gradients.weights)
        assert not any(gradients.leak)
        assert all(np.any(gradient) for gradient in gradients.thresholds)


@pytest.mark.parametrize("reset", ["detached", "full"])
@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("loss", LOSSES)
def test_stbp_is_bptt(reset: str, surrogate: str, loss: str) -> None:
    for seed in SEEDS:
        case = make_case(
            seed, rule="stbp", surrogate=surrogate, loss=loss, training={"reset_gradient": reset}
        )
        assert_gradients_agree(case, reset)


@pytest.mark.parametrize("reset", ["detached", "full"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_stbp_is_bptt_with_maps(reset: str, name: str) -> None:
    shape, layers = CONVOLUTIONS[name]
    for static in (False, True):
        case = make_case(1, layers, shape, rule="stbp", static=static, training={"reset_gradient": reset})
        assert_gradients_agree(case, reset)


def test_stop_drops_part_of_the_true_gradient() -> None:
    """Guards the comparisons above: in hidden layers with leak above, STOP and BPTT differ."""
    for case in active_cases(3, time_steps=6, alphas=[0.6]):
        stop, detached, full = (case.tape_gradients(kind)[0][0] for kind in ("stop", "detached", "full"))
        assert np.abs(stop - detached).max() > 1e-3 * np.abs(detached).max()
        assert np.abs(full - detached).max() > 1e-3 * np.abs(detached).max()


def test_the_tape_agrees_with_finite_differences() -> None:
    rng = np.random.default_rng(3)
    x, weights, dense = rng.normal(size=(2, 2, 5, 5)), rng.normal(size=(3, 2, 3, 3)), rng.normal(size=(4, 12))
    labels = np.array([1, 3])

    def value(arrays: list[Array]) -> tuple[autodiff.Var, tuple[autodiff.Var, ...]]:
        x, weights, dense = (autodiff.Var(array) for array in arrays)
        maps = autodiff.average_pool(autodiff.convolve(x, weights, 1, 1), 2)
        loss = autodiff.cross_entropy(autodiff.matmul((maps * maps).reshape(2, -1), dense), labels)
        loss = loss + autodiff.max_pool(autodiff.convolve(x, weights, 2, 0), 2).sum()
        return loss, (x, weights, dense)

    arrays = [x, weights, dense]
    loss, variables = value(arrays)
    loss.backward()
    for which, variable in enumerate(variables):
        for place in [tuple(rng.integers(0, n) for n in variable.value.shape) for _ in range(5)]:
            sides = []
            for step in (1e-6, -1e-6):
                moved = [array.copy() for array in arrays]
                moved[which][place] += step
                sides.append(float(value(moved)[0].value))
            assert variable.grad[place] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-6, abs=1e-7)
