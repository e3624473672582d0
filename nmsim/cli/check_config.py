"""Verb `check-config`: is a configuration file valid, and what follows from it."""

from pathlib import Path
from typing import Annotated

import typer

from nmsim import config
from nmsim.cli.console import Screen, table
from nmsim.config import Document, Record
from nmsim.cost.clocking import clocked, slowest_of
from nmsim.cost.table import FOLDER as TECHNOLOGY
from nmsim.cost.table import load_table
from nmsim.datasets.encoding import encoded_format
from nmsim.errors import ConfigError, TooFastError
from nmsim.explore.configure import Configurator
from nmsim.explore.space import SPACES, DesignSpace
from nmsim.hardware.chip import ChipConfig
from nmsim.pipeline.reference_plan import PLANS, ReferencePlan
from nmsim.pipeline.simulate import CHIPS
from nmsim.stop.fixed.exact import ExactSum, exact_sums
from nmsim.stop.fixed.formats import layer_formats
from nmsim.units import scaled
from nmsim.workload import WorkloadSpec

WORKLOADS = "workloads"
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
) -> None:
    """Validate configuration files; every mistake is one sentence with file and line."""
    screen, failures, too_fast = Screen(), [], []
    for name in files:
        try:
            kind, record = _read_any(name)
            screen.say(f"{name}: a valid {kind}, hash {record.content_hash()}")
            if isinstance(record, WorkloadSpec) and record.training.arithmetic == "fixed":
                _show_sums(screen, record)
            if isinstance(record, ChipConfig):
                _show_clock(screen, record)
        except ConfigError as error:
            failures.append(str(error))
        except TooFastError as error:
            too_fast.append(error)
    if failures:
        raise ConfigError("\n".join(failures))
    if too_fast:
        raise TooFastError("\n".join(map(str, too_fast)), too_fast[0].report)


def _read_any(name: str) -> tuple[str, Record]:
    shipped = {"workload": WORKLOADS, "chip": CHIPS, "plan": PLANS, "space": SPACES}
    kinds = (kind for kind, folder in shipped.items() if name in config.shipped(folder))
    given = name.endswith((".yaml", ".yml"))
    known = None if given else next(kinds, None)
    document = config.load(config.find(shipped[known], name) if known else Path(name))
    kind = known or _kind_of(document)
    record = config.build(KINDS[kind], document)
    if isinstance(record, DesignSpace):
        Configurator.of(record, document)
    return kind, record


def _kind_of(document: Document) -> str:
    """What a file describes, by its keys."""
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


def _show_clock(screen: Screen, chip: ChipConfig) -> None:
    """What limits the clock at the chip's supply, if its prices say so; `TooFastError` if it is too fast."""
    if chip.technology not in config.shipped(TECHNOLOGY) and not Path(chip.technology).is_file():
        return
    table = load_table(chip.technology)
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
