"""Cutting, filling and accounting on machines small enough to follow."""

import pytest
from mapping_cases import CONVOLUTIONS, DRAM, NETWORK, machine

from nmsim.contents import REGISTERS, STORED, Content
from nmsim.errors import ConfigError, DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import map_network
from nmsim.mapping.manual import ManualMapping, map_manually
from nmsim.mapping.mapping import Mapping, Slice
from nmsim.mapping.partition import Spread
from nmsim.network.memory import TrainingNeeds
from nmsim.network.memory_table import SHARED, network_memory
from nmsim.network.precision import Precision
from nmsim.network.published import dense
from nmsim.network.spec import NetworkSpec


def mapped(
    chip: ChipConfig,
    network: NetworkSpec = NETWORK,
    rule: str = "stop-wtl",
    spread: Spread | None = None,
    **options: bool | int | str,
) -> Mapping:
    return map_network(network, Precision(), TrainingNeeds.for_rule(rule, **options), chip, spread=spread)


def bits(mapping: Mapping, content: Content) -> int:
    return sum(row.bits for row in mapping.residency if row.content is content)


def test_balanced_gives_a_layer_its_share_of_the_work() -> None:
    mapping = mapped(machine())
    assert [len(mapping.slices_of(layer)) for layer in (0, 1)] == [3, 1]
    assert mapping.cores_used == (0, 1, 2, 3)


def test_compact_uses_as_few_cores_as_can_be() -> None:
    assert len(mapped(machine(), spread="compact").cores_used) == 1


def test_wide_spreads_every_layer() -> None:
    mapping = mapped(machine(), spread="wide")
    assert [len(mapping.slices_of(layer)) for layer in (0, 1)] == [4, 3]  # 10 neurons fill 3 cores of 4 lanes


def test_no_core_gets_fewer_neurons_than_lanes() -> None:
    mapping = mapped(machine(core_types__0__accumulate_lanes=16))
    assert [piece.channels for piece in mapping.slices_of(0)] == [16, 16]


def test_the_chip_says_how_far_layers_are_spread_unless_told_otherwise() -> None:
    chip = machine(options={"spread": "compact"})
    assert len(mapped(chip).cores_used) == 1
    assert len(mapped(chip, spread="balanced").cores_used) == 4


@pytest.mark.parametrize("rule", ["inference", "stop-w", "stop-wtl"])
@pytest.mark.parametrize("network", [NETWORK, CONVOLUTIONS])
def test_one_large_core_keeps_what_the_network_needs(rule: str, network: NetworkSpec) -> None:
    chip = machine(
        mesh={"columns": 1, "rows": 1}, core_types__0__neuron_slots=4096, core_types__0__memories__0__words=2**16,
        core_types__0__memories__1__words=2**16,
    )  # fmt: skip
    mapping = mapped(chip, network, rule)
    needs = TrainingNeeds.for_rule(rule)
    expected = network_memory(network, Precision(), needs).by_kind()
    found = {content: bits(mapping, content) for content in STORED}
    assert {kind: amount for kind, amount in found.items() if amount} == {
        kind: amount for kind, amount in expected.items() if kind not in REGISTERS
    }


def test_layers_on_several_cores_keep_copies_of_traces_and_inputs() -> None:
    mapping = mapped(machine())
    traces = [row for row in mapping.residency if row.content is Content.WEIGHT_TRACE and row.layer == 0]
    assert [row.bits for row in traces] == [40 * 12] * 3
    queues = [row for row in mapping.residency if row.content is Content.INPUT and row.layer == SHARED]
    assert sorted(row.bits for row in queues) == [32 * 1, 40 * 8, 40 * 8, 40 * 8]


