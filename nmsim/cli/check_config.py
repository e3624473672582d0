"""Verb `check-config`: is a configuration file valid, and what follows from it."""

from pathlib import Path
from typing import Annotated

import typer

from nmsim import config
from nmsim.cli.answers import Checked
from nmsim.cli.console import Screen, table
from nmsim.cli.output import show_json
from nmsim.config import Document, Record
from nmsim.config.foreign import by_bytes, by_keys
from nmsim.cost.area import area_of
from nmsim.cost.chip_file import CHIPS, TABLE_KEY, build_chip
from nmsim.cost.clocking import clocked, slowest_of
from nmsim.cost.table import FOLDER as TECHNOLOGY
from nmsim.cost.table import ComponentTable, CostTable, load_table
from nmsim.datasets.encoding import encoded_format
from nmsim.errors import ConfigError, TooFastError
from nmsim.explore.configure import Configurator
from nmsim.explore.space import SPACES, DesignSpace, with_base_beside
from nmsim.hardware.chip import ChipConfig
from nmsim.pipeline.reference_plan import PLANS, ReferencePlan
from nmsim.stop.fixed.exact import ExactSum, exact_sums
from nmsim.stop.fixed.layer_formats import layer_formats
from nmsim.units import BITS_PER_BYTE, BITS_PER_KIB, scaled
from nmsim.workload import WorkloadSpec

WORKLOADS = "workloads"
MANY_CORES = 10_000
"""Cores from which a chip is said to take long."""
SECONDS_PER_CORE = 1e-3
"""Processor time of a mapping search and an analytic evaluation of a small network, per core of the chip, measured at 16,384
cores on a processor of 2.5 GHz."""
KINDS: dict[str, type[Record]] = {
    "workload": WorkloadSpec,
    "chip": ChipConfig,
    "plan": ReferencePlan,
    "space": DesignSpace,
}


def register(app: typer.Typer) -> None:
    """Add the verb of this file."""
    app.command("check-config")(check_config)


