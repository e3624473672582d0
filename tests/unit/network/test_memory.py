"""What a layer keeps in memory, kind by kind, against sums by hand."""

import pytest
from pydantic import ValidationError

from nmsim.contents import Content
from nmsim.errors import ConfigError, RecordError
from nmsim.network.layers import AvgPool, Conv, Dense, MaxPool, Residual
from nmsim.network.memory import TrainingNeeds, kept_steps
from nmsim.network.memory_table import NetworkMemory, network_memory
from nmsim.network.memory_terms import input_value_bits
from nmsim.network.precision import Precision
from nmsim.network.published import dense
from nmsim.network.spec import NetworkSpec

SMALL = dense(5, 4, 3, time_steps=6)
"""N = 7 neurons, M = 9 inputs, P = 32 weights, 7 thresholds, 2 layers."""
DENSE_AND_CONV = NetworkSpec(
    input_shape=(2, 8, 8),
    time_steps=6,
    layers=(Conv(kind="conv", channels=3, kernel=3), Dense(kind="dense", units=4)),
)
"""Layer 0: 54 weights, 3 x 6 x 6 neurons, 128 inputs; layer 1: 432 weights, 4 neurons, 108 inputs."""


def memory(rule: str, network: NetworkSpec = SMALL, **options: bool | int | str) -> NetworkMemory:
    return network_memory(network, Precision(), TrainingNeeds.for_rule(rule, **options))


def test_every_kind_of_stop_wtl_by_hand() -> None:
    assert memory("stop-wtl").by_kind() == {
        Content.WEIGHT: 32 * 16,
        Content.WEIGHT_GRADIENT: 32 * 32,
        Content.THRESHOLD: 7 * 16,
        Content.THRESHOLD_GRADIENT: 7 * 48,
        Content.MEMBRANE: 7 * 16,
        Content.SPIKE: 7,
        Content.WEIGHT_TRACE: 9 * 12,
        Content.THRESHOLD_TRACE: 7 * 12,
        Content.LEAK_TRACE: 7 * 16,
        Content.DELTA: 2 * 4 * 16,  # twice the largest layer
        Content.INPUT_SUM: 4 * 32,  # the largest layer's currents, or the errors of its neurons
        Content.INPUT: 5 * 8,  # the sample
        Content.LEAK_FACTOR: 2 * (16 + 48),
        Content.TABLE: 64 * 8 + 2 * (3 + 1) * 16,
    }


def test_every_kind_of_stbp_by_hand() -> None:
    kinds = memory("stbp").by_kind()
    assert kinds[Content.HISTORY] == 5 * 7 * (16 + 1)
    assert kinds[Content.TEMPORAL_ERROR] == 7 * 16
    assert (
        kinds[Content.INPUT] == 6 * 5 * 8 + 4 * 1
    )  # the sample over T, and the spike queue of the second layer
    assert not {Content.WEIGHT_TRACE, Content.THRESHOLD_TRACE, Content.LEAK_TRACE} & set(kinds)


def test_inference_keeps_no_trace_gradient_or_delta() -> None:
    assert set(memory("inference").by_kind()) == {
        Content.WEIGHT, Content.THRESHOLD, Content.MEMBRANE, Content.SPIKE, Content.INPUT_SUM, Content.INPUT,
        Content.LEAK_FACTOR,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "traces"),
    [
        ("stop-w", {Content.WEIGHT_TRACE}),
        ("stop-wt", {Content.WEIGHT_TRACE, Content.THRESHOLD_TRACE}),
        ("stop-wl", {Content.WEIGHT_TRACE, Content.LEAK_TRACE}),
        ("stop-wtl", {Content.WEIGHT_TRACE, Content.THRESHOLD_TRACE, Content.LEAK_TRACE}),
    ],
)
def test_a_variant_keeps_the_traces_it_learns_from(rule: str, traces: set[Content]) -> None:
    kinds = set(memory(rule).by_kind())
    assert {kind for kind in kinds if kind.endswith("trace")} == traces
    assert (Content.THRESHOLD_GRADIENT in kinds) == ("t" in rule.removeprefix("stop-"))


def test_in_place_has_no_gradient() -> None:
    assert Content.WEIGHT_GRADIENT not in memory("stop-wtl", update="in_place").by_kind()


def test_factored_keeps_deltas_and_traces_over_time_for_dense_layers_only() -> None:
    kinds = memory("stop-w", DENSE_AND_CONV, update="factored", batch_size=2).by_kind()
    assert kinds[Content.FACTOR] == 2 * 6 * (108 * 12 + 4 * 16)
    assert kinds[Content.WEIGHT_GRADIENT] == 54 * 32


def test_momentum_adds_a_velocity_per_weight() -> None:
    plain, with_momentum = memory("stop-w"), memory("stop-w", momentum=True)
    assert with_momentum.bits() - plain.bits() == with_momentum.bits(kind=Content.VELOCITY) == 32 * 32


