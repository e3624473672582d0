"""The fixed-point twin against values worked out by hand, and the random cases against their own promises."""

import json
from collections import Counter
from copy import deepcopy
from typing import Any

import cases
import pytest
import twin
from cases import RULES, SURROGATES
from twin_arithmetic import (
    OVERFLOWS,
    ROLE_W,
    ROLE_W_TRACE,
    ROUNDINGS,
    Accumulator,
    Quantizer,
    Stream,
    draws,
    drop_bits,
    parse_accumulator,
    parse_format,
    requantize,
    saturate,
    softmax_table,
    surrogate_index,
    surrogate_table,
    wrap,
)
from twin_graph import output_shape, pass_back, pass_forward, synapses_of

# ---- section 1: formats and Q -------------------------------------------------------------------


def test_formats_give_their_ranges() -> None:
    s4 = parse_format("s4.1")
    u4 = parse_format("u4.6")
    assert (s4.lowest, s4.highest) == (-8, 7)
    assert (u4.lowest, u4.highest, u4.fraction) == (0, 15, 6)
    assert parse_format("s16.-3").fraction == -3
    with pytest.raises(ValueError, match="is not of the form"):
        parse_format("16.3")


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        # v = -7 .. 7 with d = 2: v/4 = -1.75 -1.5 -1.25 -1 -.75 -.5 -.25 0 .25 .5 .75 1 1.25 1.5 1.75
        ("floor", [-2, -2, -2, -1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1]),
        ("nearest", [-2, -1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2]),
        ("nearest_even", [-2, -2, -1, -1, -1, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2]),
        ("toward_zero", [-1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]),
    ],
)
def test_deterministic_rounding_by_hand(rounding: str, expected: list[int]) -> None:
    assert [drop_bits(v, 2, rounding, 0xFFFF) for v in range(-7, 8)] == expected


def test_stochastic_rounding_adds_the_highest_bits_of_the_draw() -> None:
    # d = 2 uses the two highest bits of the draw: r = 0b10 for 0x8000, 0b01 for 0x7FFF.
    assert [drop_bits(v, 2, "stochastic", 0x8000) for v in (-3, 1, 2, 3)] == [-1, 0, 1, 1]
    assert [drop_bits(v, 2, "stochastic", 0x7FFF) for v in (-3, 1, 2, 3)] == [-1, 0, 0, 1]
    # d = 16 uses the draw as it is, d = 18 its bits from the third upward.
    assert drop_bits(1, 16, "stochastic", 0xFFFF) == 1
    assert drop_bits(1, 18, "stochastic", 0xFFFF) == 0
    assert drop_bits(4, 18, "stochastic", 0xFFFF) == 1


@pytest.mark.parametrize("rounding", ["floor", "nearest", "nearest_even", "toward_zero", "stochastic"])
def test_no_bit_to_drop_is_an_exact_left_shift(rounding: str) -> None:
    assert drop_bits(-5, 0, rounding, 0xFFFF) == -5
    assert drop_bits(-5, -3, rounding, 0xFFFF) == -40


def test_overflow_by_hand() -> None:
    s4, u4 = parse_format("s4.0"), parse_format("u4.0")
    assert [saturate(v, s4) for v in (-9, -8, 7, 8)] == [-8, -8, 7, 7]
    assert [wrap(v, s4) for v in (-9, -8, 7, 8, 24)] == [7, -8, 7, -8, -8]
    assert [wrap(v, u4) for v in (-1, 15, 16)] == [15, 15, 0]
    assert requantize(31, 1, Quantizer(s4, "nearest", "saturate")) == (7, True)
    assert requantize(31, 1, Quantizer(s4, "nearest", "wrap")) == (0, True)  # 15.5 -> 16
    assert requantize(-15, 1, Quantizer(s4, "nearest", "wrap")) == (-7, False)  # -7.5 -> -7


