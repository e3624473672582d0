"""Work is built on the outline of a chip: the same stages as on the chip itself, shared by all that have the outline."""

from collections.abc import Iterator

import numpy as np
import pytest

from nmsim import config
from nmsim.cost.pricing import PRICE_COLUMNS, PriceList
from nmsim.cost.table import load_table
from nmsim.counts import Phase
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import deploy_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense
from nmsim.network.spec import Conv, Dense, NetworkSpec
from nmsim.perf.analytic import AnalyticTimes, loads_of
from nmsim.perf.assembly import assemble
from nmsim.perf.census import ActivityCensus
from nmsim.perf.machine import Machine
from nmsim.perf.outline import outline, without_links
from nmsim.perf.stage import Stage, StageKind
from nmsim.perf.stage_load import StageLoad
from nmsim.perf.work import StepWork, build_work
from nmsim.validate.synthetic import synthetic_activity

DENSE = dense(40, 24, 10)
CONVOLUTION = NetworkSpec(
    input_shape=(2, 8, 8),
    layers=(Conv(kind="conv", channels=3, kernel=3, padding=1), Dense(kind="dense", units=5)),
)


def shipped(name: str, **changes: object) -> ChipConfig:
    document = config.load(config.find("arch_configs/chips", name))
    return config.build(
        ChipConfig, document.with_values({key.replace("__", "."): v for key, v in changes.items()}, "test")
    )


def job(chip: ChipConfig, network: NetworkSpec, rule: str) -> Deployment:
    return deploy_network(network, Precision(), TrainingNeeds.for_rule(rule), chip)


def same(one: Stage, other: Stage) -> bool:
    arrays = ("cores", "waits", "dram_bits")
    uses = ("number", "amount", "bursts")
    blocks = zip(one.blocks, other.blocks, strict=True)
    return (
        (one.name, one.cadence) == (other.name, other.cadence)
        and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
        and all(np.array_equal(getattr(one.uses, name), getattr(other.uses, name)) for name in uses)
        and all(
            a.key == b.key and np.array_equal(a.cores, b.cores) and np.array_equal(a.counts, b.counts)
            for a, b in blocks
        )
    )


@pytest.mark.parametrize("network", [DENSE, CONVOLUTION], ids=["dense", "convolution"])
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("edge-28nm", "stop-wtl"), ("edge-28nm", "stbp"), ("mesh-16nm", "stop-wtl"), ("single-core-dram-28nm", "stbp"),
        ("edge-28nm", "ann"), ("odin-like-28nm", "inference"), ("loihi-2018", "inference"), ("truenorth-28nm", "inference"),
    ],
)  # fmt: skip
def test_stages_on_the_outline_are_those_of_the_chip(network: NetworkSpec, name: str, rule: str) -> None:
    made = job(shipped(name), network, rule)
    census = ActivityCensus(network, synthetic_activity(network, 2))
    outlined = outline(made.chip)
    apart = without_links(outlined, filled_flits=made.needs.artificial)
    on_outline, on_chip = (
        assemble(network, Precision(), made.needs, chip, made.mapping, census) for chip in (apart, made.chip)
    )
    assert on_outline[0] == on_chip[0]
    for one, other in zip(on_outline[1], on_chip[1], strict=True):
        assert same(one.on(Machine.of(outlined)), other.on(Machine.of(made.chip)))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("edge-28nm", "stop-wtl"), ("mesh-16nm", "stop-wtl"), ("single-core-dram-28nm", "stbp"),
        ("odin-like-28nm", "inference"), ("loihi-2018", "inference"), ("truenorth-28nm", "inference"),
    ],
)  # fmt: skip
def test_cycles_and_prices_on_outlines_are_those_of_the_chip(name: str, rule: str) -> None:
    made = job(shipped(name), DENSE, rule)
    found = build_work(made, synthetic_activity(DENSE, 2))
    machine, table = Machine.of(made.chip), load_table(made.chip.technology)
    for stage in found.stages:
        one, other = StageLoad(found.machine, stage), StageLoad(machine, stage)
        assert np.array_equal(one.cycles, other.cycles)
        assert (one.most_taken, one.taken.sum()) == (other.most_taken, other.taken.sum())
    assert found.barrier_cycles == made.chip.barrier.cycles(found.tiles_used)
    columns = found.counts.columns
    shared, own = PriceList.of(made.chip, table), PriceList(made.chip, table)
    for row in range(len(found.counts)):
        key = tuple(columns[column][row].item() for column in PRICE_COLUMNS)
        core = int(columns["core"][row])
        assert shared.price(core, key) == own.price(core, key)


def two_works(network: NetworkSpec, name: str, key: str, *values: object) -> Iterator[StepWork]:
    """Works of one activity on chips that differ in one value."""
    census = ActivityCensus(network, synthetic_activity(network, 2))
    for value in values:
        yield build_work(job(shipped(name, **{key: value}), network, "stop-wtl"), census.activity, census)


def test_chips_that_differ_in_speed_share_their_stages() -> None:
    slow, fast = two_works(DENSE, "edge-28nm", "clock_hz", 1e8, 4e8)
    assert all(one is other for one, other in zip(slow.stages, fast.stages, strict=True))
    assert (slow.clock_hz, fast.clock_hz) == (1e8, 4e8)


def test_chips_that_differ_in_dram_share_their_loads() -> None:
    slow, fast = two_works(DENSE, "single-core-dram-28nm", "dram__bandwidth_bits_per_s", 1e9, 1e11)
    assert all(one is other for one, other in zip(loads_of(slow), loads_of(fast), strict=True))
    assert AnalyticTimes(slow).sample_cycles.sum() > AnalyticTimes(fast).sample_cycles.sum()


def test_chips_that_differ_in_dataflow_share_what_does_not_follow_it() -> None:
    flows = ("weight_stationary", "output_stationary")
    weights, outputs = two_works(CONVOLUTION, "edge-28nm", "options__dataflow__integrate", *flows)
    shared = {stage.phase for stage in weights.stages if stage in outputs.stages}
    own = {stage.part for stage in weights.stages if stage not in outputs.stages}
    assert {Phase.ERROR, Phase.GRADIENT, Phase.UPDATE} <= shared
    assert StageKind.INTEGRATE in own
    assert StageKind.GRADIENT not in own


@pytest.mark.parametrize(
    "changes",
    [{"noc__flit_bits": 64}, {"noc__casting": "unicast"}, {"options__trace_decay": "lazy"}, {"mesh__tile_width_mm": 2.0}],
    ids=str,
)  # fmt: skip
def test_chips_that_do_other_work_have_their_own_stages(changes: dict[str, object]) -> None:
    assert outline(shipped("edge-28nm")) != outline(shipped("edge-28nm", **changes))


def test_lanes_that_hold_sums_are_part_of_the_outline() -> None:
    with_near, without = shipped("edge-28nm"), shipped("mesh-16nm")
    for chip in (with_near, without):
        core = chip.core_types[0]
        wider = chip.model_copy(update={"core_types": (core.model_copy(update={"mac_lanes": 999}),)})
        near = any(memory.kind == "registers" for memory in core.memories)
        assert (outline(chip) == outline(wider)) is near
