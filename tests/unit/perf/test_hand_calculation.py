"""One core, timed by hand; both models agree with the hand to the cycle."""

from typing import Any

import one_core
import pytest

from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.event.chip import EventModel
from nmsim.perf.model import PerformanceModel

INFERENCE = {
    # Two packets (2-bit address + 8-bit header: one flit each) need 2 cycles at the ports. Two spikes times three
    # neurons: 6 additions on 2 lanes = 3; 6 weight words = 6; 6 sums read and 6 written on 2 ports = 6; two packets
    # written to the queue and read from it = 4. The largest is 6; 1 cycle in the router, 3 to fill the pipeline.
    "integrate 0": 6 + 1 + 3,
    # Three updates = 3. State words: sums 3 + 3, membranes (two to a word) 2 + 2, thresholds 2, spike bits 1 + 1:
    # 14 on two ports = 7.
    "neuron 0": 7 + 3,
    # One spike of the core itself: 2 additions = 1, 2 weights = 2, sums (2 + 2) / 2 = 2, queue 1 + 1 = 2; no flight.
    "integrate 1": 2 + 3,
    # State: sums 2 + 2, membranes 1 + 1, threshold 1, spike bits 1 + 1: 9 / 2 = 4.5, in whole cycles 5.
    "neuron 1": 5 + 3,
}
BARRIER = 4 + 2 * 1
TRAINING = {
    **INFERENCE,
    # Beside the state, 4 traces of 12 bits, one to a 16-bit word, are read and written, and the list of the two words that
    # are not empty is written, one word: 9. Lanes: 3 + 4 = 7.
    "neuron 0": 9 + 3,
    "neuron 1": 7 + 3,
    # Two neurons = 2. State: spike bits 1, threshold 1, deltas written 1, membranes 1: 4 / 2 = 2.
    "error 1: delta": 2 + 3,
    # One delta times three inputs: 3 multiply-accumulates = 3; 3 weights = 3; 3 sums read and written, deltas 1: 7 / 2.
    "error 1: propagate": 4 + 3,
    # The errors are already where they belong.
    "error 0: collect": 0,
    # Three neurons = 3. State: sums 3 + 3, thresholds 2, deltas 2, membranes 2: 12 / 2 = 6.
    "error 0: delta": 6 + 3,
}
# Two deltas meet two traces: 4 gradients of 32 bits read and written = 8; traces: the list and two words for each delta
# = 6. The other layer shares the core: 1 gradient = 2, traces 2. Memory 'gradients' is the longest: 8 + 2.
GRADIENTS = 8 + 2 + 3
# Each of the two alone: its own gradients, 8 and 2, and the fill. Which of them has to wait is not part of it.
GRADIENTS_ALONE = {"gradient 0": 8 + 3, "gradient 1": 2 + 3}
# 12 + 6 weights and their gradients, one to a word, are read and written: 36; lanes: 18 / 2 = 9.
UPDATE = 36 + 3 + BARRIER


@pytest.fixture(params=[AnalyticModel(), EventModel()], ids=lambda model: model.name)
def model(request: pytest.FixtureRequest) -> PerformanceModel:
    return request.param


def test_inference(model: PerformanceModel) -> None:
    result = model.run(one_core.work("inference"))
    found = {
        label.name: cycles[0, 0] for label, cycles in zip(result.stages, result.stage_cycles, strict=True)
    }
    assert found == INFERENCE
    assert result.cycles.tolist() == [sum(INFERENCE.values()) + BARRIER]
    assert result.update_cycles == 0


def test_training(model: PerformanceModel) -> None:
    result = model.run(one_core.work("stop-w"))
    found = {
        label.name: cycles[0, 0] for label, cycles in zip(result.stages, result.stage_cycles, strict=True)
    }
    assert {name: found[name] for name in TRAINING} == TRAINING
    assert {name: found[name] for name in GRADIENTS_ALONE} == GRADIENTS_ALONE
    assert result.cycles.tolist() == [sum(TRAINING.values()) + GRADIENTS + BARRIER]
    assert result.update_cycles == UPDATE
    assert result.sample_cycles.tolist() == [result.cycles[0] + UPDATE / 4]


def test_layers_in_turn_wait_for_each_other(model: PerformanceModel) -> None:
    options = {"options": {"layers_in_turn": True}}
    result = model.run(one_core.work("stop-w", one_core.CHIP | options))
    assert result.cycles.tolist() == [sum(TRAINING.values()) + sum(GRADIENTS_ALONE.values()) + BARRIER]
    # 12 and 6 weights and gradients, read and written
    assert result.update_cycles == (24 + 3) + (12 + 3) + BARRIER


