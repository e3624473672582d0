"""Documents to records."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from nmsim.config.document import Document, KeyPath, load
from nmsim.config.record import Record
from nmsim.config.sentences import sentences
from nmsim.errors import ConfigError

R = TypeVar("R", bound=Record)


def build(record: type[R], document: Document, at: KeyPath = ()) -> R:
    """Validate a document (or its part `at`) as a record; `ConfigError` with one sentence per mistake."""
    data: Any = document.data
    for key in at:
        data = data[key]
    try:
        return record.model_validate(data)
    except ValidationError as error:
        raise ConfigError(sentences(record, document, error, at)) from error


def read(record: type[R], path: Path | str, assignments: tuple[str, ...] = ()) -> R:
    """Load, override and validate in one call."""
    document = load(path)
    for assignment in assignments:
        document = document.with_value(assignment)
    return build(record, document)
