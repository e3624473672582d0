"""Verb `init`: templates explain every key, read back as what they began as, and run."""

import sys
from pathlib import Path

import pytest
import yaml

from nmsim import config
from nmsim.cli.check_config import KINDS
from nmsim.cli.init import STARTS, template_of
from nmsim.cli.main import main


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["nmsim", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


@pytest.mark.parametrize("kind", STARTS)
def test_a_template_reads_back_as_the_shipped_file_under_another_name(kind: str) -> None:
    start = STARTS[kind]
    shipped = config.load(config.find(start.folder, start.shipped)).data
    read = config.parse_text(template_of(kind, "mine"), "mine.yaml")
    assert read.data == {**shipped, "name": "mine"}
    config.build(KINDS[kind], read)


@pytest.mark.parametrize("kind", STARTS)
def test_a_template_has_every_key_and_each_is_explained(kind: str) -> None:
    lines = template_of(kind, "mine").splitlines()
    for key, info in KINDS[kind].model_fields.items():
        if not info.exclude:
            assert any(line.startswith((f"{key}:", f"#{key}:")) for line in lines), key


@pytest.mark.parametrize("kind", STARTS)
def test_keys_behind_a_hash_are_valid_when_the_hash_goes(kind: str) -> None:
    lines = template_of(kind, "mine").splitlines()
    top = [line[1:] for line in lines if line.startswith("#") and line[1:2].isalpha() and "   #" not in line]
    given = config.parse_text(template_of(kind, "mine"), "mine.yaml").data
    config.build(
        KINDS[kind],
        config.parse_text(config.to_yaml({**yaml.safe_load("\n".join(top)), **given}), "all.yaml"),
    )


def test_what_is_written_is_valid_and_is_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    assert command(monkeypatch, "init", "chip", "--out", str(file)) == 0
    assert command(monkeypatch, "check-config", str(file)) == 0
    assert command(monkeypatch, "init", "chip", "--out", str(file)) == 2
    assert "is there already" in capsys.readouterr().err
    assert command(monkeypatch, "init", "house") == 2
