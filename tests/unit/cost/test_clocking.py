"""Clock against supply: the law by hand, chips it was not fitted on, refusals and their remedies."""

import pytest
from example_chip import make_chip, make_memory

from nmsim.cost.clocking import ClockReport, clock_notes, clocked, limits, slowest_of
from nmsim.cost.speed import Speed
from nmsim.cost.table import ComponentTable, EventTable
from nmsim.cost.technology import technology_at
from nmsim.errors import TooFastError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.remedy import changed


def speed(table: ComponentTable, node_nm: float, voltage_v: float) -> Speed:
    return Speed(technology_at(table, node_nm, voltage_v), voltage_v)


def refused(chip: ChipConfig, table: ComponentTable) -> ClockReport:
    with pytest.raises(TooFastError) as error:
        clocked(chip, table)
    assert isinstance(error.value.report, ClockReport)
    assert str(error.value) == error.value.report.text()
    assert error.value.exit_code == 1
    return error.value.report


def test_logic_follows_the_alpha_power_law(cmos: ComponentTable) -> None:
    # 28 nm: 1 / (30 x 20.83 ps) at 0.9 V; shape (V - 0.42)^1.4 / V
    assert speed(cmos, 28, 0.9).logic_hz == pytest.approx(1.600e9, rel=1e-3)
    shape = (0.18**1.4 / 0.6) / (0.48**1.4 / 0.9)
    assert speed(cmos, 28, 0.6).logic_hz == pytest.approx(1.600e9 * shape, rel=1e-3)
    assert shape == pytest.approx(0.38, abs=0.005)


def test_a_memory_slows_down_more_than_logic(cmos: ComponentTable) -> None:
    memory = make_memory(16, 64)
    nominal, low = speed(cmos, 28, 0.9), speed(cmos, 28, 0.6)
    assert nominal.access_ns(memory) == pytest.approx(0.2387 + 0.0997 * 4, rel=1e-6)
    # 45 % of it slows down as logic, 55 % by 4.15 times as much
    factor = low.slowdown * (0.45 + 0.55 * 4.15)
    assert low.access_ns(memory) == pytest.approx(nominal.access_ns(memory) * factor, rel=1e-6)
    assert low.cell_ns(memory) < low.access_ns(memory)


def test_registers_limit_no_clock_of_their_own(cmos: ComponentTable) -> None:
    assert speed(cmos, 28, 0.9).access_ns(make_memory(0.25, 32)) == 0


# clock of the chip over what the model allows; published clocks are lower bounds of what the silicon does
@pytest.mark.parametrize(
    ("node_nm", "voltage_v", "kb", "published_hz"),
    [
        (28, 0.5, 132, 13e6),  # ReckOn: weights in one memory
        (28, 0.55, 32, 75e6),  # ODIN: synapses
        (22, 0.8, 32, 333e6),  # Darwin3
        (16, 0.98, 4, 1.4e9),  # Celerity
        (65, 1.0, 32, 100e6),  # MorphBungee
        (65, 0.8, 32, 20e6),  # Park
    ],
)
def test_published_chips_can_run_at_their_clock(
    cmos: ComponentTable, node_nm: float, voltage_v: float, kb: float, published_hz: float
) -> None:
    found = speed(cmos, node_nm, voltage_v)
    period_ns = found.access_ns(make_memory(kb, 64)) + found.register_ns
    assert 1e9 / period_ns >= published_hz
    assert found.logic_hz >= published_hz


def test_a_clock_too_fast_is_refused_with_remedies_that_work(cmos: ComponentTable) -> None:
    chip = make_chip("voltage_v=0.6", "clock_hz=500e6")
    report = refused(chip, cmos)
    assert [limit.resource for limit in report.limits] == [
        "memory 'weights' of core type 'core'",
        "memory 'states' of core type 'core'",
    ]
    assert [text for text, _ in report.remedies] == [
        "a slower clock",
        "more volts",
        "pipelined memories and more volts",
    ]
    for _, assignments in report.remedies:
        assert clocked(changed(chip, assignments), cmos).core_types
    # a step of 10 mV less would not do
    ((volts,),) = [changes for text, changes in report.remedies if text == "more volts"]
    lower = f"voltage_v={float(volts.partition('=')[2]) - 0.01:.2f}"
    refused(changed(chip, (lower,)), cmos)


