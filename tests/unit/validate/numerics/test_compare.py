"""The comparison with float64: each reference is what it claims to be."""

import numpy as np
import pytest
from small_networks import DENSE, NETWORKS, POOLED, batch, chip

from nmsim.fixedpoint.format import Rounding
from nmsim.stop.protocol import Batch
from nmsim.validate.numerics.exact_values import ExactValues
from nmsim.validate.numerics.fixed_side import QUANTITIES
from nmsim.validate.numerics.float_side import ReferenceEngine
from nmsim.validate.numerics.measured import ComparedWith
from nmsim.validate.numerics.three_passes import Compared, compare, samples_together

BOUNDS = {
    Rounding.NEAREST: (-0.5, 0.5), Rounding.NEAREST_EVEN: (-0.5, 0.5), Rounding.FLOOR: (-1.0, 0.0),
    Rounding.TOWARD_ZERO: (-1.0, 1.0), Rounding.STOCHASTIC: (-1.0, 1.0),
}  # fmt: skip
EXACT_SUMS = ("current", "error_sum")


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("name", NETWORKS)
def test_own_errors_are_one_rounding_and_nothing_else(name: str, rounding: Rounding) -> None:
    """Exact values come from float64 products, stored ones from the integer engine: they meet within one rounding."""
    network = NETWORKS[name]
    own = chip(network, rounding=str(rounding), leak_trace="s20.10", delta="s16.12", membrane="s18.10")
    samples = batch(network, static=name != "dense")
    run = own.run(samples)
    stored = [own.tensors(index, layer) for index, layer in enumerate(run.layers)]
    exact = ExactValues(own.network, own.real_parameters, own.training.loss).layers(stored, samples)
    assert not {key: count for key, count in run.overflows.items() if count}
    for index, layer in enumerate(stored):
        for quantity in QUANTITIES:
            if quantity.name not in layer or quantity.name == "surrogate":
                continue
            error = (layer[quantity.name] - exact[index][quantity.name]) / own.format_of(index, quantity).lsb
            if quantity.name in EXACT_SUMS:
                assert not error.any(), quantity
                continue
            low, high = BOUNDS[Rounding(own.rounding_of(index, quantity))]
            assert error.min() >= low - 1e-6, quantity
            assert error.max() <= high + 1e-6, quantity


def test_forcing_a_pass_with_its_own_spikes_changes_nothing() -> None:
    own = chip(POOLED)
    engine = ReferenceEngine(own.network, own.training)
    engine.parameters = own.real_parameters
    samples = batch(POOLED)
    free = engine.observe(samples)
    forced = engine.observe(samples, [layer["spikes"].astype(np.int64) for layer in free.layers])
    for one, other, decided in zip(free.layers, forced.layers, forced.decided, strict=True):
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name])
        np.testing.assert_array_equal(decided, one["spikes"] != 0)
    for mine, yours in zip(free.gradients.weights, forced.gradients.weights, strict=True):
        np.testing.assert_array_equal(mine, yours)


def test_a_forced_pass_emits_what_it_is_given() -> None:
    own = chip(DENSE)
    engine = ReferenceEngine(own.network, own.training)
    samples = batch(DENSE)
    steps, random = own.network.time_steps, np.random.default_rng(1)
    given = [random.integers(0, 2, (4, steps, layer.neurons)) for layer in own.network.synaptic_layers]
    found = engine.observe(samples, given)
    for layer, spikes in zip(found.layers, given, strict=True):
        np.testing.assert_array_equal(layer["spikes"], spikes)
    np.testing.assert_array_equal(found.layers[1]["inputs"], given[0])


def compared(samples: Batch, **precision: object) -> Compared:
    return compare(chip(POOLED, **precision), iter([samples]))


