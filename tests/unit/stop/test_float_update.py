"""The update of the float engines: means, bounds, momentum, variants, in place, pruned synapses."""

import numpy as np
import pytest
from float_engines import DENSE, RATES, arrays, engine, samples

from nmsim.stop.float import FloatEngine
from nmsim.stop.protocol import UpdateRates
from nmsim.stop.stbp import StbpEngine


@pytest.mark.parametrize("input_shape", [[12], [3, 2, 2]])
def test_in_place_updates_weights_at_every_step_and_the_rest_after_the_sample(input_shape: list[int]) -> None:
    one = engine({**DENSE, "input_shape": input_shape}, batch_size=1, update="in_place", time_steps=4)
    batch = samples(one, 1, static=True)
    x, y = batch.inputs[0, 0].ravel() / 256, np.eye(5)[batch.labels[0]]
    weights = [w.copy() for w in one.parameters.weights]
    theta, alpha = [t.copy() for t in one.parameters.thresholds], list(one.parameters.leak)
    sizes, inputs = (9, 5), (12, 9)
    u, s, a, th = ([np.zeros(n) for n in sizes] for _ in range(4))
    w_trace, d_theta, d_alpha = [np.zeros(n) for n in inputs], [np.zeros(n) for n in sizes], [0.0, 0.0]
    for _ in range(4):
        value, delta = x, [np.zeros(0)] * 2
        for i in range(2):
            residual = u[i] - theta[i] * s[i]
            a[i] = alpha[i] * a[i] + residual
            th[i] = alpha[i] * (th[i] - s[i])
            w_trace[i] = alpha[i] * w_trace[i] + value
            u[i] = alpha[i] * residual + weights[i] @ value
            s[i] = (u[i] >= theta[i]) * 1.0
            value = s[i]
        error = np.exp(value) / np.exp(value).sum() - y
        for i in (1, 0):
            delta[i] = error * np.exp(-abs(u[i] - theta[i]))
            error = weights[i].T @ delta[i]
            d_theta[i] += delta[i] * (th[i] - 1)
            d_alpha[i] += float(delta[i] @ a[i])
        for i in range(2):
            weights[i] -= 0.2 * np.outer(delta[i], w_trace[i])
    one.train_batch(batch, RATES)
    for i in range(2):
        assert np.allclose(one.parameters.weights[i], weights[i], rtol=1e-13, atol=1e-14)
        assert np.allclose(one.parameters.thresholds[i], theta[i] - 0.05 * d_theta[i], rtol=1e-13)
        assert one.parameters.leak[i] == pytest.approx(alpha[i] - 0.3 * d_alpha[i] / sizes[i], rel=1e-13)


def test_factored_accumulation_is_accumulation() -> None:
    default, factored = (engine(batch_size=1, update=update) for update in ("accumulate", "factored"))
    batch = samples(default, 1)
    for one in (default, factored):
        one.train_batch(batch, RATES)
    assert all(np.array_equal(a, b) for a, b in zip(arrays(default), arrays(factored), strict=True))


def test_the_update_is_the_mean_over_the_batch_and_for_leaks_over_the_neurons() -> None:
    one = engine()
    batch = samples(one)
    before, gradients = [array.copy() for array in arrays(one)], one.gradients(batch)
    one.train_batch(batch, RATES)
    for i, neurons in enumerate((9, 5)):
        assert np.allclose(one.parameters.weights[i], before[i] - 0.2 * gradients.weights[i] / 4, rtol=1e-14)
        assert np.allclose(
            one.parameters.thresholds[i], before[2 + i] - 0.05 * gradients.thresholds[i] / 4, rtol=1e-14
        )
        expected = before[4][i] - 0.3 * gradients.leak[i] / (4 * neurons)
        assert one.parameters.leak[i] == pytest.approx(expected, rel=1e-14)


