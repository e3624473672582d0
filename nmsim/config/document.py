"""YAML files as plain data that remember the line of every key; duplicate keys are errors."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import yaml
from yaml.constructor import SafeConstructor

from nmsim.config.loader import MAX_DEPTH, composed
from nmsim.errors import ConfigError

KeyPath = tuple[str | int, ...]


MAX_BYTES = 1_000_000
MAX_DIGITS = 40
"""Bounds of a configuration file; the largest shipped one has about 40 KB."""


@dataclass(frozen=True)
class Document:
    """A YAML file as plain data, with the place of every key.

    >>> document = Document({"clock_hz": 2e8}, "chip.yaml")
    >>> document.with_value("clock_hz=4e8").data
    {'clock_hz': 400000000.0}
    """

    data: dict[str, Any]
    source: str
    lines: Mapping[KeyPath, str] = field(default_factory=dict)

    def place(self, path: KeyPath) -> str:
        """`file:line` of the deepest known part of a key path."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return self.source

    def with_path_beside(self, *keys: str) -> Self:
        """A copy in which a path to a YAML file under a key path leads to a file in this one's folder, if it is there.

        So the two may be used from any folder; a path that leads nowhere from here stays as it is written.
        """
        holder: Any = self.data
        for key in keys[:-1]:
            holder = holder.get(key) if isinstance(holder, dict) else None
        value = holder.get(keys[-1]) if isinstance(holder, dict) else None
        if not isinstance(value, str) or not value.endswith((".yaml", ".yml")):
            return self
        beside = Path(self.source).parent / value
        return replace(self, data=_with(self.data, keys, str(beside.resolve()))) if beside.is_file() else self

    def with_value(self, assignment: str, section: str = "") -> Self:
        """A copy in which one key, written `a.b.0.c=value`, has another value (YAML syntax).

        The key may stand behind the name of a section, as `chip.clock_hz` does; messages show what was written.
        """
        keys, sign, text = assignment.removeprefix(f"{section}." if section else "").partition("=")
        if keys.count(".") > MAX_DEPTH:
            raise ConfigError(f"--set {keys[:40]}...: more than {MAX_DEPTH} levels; check the key path")
        if not sign or not keys:
            raise ConfigError(
                f"--set {assignment}: expected KEY.PATH=VALUE; write for example --set chip.clock_hz=2e8"
            )
        place = f"--set {assignment}"
        return self.with_values({keys.strip(): parse_text(text, place).data_or_value}, place)

    def with_values(self, values: Mapping[str, Any], place: str) -> Self:
        """A copy in which several keys have other values; messages name `place`.

        A key path is written `a.b.0.c`; an element of a list is named by its index, or by its key `name` if it has one.
        """
        data, lines = json.loads(json.dumps(self.data)), dict(self.lines)
        for keys, value in values.items():
            path = _assign(data, keys.split("."), value, place)
            lines[path] = place
        return type(self)(data, self.source, lines)

    def with_part(self, key: str, other: "Document") -> Self:
        """A copy whose part `key` is that of another document; messages name the other document's lines.

        Raises:
            ConfigError: the other document holds anything else, or nothing.
        """
        for name in other.data:
            if name != key:
                raise ConfigError(
                    f"{other.place((name,))}: {name}: unknown key '{name}'; a file of this kind holds '{key}' only"
                )
        kept = {path: line for path, line in self.lines.items() if path[:1] != (key,)}
        return type(self)(
            {**self.data, **other.data}, self.source, {**kept, **other.lines, (): self.place(())}
        )

    @property
    def data_or_value(self) -> Any:
        """The value of a one-value text such as the right-hand side of an override."""
        return self.data


def _assign(data: Any, keys: list[str], value: Any, place: str) -> KeyPath:
    """Set one value in plain data; its key path with indices in place of names of list elements."""
    here: Any = data
    path: KeyPath = ()
    for depth, text in enumerate(keys):
        key: Any = _element(here, text) if isinstance(here, list) else text
        path = (*path, key)
        in_list = isinstance(here, list) and isinstance(key, int) and key < len(here)
        if not in_list and not isinstance(here, dict):
            raise ConfigError(f"{place}: {key_text(path)} does not exist; check the key path")
        if depth == len(keys) - 1:
            here[key] = value
        elif isinstance(here, dict):
            here = here.setdefault(key, {})
        else:
            here = here[key]
    return path


