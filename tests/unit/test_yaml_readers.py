"""The quick reader of YAML, libyaml's, takes the place of the other only where both say the same, sentences too."""

import random
import re
from pathlib import Path

import pytest

from nmsim.config import loader
from nmsim.config.document import parse_text
from nmsim.errors import ConfigError

ROOT = Path(__file__).parents[2]
SHIPPED = [
    path.read_text(encoding="utf-8")
    for folder in ("arch_configs", "workloads")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
]
EDITS = (
    "\t", ":", ": ", "\n", " ", "  ", "- ", "#", " #", "{", "}", "[", "]", ",", '"', "'", "|", ">", "&a", "*a", "!t", "%",
    "@", "`", "?", "? ", "\0", "\x85", "\u2028", "\ufeff", "\r", "\n---\n", "\n...\n", "\\", "~", "0x", "<<: ",
)  # fmt: skip


def _read(text: str) -> tuple[object, ...]:
    """All that a reader says of a text: its values and lines, or why it is refused."""
    try:
        document = parse_text(text, "file.yaml")
    except ConfigError as error:
        return ("refused", str(error))
    return (repr(document.data), list(document.lines.items()))


def _read_slowly(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    with monkeypatch.context() as patched:
        patched.setattr(loader, "_READ_ALIKE", re.compile(r"(?!)"))
        return _read(text)


def test_price_tables_chips_and_workloads_go_through_the_quick_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = [text for text in SHIPPED if "?" not in text]
    assert len(asked) > 40
    slowly = [_read_slowly(text, monkeypatch) for text in asked]
    monkeypatch.delattr(loader, "_Loader")
    assert [_read(text) for text in asked] == slowly


@pytest.mark.parametrize(
    "text",
    [
        "a\tb: 1",  # only libyaml takes it
        "{a? b: 1}",  # the same
        "---",  # libyaml finds nothing on line 2
        "{a:, b: 1}",  # only the other takes it
        "a: 1\na: 2",
        "a: [1, 2\nb: 3",
        "a: \x07",
    ],
)
def test_texts_on_which_readers_differ_are_read_as_before(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(text) == _read_slowly(text, monkeypatch)


def test_damaged_files_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    draws, short = random.Random(1), [text for text in SHIPPED if len(text) < 2_500]
    quick = 0
    for _ in range(600):
        lines = draws.choice(short).split("\n")
        first = draws.randrange(len(lines))
        text = "\n".join(lines[first : first + draws.randrange(1, 12)])
        for _ in range(draws.randrange(1, 4)):
            place = draws.randrange(len(text) + 1)
            cut = 0 if draws.random() < 0.7 else draws.randrange(1, 4)
            text = text[:place] + ("" if cut else draws.choice(EDITS)) + text[place + cut :]
        assert _read(text) == _read_slowly(text, monkeypatch), text
        quick += bool(loader._READ_ALIKE.fullmatch(text))
    assert quick > 200