def test_saturating_accumulation_depends_on_the_order() -> None:
    def summed(terms: list[int], overflow: str) -> tuple[int, int]:
        accumulator = Accumulator(parse_accumulator("s5"), overflow)  # -16 .. 15
        for term in terms:
            accumulator.add(term)
        accumulator.complete()
        return accumulator.value, accumulator.overflows

    assert summed([10, 10, -10], "saturate") == (5, 1)
    assert summed([10, -10, 10], "saturate") == (10, 0)
    assert summed([10, 10, 10, -10], "saturate") == (5, 2)
    assert summed([10, 10, -10], "wrap") == (10, 0)
    assert summed([10, 10], "wrap") == (-12, 1)
    assert summed([10, 10, -10], "saturate_end") == (10, 0)
    assert summed([10, 10, -30], "saturate_end") == (-10, 0)
    assert summed([10, 10, 10], "saturate_end") == (15, 1)


# ---- section 4: random bits --------------------------------------------------------------------


def test_first_draws_of_the_register() -> None:
    # Bits of 0xACE1 from the lowest; each next bit is the sum of those 16, 14, 13 and 11 places before it.
    bits = [1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1, 0, 1]
    for _ in range(64):
        bits.append(bits[-16] ^ bits[-14] ^ bits[-13] ^ bits[-11])
    words = [sum(bit << i for i, bit in enumerate(bits[k : k + 16])) for k in (0, 16, 32, 48)]
    assert words[0] == 0xACE1
    assert words[1] == 0x4722  # worked out on paper
    assert list(draws()[:3]) == words[1:]


def test_draws_visit_every_state_and_end_where_they_started() -> None:
    assert sorted(draws()) == list(range(1, 65536))
    assert draws()[-1] == 0xACE1


def test_a_draw_is_addressed_by_seed_stream_and_counters() -> None:
    # layer 2, role 7: stream 39; offset = 40503*4 + 7919*39 = 470853 mod 65535 = 12108; + (5 << 4) + 3 = 12191
    assert Stream(3, 2, 7).draw(5, 10, 3) == draws()[12191]
    assert Stream(3, 2, 7).draw(5, 16, 3) == draws()[12191]
    assert Stream(3, 2, 7).draw(5, 17, 3) == draws()[12108 + 5 * 32 + 3]
    assert Stream(3, 2, 7).draw(5, 1, 0) == draws()[12113]


# ---- tables ------------------------------------------------------------------------------------


def test_surrogate_tables_by_hand() -> None:
    u8 = parse_format("u8.8")
    # midpoints 1/8, 3/8, 5/8, 7/8, 9/8, ...: entries step by 1/4
    assert surrogate_table("triangle", 8, 1, u8) == [224, 160, 96, 32, 0, 0, 0, 0]
    assert surrogate_table("rectangle", 8, 1, u8) == [255, 255, 0, 0, 0, 0, 0, 0]  # 256 does not fit
    assert surrogate_table("rational", 2, 2, u8) == [64, 16]  # 1/(1+1)^2, 1/(1+3)^2
    assert surrogate_table("exponential", 2, 2, u8) == [94, 13]  # 256 e^-1 = 94.18, 256 e^-3 = 12.75
    assert surrogate_table("triangle", 1, 0, parse_format("u4.0")) == [0]  # 0.5 rounds to even


def test_surrogate_index_shifts_right_or_left_and_clips() -> None:
    assert [surrogate_index(v, 4, 8, 1) for v in (0, 3, 4, 22, 1000)] == [0, 0, 1, 5, 7]  # >> 2
    assert [surrogate_index(v, 0, 8, 1) for v in (0, 1, 2)] == [0, 4, 7]  # << 2


def test_softmax_table_by_hand() -> None:
    table = softmax_table(2, parse_format("s16.14"))
    assert table[0][0] == 8192  # nobody spikes: 1/2
    assert table[1] == (4406, 11978)  # 1/(1+e) = 0.268941, e/(1+e) = 0.731059, times 16384
    assert table[2] == (3014, 8192)  # 1/(2e) = 0.183940
    assert softmax_table(2, parse_format("s4.4"))[1] == (4, 7)  # 11.7 saturates


