"""Variant: in what a chip differs from the one whose name it bears, in a few words for labels."""

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from nmsim.config import Record
from nmsim.units import scaled

UNSAID = frozenset({"name", "description", "sources", "notes", "technology_hash"})
"""Keys that say nothing of what the machine does, or that another key says for people."""
SHOWN = 4
"""Differences in a label; how many more there are is said."""
UNITS = {"hz": "Hz", "v": "V", "w": "W", "s": "s"}
"""Last word of a key, and its unit, which takes a prefix."""
LENGTHS = frozenset({"nm", "mm"})
"""Last words of keys that are units with a prefix already."""
Path = tuple[str, ...]


def variant_of(chip: Record, base: Record) -> str:
    """`mac_lanes = 1, clock 100 MHz`: what is set otherwise than in `base`; empty where nothing is.

    A key is named by its last part, behind the name of its record where that is one of several (`neurons.words = 9`), and
    by its whole path where two differ in keys of one name.
    """
    found = list(_differences(chip.model_dump(mode="json"), base.model_dump(mode="json"), (), ""))
    ends = Counter(path[-1] for path, _, _ in found)
    texts = [
        _text(f"{record}{path[-1]}" if ends[path[-1]] == 1 else ".".join(path), value)
        for path, record, value in found
    ]
    more = len(texts) - SHOWN
    return ", ".join(texts[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _differences(own: Any, base: Any, path: Path, record: str) -> Iterator[tuple[Path, str, Any]]:
    """Path and value of what differs; `record` is the name of the record of a list that it is in, dot included."""
    if own == base or (path and path[-1] in UNSAID):
        return
    if isinstance(own, dict) and isinstance(base, dict) and own:
        for key in own:
            yield from _differences(own[key], base.get(key), (*path, key), record)
    elif isinstance(own, list) and isinstance(base, list) and _records(own) and len(own) == len(base):
        for index, (item, other) in enumerate(zip(own, base, strict=True)):
            name = str(item.get("name", index))
            yield from _differences(item, other, (*path, name), f"{name}." if len(own) > 1 else record)
    else:
        yield path, record, own


def _records(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, dict) for value in values)


def _text(key: str, value: Any) -> str:
    words, _, last = key.rpartition("_")
    if words and isinstance(value, int | float) and not isinstance(value, bool):
        if last in UNITS:
            return f"{words.replace('_', ' ')} {scaled(float(value), UNITS[last])}"
        if last in LENGTHS:
            return f"{words.replace('_', ' ')} {value:g} {last}"
    if isinstance(value, dict | list):
        return f"{key} otherwise"
    if key == "technology":
        value = PurePath(value).name
    return f"{key} = {'none' if value is None else value}"
