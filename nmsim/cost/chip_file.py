"""Chip files: a chip together with the price table that it names, found and identified in any folder."""

from pathlib import Path

from nmsim import config
from nmsim.config import Document
from nmsim.cost.table import CostTable, load_table
from nmsim.hardware.chip import ChipConfig

CHIPS = "arch_configs/chips"
"""Folder of the shipped chips."""
TABLE_KEY = "technology"
"""Key of a chip file that names its price table: a shipped one, or a file, looked up beside the chip's own first."""


def load_chip(name: str) -> Document:
    """A chip's file, by shipped name or path; a price table beside it is found from any folder."""
    return config.load(config.find(CHIPS, name)).with_path_beside(TABLE_KEY)


def build_chip(document: Document) -> ChipConfig:
    """The chip of a document, identified with its prices; see `with_prices`.

    Raises:
        ConfigError: the chip, or a price table that is there, is wrong.
    """
    chip = config.build(ChipConfig, document)
    own = config.is_path(chip.technology) and Path(chip.technology).is_file()
    return with_prices(chip, load_table(chip.technology) if own else None)


def with_prices(chip: ChipConfig, costs: CostTable | None) -> ChipConfig:
    """The chip, its price table in its identity by what it holds if it is a file of the user's, not by where that is."""
    own = costs is not None and config.is_path(chip.technology)
    found = costs.content_hash() if costs is not None and own else ""
    return chip if found == chip.technology_hash else chip.model_copy(update={"technology_hash": found})
