"""The outline of a chip: what of it decides a mapping."""

import pytest
from mapping_cases import DRAM, NETWORK, machine

from nmsim import config
from nmsim.errors import DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import finished, map_network
from nmsim.mapping.outline import outline
from nmsim.mapping.task import Task, following
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense

SHIPPED = (
    "edge-28nm",
    "mesh-16nm",
    "loihi-2018",
    "odin-like-28nm",
    "truenorth-28nm",
    "single-core-dram-28nm",
)


@pytest.mark.parametrize(
    "changes",
    [
        {"clock_hz": 3e8}, {"voltage_v": 0.7}, {"noc__flit_bits": 64}, {"noc__casting": "unicast"},
        {"core_types__0__mac_lanes": 7}, {"core_types__0__memories__0__banks": 2}, {"barrier__base_cycles": 5},
        {"mesh__tile_width_mm": 2.0}, {"options__clear_state": "sweep"}, {"options__dataflow__error": "output_stationary"},
    ],
    ids=str,
)  # fmt: skip
def test_chips_that_differ_in_speed_and_price_have_one_outline(changes: dict[str, object]) -> None:
    assert outline(machine(), "balanced") == outline(machine(**changes), "balanced")


@pytest.mark.parametrize(
    "changes",
    [
        {"mesh__rows": 3}, {"core_types__0__neuron_slots": 77}, {"core_types__0__memories__0__words": 999},
        {"core_types__0__memories__0__word_bits": 128}, {"core_types__0__max_fan_in": 50}, {"dram": DRAM},
        {"noc__topology": "torus"}, {"options__schedule": "overlapped"}, {"core_types__0__accumulate_lanes": 3},
        {"options__skip__deltas": "value_list"}, {"options__weight_gradient": "in_place"},
    ],
    ids=str,
)  # fmt: skip
def test_chips_that_hold_or_cut_otherwise_have_their_own_outline(changes: dict[str, object]) -> None:
    assert outline(machine(), "balanced") != outline(machine(**changes), "balanced")


def test_schedules_that_keep_everything_twice_are_mapped_alike() -> None:
    chips = [machine(options__schedule=schedule) for schedule in ("overlapped", "pipelined")]
    assert outline(chips[0], "wide") == outline(chips[1], "wide")
    tasks = [Task.of(NETWORK, Precision(), TrainingNeeds.for_rule("stop-wtl"), chip) for chip in chips]
    assert tasks[0].needs == tasks[1].needs
    assert tasks[0].solve("wide") == tasks[1].solve("wide")


def test_compact_mapping_does_not_look_at_lanes() -> None:
    other = machine(core_types__0__accumulate_lanes=3)
    assert outline(machine(), "compact") == outline(other, "compact")


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("rule", ["inference", "stop-wtl", "stbp"])
def test_a_shipped_chip_is_mapped_like_its_outline(name: str, rule: str) -> None:
    network, needs = dense(200, 60, 10), TrainingNeeds.for_rule(rule)
    read = config.build(ChipConfig, config.load(config.find("arch_configs/chips", name)))
    chip = following(network, Precision(), needs, read)
    task = Task.of(network, Precision(), needs, chip)
    found = task.solve("balanced")
    if found is None:
        with pytest.raises(DoesNotFitError):
            map_network(network, Precision(), needs, chip, spread="balanced", remedies=False)
    else:
        expected = finished(task, found, movable=True)
        assert map_network(network, Precision(), needs, chip, spread="balanced") == expected


def test_a_mapping_bears_the_hash_of_the_chip_that_asked() -> None:
    fast, slow = machine(clock_hz=3e8), machine(clock_hz=1e8)
    needs = TrainingNeeds.for_rule("stop-wtl")
    found = [map_network(NETWORK, Precision(), needs, chip) for chip in (fast, slow)]
    assert [mapping.chip_hash for mapping in found] == [fast.content_hash(), slow.content_hash()]
    assert found[0].slices is found[1].slices
    assert found[0].slices_of(0) is found[1].slices_of(0)