def test_words_include_what_packing_wastes() -> None:
    mapping = mapped(machine())
    rows = {(row.core, row.layer, row.content): row for row in mapping.residency}
    core = mapping.slices_of(0)[0].core
    assert (
        rows[core, 0, Content.WEIGHT_TRACE].words == 20 + 4
    )  # two of 12 bits in a word of 32, and a list of 20 numbers of 5 bits
    assert rows[core, 0, Content.WEIGHT].words == -(-rows[core, 0, Content.WEIGHT].bits // 64)


def test_memory_use_adds_up_the_words() -> None:
    chip = machine()
    mapping = mapped(chip)
    for use in mapping.memory_use(chip):
        words = sum(r.words for r in mapping.residency if (r.core, r.memory) == (use.core, use.memory))
        assert use.words_used == words <= use.words
        assert use.utilization == words / use.words


def test_a_fan_in_above_the_bound_is_split_and_one_slice_owns_the_neurons() -> None:
    mapping = mapped(machine(core_types__0__max_fan_in=16), spread="compact")
    parts = [piece for piece in mapping.slices if piece.layer == 0]
    assert [(piece.input_start, piece.input_stop) for piece in parts] == [(0, 13), (13, 26), (26, 40)]
    assert [piece.owner for piece in parts] == [True, False, False]
    assert bits(mapping, Content.MEMBRANE) == 42 * 16
    assert bits(mapping, Content.WEIGHT) == (40 * 32 + 32 * 10) * 16


def test_a_neuron_too_large_for_a_core_is_split() -> None:
    mapping = mapped(
        machine(core_types__0__memories__0__words=30), dense(60, 2), rule="stop-w", spread="compact"
    )
    assert len(mapping.slices) > 2
    assert {piece.channels for piece in mapping.slices} == {1}


def test_rows_are_divided_where_a_channel_fits_no_core() -> None:
    mapping = mapped(machine(mesh__rows=8), CONVOLUTIONS, rule="inference")
    assert any(piece.rows < 12 for piece in mapping.slices_of(0))  # 144 neurons a channel, 64 slots
    assert (mapping.neuron_core(0, (4, 12, 12)) >= 0).all()


def test_input_rows_include_the_halo_and_leave_padding_out() -> None:
    padded, strided = CONVOLUTIONS.synaptic_layers[:2]
    assert Slice(0, 0, 0, 1, 0, 3, 0, 2).input_rows(padded) == (0, 4)
    assert Slice(0, 0, 0, 1, 4, 6, 0, 2).input_rows(padded) == (3, 7)
    assert Slice(0, 0, 0, 1, 10, 12, 0, 2).input_rows(padded) == (9, 12)
    assert Slice(1, 0, 0, 1, 1, 2, 0, 4).input_rows(strided) == (2, 6)
    assert Slice(1, 0, 0, 1, 1, 2, 0, 4).inputs(strided) == 4 * 4 * 6


def test_a_slice_may_see_nothing_but_padding() -> None:
    network = NetworkSpec.model_validate(
        {"input_shape": [1, 4, 4], "layers": [{"kind": "conv", "channels": 1, "kernel": 1, "padding": 2}]}
    )
    layer = network.synaptic_layers[0]
    assert [Slice(0, 0, 0, 1, row, row + 1, 0, 1).inputs(layer) for row in range(8)] == [
        0,
        0,
        4,
        4,
        4,
        4,
        0,
        0,
    ]


def test_too_small_a_chip_with_dram_takes_turns() -> None:
    chip = machine(mesh={"columns": 1, "rows": 1}, core_types__0__memories__0__words=200, dram=DRAM)
    mapping = mapped(chip)
    weights = (40 * 32 + 32 * 10) * 16
    assert mapping.time_multiplexed
    assert mapping.off_chip_bits(Content.WEIGHT) == weights
    assert mapping.off_chip_bits() == weights + 2 * weights
    assert mapping.notes == (
        "time-multiplexed: weight, weight_gradient live in DRAM and are loaded piece by piece",
    )
    buffer = [r for r in mapping.residency if r.layer == SHARED and r.content is Content.WEIGHT]
    largest = max(piece.weights(NETWORK.synaptic_layers[piece.layer]) for piece in mapping.slices)
    assert [row.bits for row in buffer] == [largest * 16]


def test_a_large_enough_chip_leaves_its_dram_alone() -> None:
    mapping = mapped(machine(dram=DRAM))
    assert not mapping.time_multiplexed
    assert mapping.off_chip_bits() == 0


def test_the_gradient_lives_off_chip_where_the_chip_says_so() -> None:
    mapping = mapped(machine(dram=DRAM, options={"weight_gradient": "off_chip"}))
    assert (
        mapping.off_chip_bits() == mapping.off_chip_bits(Content.WEIGHT_GRADIENT) == (40 * 32 + 32 * 10) * 32
    )
    assert not mapping.time_multiplexed
    assert not [r for r in mapping.residency if r.content is Content.WEIGHT_GRADIENT and r.memory is not None]


def test_stbp_may_spill_its_history() -> None:
    stored, spilled = (
        mapped(machine(dram=DRAM, options={"stbp_history": choice}), rule="stbp")
        for choice in ("stored", "spill")
    )
    assert stored.off_chip_bits() == 0
    assert spilled.off_chip_bits() == bits(spilled, Content.HISTORY) == bits(stored, Content.HISTORY) > 0


def test_the_chip_may_keep_no_gradient() -> None:
    mapping = mapped(machine(options={"weight_gradient": "in_place"}))
    assert bits(mapping, Content.WEIGHT_GRADIENT) == 0
    assert mapping.notes == (
        "the chip's weight gradient is 'in_place', but the activity comes from a training that updates by 'accumulate'",
    )


def test_in_place_contradicts_momentum() -> None:
    with pytest.raises(ConfigError) as error:
        mapped(machine(options={"weight_gradient": "in_place"}), momentum=True)
    assert str(error.value) == (
        "test chip: options.weight_gradient: 'in_place' keeps no gradient, but the training has momentum;"
        " set momentum to 0 or choose another option"
    )


@pytest.mark.parametrize("update", ["in_place", "factored"])
def test_centralized_gradients_need_accumulators(update: str) -> None:
    with pytest.raises(ConfigError) as error:
        mapped(machine(options={"weight_gradient": update}), centralized=True)
    assert str(error.value) == (
        f"test chip: options.weight_gradient: '{update}' does not keep the whole gradient that"
        " gradient_centralization needs; switch that off or choose on_chip or off_chip"
    )


def test_an_overlapped_schedule_needs_two_membranes() -> None:
    one, two = mapped(machine()), mapped(machine(options={"schedule": "overlapped"}))
    assert bits(two, Content.MEMBRANE) == 2 * bits(one, Content.MEMBRANE)


def test_different_cores_share_a_network() -> None:
    small = machine().core_types[0].model_dump(mode="json")
    large = {**small, "name": "large", "tiles": [[1, 1]], "neuron_slots": 128}
    chip = machine(core_types=[{**small, "neuron_slots": 8}, large])
    mapping = mapped(chip)
    for core in mapping.cores_used:
        owned = sum(p.neurons(NETWORK.synaptic_layers[p.layer]) for p in mapping.slices if p.core == core)
        assert owned <= chip.cores()[core].type.neuron_slots
    assert 3 in mapping.cores_used


def test_cores_without_a_place_for_all_data_stay_empty() -> None:
    full = machine().core_types[0].model_dump(mode="json")
    bare = {**full, "name": "bare", "tiles": [[0, 0]], "memories": full["memories"][:1]}
    assert 0 not in mapped(machine(core_types=[full, bare])).cores_used


def test_a_fan_out_bound_keeps_layers_together() -> None:
    network = dense(8, 32, 32, 4)
    free = mapped(machine(), network)
    bound = mapped(machine(core_types__0__max_fan_out=1), network)
    assert len(free.slices_of(1)) > 1
    assert [len(bound.slices_of(layer)) for layer in (1, 2)] == [1, 1]


def test_the_same_input_gives_the_same_mapping() -> None:
    first, second = (mapped(machine(mesh__rows=8), CONVOLUTIONS, "inference") for _ in range(2))
    assert first == second


def test_remedies_are_looked_for_only_when_asked() -> None:
    with pytest.raises(DoesNotFitError) as error:
        map_network(dense(900, 40), Precision(), TrainingNeeds(), machine(), remedies=False)
    assert "any one of these" not in str(error.value)


def test_every_layer_goes_to_a_type_of_core_that_can_hold_it() -> None:
    core = machine().core_types[0].model_dump(mode="json")
    wide = {**core, "name": "wide", "neuron_slots": 12, "tiles": [[0, 0], [1, 0]]}
    deep = {**core, "name": "deep", "max_fan_in": 8}
    chip = machine(core_types=[wide, deep])
    network = NetworkSpec.model_validate(
        {
            "input_shape": [1, 6, 14],
            "layers": [
                {
                    "kind": "conv",
                    "channels": 1,
                    "kernel": 1,
                },  # 14 neurons a row: more than the wide core's slots
                {
                    "kind": "conv",
                    "channels": 1,
                    "kernel": 5,
                },  # 25 synapses a kernel: above the deep core's bound
            ],
        }
    )
    mapping = mapped(chip, network, "inference")
    kinds = [{chip.cores()[p.core].type.name for p in mapping.slices_of(layer)} for layer in (0, 1)]
    assert kinds == [{"deep"}, {"wide"}]


def test_a_manual_fan_in_above_the_bound_is_reported() -> None:
    lines = ManualMapping.model_validate({"slices": [{"layer": 0, "core": 0}, {"layer": 1, "core": 1}]})
    with pytest.raises(
        DoesNotFitError, match=r"fan-in bound of core type 'core': needs 40 synapses in core 0, has 39"
    ):
        map_manually(NETWORK, Precision(), TrainingNeeds(), machine(core_types__0__max_fan_in=39), lines)


def test_the_machine_decides_where_the_gradient_lives() -> None:
    mapping = mapped(machine(), update="in_place")
    assert bits(mapping, Content.WEIGHT_GRADIENT) == (40 * 32 + 32 * 10) * 32
    assert mapping.notes == (
        "the chip's weight gradient is 'on_chip', but the activity comes from a training that updates by 'in_place'",
    )
