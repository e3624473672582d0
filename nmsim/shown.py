"""Shown: what a value does in a terminal and in a notebook; how it looks is the report's business."""

from importlib import import_module
from pathlib import Path
from typing import Any


def _looks() -> Any:
    """The report's module of looks, imported when something is shown: the records know nothing of tables and pictures."""
    return import_module("nmsim.report.looks")


class Shown:
    """Base of the values that `print` in a screenful, are tables in a notebook, and become data frames and pictures."""

    def __str__(self) -> str:
        """Its main figures in a screenful of text."""
        return str(_looks().text(self))

    def __repr__(self) -> str:
        """The same text, so that the last line of a cell or a prompt reads well."""
        return str(self)

    def _repr_html_(self) -> str:
        return str(_looks().html(self))

    def to_frame(self) -> Any:
        """Its main table as a `pandas.DataFrame`, columns with their units in their names.

        Raises:
            ConfigError: pandas is not installed.
        """
        return _looks().frame(self)

    def plot(self, path: Path | str | None = None) -> Any:
        """Its main picture: shown by a notebook, written as SVG if a path is given."""
        return _looks().picture(self, path)