def test_momentum_moves_weights_only() -> None:
    plain, heavy = engine(), engine(momentum=0.5)
    first, second = samples(plain), samples(plain, seed=1)
    start, gradient = heavy.parameters.weights[0].copy(), heavy.gradients(first).weights[0]
    heavy.train_batch(first, RATES)
    plain.train_batch(first, RATES)
    assert all(np.array_equal(a, b) for a, b in zip(arrays(plain), arrays(heavy), strict=True))
    velocity = 0.5 * gradient + heavy.gradients(second).weights[0]
    heavy.train_batch(second, RATES)
    plain.train_batch(second, RATES)
    assert np.allclose(
        heavy.parameters.weights[0], start - 0.05 * gradient - 0.05 * velocity, rtol=1e-12, atol=1e-15
    )
    assert np.array_equal(heavy.parameters.thresholds[0], plain.parameters.thresholds[0])
    assert heavy.parameters.leak == plain.parameters.leak


def test_thresholds_and_leak_factors_stay_in_their_bounds() -> None:
    for options, low, high in (
        ({}, 2.0**-10, 1 - 2.0**-16),
        ({"theta_min": 0.25, "alpha_max": 0.75}, 0.25, 0.75),
    ):
        one = engine(**options)
        thresholds, leaks = set(), set()
        for seed in range(6):
            one.train_batch(samples(one, seed=seed), UpdateRates(0.2, 50.0, 500.0))
            thresholds.add(min(t.min() for t in one.parameters.thresholds))
            leaks.update(one.parameters.leak)
        assert min(thresholds) == low
        assert (min(leaks), max(leaks)) == (0.0, high)


@pytest.mark.parametrize(("rule", "thresholds", "leak"), [
    ("stop-w", False, False), ("stop-wt", True, False), ("stop-wl", False, True), ("stop-wtl", True, True),
])  # fmt: skip
def test_a_rule_learns_what_its_letters_say(rule: str, *, thresholds: bool, leak: bool) -> None:
    one = engine(rule=rule)
    before = [array.copy() for array in arrays(one)]
    one.train_batch(samples(one), RATES)
    changed = [not np.array_equal(a, b) for a, b in zip(before, arrays(one), strict=True)]
    assert changed == [True, True, thresholds, thresholds, leak]


@pytest.mark.parametrize("kind", [FloatEngine, StbpEngine])
def test_centralized_gradients_leave_the_sum_of_a_neurons_weights(kind: type) -> None:
    one, plain = (engine(kind=kind, gradient_centralization=on, momentum=0.5) for on in (True, False))
    mask = np.random.default_rng(3).random((9, 12)) < 0.5
    for own in (one, plain):
        own.parameters.mask[0] = mask
        own.parameters.weights[0] *= mask
    sums = [weights.sum(axis=1) for weights in one.parameters.weights]
    assert np.allclose(sums[1], 0, atol=1e-15)  # the start is centred; the mask took that from layer 0
    assert not np.allclose(plain.parameters.weights[1].sum(axis=1), 0, atol=1e-2)
    before = one.parameters.weights[0].copy()
    for seed in range(3):
        for own in (one, plain):
            own.train_batch(samples(own, seed=seed), RATES)
    after = [weights.sum(axis=1) for weights in one.parameters.weights]
    assert all(np.allclose(a, b, atol=1e-14) for a, b in zip(sums, after, strict=True))
    assert not np.allclose(one.parameters.weights[0], before)
    assert np.array_equal(one.parameters.weights[0] != 0, mask)
    assert not np.allclose(plain.parameters.weights[1].sum(axis=1), after[1], atol=1e-4)


@pytest.mark.parametrize("kind", [FloatEngine, StbpEngine])
def test_pruned_synapses_stay_zero(kind: type) -> None:
    one = engine(kind=kind, momentum=0.5)
    mask = np.random.default_rng(3).random((9, 12)) < 0.5
    one.parameters.mask[0] = mask
    one.parameters.weights[0] *= mask
    for seed in range(3):
        one.train_batch(samples(one, seed=seed), RATES)
    assert np.array_equal(one.parameters.weights[0] != 0, mask)