def test_centralized_gradients_are_read_once_more(model: PerformanceModel) -> None:
    result = model.run(one_core.work("stop-w", centralized=True))
    # The 18 gradients, one to a word, are read for the means, then read and cleared: 54. Lanes: 36 / 2 = 18.
    assert result.update_cycles == 54 + 3 + BARRIER
    assert result.cycles.tolist() == model.run(one_core.work("stop-w")).cycles.tolist()


def test_biases_are_words_and_additions_of_their_own(model: PerformanceModel) -> None:
    layers = [{"kind": "dense", "units": units, "bias": True} for units in (3, 2)]
    network = NetworkSpec.model_validate(one_core.NETWORK.model_dump() | {"layers": layers})
    without, result = model.run(one_core.work("stop-w")), model.run(one_core.work("stop-w", network=network))
    names = [label.name for label in result.stages]
    found, before = (dict(zip(names, one.stage_cycles[:, 0, 0], strict=True)) for one in (result, without))
    expected = {
        "integrate 0": 9 + 1 + 3,  # 6 weights and 3 biases, one to a word; sums (9 + 9) / 2
        "integrate 1": 4 + 3,  # 2 weights and 2 biases
        "gradient 0": 8 + 12 + 3,  # 3 accumulators of 48 bits, two words each, read and written
        "gradient 1": 2 + 8 + 3,
    }
    changed = {name: cycles for name, cycles in found.items() if cycles != before[name]}
    assert {name: changed.pop(name) for name in expected} == expected
    # the bias gradients: 5 of two words read and cleared
    assert result.update_cycles == 36 + 20 + 3 + BARRIER
    counts = one_core.work("stop-w", network=network).counts
    assert (
        counts.total(action="mac", bits_a=16, bits_b=16, bits_c=48) == 2 + 1
    )  # a delta meets the trace of biases


def test_a_scalar_trace_moves_the_gradient_to_the_end_of_the_sample(model: PerformanceModel) -> None:
    precision = Precision.model_validate({"static_trace": "scalar"})
    without = model.run(one_core.work("stop-w", static_input=True))
    result = model.run(one_core.work("stop-w", static_input=True, precision=precision))
    found, before = (
        {label.name: cycles[0, 0] for label, cycles in zip(one.stages, one.stage_cycles, strict=True)}
        for one in (result, without)
    )
    # state: sums 3, membranes 2 + 2, thresholds 2, spike bits 1 + 1: 11 / 2; no trace is touched
    assert (before["neuron 0"], found["neuron 0"]) == (9 + 3, 6 + 3)
    # two deltas: their sums of 32 bits, a word each, are read and written, instead of four weight gradients
    assert (before["gradient 0"], found["gradient 0"]) == (8 + 3, 4 + 3)
    # two sums meet two inputs: four gradients read and written; all three sums are read and cleared
    assert found["gradient 0: outer product"] == 8 + 6 + 3


def test_slower_memories_lengthen_the_fill(model: PerformanceModel) -> None:
    core = one_core.CHIP["core_types"][0]
    slow = [
        memory | {"access_cycles": 3} if memory["name"] == "weights" else memory
        for memory in core["memories"]
    ]
    result = model.run(
        one_core.work("inference", one_core.CHIP | {"core_types": [core | {"memories": slow}]})
    )
    # only the two integrate stages touch the weights, each two cycles later
    assert result.cycles.tolist() == [sum(INFERENCE.values()) + BARRIER + 2 * 2]


def changed_core(**core: Any) -> dict[str, Any]:
    return one_core.CHIP | {"core_types": [one_core.CHIP["core_types"][0] | core]}


def cycles(model: PerformanceModel, rule: str, chip: dict[str, Any]) -> dict[str, float]:
    result = model.run(one_core.work(rule, chip))
    pairs = zip(result.stages, result.stage_cycles, strict=True)
    return {label.name: cycles[0, 0] for label, cycles in pairs}


def with_memory(**change: Any) -> dict[str, Any]:
    memories = one_core.CHIP["core_types"][0]["memories"]
    return changed_core(
        memories=[memory | change if memory["name"] == "state" else memory for memory in memories]
    )