# ---- graph -------------------------------------------------------------------------------------


def test_synapses_of_a_convolution_are_listed_in_the_order_of_addition() -> None:
    node = {"kind": "conv", "channels": 2, "kernel": 2, "stride": 1, "padding": 0}
    synapses = synapses_of(node, [1, 3, 3], [2, 2, 2])
    assert synapses.by_output[3] == [(0, 4), (1, 5), (2, 7), (3, 8)]
    # centre input: kernel (0,0) meets output (1,1), kernel (1,1) meets output (0,0); then channel 1
    assert synapses.by_input[4] == [(0, 3), (1, 2), (2, 1), (3, 0), (4, 7), (5, 6), (6, 5), (7, 4)]
    assert synapses.by_weight[5] == [(4, 1), (5, 2), (6, 4), (7, 5)]


def test_synapses_of_a_padded_strided_convolution() -> None:
    node = {"kind": "conv", "channels": 1, "kernel": 3, "stride": 2, "padding": 1}
    synapses = synapses_of(node, [1, 3, 3], [1, 2, 2])
    assert synapses.by_output[0] == [(4, 0), (5, 1), (7, 3), (8, 4)]
    assert synapses.by_output[3] == [(0, 4), (1, 5), (3, 7), (4, 8)]


def test_pools_forward_and_back() -> None:
    x = ([1, 3, 9, 3, 2, 9, 9, 9, 9], 0)  # 3 x 3, window 2: only the first four of rows and columns 0, 1
    average, maximum = {"kind": "avg_pool", "window": 2}, {"kind": "max_pool", "window": 2}
    assert pass_forward(average, [[1, 3, 3]], [x]) == ([9], 2)
    assert pass_forward(maximum, [[1, 3, 3]], [x]) == ([3], 0)
    assert pass_back(average, [1, 3, 3], x, ([-5], 7)) == ([-5, -5, 0, -5, -5, 0, 0, 0, 0], 9)
    # the first of two 3s
    assert pass_back(maximum, [1, 3, 3], x, ([-5], 7)) == ([0, -5, 0, 0, 0, 0, 0, 0, 0], 7)
    nine = {"kind": "avg_pool", "window": 3}  # 2^16 / 9 = 7281.8
    assert pass_forward(nine, [[1, 3, 3]], [x]) == ([54 * 7282], 16)
    assert pass_back(nine, [1, 3, 3], x, ([-5], 7)) == ([-5 * 7282] * 9, 23)
    everything = {"kind": "global_avg_pool"}
    assert pass_forward(everything, [[1, 2, 4]], [([1] * 8, 1)]) == ([8], 4)
    assert pass_back(everything, [1, 2, 4], ([1] * 8, 1), ([3], 2)) == ([3] * 8, 5)


# ---- a network step by hand --------------------------------------------------------------------


def tiny() -> dict[str, Any]:
    """Two inputs, two outputs, two time steps; every number below was worked out on paper."""

    def q(text: str, overflow: str = "saturate") -> dict[str, str]:
        return {"format": text, "rounding": "nearest", "overflow": overflow}

    precision = {name: q("s8.4") for name in ("w", "U", "theta", "theta_trace", "leak_trace", "delta")}
    precision |= {"alpha": q("u8.8"), "w_trace": q("u8.4"), "v": q("s32.8")}
    sums = {
        name: {"format": "s32", "overflow": "saturate"} for name in ("I", "e_acc", "dW", "dTheta", "dAlpha")
    }
    return {
        "time_steps": 2,
        "seed": 0,
        "nodes": [
            {"kind": "input", "shape": [2], "format": "u1.0"},
            {"kind": "dense", "inputs": [0], "units": 2, "theta_sharing": "neuron"},
        ],
        "precision": [{**precision, **sums, "phi": {"format": "u8.8", "entries": 8, "range_log2": 1}}],
        "surrogate": "triangle",
        "loss": "squared_error",
        "rule": "WTL",
        "training": {
            "batch_size": 1,
            "division": "shift",
            "in_place": False,
            "accumulation": "default",
            "momentum": 0,
            "learning_rates": {"w": [[1, 2]], "theta": [[1, 2]], "alpha": [[1, 0]]},
            "updates_per_epoch": None,
            "theta_min": None,
            "alpha_max": None,
        },
        "parameters": [{"w": [20, 5, -6, 9], "theta": [16, 16], "alpha": 128}],
        "inputs": [[[1, 0], [1, 1]]],
        "labels": [1],
    }


