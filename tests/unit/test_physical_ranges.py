"""A slip of units or of a digit is refused where it is written, with the range and how to write what was meant."""

import pytest

from nmsim import config
from nmsim.config.physical import plain_number
from nmsim.cost.constant import Constant, Kind
from nmsim.cost.scaling import NodeConstant
from nmsim.errors import NmsimError
from nmsim.explore.axis import Integer
from nmsim.hardware.chip import ChipConfig
from nmsim.workload import WorkloadSpec


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("clock_hz=1e30", "clock_hz: value 1e+30 is outside 1000 to 2e+10; it is in hertz: for 200 MHz write 200e6"),
        ("clock_hz=200", "clock_hz: value 200 is outside 1000 to 2e+10; it is in hertz: for 200 MHz write 200e6"),
        ("clock_hz=200 MHz", "clock_hz: value '200 MHz': must be a number; write 200000000"),
        ("mesh.tile_width_mm=900", "mesh.tile_width_mm: value 900 is outside 0.001 to 33; it is in millimetres"),
        ("mesh.columns=100000", "mesh.columns: value 100000: must be less than or equal to 65536"),
        ("mesh.columns=60000", "mesh, chips and per_tile ask for up to 120,000 cores, and 65,536 are possible"),
        ("power.static_power_w=5000", "power.static_power_w: value 5000 is outside 0 to 1000; it is in watts"),
        ("dram={kind: LPDDR4, latency_ns: 60, bandwidth_bits_per_s: 25.6}", "for 25.6 GB/s write 2.048e11"),
        ("core_types.0.memories.0.banks=1000000000", "must be less than or equal to 65536"),
    ],
)  # fmt: skip
def test_chip(assignment: str, words: str) -> None:
    path = config.find("arch_configs/chips", "edge-28nm")
    with pytest.raises(NmsimError) as refused:
        config.read(ChipConfig, path, ("mesh.rows=2", assignment))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("training.theta_min=5", "training.theta_min 5 is above the initial threshold 1, which it bounds from below"),
        ("training.alpha_max=0.1", "training.alpha_max 0.1 is below the initial leak factor 0.5"),
        ("network.time_steps=1000000000000", "must be less than or equal to 1000000"),
        ("precision.weight=s16.-2000", "fraction bits are outside -128..128"),
        ("augmentation={shift_pixels: 1000000000000}", "must be less than or equal to 4096"),
    ],
)  # fmt: skip
def test_workload(assignment: str, words: str) -> None:
    with pytest.raises(NmsimError) as refused:
        config.read(WorkloadSpec, config.find("workloads", "mnist-dense"), (assignment,))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("key", "text", "number"),
    [
        ("clock_hz", "200 MHz", "200000000"),
        ("bandwidth_bits_per_s", "25.6 GB/s", "2.048e+11"),
        ("capacity_bits", "64 KB", "524288"),
        ("latency_ns", "60 ns", "60"),
        ("tile_width_mm", "900 um", "0.9"),
        ("power_w", "50mW", "0.05"),
        ("clock_hz", "3 V", None),
        ("words", "64 KB", None),
    ],
)
def test_the_number_to_write_for_a_text_with_a_unit(key: str, text: str, number: str | None) -> None:
    assert plain_number(key, text) == number


def test_prices_are_read_in_known_units_and_physical_sizes() -> None:
    with pytest.raises(NmsimError, match="unit 'nJ' is not read here; convert the value to one of pJ"):
        Constant(value=1, unit="nJ", kind=Kind.ASSUMED)
    with pytest.raises(NmsimError, match="which nothing reaches"):
        Constant(value=1e12, unit="pJ/bit", kind=Kind.ASSUMED)
    with pytest.raises(NmsimError):
        NodeConstant(unit="pJ", kind=Kind.ASSUMED, at={-7: 1.0})  # type: ignore[dict-item]
    with pytest.raises(NmsimError):
        Constant(value=1, unit="pJ", kind=Kind.ASSUMED, band=[True, True])  # type: ignore[arg-type]


def test_an_axis_of_too_many_levels_is_refused_before_they_are_listed() -> None:
    with pytest.raises(NmsimError, match=r"make 1,000,000,000,001 levels, and 1,000,000 are possible"):
        Integer(kind="integer", key="chip.clock_hz", low=0, high=10**12)