def check_config(
    files: Annotated[list[str], typer.Argument(help="YAML files, or names of shipped workloads and chips.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Validate configuration files; every mistake is one sentence with file and line."""
    screen, failures, too_fast, valid = Screen(quiet=as_json), [], [], list[Checked]()
    for name in files:
        try:
            kind, record = _read_any(name)
            screen.say(f"{name}: a valid {kind}, hash {record.content_hash()}")
            valid.append(Checked(name=name, kind=kind, hash=record.content_hash()))
            if isinstance(record, WorkloadSpec) and record.training.arithmetic == "fixed":
                _show_sums(screen, record)
            if isinstance(record, ChipConfig):
                _show_chip(screen, record)
                _show_clock(screen, record)
        except ConfigError as error:
            failures.append(str(error))
        except TooFastError as error:
            too_fast.append(error)
    if failures:
        raise ConfigError("\n".join(failures))
    if too_fast:
        raise TooFastError("\n".join(map(str, too_fast)), too_fast[0].report)
    if as_json:
        show_json([item.model_dump() for item in valid])


def _read_any(name: str) -> tuple[str, Record]:
    shipped = {"workload": WORKLOADS, "chip": CHIPS, "plan": PLANS, "space": SPACES}
    kinds = (kind for kind, folder in shipped.items() if name in config.shipped(folder))
    given = name.endswith((".yaml", ".yml"))
    known = None if given else next(kinds, None)
    path = config.find(shipped[known], name) if known else Path(name)
    if foreign := by_bytes(path):
        raise ConfigError(f"{name}: this is {foreign.what}, not a configuration of nmsim; {foreign.remedy}")
    document = config.load(path).with_path_beside(TABLE_KEY)
    kind = known or _kind_of(document)
    document = with_base_beside(document) if kind == "space" else document
    record = build_chip(document) if kind == "chip" else config.build(KINDS[kind], document)
    if isinstance(record, DesignSpace):
        Configurator.of(record, document)
    return kind, record


def _kind_of(document: Document) -> str:
    """What a file describes, by its keys.

    Raises:
        ConfigError: it is a file of another tool.
    """
    foreign = by_keys(document.data)
    if foreign is not None and not {"dataset", "encoding"} & set(document.data):
        raise ConfigError(
            f"{document.source}:1: this is {foreign.what}, not a configuration of nmsim; {foreign.remedy}"
        )
    marks = {"chip": ("core_types", "tech_node_nm"), "plan": ("datasets",), "space": ("axes",)}
    found = (kind for kind, keys in marks.items() if any(key in document.data for key in keys))
    return next(found, "workload")


def _show_sums(screen: Screen, workload: WorkloadSpec) -> None:
    """Every accumulator: bits that its exact sum needs whatever the data, bits there, and whether order can matter."""
    if workload.recorded:
        return
    fmt, _ = encoded_format(workload.sample_encoding)
    formats = layer_formats(workload.network, workload.precision, fmt, 0)
    sums = [
        item for item in exact_sums(workload.network, formats, workload.training) if item.bits is not None
    ]
    rows = [[str(item.layer), item.name, f"{item.exact_bits}", f"{item.bits}", _order(item)] for item in sums]
    title = f"Sums of {workload.name} (batch of {workload.training.batch_size}, T = {workload.network.time_steps})"
    screen.show(
        table(title, ["layer", "sum", "needs bits", "has bits", "order cannot matter"], rows, numeric_from=9)
    )
    observed = sum(item.order_free is None for item in sums)
    if observed:
        screen.say(
            f"{observed} of {len(sums)} sums could clip in the middle: hardware has to add them in the defined order, or a"
            " run has to show that none overflows (its counters). Wider accumulators, wrap or saturate_end settle it."
        )


def _show_chip(screen: Screen, chip: ChipConfig) -> None:
    """What was understood of a chip: cores, memory, lanes, area, and what was left at its default."""
    cores = chip.cores()
    for kind in chip.core_types:
        count = sum(core.type.name == kind.name for core in cores)
        bits = sum(memory.capacity_bits for memory in kind.memories)
        lanes = f"{kind.accumulate_lanes} accumulate, {kind.mac_lanes} MAC, {kind.neuron_lanes} neuron,"
        screen.say(
            f"  {count:,} core{'s' * (count != 1)} '{kind.name}' of {bits / BITS_PER_KIB:,.1f} KB in {len(kind.memories)}"
            f" memories, for {kind.neuron_slots:,} neurons; lanes: {lanes} {kind.update_lanes} update"
        )
    total_bits = sum(memory.capacity_bits for core in cores for memory in core.type.memories)
    mesh = (
        f"{chip.columns} x {chip.rows} tiles of {chip.mesh.tile_width_mm:g} x {chip.mesh.tile_height_mm:g} mm"
    )
    screen.say(
        f"  {total_bits / BITS_PER_KIB:,.0f} KB on chip in all; {mesh}; {_off_chip(chip)}{_area_text(chip)}"
    )
    if len(cores) >= MANY_CORES:
        seconds = len(cores) * SECONDS_PER_CORE
        screen.say(
            f"  simulating {len(cores):,} cores, used or not, takes about {seconds:,.0f} s of processor time per rule"
        )
    screen.say(
        f"  left at their defaults: {', '.join(_defaults(chip)) or 'nothing'}; nmsim init chip explains each key"
    )


def _off_chip(chip: ChipConfig) -> str:
    if chip.dram is None:
        return "no DRAM"
    return f"{chip.dram.kind} at {scaled(chip.dram.bandwidth_bits_per_s / BITS_PER_BYTE, 'B/s')}"


def _area_text(chip: ChipConfig) -> str:
    table = _table_of(chip)
    if not isinstance(table, ComponentTable):
        return ""
    area = area_of(chip, table)
    return f"; area {area.total_mm2:.3g} mm2 ({area.low_mm2:.3g} to {area.high_mm2:.3g})"


def _defaults(chip: ChipConfig) -> list[str]:
    """Keys of the chip and of its first core type that the file leaves out."""
    found: list[str] = []
    for part, record in (("", chip), ("core_types.", chip.core_types[0]), ("noc.", chip.noc)):
        fields = type(record).model_fields
        found += [
            f"{part}{key}"
            for key in fields
            if key not in record.model_fields_set and not fields[key].exclude and key != "technology_hash"
        ]
    return found


def _table_of(chip: ChipConfig) -> CostTable | None:
    """The chip's price table; None if the file names one that is not there."""
    known = chip.technology in config.shipped(TECHNOLOGY) or Path(chip.technology).is_file()
    return load_table(chip.technology) if known else None


def _show_clock(screen: Screen, chip: ChipConfig) -> None:
    """What limits the clock at the chip's supply, if its prices say so; `TooFastError` if it is too fast."""
    table = _table_of(chip)
    if table is None:
        screen.say(
            f"  technology '{chip.technology}' is not a shipped price table and no file: it cannot be priced"
        )
        return
    clocked(chip, table)
    slowest = slowest_of(chip, table)
    if slowest is not None:
        possible = scaled(slowest.possible_hz, "Hz")
        screen.say(
            f"  {scaled(chip.clock_hz, 'Hz')} at {chip.voltage_v:g} V; {slowest.resource} could do {possible}"
        )


def _order(item: ExactSum) -> str:
    if item.order_free is None:
        return "only observed: saturates after every addition"
    return f"proved: {item.order_free}"