def test_the_slowest_memory_speaks_for_the_others(cmos: ComponentTable) -> None:
    logic, memory = refused(make_chip("voltage_v=0.6", "clock_hz=3e9"), cmos).reasons()
    assert logic == "logic: asks 3 GHz, can do 608 MHz (390 MHz to 920 MHz): 4.9 times too fast"
    assert memory.startswith(
        "memory 'weights' of core type 'core', 1 cycle an access: asks 3 GHz, can do 129 MHz ("
    )
    assert memory.endswith("; so is another memory")


def test_three_gigahertz_at_0_6_volts_are_refused(cmos: ComponentTable) -> None:
    report = refused(make_chip("voltage_v=0.6", "clock_hz=3e9"), cmos)
    assert report.limits[0].resource == "logic"
    assert report.limits[0].possible_hz == pytest.approx(608e6, rel=0.01)
    assert [text for text, _ in report.remedies] == ["a slower clock", "the most that this node does"]


def test_auto_takes_as_few_cycles_as_the_memory_needs(cmos: ComponentTable) -> None:
    auto = [f"core_types.0.memories.{index}.access_cycles=auto" for index in (0, 1)]

    def cycles(clock_hz: float, voltage_v: float) -> list[int | str]:
        chip = make_chip(*auto, f"clock_hz={clock_hz}", f"voltage_v={voltage_v}")
        return [memory.access_cycles for memory in clocked(chip, cmos).core_types[0].memories]

    assert cycles(200e6, 0.9) == [1, 1]
    assert cycles(1.35e9, 0.9) == [2, 1]
    assert cycles(450e6, 0.7) == [2, 1]
    # no stage can be shorter than the read of a cell: at 0.6 V, 64 KB, 6.2 ns
    report = refused(make_chip(*auto, "clock_hz=500e6", "voltage_v=0.6"), cmos)
    assert report.limits[0].possible_hz == pytest.approx(154e6, rel=0.01)
    assert (
        "'weights' of core type 'core', pipelined down to the read of a cell: asks 500 MHz" in report.text()
    )
    assert all("pipelined" not in text for text, _ in report.remedies)


def test_the_band_widens_towards_the_threshold(cmos: ComponentTable) -> None:
    wide, narrow = (limits(make_chip(), technology_at(cmos, 28, v), v)[0] for v in (0.5, 0.9))
    assert wide.high_hz / wide.low_hz > 3 * narrow.high_hz / narrow.low_hz
    # at the nominal supply only the gate delay's own band is left
    assert narrow.low_hz == pytest.approx(narrow.possible_hz / 1.4)


def test_a_clock_above_published_accelerators_is_noted(cmos: ComponentTable) -> None:
    (note,) = clock_notes(make_chip("clock_hz=1e9"), cmos)
    assert note == (
        "the clock of 1 GHz is above those of published accelerators at 28 nm and 0.9 V, at most about 900 MHz"
    )
    assert clock_notes(make_chip(), cmos) == ()


def test_what_limits_a_clock_is_named(cmos: ComponentTable, truenorth: EventTable) -> None:
    slowest = slowest_of(make_chip(), cmos)
    assert slowest is not None
    assert slowest.resource == "memory 'weights' of core type 'core'"
    assert slowest_of(make_chip(), truenorth) is None


def test_chips_priced_by_events_keep_their_clock(truenorth: EventTable) -> None:
    chip = make_chip("clock_hz=9e9")
    assert clocked(chip, truenorth) is chip
