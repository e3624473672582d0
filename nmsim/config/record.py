"""The base of every configured noun."""

import hashlib
import json
from collections.abc import Callable
from functools import cache, lru_cache
from inspect import get_annotations
from operator import itemgetter
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic._internal._docs_extraction import extract_docstrings_from_cls
from pydantic._internal._model_construction import (
    ModelMetaclass,  # what `type(BaseModel)` is, for type checkers
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from nmsim.caches import Itself
from nmsim.config.document import Document, key_text
from nmsim.config.physical import plain_number
from nmsim.config.sentences import LONGEST_ECHO, sentences
from nmsim.errors import RecordError

KEPT = 64
"""Hashes that are kept: a record never changes, and its hash is asked again and again."""


class _SaysItInOneSentence(ModelMetaclass):
    """A record built in Python is refused with the sentence that its YAML would get, as an error of nmsim."""

    def __call__(cls, *args: Any, **values: Any) -> Any:  # noqa: N805 - a metaclass
        try:
            return super().__call__(*args, **values)
        except ValidationError as error:
            said = sentences(cast("type[BaseModel]", cls), Document(values, cls.__name__), error)
            raise RecordError(said.replace(f"{key_text(())}: ", "")) from error


class Record(BaseModel, metaclass=_SaysItInOneSentence):
    """Base of every configured noun: frozen, strict, no unknown keys, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)
    __slots__ = ("_kept_hash",)

    def __hash__(self) -> int:
        """Of its fields, kept: records are keys of caches, and a chip has some fifty records in it."""
        try:
            return cast("int", object.__getattribute__(self, "_kept_hash"))
        except AttributeError:
            found = hash((type(self), _values_of(type(self))(self.__dict__)))
            object.__setattr__(self, "_kept_hash", found)
            return found

    def __eq__(self, other: object) -> bool:
        """By content; at once where it is the same object."""
        if self is other or type(self) is not type(other):
            return self is other
        # what was found about a record and kept in it may stand beside its fields: then pydantic tells them apart
        return self.__dict__ == other.__dict__ or super().__eq__(other)

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_numbers(cls, data: Any) -> Any:
        """Text and booleans are not converted to numbers, which would hide a mistake in a file."""
        for name, whole, elements in _number_fields(cls) if isinstance(data, dict) else ():
            value, parts = data.get(name), whole
            if isinstance(value, list):
                parts = elements
                value = next((item for item in value if isinstance(item, str | bool)), None)
            if isinstance(value, str | bool) and _of_numbers(parts):
                kind = "a number" if float in parts else "a whole number"
                plain = plain_number(name, value) if isinstance(value, str) else None
                remedy = f"write {plain}" if plain else "write it as a plain number"
                raise PydanticCustomError(
                    "number",
                    "must be {kind}; {remedy}",
                    {"kind": kind, "key": name, "value": repr(value)[:LONGEST_ECHO], "remedy": remedy},
                )
        return data

    def content_hash(self) -> str:
        """First 16 hex digits of the SHA-256 of the canonical JSON of this record, or of its `identity`."""
        return _content_hash(Itself(self))

    def identity(self) -> "Record":
        """The record whose content is the identity of this one: without what differs from folder to folder."""
        return self


@cache
def _values_of(record: type[Record]) -> Callable[[dict[str, Any]], object]:
    """What takes the values of the fields of a record, in their order."""
    names = tuple(record.model_fields)
    return itemgetter(*names) if names else tuple


@lru_cache(maxsize=KEPT)
def _content_hash(given: Itself[Record]) -> str:
    text = json.dumps(given.it.identity().model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _number_fields(record: type[Record]) -> tuple[tuple[str, set[Any], set[Any]], ...]:
    """Fields of a record that are numbers, or tuples of numbers: name, types of a value, types of an element."""
    fields = ((name, info.annotation) for name, info in record.model_fields.items())
    typed = ((name, _parts(annotation), _elements(annotation)) for name, annotation in fields)
    return tuple(field for field in typed if _of_numbers(field[1]) or _of_numbers(field[2]))


def _of_numbers(types: set[Any]) -> bool:
    """Whether nothing but numbers, or their absence, is allowed."""
    return types <= {int, float, NoneType} and bool(types - {NoneType})


def _parts(annotation: Any) -> set[Any]:
    """The members of `X | None`, or the annotation itself."""
    return set(get_args(annotation)) if isinstance(annotation, UnionType) else {annotation}


def _elements(annotation: Any) -> set[Any]:
    """The types of a tuple's elements; none if it is no tuple of plain types."""
    parts = [part for part in _parts(annotation) if get_origin(part) is tuple]
    return set(get_args(parts[0])) - {Ellipsis} if parts else {object}


@cache
def described(record: type[BaseModel]) -> dict[str, str]:
    """What is said of the fields of a record: by the strings under them in its source.

    Read when a schema or a template asks, which a run does not: that takes a sixth of all imports.
    """
    found: dict[str, str] = {}
    for kind in reversed(record.__mro__):
        if issubclass(kind, BaseModel):
            known = {name: text for name, text in found.items() if name not in get_annotations(kind)}
            found = known | extract_docstrings_from_cls(kind, use_inspect=True)
    return found


class DescribedSchema(GenerateJsonSchema):
    """A JSON Schema whose properties are described as in `described`."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """The schema of one record."""
        found = super().model_schema(schema)
        for name, text in described(cast("type[BaseModel]", schema["cls"])).items():
            if name in found.get("properties", {}):
                found["properties"][name].setdefault("description", text)
        return found


def json_schema(record: type[Record]) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a record, for editors."""
    found = record.model_json_schema(schema_generator=DescribedSchema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