def test_two_time_steps_by_hand() -> None:
    record = twin.run(tiny())
    first, second = (step[0] for step in record["steps"][0])
    assert first == {
        "x": [1, 0],
        "R": [0, 0],
        "leak_trace": [0, 0],
        "theta_trace": [0, 0],
        "w_trace": [16, 0],
        "I": [20, -6],
        "U": [20, -6],
        "s": [1, 0],
        "e": [16, -16],
        "phi": [160, 0],
        "delta": [10, 0],
        "dW": [160, 0, 0, 0],
        "dTheta": [-160, 0],
        "dAlpha": [0],
    }
    assert second == {
        "x": [1, 1],
        "R": [4, -6],
        "leak_trace": [4, -6],
        "theta_trace": [-8, 0],
        "w_trace": [24, 16],
        "I": [25, 3],
        "U": [27, 0],
        "s": [1, 0],
        "e": [16, -16],
        "phi": [96, 0],
        "delta": [6, 0],
        "dW": [304, 96, 0, 0],
        "dTheta": [-304, 0],
        "dAlpha": [24],
    }
    # w: (20*64 - 304)/64 = 15.25, (5*64 - 96)/64 = 3.5; theta: (16*64 + 304)/64 = 20.75,
    # and alpha (128*2 - 24)/2 = 116
    assert record["updates"] == [[{"w": [15, 4, -6, 9], "theta": [21, 16], "alpha": 116}]]
    assert record["spike_counts"] == [[2, 0]]
    assert record["predictions"] == [0]
    assert not any(record["overflows"][0].values())


def test_variants_leave_parameters_alone() -> None:
    for rule, theta, alpha in (("W", 16, 128), ("WT", 21, 128), ("WL", 16, 116)):
        update = twin.run(tiny() | {"rule": rule})["updates"][0][0]
        assert (update["w"], update["theta"][0], update["alpha"]) == ([15, 4, -6, 9], theta, alpha)


def test_momentum_batches_and_epochs_by_hand() -> None:
    description = tiny()
    description["training"] |= {"momentum": 128, "updates_per_epoch": 1}
    description["training"]["learning_rates"] = {"w": [[0, 0], [1, 4]], "theta": [[0, 0]], "alpha": [[0, 0]]}
    description["inputs"] *= 2
    description["labels"] *= 2
    first, second = (update[0] for update in twin.run(description)["updates"])
    assert first["v"] == [304, 96, 0, 0]
    assert first["w"] == [20, 5, -6, 9]
    assert second["v"] == [456, 144, 0, 0]  # half the old velocity and the same gradient again
    assert second["w"] == [18, 4, -6, 9]  # (20*256 - 456)/256 = 18.22, (5*256 - 144)/256 = 4.44

    description = tiny()
    description["training"]["batch_size"] = 2
    description["inputs"] *= 2
    description["labels"] *= 2
    shifted = twin.run(description)
    assert shifted["updates"] == twin.run(tiny())["updates"]  # twice the sum, divided by two
    assert shifted["steps"][1][1][0]["dW"] == [608, 192, 0, 0]
    description["training"]["division"] = "folded"
    assert twin.run(description)["updates"][0][0]["w"] == [11, 2, -6, 9]  # 20 - 9.5, 5 - 3


