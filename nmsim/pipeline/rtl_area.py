"""Area of a synthesised core compared with the area model, block by block."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nmsim.cost.area import lane_units
from nmsim.cost.table import ComponentTable, load_table
from nmsim.cost.technology import technology_at
from nmsim.errors import CostError
from nmsim.hardware.chip import ChipConfig
from nmsim.rtl.built import built_chip
from nmsim.rtl.design import Design
from nmsim.rtl.synth import Synthesis, synthesize
from nmsim.storage import write_text

RECORD = "rtl-area.json"


@dataclass(frozen=True)
class AreaComparison:
    """Cells of the RTL, by block, and of the model's logic at the chip's node; no wires, no memories on either side.

    `modelled_um2`: adders, multipliers and registers of the lanes, before the density of placement. `gap` is the model's
    less the RTL's by the RTL's: it says something only where library and chip are of one node.
    """

    synthesis: Synthesis
    modelled_um2: dict[str, float]
    node_nm: int

    @property
    def gap(self) -> float:
        """The model against the RTL."""
        return sum(self.modelled_um2.values()) / self.synthesis.area_um2 - 1

    def record(self) -> dict[str, Any]:
        """For `rtl-area.json`."""
        blocks = [asdict(block) for block in self.synthesis.blocks]
        return {
            "blocks": blocks, "area_um2": self.synthesis.area_um2, "flip_flops": self.synthesis.flip_flops,
            "longest_path_ps": self.synthesis.longest_path_ps, "modelled_um2": self.modelled_um2, "node_nm": self.node_nm,
            "gap": self.gap,
        }  # fmt: skip


def compare_area(
    design: Design, chip: ChipConfig, liberty: Sequence[Path], out: Path, *, timed: bool = False
) -> AreaComparison:
    """Synthesise a written core and write its area and the model's into `rtl-area.json`.

    Raises:
        ConfigError: pyosys is not installed, or a library cannot be read.
        CheckFailedError: Yosys finds fault with the core.
    """
    found = AreaComparison(
        synthesize(out, liberty, timed=timed), modelled_logic_um2(design, chip), chip.tech_node_nm
    )
    write_text(out / RECORD, json.dumps(found.record(), indent=1) + "\n")
    return found


def modelled_logic_um2(design: Design, chip: ChipConfig) -> dict[str, float]:
    """The model's logic of the core as it is built, at the chip's node, by kind of unit, in cells.

    Raises:
        CostError: the chip's prices are of whole events.
    """
    table = load_table(chip.technology)
    if not isinstance(table, ComponentTable):
        raise CostError(
            f"{chip.name}: its price table '{chip.technology}' has no areas; use a chip with component prices"
        )
    technology = technology_at(table, chip.tech_node_nm, chip.voltage_v)
    units = lane_units(built_chip(design, chip).core_types[0])
    return {
        "adders": units.adder_bits * technology.constant("area.adder_um2_per_bit").value,
        "multipliers": units.multiplier_bits2 * technology.constant("area.multiplier_um2_per_bit2").value,
        "registers": units.register_bits * technology.constant("area.register_um2_per_bit").value,
    }
