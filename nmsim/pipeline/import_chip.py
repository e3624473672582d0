"""A chip that another tool describes, as a chip file and a price table of nmsim."""

from dataclasses import dataclass
from pathlib import Path

from nmsim import config
from nmsim.cost.table import build_table
from nmsim.errors import ConfigError
from nmsim.exchange.sanafe_chip import Choice, translated
from nmsim.exchange.sanafe_file import read_architecture
from nmsim.hardware.chip import ChipConfig
from nmsim.storage import file_name, write_text

HEAD = "# Made by `nmsim import-chip` from {source}.\n"


@dataclass(frozen=True)
class ImportedChip:
    """A chip that was written, its files, and a sentence for everything that could not be carried over."""

    chip: ChipConfig
    chip_file: Path
    prices_file: Path
    notes: tuple[str, ...]


def import_chip(
    file: Path, out: Path | None = None, choice: Choice | None = None, *, overwrite: bool = False
) -> ImportedChip:
    """Translate an architecture file of SANA-FE; `out` is the chip file, by default the architecture's name, here.

    The price table lies next to it, `<name>-prices.yaml`. `choice` says which unit serves where a core has several.

    Raises:
        ConfigError: the file is no YAML, a key of it is missing or wrong, or there is a file in the place of the result.
        DataError: it describes what one chip of nmsim cannot be; the sentence says what.
    """
    found = read_architecture(file)
    out = Path(f"{file_name(found.name)}.yaml") if out is None else out
    if out.suffix not in {".yaml", ".yml"}:
        raise ConfigError(f"--out {out}: a chip is a YAML file; let the name end in .yaml")
    prices_file = out.with_name(f"{out.stem}-prices.yaml")
    for place in (out, prices_file):
        if place.exists() and not overwrite:
            raise ConfigError(f"{place}: there is a file already; give another --out, or --overwrite")
    made = translated(found, out.stem, prices_file.name, choice or Choice())
    build_table(config.Document(made.prices, str(prices_file)))
    chip = config.build(ChipConfig, config.Document(made.chip, str(file)))
    head = HEAD.format(source=file.name)
    write_text(prices_file, head + config.to_yaml(made.prices, width=110))
    write_text(out, head + config.to_yaml(made.chip, width=110))
    return ImportedChip(chip, out, prices_file, made.notes)
