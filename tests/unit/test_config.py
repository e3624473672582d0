"""Configuration: what a YAML text means, and the sentence for every kind of mistake."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmsim import config
from nmsim.config import Record
from nmsim.errors import ConfigError
from nmsim.hardware.chip import Mesh


class Inner(Record):
    size: int = 3
    ratio: float = 0.5


class Outer(Record):
    name: str
    inner: Inner = Inner()
    items: tuple[Inner, ...] = ()


def built(text: str) -> Outer:
    return config.build(Outer, config.parse_text(text, "file.yaml"))


def sentence(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        built(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("4e-12", 4e-12), ("1E5", 1e5), (".5", 0.5), ("5.", 5.0),
     ("-2", -2), ("0x10", 16), ("on", "on"), ("2026-01-01", "2026-01-01"),
     ("true", True), ("010", "010"), ("1_000", 1000)],
)  # fmt: skip
def test_scalars_mean_what_they_look_like(text: str, value: object) -> None:
    assert config.parse_text(f"key: {text}", "file.yaml").data == {"key": value}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_survives_the_text(value: float) -> None:
    assert config.parse_text(f"key: {value!r}", "file.yaml").data["key"] == value


def test_unknown_key_names_line_and_nearest() -> None:
    assert (
        sentence("name: a\ninner:\n  siez: 4\n")
        == "file.yaml:3: inner.siez: unknown key 'siez'; did you mean 'size'?"
    )


def test_unknown_key_far_from_all_lists_them() -> None:
    assert (
        sentence("name: a\nzzz: 4\n")
        == "file.yaml:2: zzz: unknown key 'zzz'; known keys are inner, items, name"
    )


def test_duplicate_key_names_both_lines() -> None:
    assert sentence("name: a\nname: b\n") == (
        "file.yaml:2: name: key 'name' appears twice (first at 1); keep one of the two lines"
    )


def test_missing_key() -> None:
    assert sentence("inner: {size: 4}\n") == "file.yaml:1: name: required key 'name' is missing; add it"


@pytest.mark.parametrize("value", ["'4'", "true", "four"])
def test_text_is_not_a_number(value: str) -> None:
    shown = {"'4'": "'4'", "true": "True", "four": "'four'"}[value]
    assert sentence(f"name: a\nitems:\n  - size: {value}\n") == (
        f"file.yaml:3: items[0].size: value {shown}: must be a whole number; write it as a plain number"
    )


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_numbers_are_finite(value: str) -> None:
    shown = {".nan": "nan", ".inf": "inf", "-.inf": "-inf"}[value]
    assert sentence(f"name: a\ninner: {{ratio: {value}}}\n") == (
        f"file.yaml:2: inner.ratio: value {shown}: must be a finite number; change the value"
    )


def test_broken_syntax_names_the_line() -> None:
    assert sentence("name: [a\nb: c\n").startswith("file.yaml:2: not valid YAML: ")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="no such file; check the path, or see `nmsim list` for the shipped ones"
    ):
        config.load(tmp_path / "none.yaml")


def test_override_is_named_as_the_place() -> None:
    document = config.parse_text("name: a\ninner: {size: 4}\n", "file.yaml").with_value("inner.size=many")
    with pytest.raises(ConfigError) as caught:
        config.build(Outer, document)
    assert str(caught.value) == (
        "--set inner.size=many: inner.size: value 'many': must be a whole number; write it as a plain number"
    )


def test_override_of_a_list_item() -> None:
    document = config.parse_text("name: a\nitems: [{size: 1}, {size: 2}]\n", "file.yaml").with_value(
        "items.1.size=7"
    )
    assert config.build(Outer, document).items[1].size == 7


def test_override_outside_a_list() -> None:
    document = config.parse_text("name: a\nitems: []\n", "file.yaml")
    with pytest.raises(ConfigError, match=r"items\[2\] does not exist; check the key path"):
        document.with_value("items.2.size=7")


def test_hash_depends_on_content_only() -> None:
    assert built("name: a\ninner: {size: 3}\n").content_hash() == built("{inner: {}, name: a}").content_hash()
    assert built("name: a\ninner: {size: 4}\n").content_hash() != built("name: a\n").content_hash()


def test_every_shipped_file_of_a_kind_is_found() -> None:
    assert "mnist-dense" in config.shipped("workloads")


def test_near_miss_of_a_shipped_name() -> None:
    with pytest.raises(ConfigError) as caught:
        config.find("workloads", "mnist-dens")
    assert str(caught.value) == (
        "mnist-dens: no shipped file of that name in workloads and no path to a .yaml file; did you mean 'mnist-dense'?"
    )


def test_a_record_keeps_its_hash_and_a_changed_copy_has_its_own() -> None:
    mesh = Mesh(columns=2, rows=3)
    assert hash(mesh) == hash(Mesh(columns=2, rows=3))
    assert mesh == Mesh(columns=2, rows=3)
    wider = mesh.model_copy(update={"columns": 4})
    assert hash(wider) == hash(Mesh(columns=4, rows=3))
    assert wider != mesh
    assert pickle.loads(pickle.dumps(mesh)) == mesh  # noqa: S301 - own bytes
    assert "_kept_hash" not in str(mesh.__getstate__())  # texts hash otherwise in another process


class _Described(config.Record):
    pitch_mm: float = 1.0
    """Of a tile."""
    count: int = 1
    """How many."""


class _Narrower(_Described):
    count: int = 2


def test_schemas_describe_fields_by_the_strings_under_them_and_inherit_what_is_not_declared_again() -> None:
    properties = config.json_schema(_Narrower)["properties"]
    assert properties["pitch_mm"]["description"] == "Of a tile."
    assert "description" not in properties["count"]
    assert config.json_schema(_Described)["properties"]["count"]["description"] == "How many."