def test_in_place_updates_weights_after_every_time_step() -> None:
    description = tiny()
    description["training"]["in_place"] = True
    record = twin.run(description)
    # after step 0: (20*64 - 160)/64 = 17.5 -> 18; step 1 then gives I = 18 + 5
    assert record["steps"][0][1][0]["I"] == [23, 3]
    assert "dW" not in record["steps"][0][1][0]
    # U = 2 + 23 = 25, distance 9 -> phi 96, delta 6: (18*64 - 6*24)/64 = 15.75, (5*64 - 6*16)/64 = 3.5
    assert record["updates"][0][0]["w"] == [16, 4, -6, 9]


def test_a_membrane_at_its_threshold_spikes() -> None:
    description = tiny()
    description["parameters"][0]["theta"] = [20, -6 + 1]
    assert twin.run(description)["steps"][0][0][0]["s"] == [1, 0]


@pytest.mark.parametrize("seed", range(8))
def test_draws_are_counted_in_samples_and_time_steps_or_in_updates(seed: int) -> None:
    description = tiny() | {"rule": "W", "seed": seed}
    description["parameters"][0]["alpha"] = 104
    description["precision"][0]["w_trace"]["rounding"] = "stochastic"
    description["precision"][0]["w"]["rounding"] = "stochastic"
    description["training"]["learning_rates"]["w"] = [[0, 0], [1, 4]]
    description["training"]["updates_per_epoch"] = 1
    description["inputs"] *= 2
    description["labels"] *= 2
    record = twin.run(description)
    step = record["steps"][1][1][0]
    # second time step of the second sample, n = 1*2 + 1: 104*16 + (1 << 12) = 22.5 * 2^8
    r = Stream(seed, 0, ROLE_W_TRACE).draw(3, 2, 0) >> 8
    assert step["w_trace"] == [(5760 + r) >> 8, 16]
    # second update, n = 1: 20 - dW*2^-12
    r = Stream(seed, 0, ROLE_W).draw(1, 4, 0) >> 8
    assert record["updates"][1][0]["w"][0] == (20 * 256 - step["dW"][0] + r) >> 8

    description["training"]["in_place"] = True
    description["training"]["learning_rates"]["w"] = [[1, 4]]
    record = twin.run(description)
    expected = 20
    for n, step in enumerate(step[0] for sample in record["steps"] for step in sample):
        r = Stream(seed, 0, ROLE_W).draw(n, 4, 0) >> 8
        expected = (expected * 256 - step["delta"][0] * step["w_trace"][0] + r) >> 8
    assert record["updates"][1][0]["w"][0] == expected


def test_shadow_weights_are_floored_and_their_overflows_counted() -> None:
    description = tiny()
    description["precision"][0]["w_use"] = {"format": "s3.2", "rounding": "floor", "overflow": "saturate"}
    record = twin.run(description)
    assert record["steps"][0][1][0]["I"] == [3 + 1, -2 + 2]  # 20/4 = 5 -> 3, 5/4 -> 1, -6/4 -> -2, 9/4 -> 2
    assert record["overflows"][0]["w_use"] == 1


def test_pruned_synapses_take_no_part() -> None:
    description = tiny()
    description["parameters"][0] |= {"w": [20, 0, -6, 9], "mask": [1, 0, 1, 1]}
    record = twin.run(description)
    assert record["steps"][0][1][0]["I"] == [20, 3]
    assert record["steps"][0][1][0]["dW"][1] == 0
    assert record["updates"][0][0]["w"][1] == 0


