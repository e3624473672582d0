"""Verb `check-config`: what was understood of a chip, and whose file it is otherwise."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from nmsim import config
from nmsim.cli.main import main
from nmsim.cost.chip_file import CHIPS
from nmsim.cost.table import load_table
from nmsim.pipeline.simulate import read_chip


def check(capsys: pytest.CaptureFixture[str], *files: str) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nmsim", "check-config", *files])
        with pytest.raises(SystemExit) as stopped:
            main()
    said = capsys.readouterr()
    return int(str(stopped.value.code)), said.out, said.err


def test_a_chip_is_told_as_it_was_understood(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = check(capsys, "edge-28nm")
    assert code == 0
    for part in (
        "16 cores 'trainer'",
        " KB in 6 memories",
        "16 MAC",
        "4 x 4 tiles",
        "area 12.",
        "left at their defaults: chips",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        (b"architecture:\n  name: loihi\n  tile: []\n", "SANA-FE", "nmsim import-chip"),
        (b"network: {groups: []}\nmappings: []\n", "a network of SANA-FE", "nmsim import-activity"),
        (b"architecture: {nodes: []}\nversion: 0.4\n", "Timeloop", "nmsim init chip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "NIR", "nmsim import-network"),
        (b"PK\x03\x04" + bytes(64), "PyTorch", "nmsim import-activity"),
        (b"level: component\nname: x\n", "a price table", "technology:"),
    ],
)
def test_a_file_of_another_tool_is_named_with_the_way_to_bring_it_over(
    text: bytes, what: str, remedy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "theirs.yaml"
    file.write_bytes(text)
    code, _, said = check(capsys, str(file))
    assert code == 2
    assert what in said
    assert remedy in said
    assert "did you mean" not in said


def test_a_price_table_beside_a_chip_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chips").mkdir()
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(config.find("arch_configs/technology", "cmos"), tmp_path / "chips" / "own.yaml")
    chip = (
        config.find("arch_configs/chips", "edge-28nm")
        .read_text()
        .replace("technology: cmos", "technology: own.yaml")
    )
    (tmp_path / "chips" / "chip.yaml").write_text(chip)
    for folder, name in (
        ("chips", "chip.yaml"),
        ("elsewhere", "../chips/chip.yaml"),
        (".", "chips/chip.yaml"),
    ):
        monkeypatch.chdir(tmp_path / folder)
        found = read_chip(name)
        assert found.technology == str(tmp_path / "chips" / "own.yaml")
        assert load_table(found.technology).name


def test_a_chip_that_takes_long_to_simulate_says_how_long(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chip = config.find(CHIPS, "mesh-16nm").read_text(encoding="utf-8")
    for columns, rows, said in (
        (256, 250, "simulating 64,000 cores, used or not, takes about 64 s"),
        (64, 64, ""),
    ):
        file = tmp_path / "mesh.yaml"
        file.write_text(
            re.sub(r"(columns: )8(.*rows: )8", rf"\g<1>{columns}\g<2>{rows}", chip, flags=re.DOTALL)
        )
        code, out, _ = check(capsys, str(file))
        assert code == 0
        assert f"{columns * rows:,} cores" in out
        assert said in out
        assert ("simulating" in out) == bool(said)