def test_a_memory_with_a_read_and_a_write_port_is_bound_by_the_busier(model: PerformanceModel) -> None:
    found = cycles(model, "inference", with_memory(kind="1r1w"))
    # neuron 0: read sums 3, membranes 2, thresholds 2, spike bits 1 = 8; written 3 + 2 + 1 = 6
    assert found["neuron 0"] == 8 + 3
    # one port for all 14, as two ports each take half
    assert cycles(model, "inference", with_memory(kind="1rw"))["neuron 0"] == 14 + 3


def test_sums_in_registers_leave_the_memory_alone(model: PerformanceModel) -> None:
    registers = {
        "name": "sums",
        "holds": ["accumulator"],
        "words": 4,
        "word_bits": 32,
        "kind": "registers",
        "banks": 4,
    }
    chip = changed_core(memories=[registers, *one_core.CHIP["core_types"][0]["memories"]])
    found = cycles(model, "stop-w", chip)
    # integrate 0: the weights, 6, take as long as before; neuron 0 without its 3 sums read and 3 cleared: traces, 9
    assert (found["integrate 0"], found["neuron 0"]) == (6 + 1 + 3, 9 + 3)
    # propagate: weights 3, multiply-accumulates 3, deltas 1; delta 0: thresholds 2, deltas 2, membranes 2 on two ports
    assert (found["error 1: propagate"], found["error 0: delta"]) == (3 + 3, 3 + 3)
    counts = one_core.work("stop-w", chip).counts
    reads = {
        phase: counts.total(component="registers", action="read", phase=phase)
        for phase in ("integrate", "neuron", "error")
    }
    # 6 + 2 taps; 3 + 2 neurons; 3 error sums added to and 3 found by the deltas below
    assert reads == {"integrate": 8, "neuron": 5, "error": 6}


def test_sums_that_are_too_many_for_the_registers_stay_at_home(model: PerformanceModel) -> None:
    registers = {
        "name": "sums",
        "holds": ["accumulator"],
        "words": 2,
        "word_bits": 32,
        "kind": "registers",
        "banks": 2,
    }
    chip = changed_core(memories=[registers, *one_core.CHIP["core_types"][0]["memories"]])
    found = cycles(model, "inference", chip)
    assert found["neuron 0"] == INFERENCE["neuron 0"]
    # layer 1 has two sums: its neurons find them in the registers, and read only 5 state words, 2.5 on two ports
    assert found["neuron 1"] == 3 + 3


def test_every_kind_of_stage_has_a_fill_of_its_own(model: PerformanceModel) -> None:
    depths = {"integrate": 3, "neuron": 4, "delta": 5, "propagate": 6, "gradient": 7, "update": 8}
    found = cycles(model, "stop-w", changed_core(pipeline_depth_cycles=depths))
    fills = {"integrate 0": 3, "neuron 0": 4, "error 1: delta": 5, "error 1: propagate": 6}
    assert {name: found[name] for name in fills} == {
        name: TRAINING[name] - 3 + fill for name, fill in fills.items()
    }


def test_a_row_of_deltas_that_is_not_all_zero_costs_cycles(model: PerformanceModel) -> None:
    found = cycles(model, "stop-w", changed_core(propagate_row_cycles=7, gradient_row_cycles=5))
    assert found["error 1: propagate"] == TRAINING["error 1: propagate"] + 7  # one delta
    result = model.run(one_core.work("stop-w", changed_core(gradient_row_cycles=5)))
    # deltas of two hidden neurons, one gradient to a word: two rows, 10 cycles. Side by side with the other layer's row
    # the analytic model adds the longest wait to the longest queue; in truth layer 0 is served first and waits meanwhile
    waited = 10 if model.name == "analytic" else 10 - 2
    assert result.cycles.tolist() == [sum(TRAINING.values()) + GRADIENTS + waited + BARRIER]


def test_a_row_of_weights_costs_cycles_at_the_update(model: PerformanceModel) -> None:
    result = model.run(one_core.work("stop-w", changed_core(update_row_cycles=7)))
    # one weight to a word: rows of three neurons and of two; side by side, the analytic model adds the longest wait to the
    # longest queue, and the event model lets the shorter one pass meanwhile
    assert result.update_cycles == UPDATE + (3 * 7 if model.name == "analytic" else 2 * 7)