def test_cross_entropy_error_reads_the_table_and_saturates() -> None:
    description = tiny() | {"loss": "cross_entropy"}
    record = twin.run(description)
    assert record["softmax_table"][1] == [4, 12]  # 16/(1+e) = 4.30, 16 e/(1+e) = 11.70
    assert record["steps"][0][0][0]["e"] == [12, 4 - 16]
    description["precision"][0]["delta"] = {"format": "s4.4", "rounding": "nearest", "overflow": "wrap"}
    description["precision"][0]["v"]["format"] = "s32.8"
    record = twin.run(description)
    assert record["steps"][0][0][0]["e"] == [7, 4 - 16 + 4]  # p saturates in the table, -12 saturates to -8
    assert record["overflows"][0]["e"] == 2


def test_threshold_sharing_and_lower_limit() -> None:
    description = tiny()
    description["nodes"][1]["theta_sharing"] = "layer"
    description["parameters"][0]["theta"] = [16]
    assert twin.run(description)["updates"][0][0]["theta"] == [21]
    description["labels"] = [0]  # the silent neuron is far away, the spiking one has no error: nothing moves
    assert twin.run(description)["updates"][0][0]["theta"] == [16]
    description = tiny()
    description["precision"][0]["theta"] = description["precision"][0]["theta"] | {"overflow": "wrap"}
    description["training"]["learning_rates"]["theta"] = [[28, 2]]
    record = twin.run(description)
    # 16 + 28*304/64 = 149 wraps to -107, which the limit of 1 LSB lifts to 1
    assert record["updates"][0][0]["theta"] == [1, 16]
    assert record["overflows"][0]["theta"] == 1


def test_leak_factor_is_clipped_without_an_overflow() -> None:
    description = tiny()
    description["training"]["learning_rates"]["alpha"] = [[255, 0]]
    record = twin.run(description)
    assert record["updates"][0][0]["alpha"] == 0
    assert record["overflows"][0].get("alpha", 0) == 0


def test_error_of_a_hidden_layer_by_hand() -> None:
    description = tiny()
    description["nodes"].append({"kind": "dense", "inputs": [1], "units": 2, "theta_sharing": "neuron"})
    description["precision"].append(deepcopy(description["precision"][0]))
    description["precision"][1]["e_acc"]["format"] = "s8"  # -128 .. 127, 8 fraction bits
    description["parameters"].append({"w": [30, 4, 14, -7], "theta": [16, 16], "alpha": 0})
    first = twin.run(description)["steps"][0][0]
    # hidden spikes [1, 0]: U = [30, 14], s = [1, 0], e = [16, -16], distances [14, 2] -> phi [32, 224]
    assert first[1]["U"] == [30, 14]
    assert first[1]["delta"] == [2, -14]
    # input 0: 30*2 = 60, then 60 - 14*14 = -136 saturates to -128; input 1: 8 + 98 = 106
    assert first[1]["e_acc"] == [-128, 106]
    assert first[0]["e"] == [-8, 7]  # -128/16, 106/16 = 6.625
    assert first[0]["delta"] == [-5, 0]  # -8*160/256 = -5


def test_impossible_descriptions_are_refused() -> None:
    description = tiny()
    description["nodes"][0]["format"] = "s2.0"
    with pytest.raises(ValueError, match="signed weight trace"):
        twin.run(description)
    description = tiny()
    description["training"] |= {"batch_size": 3}
    with pytest.raises(ValueError, match="neither a power of two nor folded"):
        twin.run(description)
    description = tiny()
    description["training"] |= {"in_place": True, "momentum": 1}
    with pytest.raises(ValueError, match="no momentum"):
        twin.run(description)


# ---- invariants and cases ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_a_resumed_training_gives_the_same_integers(seed: int) -> None:
    description = cases.case(seed)
    whole = twin.run(description)
    batch = description["training"]["batch_size"]
    parameters = description["parameters"]
    for k, update in enumerate(whole["updates"]):
        part = description | {
            "start": {"samples": k * batch, "updates": k},
            "inputs": description["inputs"][k * batch : (k + 1) * batch],
            "labels": description["labels"][k * batch : (k + 1) * batch],
            "parameters": parameters,
        }
        record = twin.run(part)
        assert record["updates"] == [update]
        assert record["steps"] == whole["steps"][k * batch : (k + 1) * batch]
        parameters = [
            {"mask": old.get("mask"), "velocity": new.get("v"), **new}
            for old, new in zip(parameters, update, strict=True)
        ]


