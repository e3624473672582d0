"""Mistakes in a configuration as sentences: place, value, rule, remedy, nearest valid choice."""

import difflib
import re
from itertools import product
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nmsim.config.document import Document, KeyPath, key_text

LONGEST_ECHO = 80


def sentences(record: type[BaseModel], document: Document, error: ValidationError, at: KeyPath = ()) -> str:
    """One line per mistake that pydantic found in the part `at` of a document."""
    details = [detail for detail in error.errors() if not _is_echo(detail)]
    return "\n".join(dict.fromkeys(sentence(record, document, detail, at) for detail in details))


def _is_echo(detail: ErrorDetails) -> bool:
    """Whether a list is called too short only because pydantic left its invalid items out."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def sentence(  # noqa: PLR0911 - one return per kind of mistake
    record: type[BaseModel], document: Document, detail: ErrorDetails, at: KeyPath = ()
) -> str:
    """One sentence about one mistake that pydantic found in the part `at` of a document."""
    path, fields = _yaml_path(document, at, detail["loc"], record)
    value, context, kind = detail["input"], detail.get("ctx", {}), detail["type"]
    if kind == "number":
        path, value = (*path, context["key"]), context["value"]
        return f"{_at(document, path)}: value {value}: {detail['msg']}"
    if kind == "union_tag_invalid":
        path = (*path, "kind")
        remedy = _remedy(context["tag"], _choices(context["expected_tags"]), "known kinds are {}")
        return f"{_at(document, path)}: unknown kind '{context['tag']}'; {remedy}"
    place = _at(document, path)
    if kind == "extra_forbidden":
        return f"{place}: unknown key '{path[-1]}'; {_remedy(path[-1], sorted(fields), 'known keys are {}')}"
    if kind == "missing":
        return f"{place}: required key '{path[-1]}' is missing; add it"
    if kind in {"literal_error", "enum"}:
        choices = _choices(str(context["expected"]).replace(" or ", ", "))
        rule = f"must be one of {', '.join(choices)}"
        return f"{place}: value {_shown(value)}: {rule}; {_remedy(value, choices, 'use one of them')}"
    rule = _rule(detail["msg"])
    if ";" in rule:
        return f"{place}: {rule}"
    return f"{place}: value {_shown(value)}: {rule[0].lower()}{rule[1:]}; change the value"


def _shown(value: Any) -> str:
    """A value as a message shows it: short, whatever the file holds."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}... ({len(text):,} characters)"


def _at(document: Document, path: KeyPath) -> str:
    return f"{document.place(path)}: {key_text(path)}"


def _choices(text: str) -> list[str]:
    return [name.strip(" '") for name in text.split(",")]


def _remedy(given: Any, choices: list[str], otherwise: str) -> str:
    """The nearest valid choice, or all of them."""
    near = difflib.get_close_matches(str(given), choices, n=1, cutoff=0.4)
    return f"did you mean '{near[0]}'?" if near else otherwise.format(", ".join(choices))


def _rule(message: str) -> str:
    """Pydantic's message in the words of this project."""
    rule = message.removeprefix("Value error, ").replace("Input should be", "must be")
    rule = re.sub(r"a valid dictionary or instance of (\w+)", r"a mapping of keys (\1)", rule)
    return re.sub(
        r"[Tt]uple should have at least (\d+) items? after validation, not \d+",
        r"must list at least \1",
        rule,
    )


def _yaml_path(
    document: Document, at: KeyPath, location: tuple[str | int, ...], record: type[BaseModel]
) -> tuple[KeyPath, list[str]]:
    """Drop from pydantic's location the parts that are union tags, and name the keys known there."""
    path = at
    here: Any = document.data
    for key in at:
        here = here[key]
    model: Any = record
    for index, key in enumerate(location):
        known = (isinstance(here, dict) and key in here) or (
            isinstance(here, list) and isinstance(key, int) and key < len(here)
        )
        is_last = index == len(location) - 1
        if known:
            path, here = (*path, key), here[key]
            model = field_model(model, key, here) if not is_last else model
        elif is_last and isinstance(key, str) and key in _fields(model):
            path = (*path, key)
    return path, _fields(model)


def _fields(model: Any) -> list[str]:
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def field_model(model: Any, key: str | int, value: Any) -> Any:
    """The record type that validates `value` under `key`, looking through unions, lists and mappings."""
    if isinstance(key, str) and _fields(model) and key in model.model_fields:
        candidates = _models(model.model_fields[key].annotation)
    else:
        candidates = _models(model)
    if isinstance(value, dict):
        for candidate, tag in product(candidates, ("kind", "name")):
            field = candidate.model_fields.get(tag)
            if field is not None and value.get(tag) in get_args(field.annotation):
                return candidate
    return candidates[0] if len(candidates) == 1 else tuple(candidates)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, tuple):
        return list(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    value = getattr(annotation, "__value__", annotation)
    for part in get_args(value):
        found += [model for model in _models(part) if model not in found]
    return found
