"""Result records to one file and back: trees of frozen dataclasses with NumPy arrays, no code executed on reading."""

import dataclasses
import enum
import hashlib
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nmsim.config import Record
from nmsim.errors import RunError
from nmsim.storage import DAMAGED, read_arrays, write_arrays

T = TypeVar("T")
SEAL = "sha256"


def save(path: Path, value: Any, schema: str) -> None:
    """Write a dataclass of nmsim (nested, with arrays, mappings and tuples) as one `.npz`, atomically."""
    arrays: dict[str, NDArray[Any]] = {}
    content = _encode(value, arrays)
    write_arrays(path, schema, {"value": content, SEAL: _seal(content, arrays)}, arrays)


def load(path: Path, kind: type[T], schema: str, remedy: str) -> T:
    """Read what `save` wrote; `RunError` if the file is missing, unreadable, or holds something else."""
    header, arrays = read_arrays(path, schema, remedy)
    if header.get(SEAL) != _seal(header.get("value"), arrays):
        raise RunError(f"{path}: is not as nmsim wrote it, damaged or edited; {remedy}")
    try:
        value = _decode(header["value"], arrays)
    except (*DAMAGED, ImportError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise RunError(f"{path}: not a record of nmsim ({reason}); {remedy}") from error
    if not isinstance(value, kind):
        raise RunError(f"{path}: holds a {type(value).__name__}, not a {kind.__name__}; {remedy}")
    return value


def _seal(content: Any, arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of a record as it is written: parts that do not belong together would be figures that nobody computed."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _encode(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:  # noqa: PLR0911 - one branch per kind of value
    if isinstance(value, enum.Enum):
        return {"enum": _name(type(value)), "value": value.value}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return _encode(value.item(), arrays)
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        arrays[name] = value.astype(str) if value.dtype == object else value
        return {"array": name}
    if isinstance(value, Record):
        return {"record": _name(type(value)), "value": value.model_dump(mode="json")}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            f.name: _encode(getattr(value, f.name), arrays) for f in dataclasses.fields(value) if f.init
        }
        return {"dataclass": _name(type(value)), "fields": fields}
    if isinstance(value, tuple | list):
        return {"sequence": type(value).__name__, "items": [_encode(item, arrays) for item in value]}
    if hasattr(value, "items"):
        return {"mapping": [[_encode(k, arrays), _encode(v, arrays)] for k, v in value.items()]}
    raise TypeError(f"cannot store a {type(value).__name__}")


def _decode(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:  # noqa: PLR0911 - one branch per kind of value
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "enum" in value:
        return _type(value["enum"])(value["value"])
    if "record" in value:
        return _type(value["record"]).model_validate(value["value"])
    if "dataclass" in value:
        return _dataclass(value["dataclass"])(
            **{name: _decode(item, arrays) for name, item in value["fields"].items()}
        )
    if "sequence" in value:
        items = [_decode(item, arrays) for item in value["items"]]
        return tuple(items) if value["sequence"] == "tuple" else items
    return {_decode(k, arrays): _decode(v, arrays) for k, v in value["mapping"]}


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _dataclass(name: str) -> Any:
    kind = _type(name)
    if not dataclasses.is_dataclass(kind):
        raise TypeError(f"{name} is not a dataclass")
    return kind


def _type(name: str) -> Any:
    module, _, attribute = name.partition(":")
    if not module.startswith("nmsim.") or not attribute.isidentifier():
        raise TypeError(f"{name} is not a type of nmsim")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, type) or not (
        dataclasses.is_dataclass(found) or issubclass(found, Record | enum.Enum)
    ):
        raise TypeError(f"{name} is not a record")
    return found
