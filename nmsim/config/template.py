"""Templates: a configuration file with every key that there is, each explained by its own description."""

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from nmsim.config.record import described
from nmsim.config.sentences import field_model

WIDTH = 110
INDENT = "  "


def template(record: type[BaseModel], data: Mapping[str, Any], *, head: str) -> str:
    """YAML text of `data`, a valid `record`: descriptions above its keys, keys at their defaults as `#key: value`.

    The text reads back as `data`. `head` becomes the comment at the top of the file.

    >>> from nmsim.hardware.chip import Mesh
    >>> print(template(Mesh, {"columns": 2, "rows": 2}, head="A mesh."), end="")
    # A mesh.
    <BLANKLINE>
    # Tiles in a row.
    columns: 2
    # Rows of tiles.
    rows: 2
    # East-west pitch: length of a horizontal link.
    #tile_width_mm: 1.0
    # North-south pitch: length of a vertical link.
    #tile_height_mm: 1.0
    """
    lines = [*_comment(head, ""), "", *_section(record, data, "")]
    return "\n".join(lines) + "\n"


def _section(record: type[BaseModel], data: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, info in record.model_fields.items():
        if info.exclude:
            continue
        yield from _comment(described(record).get(key, info.description or "").split("\n\n")[0], indent)
        if key in data:
            yield from _given(record, key, data[key], indent)
        else:
            yield f"{indent}#{key}:{_default(record, key, info)}"


def _given(record: type[BaseModel], key: str, value: Any, indent: str) -> Iterator[str]:
    """A key with its value; a mapping of known keys is explained too, and so is the first of a list of mappings."""
    inside = field_model(record, key, value)
    if isinstance(value, dict) and _is_record(inside):
        yield f"{indent}{key}:"
        yield from _section(inside, value, indent + INDENT)
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        yield f"{indent}{key}:"
        for place, item in enumerate(value):
            kind = field_model(record, key, item)
            yield from _item(kind, item, indent + INDENT, explained=place == 0 and _is_record(kind))
    elif isinstance(value, list) and len(_flow(value)) > WIDTH:
        yield f"{indent}{key}:"
        yield from (f"{indent}{INDENT}- {_flow(item)}" for item in value)
    else:
        yield f"{indent}{key}: {_flow(value)}"


def _item(kind: Any, item: dict[str, Any], indent: str, *, explained: bool) -> Iterator[str]:
    if not explained:
        yield f"{indent}- {_flow(item)}"
        return
    yield f"{indent}-"
    yield from _section(kind, item, indent + INDENT)


def _default(record: type[BaseModel], key: str, info: FieldInfo) -> str:
    """What stands behind a key that is left out: its default, or the keys that it would hold."""
    inside = field_model(record, key, {})
    default = info.get_default(call_default_factory=True, validated_data={})
    if default is None and _is_record(inside):
        return f"   # a mapping of {', '.join(inside.model_fields)}"
    return f" {_flow(to_jsonable_python(default))}"


def _flow(value: Any) -> str:
    """A value on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _comment(text: str, indent: str) -> Iterator[str]:
    for line in wrap(" ".join(text.split()), WIDTH - len(indent)):
        yield f"{indent}# {line}"


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
