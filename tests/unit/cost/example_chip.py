"""A small chip for the cost tests."""

from nmsim import config
from nmsim.contents import Content
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.sram import Sram

CHIP = """
name: tester
sources: [made up for tests]
tech_node_nm: 28
voltage_v: 0.9
clock_hz: 200e6
technology: cmos
mesh: {columns: 2, rows: 2, tile_width_mm: 0.5, tile_height_mm: 1.5}
dram: {kind: LPDDR4, bandwidth_bits_per_s: 1e10, latency_ns: 50}
power: {clock_power_w_per_hz: 0, control_overhead_factor: 1.6}
core_types:
  - neuron_slots: 256
    memories:
      - {name: weights, holds: [weight], words: 8192, word_bits: 64}
      - {name: states, holds: [membrane], words: 1024, word_bits: 32, banks: 4}
"""


def make_chip(*assignments: str) -> ChipConfig:
    """The test chip with some keys set, such as `voltage_v=0.8`."""
    document = config.parse_text(CHIP, "chip.yaml")
    for assignment in assignments:
        document = document.with_value(assignment)
    return config.build(ChipConfig, document)


def make_memory(kb: float, word_bits: int, banks: int = 1) -> Sram:
    """A memory of a size in units of 1024 bytes."""
    words = round(kb * 8192 / word_bits)
    return Sram(name="memory", holds=(Content.WEIGHT,), words=words, word_bits=word_bits, banks=banks)