def test_an_update_by_words_fills_the_last_one(model: PerformanceModel) -> None:
    # four weights to a word of 64 bits on one lane: a word of three weights takes four cycles, one of two as well
    memories = [
        memory | {"word_bits": 64 if memory["name"] == "weights" else memory["word_bits"]}
        for memory in one_core.CHIP["core_types"][0]["memories"]
    ]
    found = [
        model.run(
            one_core.work("stop-w", changed_core(memories=memories, update_lanes=1, update_by_words=by_words))
        ).update_cycles
        for by_words in (False, True)
    ]
    # the gradients, one to a word, are read and cleared meanwhile: 2 (12 + 6)
    assert found == [36 + 3 + BARRIER, 36 + 3 + BARRIER]
    wide = [memory | {"word_bits": 128} if memory["name"] == "gradients" else memory for memory in memories]
    found = [
        model.run(
            one_core.work("stop-w", changed_core(memories=wide, update_lanes=1, update_by_words=by_words))
        ).update_cycles
        for by_words in (False, True)
    ]
    assert found == [12 + 6 + 3 + BARRIER, 16 + 12 + 3 + BARRIER]


LEARNED_THRESHOLDS = [
    *(memory | {"word_bits": 128} for memory in one_core.CHIP["core_types"][0]["memories"]),
    {
        "name": "thresholds", "holds": ["threshold_trace", "threshold_gradient"], "words": 64, "word_bits": 480,
        "kind": "1r1w",
    },
]  # fmt: skip
"""Eight weights or thresholds to a word, ten gradients of thresholds."""


def test_thresholds_move_on_the_lanes_of_neurons(model: PerformanceModel) -> None:
    found = [
        model.run(
            one_core.work(
                "stop-wt", changed_core(memories=LEARNED_THRESHOLDS, update_lanes=1, update_by_words=by_words)
            )
        ).update_cycles
        for by_words in (False, True)
    ]
    # 12 + 6 weights on the update lane, thresholds beside them; word by word, 7 of weights, 8 cycles each, and then one of
    # thresholds: both layers at once, so that the wait for one of them hides behind the other's weights
    assert found == [18 + 3 + BARRIER, 56 + 1 + 3 + BARRIER]


def test_gradients_of_thresholds_come_with_the_deltas(model: PerformanceModel) -> None:
    narrow = [*LEARNED_THRESHOLDS[:-1], LEARNED_THRESHOLDS[-1] | {"word_bits": 48}]
    found = cycles(model, "stop-wt", changed_core(memories=narrow))
    # two deltas meet two traces: 4 multiply-accumulates; 2 words of gradients read and written
    assert found["gradient 0"] == 4 + 3
    # 3 neurons, a word each of sums, thresholds, membranes, deltas; of thresholds 3 traces in a word and 3 gradients in 3,
    # read while as many are written
    assert found["error 0: delta"] == 4 + 3
    assert cycles(model, "stop-w", changed_core(memories=narrow))["error 0: delta"] == 3 + 3


def test_in_place_an_update_is_of_thresholds_alone(model: PerformanceModel) -> None:
    chip = changed_core(memories=LEARNED_THRESHOLDS, update_lanes=18, update_by_words=True)
    chip["options"] = {"weight_gradient": "in_place"}
    assert model.run(one_core.work("stop-wt", chip)).update_cycles == 5 + 3 + BARRIER


def test_a_list_in_a_memory_of_its_own_takes_no_ports(model: PerformanceModel) -> None:
    chip = one_core.CHIP | {"options": {"skip": {"lists": "own_memory"}}}
    # the two traces that are not empty: their list is written beside the 4 + 4 words
    assert cycles(model, "stop-w", chip)["neuron 0"] == TRAINING["neuron 0"] - 1
    written = [
        work.counts.total(component="sram", action="write", unit="queue")
        for work in (one_core.work("stop-w", chip), one_core.work("stop-w"))
    ]
    assert written[0] == written[1]


def test_an_in_place_update_may_visit_every_weight(model: PerformanceModel) -> None:
    options = {"weight_gradient": "in_place", "skip": {"in_place": "none"}}
    every = one_core.work("stop-w", one_core.CHIP | {"options": options}).counts
    options = {"weight_gradient": "in_place"}
    pairs = one_core.work("stop-w", one_core.CHIP | {"options": options}).counts
    assert pairs.total(component="alu", action="random_draw", phase="gradient") == 2 * 2 + 1
    assert every.total(component="alu", action="random_draw", phase="gradient") == 3 * 4 + 2 * 3


TRACE_READS = {
    # two rows of 4 traces, one to a word, and one of 3; two and one of them are not zero
    "none": 4 + 4 + 3,
    "scan": 4 + 4 + 3,
    "word_list": (2 + 1) + (2 + 1) + (1 + 1),
    # entries of 2 + 12 bits, one to a word of 16
    "value_list": 2 + 2 + 1,
}


