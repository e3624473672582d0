"""Price tables: what they accept, and the sentence for what they do not."""

from pathlib import Path

import pytest
import yaml

from nmsim import config
from nmsim.cost.constant import Constant, Kind
from nmsim.cost.table import EventTable, load_table, usable
from nmsim.errors import ConfigError, CostError


def write_event_table(folder: Path, **changes: object) -> str:
    price = {"value": 2.0, "unit": "pJ", "kind": "marginal", "source": "paper", "band": [0.9, 1.1]}
    table = {
        "level": "event",
        "name": "mine",
        "node_nm": 28,
        "sources": {"paper": "A paper, 2020"},
        "events": {"synaptic_op": price},
    }
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(table | changes, sort_keys=False), encoding="utf-8")
    return str(file)


def test_a_table_is_parsed_once_and_again_when_its_file_changes(tmp_path: Path) -> None:
    file = write_event_table(tmp_path)
    first = load_table(file)
    assert load_table(file) is first
    write_event_table(tmp_path, node_nm=22)
    assert load_table(file).node_nm == 22


def sentence(error: pytest.ExceptionInfo[Exception]) -> str:
    return str(error.value).partition("mine.yaml:")[2]


def test_every_shipped_table_reads() -> None:
    names = list(config.shipped("arch_configs/technology"))
    assert names == ["cmos", "loihi-2018", "loihi-board", "odin", "truenorth"]
    for name in names:
        assert load_table(name).name == name


def test_a_table_without_level_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load_table(write_event_table(tmp_path, level="gate"))
    assert sentence(error) == (
        "1: level: value 'gate': a price table is of level 'component' or 'event'; write one of the two"
    )


def test_an_average_may_not_price_an_event(tmp_path: Path) -> None:
    average = {"value": 26, "unit": "pJ", "kind": "average", "source": "paper"}
    with pytest.raises(ConfigError) as error:
        load_table(write_event_table(tmp_path, events={"synaptic_op": average}))
    assert sentence(error) == (
        "1: (top level): events.synaptic_op is of kind 'average', the mean of an operating point, which"
        " cannot price"
        " one more event; give a marginal figure, or move it to operating_points"
    )


def test_an_average_is_refused_where_a_price_is_made_of_it() -> None:
    constant = Constant(value=26, unit="pJ", kind=Kind.AVERAGE, source="paper")
    with pytest.raises(CostError) as error:
        usable(constant, "logic.add_pj_per_bit", "mine")
    assert str(error.value) == (
        "mine: logic.add_pj_per_bit is of kind 'average', the mean of an operating point, which cannot"
        " price one more"
        " event; give a marginal figure"
    )


def test_a_constant_without_a_source_may_not_be_used() -> None:
    constant = Constant(value=1, unit="pJ", kind=Kind.MEASURED)
    with pytest.raises(CostError) as error:
        usable(constant, "static_power_w", "mine")
    assert str(error.value) == (
        "mine: static_power_w has no source, so what needs it is not available; write where the figure"
        " comes from"
    )


def test_an_absent_constant_is_named() -> None:
    with pytest.raises(CostError) as error:
        usable(None, "static_power_w", "mine")
    assert str(error.value) == (
        "mine: static_power_w is not in this table, so what needs it is not available; add it with its"
        " source, or use"
        " another table"
    )


def test_a_source_must_be_among_the_sources(tmp_path: Path) -> None:
    price = {"value": 2.0, "unit": "pJ", "kind": "marginal", "source": "hearsay"}
    with pytest.raises(ConfigError) as error:
        load_table(write_event_table(tmp_path, events={"synaptic_op": price}))
    assert sentence(error) == (
        "1: (top level): events.synaptic_op.source 'hearsay' is not among the table's sources; add it"
        " there, or leave"
        " it out"
    )


def test_an_unknown_event_is_refused(tmp_path: Path) -> None:
    price = {"value": 2.0, "unit": "pJ", "kind": "marginal", "source": "paper"}
    with pytest.raises(
        ConfigError, match="'synaptic_up' is not an event; known are synaptic_op, neuron_update_active"
    ):
        load_table(write_event_table(tmp_path, events={"synaptic_up": price}))


def test_an_event_is_priced_or_explained_but_not_both(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="'synaptic_op' is priced and listed as not priced; keep one of the two"
    ):
        load_table(write_event_table(tmp_path, not_priced={"synaptic_op": "because"}))


def test_a_band_encloses_the_value(tmp_path: Path) -> None:
    price = {"value": 2.0, "unit": "pJ", "kind": "marginal", "source": "paper", "band": [1.2, 1.5]}
    with pytest.raises(ConfigError) as error:
        load_table(write_event_table(tmp_path, events={"synaptic_op": price}))
    assert "events.synaptic_op.band: band [1.2, 1.5] does not enclose 1; give two factors" in str(error.value)


def test_a_unit_is_required(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="required key 'unit' is missing; add it"):
        load_table(write_event_table(tmp_path, events={"synaptic_op": {"value": 2.0, "kind": "marginal"}}))


def test_sources_are_written_out(tmp_path: Path) -> None:
    table = load_table(write_event_table(tmp_path))
    assert isinstance(table, EventTable)
    assert table.cited(table.events["synaptic_op"]).source == "A paper, 2020"