def _element(elements: list[Any], key: str) -> str | int:
    """Index of the list element that is meant: by number, or by its `name`; the text itself if there is none."""
    if key.isdigit():
        return int(key)
    named = (
        i for i, element in enumerate(elements) if isinstance(element, dict) and element.get("name") == key
    )
    return next(named, key)


def key_text(path: KeyPath) -> str:
    """`layers[2].units` for `("layers", 2, "units")`.

    >>> key_text(("core_types", 0, "memories"))
    'core_types[0].memories'
    """
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text or "(top level)"


def parse_text(text: str, source: str) -> Document:
    """YAML text to a document; `ConfigError` on bad syntax, duplicate keys or unsupported nodes."""
    lines: dict[KeyPath, str] = {}
    try:
        loader, node = composed(text)
        data = _plain(loader, node, (), source, lines) if node is not None else {}
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(
            f"{source}:{line}: not valid YAML: character U+{ord(text[error.position]):04X} is not allowed; delete it"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{source}:{mark.line + 1}" if mark else source
        problem = getattr(error, "problem", None) or str(error).replace("\n", " ")
        remedy = "" if ";" in problem else "; mend the syntax near this line"
        raise ConfigError(f"{place}: not valid YAML: {problem}{remedy}") from error
    return Document(data, source, lines)


def _plain(
    loader: SafeConstructor, node: yaml.Node, path: KeyPath, source: str, lines: dict[KeyPath, str]
) -> Any:
    lines.setdefault(path, f"{source}:{node.start_mark.line + 1}")
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = f"{source}:{key_node.start_mark.line + 1}"
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(
                    f"{place}: {key_text(path)}: a key is a list or a mapping; write a plain name"
                )
            key = str(key_node.value)
            if key in result:
                raise ConfigError(
                    f"{place}: {key_text((*path, key))}: key '{key}' appears twice (first at"
                    f" {lines[(*path, key)].rpartition(':')[2]}); keep one of the two lines"
                )
            lines[(*path, key)] = place
            result[key] = _plain(loader, value_node, (*path, key), source, lines)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*path, index), source, lines) for index, item in enumerate(node.value)]
    return _scalar(loader, node, path)


def _scalar(loader: SafeConstructor, node: yaml.Node, path: KeyPath) -> Any:
    if node.tag == "tag:yaml.org,2002:int" and len(node.value) > MAX_DIGITS:
        problem = (
            f"{key_text(path)} has a number of {len(node.value):,} digits; write one of at most {MAX_DIGITS}"
        )
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    try:
        return loader.construct_object(node)
    except (ValueError, OverflowError) as error:
        problem = f"{key_text(path)} looks like a number but is none; write a plain number, or quote a text"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error


class _Dumper(yaml.SafeDumper):
    """SafeDumper that writes repeated values out, since aliases are refused on reading."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature of yaml
        return True


def to_yaml(data: Any, *, width: int = 80) -> str:
    """Plain data as YAML text that `parse_text` reads back."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)


def load(path: Path | str) -> Document:
    """Read a YAML file whose top level is a mapping; `ConfigError` if it is missing or is not that."""
    return parse_file(read_text(path), str(path))


def parse_file(text: str, source: str) -> Document:
    """The text of a whole file to a document; `ConfigError` unless its top level is a mapping with keys."""
    document = parse_text(text, source)
    if not isinstance(document.data, dict) or not document.data:
        raise ConfigError(
            f"{source}:1: the top level must be a mapping of keys to values; see the shipped files"
        )
    return document


def read_text(path: Path | str) -> str:
    """The text of a YAML file; `ConfigError` if it is missing, too large or no text."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError(
                f"{path}: more than {MAX_BYTES:,} bytes, which no configuration needs; give a YAML file"
            )
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: no such file; check the path, or see `nmsim list` for the shipped ones"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: byte {error.start}: this is no UTF-8 text; give a YAML file, saved as UTF-8"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{path}: cannot be read ({reason}); give a YAML file") from error


def _with(data: dict[str, Any], keys: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy of nested mappings with another value in one place."""
    below = value if len(keys) == 1 else _with(data[keys[0]], keys[1:], value)
    return {**data, keys[0]: below}
