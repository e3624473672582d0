"""What lives in DRAM moves when it is needed, and as long as it takes."""

from typing import Any

import one_core
import pytest

from nmsim.activity import Activity
from nmsim.contents import Content
from nmsim.counts import Action, ActionCounts, Component, Phase
from nmsim.errors import ConfigError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.deployment import Deployment
from nmsim.mapping.mapping import Mapping, Residency, Slice
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.event.chip import EventModel
from nmsim.perf.work import build_work
from nmsim.validate.synthetic import Densities, synthetic_activity

DRAM: dict[str, Any] = {
    # 32 bits per cycle of 10 ns, 3 cycles to the first
    "dram": {"kind": "LPDDR4", "bandwidth_bits_per_s": 3.2e9, "latency_ns": 30, "burst_bits": 64},
    "options": {"weight_gradient": "off_chip"},
}


def moved_bits(counts: ActionCounts) -> ActionCounts:
    """Bits that transfers move, without the rows that they open."""
    dram = counts.select(component=Component.DRAM, phase=Phase.TRANSFER)
    keep = dram.columns["action"] != Action.ACTIVATE
    columns = {name: column[keep] for name, column in dram.columns.items()}
    return ActionCounts(columns, dram.counts[keep], dram.per_batch[keep])


@pytest.mark.parametrize("model", [AnalyticModel(), EventModel()], ids=lambda model: model.name)
def test_gradients_off_chip_come_and_go_at_every_step(model: AnalyticModel | EventModel) -> None:
    work = one_core.work("stop-w", one_core.CHIP | DRAM)
    dram = moved_bits(work.counts)
    steps, update = dram.counts[~dram.per_batch], dram.counts[dram.per_batch]
    # two of three rows of 4 gradients of 32 bits have a delta, one of two rows of 3: 256 and 96 bits, the latter in
    # two bursts of 64, in and out; the update moves all 12 + 6 gradients in and out, in whole bursts
    assert sorted(steps[:, 0].tolist()) == [128, 128, 256, 256]
    assert sorted(update[:, 0].tolist()) == [192, 192, 384, 384]
    stages = {
        label.name: cycles[0, 0]
        for label, cycles in zip(model.run(work).stages, model.run(work).stage_cycles, strict=True)
    }
    if model.name == "analytic":
        assert stages["transfer 0: load"] >= 512 / 32 + 3


def test_the_sample_is_read_from_dram_where_there_is_one() -> None:
    work = one_core.work("inference", one_core.CHIP | {"dram": DRAM["dram"]})
    reads = work.counts.select(component=Component.DRAM, action=Action.READ)
    # two packets of a 2-bit address: one burst
    assert reads.counts.tolist() == [[64]]


def test_a_core_without_a_memory_for_what_it_needs_is_refused() -> None:
    core = one_core.CHIP["core_types"][0]
    without = [memory for memory in core["memories"] if memory["name"] != "gradients"]
    with pytest.raises(ConfigError) as error:
        one_core.work("stop-w", one_core.CHIP | {"core_types": [core | {"memories": without}]})
    assert str(error.value) == (
        "chip 'one core', core type 'core': no memory holds 'weight_gradient', which this run needs; add it to the"
        " 'holds' of a memory"
    )


def test_training_on_a_chip_without_a_learning_event_is_refused() -> None:
    timing = {"synaptic_op_ns": 1, "neuron_update_active_ns": 1, "neuron_update_inactive_ns": 1}
    core = one_core.CHIP["core_types"][0] | {"event_timing": timing}
    with pytest.raises(ConfigError) as error:
        one_core.work("stop-w", one_core.CHIP | {"core_types": [core]})
    assert str(error.value) == (
        "chip 'one core': its event_timing has no 'synaptic_update_ns', the time of a learning event, so training on it"
        " is not modelled; choose the rule 'inference', or give the key (and the event's energy in price table 'none')"
    )


STEPS, INPUTS, NEURONS = 5, 24, 16
STATE_BITS = Precision().resolve(0).membrane.format.total_bits
WIDE = NetworkSpec.model_validate(
    {"input_shape": [INPUTS], "time_steps": STEPS, "layers": [{"kind": "dense", "units": NEURONS}]}
)
HALVES = (Slice(0, 0, 0, 8, 0, 1, 0, INPUTS), Slice(0, 0, 8, NEURONS, 0, 1, 0, INPUTS))
"""A layer whose two halves take turns on one core."""


def streamed(
    rule: str,
    content: Content,
    history: str = "stored",
    network: NetworkSpec = WIDE,
    halves: tuple[Slice, ...] = HALVES,
    *,
    static: bool = False,
) -> ActionCounts:
    """Everything that is counted when one kind of data lives in DRAM."""
    core = one_core.CHIP["core_types"][0]
    more = {
        "name": "more", "holds": ["history", "temporal_error", "threshold_gradient"], "words": 64, "word_bits": 32,
    }  # fmt: skip
    chip = ChipConfig.model_validate(
        one_core.CHIP
        | {
            "core_types": [core | {"memories": [*core["memories"], more]}],
            "dram": DRAM["dram"] | {"burst_bits": 8},
            "options": {"stbp_history": history},
        }
    )
    rows = () if history == "spill" else (Residency(0, 0, content, NEURONS * STATE_BITS, None),)
    mapping = Mapping(network.content_hash(), chip.content_hash(), rule, halves, rows, time_multiplexed=True)
    activity: Activity = synthetic_activity(
        network, 1, Densities(1.0, 1.0, 1.0), rule=rule, static_input=static, input_bits=1
    )
    needs = TrainingNeeds.for_rule(rule, stbp_history=history)
    work = build_work(Deployment(network, Precision(), needs, chip, mapping), activity)
    return work.counts


