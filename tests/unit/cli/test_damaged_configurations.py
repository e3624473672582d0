"""Configurations with wrong text and wrong values: `check-config` is done, or says sentences, one for each mistake.

The whole set (1,680 values, 235 texts): `python -m pytest -m slow tests/unit/cli/test_damaged_configurations.py`.
"""

import random
from pathlib import Path

import pytest
from commands import WRONG, change_a_value, command

from nmsim import config

KINDS = ("workloads", "arch_configs/chips", "arch_configs/spaces", "arch_configs/technology")
FILES = [file for kind in KINDS for _, file in sorted(config.shipped(kind).items())]
VALUES = (
    *WRONG,
    0,
    1,
    2.5,
    -0.0,
    1e-30,
    float("inf"),
    "s16.14",
    "s16.-2000",
    "200 MHz",
    "64 KB",
    "../../x",
    "1/0",
    [1, 2],
    [[0]],
)
PIECES = (
    "\0", "!!int abc", "!!python/object:os.system ", "&a ", "*a", "[", "{", "}", "]", ": ", "- ", "\t", "9" * 50, "0x", "%",
   "@", "`", "'", '"', "|", ">", "?", "\ufeff", "\u2028", "\x1b[31m", "---\n", "...\n", "<<: ", "~", "= ", "[" * 60, "é",
    "1e999",
)  # fmt: skip


def values(seed: int, folder: Path) -> tuple[Path, str]:
    """A shipped file in which one value is another, or left out."""
    draw = random.Random(seed)
    source = FILES[seed % len(FILES)]
    content = config.load(source).data
    done = change_a_value(draw, content, VALUES)
    path = folder / source.name
    path.write_text(config.to_yaml(content), encoding="utf-8")
    return path, f"seed {seed}, {source.name}: {done}"


def text(seed: int, folder: Path) -> tuple[Path, str]:
    """A shipped file with damaged text."""
    draw = random.Random(-1 - seed)
    source = FILES[seed % len(FILES)]
    content = source.read_text(encoding="utf-8")
    for _ in range(draw.choice((1, 1, 3))):
        place, piece = draw.randrange(len(content)), draw.choice(PIECES)
        content = content[:place] + piece + content[place + draw.choice((0, 1, 40)) :]
    if draw.random() < 0.2:
        content = content[: draw.randrange(len(content))]
    path = folder / source.name
    path.write_text(content, encoding="utf-8")
    return path, f"seed {seed}, {source.name}"


def check(changed: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    path, what = changed
    code = command("check-config", str(path), "--quiet")
    said = capsys.readouterr().err
    assert code in (0, 2), f"{what}\n{said}"
    assert all(line.startswith("nmsim: ") for line in said.splitlines()), f"{what}\n{said}"
    assert bool(said) == (code != 0), f"{what}\n{said}"


@pytest.mark.parametrize("seed", range(60))
def test_a_wrong_value_is_a_sentence(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(values(seed, tmp_path), capsys)


@pytest.mark.parametrize("seed", range(20))
def test_wrong_text_is_a_sentence(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(text(seed, tmp_path), capsys)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seeds", [range(start, start + 60) for start in range(60, 1740, 60)], ids=lambda seeds: str(seeds[0])
)
def test_more_wrong_values_are_sentences(
    seeds: range, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in seeds:
        check(values(seed, tmp_path), capsys)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seeds", [range(start, start + 43) for start in range(20, 235, 43)], ids=lambda seeds: str(seeds[0])
)
def test_more_wrong_text_is_sentences(
    seeds: range, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in seeds:
        check(text(seed, tmp_path), capsys)