def test_samples_in_flight_multiply_state_and_buffers_but_not_parameters() -> None:
    one, four = memory("stop-wtl").by_kind(), memory("stop-wtl", samples_in_flight=4).by_kind()
    once = {
        Content.WEIGHT, Content.WEIGHT_GRADIENT, Content.THRESHOLD, Content.THRESHOLD_GRADIENT, Content.LEAK_FACTOR,
        Content.TABLE,
    }  # fmt: skip
    assert all(four[kind] == bits * (1 if kind in once else 4) for kind, bits in one.items())


def test_a_double_buffered_machine_keeps_two_membranes_but_one_of_each_trace() -> None:
    one, two = memory("stop-wtl").by_kind(), memory("stop-wtl", double_buffered=True).by_kind()
    doubled = {kind for kind in one if two[kind] == 2 * one[kind]}
    assert doubled == {Content.MEMBRANE, Content.INPUT_SUM, Content.INPUT}


def test_a_static_input_is_kept_once_with_its_current() -> None:
    kinds = memory("stbp", static_input=True, keep_static_current=True).by_kind()
    assert kinds[Content.INPUT] == 5 * 8 + 4 * 1  # the sample, and the queue of the second layer
    assert kinds[Content.INPUT_SUM] == 4 * 32 + 4 * 32  # the current kept, and the buffer


def test_recomputing_keeps_checkpoints_and_a_segment() -> None:
    kinds = memory("stbp", stbp_history="recompute").by_kind()
    assert kinds[Content.HISTORY] == 3 * 7 * 17  # 4 steps held at once, one of them the membrane itself


def test_kept_steps_is_the_best_segment_length() -> None:
    assert [kept_steps(t, "recompute") for t in (1, 2, 3, 4, 6, 9, 16, 100)] == [1, 2, 3, 3, 4, 5, 7, 19]
    assert all(kept_steps(t, "recompute") <= kept_steps(t, "stored") == t for t in range(1, 50))


def test_widths_of_inputs_follow_pools_and_sums() -> None:
    block = Residual(kind="residual", body=(Conv(kind="conv", channels=2, kernel=1),))
    network = NetworkSpec(
        input_shape=(2, 8, 8),
        layers=(
            Conv(kind="conv", channels=2, kernel=1),  # sample: 8 bits
            block,  # spikes: 1 bit
            AvgPool(kind="avg_pool", size=2),
            Conv(kind="conv", channels=2, kernel=1),  # up to 2 x 4 = 8: 4 bits
            MaxPool(kind="max_pool", size=2),
            Dense(kind="dense", units=2),  # spikes: 1 bit
        ),
    )
    assert input_value_bits(network, 8) == (8, 1, 4, 1)


@pytest.mark.parametrize("rule", ["inference", "stop-w", "stop-wt", "stop-wl", "stop-wtl", "stbp", "stbp-w"])
def test_a_rule_is_its_name(rule: str) -> None:
    assert TrainingNeeds.for_rule(rule).rule == rule


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="learning rule 'stop-tl' is not known; use one of inference, stop-w"
    ):
        TrainingNeeds.for_rule("stop-tl")


@pytest.mark.parametrize("update", ["in_place", "factored"])
def test_centralized_gradients_are_whole_ones(update: str) -> None:
    with pytest.raises(
        ValidationError, match=f"'{update}' does not keep the whole gradients that centralization needs; use"
    ):
        TrainingNeeds.model_validate({"update": update, "centralized": True})


def test_in_place_has_no_room_for_momentum() -> None:
    with pytest.raises(
        RecordError, match="'in_place' keeps no gradient, hence no velocity; set momentum to false"
    ):
        TrainingNeeds(update="in_place", momentum=True)


def test_a_scalar_trace_takes_the_place_of_one_per_input_of_the_sample() -> None:
    precision = Precision.model_validate({"static_trace": "scalar"})
    needs = TrainingNeeds.for_rule("stop-w", static_input=True)
    found = network_memory(SMALL, precision, needs).by_kind()
    assert found[Content.WEIGHT_TRACE] == 4 * 12  # of the hidden spikes
    assert (
        found[Content.WEIGHT_GRADIENT] == 32 * 32 + 4 * 32
    )  # and a sum for each of the 4 neurons that read the sample
    changing = TrainingNeeds.for_rule("stop-w")
    assert network_memory(SMALL, precision, changing).by_kind()[Content.WEIGHT_TRACE] == 9 * 12


def test_a_bias_is_kept_as_a_weight_is() -> None:
    described = SMALL.model_dump()
    for layer in described["layers"]:
        layer["bias"] = True
    biased = NetworkSpec.model_validate(described)
    found, without = (memory("stop-w", network, momentum=True).by_kind() for network in (biased, SMALL))
    more = {kind: bits - without[kind] for kind, bits in found.items() if bits != without[kind]}
    assert more == {
        Content.WEIGHT: 7 * 16,
        Content.WEIGHT_GRADIENT: 7 * 48,
        Content.VELOCITY: 7 * 48,
        Content.LEAK_FACTOR: 2 * 16,  # the trace c of each layer
    }