def moved(rule: str, content: Content, history: str = "stored", *, static: bool = False) -> dict[str, int]:
    """Bits read from and written to DRAM per sample, on behalf of what lives there."""
    dram = streamed(rule, content, history, static=static).select(
        component=Component.DRAM, phase=Phase.TRANSFER
    )
    return {action: dram.total(action=action) for action in (Action.READ, Action.WRITE)}


def test_weight_traces_in_dram_change_once_however_many_slices_share_them() -> None:
    trace = Precision().resolve(0).weight_trace.format.total_bits
    once = STEPS * INPUTS * trace
    # the neuron phase reads and writes all traces, then each half reads them for its gradient
    assert moved("stop-w", Content.WEIGHT_TRACE) == {Action.READ: 3 * once, Action.WRITE: once}


@pytest.mark.parametrize("choice", ["stored", "spill"])
def test_the_history_of_every_step_goes_to_dram_and_comes_back(choice: str) -> None:
    states, inputs = NEURONS * (STATE_BITS + 1), INPUTS
    # each half reads the inputs again, for its own gradient
    assert moved("stbp-w", Content.HISTORY, choice) == {
        Action.READ: STEPS * (states + 2 * inputs),
        Action.WRITE: STEPS * (states + inputs),
    }


@pytest.mark.parametrize("choice", ["stored", "spill"])
def test_a_static_input_is_not_part_of_the_history(choice: str) -> None:
    """Memory keeps it once, so no step copies it and no way back loads it."""
    states = STEPS * NEURONS * (STATE_BITS + 1)
    assert moved("stbp-w", Content.HISTORY, choice, static=True) == {
        Action.READ: states,
        Action.WRITE: states,
    }


def test_the_gradient_reads_a_static_input_where_it_is_kept() -> None:
    """From the input memory, here words of 16 bits, and not from the history, here words of 32."""
    once, copied = (streamed("stbp-w", Content.MEMBRANE, static=static) for static in (True, False))

    def words(counts: ActionCounts, memory: str, phase: Phase, action: Action) -> int:
        return counts.total(component=Component.SRAM, unit=memory, phase=phase, action=action)

    # 24 bits are one word of 'more' for each half and step; a row, after the list of its words, for each of 16 neurons
    # with a delta
    read = STEPS * NEURONS
    assert [words(found, "more", Phase.GRADIENT, Action.READ) for found in (once, copied)] == [0, 2 * read]
    assert [words(found, "queue", Phase.GRADIENT, Action.READ) for found in (once, copied)] == [3 * read, 0]
    written = [words(found, "more", Phase.NEURON, Action.WRITE) for found in (once, copied)]
    assert (
        written[0] == written[1] - 2 * STEPS - 2 * STEPS
    )  # the inputs, and the lists of words that are not empty


def test_recomputing_writes_checkpoints_first_and_then_each_segment() -> None:
    states, inputs = NEURONS * (STATE_BITS + 1), INPUTS
    checkpoints = 2  # steps 0 and 3: segments of ceil(sqrt(5)) = 3
    found = moved("stbp-w", Content.HISTORY, "recompute")
    assert found[Action.WRITE] == (checkpoints + STEPS) * (states + inputs)
    assert found[Action.READ] == STEPS * (states + 2 * inputs)


def test_stbp_reads_its_deltas_membranes_from_the_history_only() -> None:
    membranes = NEURONS * STATE_BITS
    assert moved("stbp-w", Content.MEMBRANE) == {
        Action.READ: STEPS * membranes,
        Action.WRITE: STEPS * membranes,
    }


def test_weights_that_two_bands_of_rows_share_change_once_per_update() -> None:
    """Each band loads the weights for its turn of every step; the update moves one copy of the two."""
    network = NetworkSpec.model_validate(
        {
            "input_shape": [1, 4, 4],
            "time_steps": STEPS,
            "layers": [{"kind": "conv", "channels": 2, "kernel": 1}],
        }
    )
    bands = (Slice(0, 0, 0, 2, 0, 2, 0, 1), Slice(0, 0, 0, 2, 2, 4, 0, 1))
    found = streamed("stop-w", Content.WEIGHT, network=network, halves=bands)
    dram = moved_bits(found)
    both = NEURONS * STATE_BITS  # what the residency says of both copies
    update = dram.counts[dram.per_batch]
    assert update.sum(axis=0).tolist() == [both // 2 + both // 2]
    assert dram.counts[~dram.per_batch].sum() == STEPS * both