def test_wider_formats_come_closer_in_every_reference() -> None:
    samples = batch(POOLED)
    narrow = compared(
        samples,
        membrane="s10.4",
        delta="s10.6",
        weight_trace="u8.4",
        leak_trace="s10.4",
        threshold_trace="s8.4",
    )
    wide = compared(
        samples,
        membrane="s20.14",
        delta="s20.16",
        weight_trace="u16.14",
        leak_trace="s20.14",
        weight_gradient="s48",
    )
    for tensor in ("membrane", "delta", "leak_trace"):
        for reference in (ComparedWith.OWN, ComparedWith.FORCED):
            near = [item.errors[reference].sqnr_db() for item in wide.tensors if item.tensor == tensor]
            far = [item.errors[reference].sqnr_db() for item in narrow.tensors if item.tensor == tensor]
            assert all(
                a is not None and b is not None and a > b + 20 for a, b in zip(near, far, strict=True)
            ), tensor
    assert sum(int(item.free.sum()) for item in wide.spikes) < sum(
        int(item.free.sum()) for item in narrow.spikes
    )
    for good, bad in zip(wide.gradients, narrow.gradients, strict=True):
        if good.parameter != "weight":
            continue
        mine, yours = good.relative_error[ComparedWith.FORCED], bad.relative_error[ComparedWith.FORCED]
        assert mine is not None
        assert yours is not None
        assert mine < yours


def test_results_do_not_depend_on_how_samples_are_split() -> None:
    samples, own = batch(DENSE, 4), chip(DENSE)
    parts = [Batch(samples.inputs[i : i + 1], samples.format, samples.labels[i : i + 1], i) for i in range(4)]
    whole, split = compare(own, iter([samples])), compare(own, iter(parts))
    for one, other in zip(whole.tensors, split.tensors, strict=True):
        for reference, sums in one.errors.items():
            np.testing.assert_allclose(sums.noise, other.errors[reference].noise, rtol=1e-12)
            np.testing.assert_allclose(sums.largest_lsb, other.errors[reference].largest_lsb, atol=1e-9)
        np.testing.assert_array_equal(one.spread.exponents, other.spread.exponents)
    for mine, yours in zip(whole.gradients, split.gradients, strict=True):
        assert mine.relative_error[ComparedWith.FREE] == pytest.approx(
            yours.relative_error[ComparedWith.FREE], rel=1e-9
        )


def test_saturation_is_counted_as_the_engine_counts_it() -> None:
    """Overflows of the residual and of the membrane, layer by layer, against the engine's own counters."""
    found = compared(batch(POOLED), membrane="s8.6")
    for item in found.tensors:
        if item.tensor in {"membrane", "residual"}:
            assert (
                int(item.spread.saturated.sum()) == found.overflow_counts[f"layer{item.layer}.{item.tensor}"]
            )
    assert any(count for name, count in found.overflow_counts.items() if name.endswith("membrane"))


def test_a_shadow_weight_is_compared_with_what_is_stored() -> None:
    found = compared(batch(POOLED), weight="s16.13", weight_used="s8.5")
    used = [item for item in found.tensors if item.tensor == "weight_used"]
    assert [item.layer for item in used] == [0, 1, 2]
    for item in used:
        own = item.errors[ComparedWith.OWN]
        assert -1.0 < own.bias_lsb < 0.0
        assert own.worst_lsb < 1.0
    assert all(
        item.errors[ComparedWith.FORCED].sqnr_db() == float("inf")
        for item in found.tensors
        if item.tensor == "current"
    )


def test_only_learned_parameters_have_gradients() -> None:
    found = compare(chip(DENSE, {"rule": "stop-wl"}), iter([batch(DENSE)]))
    assert {item.parameter for item in found.gradients} == {"weight", "leak_factor"}
    assert "threshold_trace" not in {item.tensor for item in found.tensors}


def test_updates_below_half_an_lsb_are_found() -> None:
    small = {"learning_rates": {"weight": 1e-4, "threshold": 0.0, "leak": 0.0}}
    found = compare(chip(DENSE, small, weight="s8.5"), iter([batch(DENSE)]))
    weight = [item.update for item in found.gradients if item.parameter == "weight"]
    assert all(
        update.lost == 1.0 and update.step_lsb is not None and update.step_lsb < 0.01 for update in weight
    )
    assert all(item.update.step_lsb is None for item in found.gradients if item.parameter == "threshold")


def test_at_least_one_sample_is_held() -> None:
    assert samples_together(chip(DENSE).network) > 1000