@pytest.mark.parametrize("skip", TRACE_READS)
def test_finding_traces_costs_reads_and_cycles(skip: str) -> None:
    chip = one_core.CHIP | {"options": {"skip": {"traces": skip}}}
    work = one_core.work("stop-w", chip)
    reads = work.counts.total(component="sram", action="read", unit="queue", phase="gradient")
    assert reads == TRACE_READS[skip]
    pairs = work.counts.total(component="alu", action="mac", phase="gradient")
    assert pairs == (2 * 4 + 1 * 3 if skip == "none" else 2 * 2 + 1)
    waits = {stage.name: stage.waits.sum() for stage in work.stages if stage.phase == "gradient"}
    # a scan loses a cycle on each empty word: two in both rows of layer 0, two in the row of layer 1
    assert waits == (
        {"gradient 0": 4, "gradient 1": 2} if skip == "scan" else {"gradient 0": 0, "gradient 1": 0}
    )


def test_an_update_may_leave_rows_without_gradient_alone(model: PerformanceModel) -> None:
    skip = {"options": {"skip": {"gradients": "word_list"}}}
    result = model.run(one_core.work("stop-w", one_core.CHIP | skip))
    # two of four inputs had a trace in the sample, which stands for the batch, and one of three: 2 x 3 + 1 x 2 weights;
    # weights 16, gradients 16 and the lists, one word of 32 bits each, read and cleared: 4
    assert result.update_cycles == 16 + 4 + 3 + BARRIER


def test_state_is_cleared_word_by_word(model: PerformanceModel) -> None:
    options = {"options": {"clear_state": "sweep"}}
    result = model.run(one_core.work("stop-w", one_core.CHIP | options))
    # both layers: membranes 2 + 1 and spike bits 1 + 1 on two ports, traces 4 + 3: 7 cycles
    assert result.cycles.tolist() == [sum(TRAINING.values()) + GRADIENTS + BARRIER + 7 + 3 + BARRIER]


def test_phase_barriers_end_every_stage(model: PerformanceModel) -> None:
    barrier = one_core.CHIP["barrier"] | {"per_phase": True}
    result = model.run(one_core.work("inference", one_core.CHIP | {"barrier": barrier}))
    assert result.barriers == 4
    assert result.cycles.tolist() == [sum(INFERENCE.values()) + 4 * BARRIER]


def test_whole_events_are_timed_by_their_service_times(model: PerformanceModel) -> None:
    timing = {
        "synaptic_op_ns": 40, "neuron_update_active_ns": 100, "neuron_update_inactive_ns": 50,
        "axon_in_ns": 10, "axon_out_ns": 20, "spike_out_ns": 5,
    }  # fmt: skip
    core = one_core.CHIP["core_types"][0] | {"event_timing": timing}
    result = model.run(one_core.work("inference", one_core.CHIP | {"core_types": [core]}))
    # cycles of 10 ns: 2 packets in, 6 operations; every neuron of layer 0 sees an input, one fires; the packet to the
    # core itself goes out and in; 2 operations; 2 active neurons, one fires
    integrate0 = (2 * 10 + 6 * 40) / 10 + 1
    neuron0 = (3 * 100 + 5) / 10
    integrate1 = (20 + 10 + 2 * 40) / 10
    neuron1 = (2 * 100 + 5) / 10
    assert result.cycles.tolist() == pytest.approx([integrate0 + neuron0 + integrate1 + neuron1 + BARRIER])


def test_the_timeline_shows_every_stage_where_the_hand_put_it() -> None:
    result = EventModel(timeline=True).run(one_core.work("inference"))
    start, expected = 0.0, []
    for name, cycles in INFERENCE.items():
        expected.append(("core 0", name, start, float(cycles)))
        start += cycles
    bars = [(bar.track, bar.name, bar.start_cycles, bar.duration_cycles) for bar in result.timeline]
    assert [bar for bar in bars if bar[0] == "core 0"] == expected
    assert [bar for bar in bars if bar[0] == "barrier"] == [("barrier", "barrier", start, float(BARRIER))]
    # the packets are there after one cycle; six words of weights take six
    assert next(bar for bar in bars if bar[0] == "memory 0 weights") == (
        "memory 0 weights",
        "integrate 0",
        1.0,
        6.0,
    )
    assert not EventModel().run(one_core.work("inference")).timeline