def test_cases_are_plain_data_and_repeatable() -> None:
    for seed in range(20):
        description = cases.case(seed)
        assert json.loads(json.dumps(description)) == description
        assert cases.case(seed) == description


def test_cases_reach_every_option_and_most_overflows() -> None:
    seen: Counter[str] = Counter()
    for seed in range(400):
        description = cases.case(seed)
        training = description["training"]
        seen.update(node["kind"] for node in description["nodes"])
        shapes: list[list[int]] = []
        for node in description["nodes"]:
            shapes.append(output_shape(node, [shapes[i] for i in node.get("inputs", [])]))
        seen["inexact average"] += not all(cases.is_exact(node, shapes) for node in description["nodes"])
        seen.update((description["rule"], description["loss"], description["surrogate"]))
        seen.update((training["division"], training["accumulation"], f"batch {training['batch_size']}"))
        seen["theta_min"] += training["theta_min"] is not None
        seen["alpha_max"] += training["alpha_max"] is not None
        seen["in place"] += training["in_place"]
        seen["momentum"] += training["momentum"] > 0
        seen["centralized"] += training["centralized"]
        seen["epochs"] += training["updates_per_epoch"] is not None
        seen["static"] += len(description["inputs"][0]) < description["time_steps"]
        seen["signed input"] += description["nodes"][0]["format"][0] == "s"
        for precision, parameters in zip(description["precision"], description["parameters"], strict=True):
            seen["mask"] += "mask" in parameters
            seen["bias"] += "b" in parameters
            seen["scalar trace"] += precision.get("static_trace") == "scalar"
            seen["trace threshold"] += precision.get("trace_threshold", 0) > 0
            for name, entry in precision.items():
                if not isinstance(entry, dict):
                    continue
                fmt = parse_format(entry["format"] if "." in entry["format"] else "s9.0")
                seen["F > T"] += fmt.fraction > fmt.total
                seen["F < 0"] += fmt.fraction < 0
                for option in ("rounding", "overflow"):
                    seen[f"{name} {entry.get(option)}"] += option in entry
        if seed < 80:
            for counts in twin.run(description)["overflows"]:
                seen.update(f"{name} overflows" for name, count in counts.items() if count)
    options = [
        *RULES,
        *SURROGATES,
        "avg_pool",
        "max_pool",
        "global_avg_pool",
        "flatten",
        "add",
        "conv",
        "dense",
    ]
    options += [
        "cross_entropy",
        "squared_error",
        "shift",
        "folded",
        "factored",
        "momentum",
        "centralized",
        "theta_min",
        "alpha_max",
        "epochs",
        "static",
    ]
    options += ["bias", "scalar trace", "trace threshold", "inexact average"]
    options += ["mask", "in place", "signed input", "F > T", "F < 0", "w_use floor"]
    options += [f"batch {size}" for size in (1, 2, 3, 4, 5, 8)]
    stored = ("w", "U", "theta", "alpha", "w_trace", "theta_trace", "leak_trace", "delta", "v")
    sums = ("I", "e_acc", "dW", "dTheta", "dAlpha")
    options += [f"{name} {rounding}" for name in stored for rounding in ROUNDINGS]
    options += [f"{name} {overflow}" for name in (*stored, *sums) for overflow in OVERFLOWS]
    # R and delta cannot overflow: 0 <= R <= U after a spike, and |delta| <= |e| since phi <= 1
    overflowing = ("w", "w_use", "U", "theta", "w_trace", "theta_trace", "leak_trace", "e", "v")
    options += [f"{name} overflows" for name in (*overflowing, *sums)]
    assert [option for option in options if seen[option] < 2] == []
