"""Result records survive the file, and a file cannot name anything but records."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nmsim import records
from nmsim.counts import ActionCounts, Phase
from nmsim.errors import RunError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision

SCHEMA, REMEDY = "test-1", "make it again"


def test_nested_records_come_back_equal(tmp_path: Path) -> None:
    counts = ActionCounts(
        {"phase": np.array([Phase.ERROR, Phase.NEURON]), "core": np.array([1, 2])},
        np.array([[1, 2], [3, 4]]),
        np.array([True, False]),
    )
    records.save(tmp_path / "a.npz", counts, SCHEMA)
    back = records.load(tmp_path / "a.npz", ActionCounts, SCHEMA, REMEDY)
    assert back.columns["phase"].tolist() == ["error", "neuron"]
    assert (back.counts == counts.counts).all()
    assert back.per_batch.tolist() == [True, False]


def test_formats_and_configuration_records_come_back(tmp_path: Path) -> None:
    for value in (QFormat.parse("s16.13"), Precision()):
        records.save(tmp_path / "a.npz", value, SCHEMA)
        assert records.load(tmp_path / "a.npz", type(value), SCHEMA, REMEDY) == value


def test_other_schema_is_refused(tmp_path: Path) -> None:
    records.save(tmp_path / "a.npz", QFormat.parse("s16.13"), "other")
    with pytest.raises(RunError, match="schema 'other' is not test-1; make it again"):
        records.load(tmp_path / "a.npz", QFormat, SCHEMA, REMEDY)


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    records.save(path, QFormat.parse("s16.13"), SCHEMA)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RunError, match="not readable"):
        records.load(path, QFormat, SCHEMA, REMEDY)


@pytest.mark.parametrize("name", ["os:system", "nmsim.records:load", "nmsim.storage:os", "builtins:eval"])
def test_a_file_cannot_call_anything_but_a_record(tmp_path: Path, name: str) -> None:
    value = {"dataclass": name, "fields": {}}
    header = {"schema": SCHEMA, "value": value, records.SEAL: records._seal(value, {})}
    np.savez(tmp_path / "a.npz", header=np.frombuffer(json.dumps(header).encode(), np.uint8))
    with pytest.raises(RunError, match="not a record of nmsim"):
        records.load(tmp_path / "a.npz", object, SCHEMA, REMEDY)


def test_what_is_no_record_is_not_stored(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Holder:
        value: object

    with pytest.raises(TypeError, match="cannot store a set"):
        records.save(tmp_path / "a.npz", Holder({1}), SCHEMA)
    assert list(tmp_path.iterdir()) == []
