"""A chip file becomes a machine, or one sentence says why not."""

from typing import Any

import pytest
from machines import DRAM, data, machine

from nmsim import config
from nmsim.contents import Content
from nmsim.errors import ConfigError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.noc import Barrier
from nmsim.hardware.sram import Sram


def test_a_flit_may_be_as_wide_as_its_links_are() -> None:
    assert machine(noc__flit_bits=33).noc.flit_bits == 33


SENTENCES = [
    ({"noc__flit_bit": 3}, "noc.flit_bit: unknown key 'flit_bit'; did you mean 'flit_bits'?"),
    (
        {"core_types__0__neuron_slots": -1},
        "core_types[0].neuron_slots: value -1: must be greater than or equal to 1; change the value",
    ),
    (
        {"core_types__0__memories__0__words": -5},
        "core_types[0].memories[0].words: value -5: must be greater than or equal to 1; change the value",
    ),
    ({"clock_hz": float("nan")}, "clock_hz: value nan: must be a finite number; change the value"),
    ({"core_types": []}, "core_types: value a list of 0: must list at least 1; change the value"),
    (
        {"chips": {"columns": 2}},
        "chips: several chips need the key 'link'; describe bits_per_cycle and latency_cycles",
    ),
    (
        {"core_types__0__tiles": [[5, 0]]},
        "(top level): core type 'core' names tile [5, 0] outside the 2 x 2 mesh; use tiles of the mesh",
    ),
    ({"core_types__0__tiles": [[0, 0], [0, 0]]}, "(top level): tile [0, 0] is named twice; keep one"),
    (
        {"core_types__0__tiles": []},
        "(top level): no tile holds a core; leave 'tiles' out of a core type to fill the mesh",
    ),
    (
        {"core_types__0__memories__1__holds": ["weight"]},
        "core_types[0]: 'weight' is held 2 times; name it under one memory only, once",
    ),
    (
        {"core_types__0__memories__1__name": "weights"},
        "core_types[0]: memory names ['weights', 'weights'] repeat; give each memory its own name",
    ),
    (
        {"options__weight_gradient": "off_chip"},
        "(top level): options.weight_gradient 'off_chip' needs the key 'dram'; add it or change the option",
    ),
    (
        {"options__stbp_history": "spill"},
        "(top level): options.stbp_history 'spill' needs the key 'dram'; add it or change the option",
    ),
    (
        {"barrier": {"points": [[2, 1], [1, 2]]}},
        "barrier: points name [2, 1] tiles; list them rising, each with cycles of 0 or more",
    ),
    (
        {"barrier": {"points": [[1, 2]], "base_cycles": 3}},
        "barrier: points replace base_cycles and per_tile_cycles; keep one of the two descriptions",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), SENTENCES, ids=[next(iter(c)) for c, _ in SENTENCES])
def test_a_mistake_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        machine(**changes)
    assert str(error.value) == f"test chip: {sentence}"


@pytest.mark.parametrize("names", [("core", "core"), ("a", "b")])
def test_two_core_types_must_differ_in_name_and_place(names: tuple[str, str]) -> None:
    types = [{**data()["core_types"][0], "name": name} for name in names]
    with pytest.raises(ConfigError) as error:
        machine(core_types=types)
    same = "core type names ['core', 'core'] repeat; give each its own name"
    both = "two core types claim all remaining tiles; list the tiles of one of them"
    assert str(error.value) == f"test chip: (top level): {same if names[0] == names[1] else both}"


def test_cores_are_numbered_along_the_rows_of_the_joint_mesh() -> None:
    chip = machine(chips={"columns": 2, "link": {"bits_per_cycle": 8, "latency_cycles": 4}})
    assert (chip.columns, chip.rows, chip.tiles) == (4, 2, 8)
    assert [(core.index, core.column, core.row) for core in chip.cores()][3:6] == [
        (3, 3, 0),
        (4, 0, 1),
        (5, 1, 1),
    ]


def test_a_type_without_tiles_fills_what_the_others_leave() -> None:
    small = data()["core_types"][0]
    chip = machine(core_types=[{**small, "name": "big", "tiles": [[0, 1]], "per_tile": 2}, small])
    assert [core.type.name for core in chip.cores()] == ["core", "core", "big", "big", "core"]


def test_a_changed_copy_counts_its_cores_anew() -> None:
    chip = machine()
    assert len(chip.cores()) == 4
    wider = chip.model_copy(update={"mesh": chip.mesh.model_copy(update={"columns": 5})})
    assert len(wider.cores()) == 10


def test_dram_allows_what_needs_it() -> None:
    assert machine(dram=DRAM, options={"weight_gradient": "off_chip"}).dram is not None


def test_a_memory_packs_whole_values() -> None:
    memory = Sram(name="m", holds=(Content.WEIGHT,), words=10, word_bits=64)
    assert [memory.words_for(values, 12) for values in (0, 1, 5, 6, 10, 11)] == [0, 1, 1, 2, 2, 3]
    assert memory.words_for(3, 65) == 6
    assert memory.capacity_bits == 640


def test_memory_of_a_content() -> None:
    core = machine().core_types[0]
    assert [core.memories[core.home(content)].name for content in (Content.WEIGHT, Content.SPIKE)] == [
        "weights",
        "state",
    ]
    assert core.near(Content.INPUT_SUM) == -1


def test_the_smaller_of_two_memories_for_sums_is_near() -> None:
    core = machine().core_types[0]
    near = Sram(name="sums", holds=("accumulator",), words=2, word_bits=32, kind="registers")
    levels = core.model_copy(update={"memories": (near, *core.memories)})
    assert levels.memories[levels.near(Content.ERROR_SUM)].name == "sums"
    assert levels.home(Content.ERROR_SUM) == core.home(Content.ERROR_SUM) + 1


def test_ports_are_told_by_kind() -> None:
    with pytest.raises(ConfigError, match="'ports' is described by 'kind' now; write 1rw for one port"):
        machine(core_types__0__memories__0__ports=2)
    memory = machine().core_types[0].memories[0]
    rates = {
        kind: memory.model_copy(update={"kind": kind}).accesses_per_cycle for kind in ("1rw", "1r1w", "2rw")
    }
    assert rates == {"1rw": memory.banks, "1r1w": 2 * memory.banks, "2rw": 2 * memory.banks}


def test_barrier_by_formula_and_by_points() -> None:
    assert Barrier(base_cycles=10, per_tile_cycles=2).cycles(4) == 18
    points = Barrier(points=((1, 600), (2, 1000), (4, 1400), (29, 1800)))
    assert [points.cycles(tiles) for tiles in (1, 2, 3, 4, 29, 40)] == [600, 1000, 1200, 1400, 1800, 1800]


def test_editors_get_a_description_of_every_key() -> None:
    schema = config.json_schema(ChipConfig)
    for name, record in [("ChipConfig", schema), *schema["$defs"].items()]:
        for key, description in record.get("properties", {}).items():
            assert "description" in description or "$ref" in description, f"{name}.{key}"


def test_a_memory_holds_no_registers_or_tables() -> None:
    with pytest.raises(
        ValueError, match="'table' is kept in registers and tables, not in a memory; leave it out"
    ):
        Sram.model_validate({"name": "all", "holds": ["weight", "table"], "words": 8, "word_bits": 8})
