"""Hex memory files: what is written is what a reader of `$readmemh` sees."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmsim.errors import DataError
from nmsim.fixedpoint.format import QFormat
from nmsim.validate.vectors.hexfile import hex_text, read_hex


def words(text: bytes) -> list[str]:
    return [line for line in text.decode().splitlines() if not line.startswith("//")]


def test_words_are_two_complement_in_the_width_of_the_format() -> None:
    assert words(hex_text(np.array([[0, 1], [-1, -8]]), QFormat.parse("s4.0"), "x")) == ["0", "1", "f", "8"]
    assert words(hex_text(np.array([-2, 1]), QFormat.parse("s17.3"), "x")) == ["1fffe", "00001"]
    assert words(hex_text(np.array([255]), QFormat.parse("u8.8"), "x")) == ["ff"]
    huge = np.array([-1, 2**69], object)
    assert words(hex_text(huge, QFormat.parse("s71.0"), "x")) == ["7fffffffffffffffff", "200000000000000000"]


@given(st.data())
def test_reading_back_gives_the_same_integers(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    signed, bits = data.draw(st.booleans()), data.draw(st.integers(2, 80))
    fmt = QFormat(signed, bits, 3)
    values = data.draw(st.lists(st.integers(fmt.min_raw, fmt.max_raw), min_size=1, max_size=20))
    path = tmp_path_factory.mktemp("hex") / "x.hex"
    array = np.array(values, object if bits > 60 else np.int64)
    path.write_bytes(hex_text(array, fmt, "x"))
    assert [int(value) for value in read_hex(path, fmt)] == values


def test_verilog_comments_addresses_and_underscores_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.hex"
    path.write_text("// head\n@0 0_f /* two\nlines */ ff\n@2\n80 // tail\n")
    assert read_hex(path, QFormat.parse("s8.0")).tolist() == [15, -1, -128]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zz\n", "'zz' is not a hex word; export the vectors again"),
        ("@3 00\n", "address @3 leaves a gap after 0 words; give every word"),
        ("100\n", "the word 100 is wider than s8.0; check the format in the manifest"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "x.hex"
    path.write_text(text)
    with pytest.raises(DataError) as found:
        read_hex(path, QFormat.parse("s8.0"))
    assert str(found.value) == f"{path}: {sentence}"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not readable as hex memory"):
        read_hex(tmp_path / "none.hex", QFormat.parse("s8.0"))


def test_values_outside_the_format_are_not_written() -> None:
    with pytest.raises(DataError) as found:
        hex_text(np.array([-129, 5]), QFormat.parse("s8.0"), "delta")
    assert str(found.value) == "delta: raw values -129..5 are outside s8.0; export in the format of the run"
