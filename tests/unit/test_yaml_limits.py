"""YAML below the records: what is no plain data, or would grow without bound, is one sentence with its line."""

import random
from contextlib import suppress
from pathlib import Path

import pytest

from nmsim import config
from nmsim.config import parse_text, to_yaml
from nmsim.errors import ConfigError

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: \0\n", "f:2: not valid YAML: character U+0000 is not allowed; delete it"),
        ("a: !!int abc", "f:1: not valid YAML: it has a tag (tag:yaml.org,2002:int); leave it out"),
        ("a: !!python/object/apply:os.system [ls]", "f:1: not valid YAML: it has a tag"),
        ("a: " + "[" * 900, "f:1: not valid YAML: it has more than 32 levels of nesting"),
        ("a: &x [*x]", "f:1: not valid YAML: it has an alias"),
        (BOMB, "f:2: not valid YAML: it has an alias"),
        ("units: " + "9" * 4300, "f:1: not valid YAML: units has a number of 4,300 digits"),
        ("a: 0x_", "f:1: not valid YAML: a looks like a number but is none"),
        ("? [a]\n: 1", "f:1: (top level): a key is a list or a mapping; write a plain name"),
    ],
)  # fmt: skip
def test_refused(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_text(text, "f")
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00a", b"a: 1\n" * 300_000, b""])
def test_files_that_are_no_configuration(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"f\.yaml"):
        config.load(path)


def test_what_is_written_has_no_aliases() -> None:
    shared = [1, 2]
    assert parse_text(to_yaml({"a": shared, "b": shared}), "f").data == {"a": shared, "b": shared}


def test_any_damage_to_a_shipped_file_is_data_or_a_sentence() -> None:
    """Not one other kind of exception in 300 random edits of the text."""
    draw = random.Random(7)
    text = config.shipped("arch_configs/chips")["edge-28nm"].read_text()
    pieces = [
        "\0",
        "!!",
        "&a ",
        "*a",
        "[",
        "{",
        "}",
        ": ",
        "- ",
        "\t",
        "9" * 50,
        "0x",
        "%",
        "@",
        "`",
        "'",
        '"',
        "|",
        ">",
        "\ud800",
        "?",
    ]
    for _ in range(300):
        place = draw.randrange(len(text))
        damaged = text[:place] + draw.choice(pieces) + text[place + draw.randrange(4) :]
        with suppress(ConfigError):
            parse_text(damaged, "f")
