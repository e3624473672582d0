"""Changes of a chip that make a network fit, each tried by cutting and filling again."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Any

from nmsim.config import Document, build
from nmsim.errors import ConfigError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.fit import ON_CHIP, FitReport, Remedy, Shortfall, shortfalls
from nmsim.mapping.partition import Spread
from nmsim.mapping.task import Task

Assignments = tuple[str, ...]
Fits = Callable[[Assignments], bool]
MAX_CORES = 65536
MAX_GROWTH = 2**20
BISECTIONS = 4
DRAM = "dram={kind: LPDDR4, bandwidth_bits_per_s: 1.024e11, latency_ns: 60}"
"""A DRAM to try: LPDDR4-3200 x32 has 12.8 GB/s peak (rate x width); its latency is assumed."""


def changed(chip: ChipConfig, assignments: Assignments) -> ChipConfig:
    """The chip after assignments such as `mesh.rows=8`; `ConfigError` if that is no chip."""
    document = Document(chip.model_dump(mode="json"), chip.name)
    for assignment in assignments:
        document = document.with_value(assignment)
    return build(ChipConfig, document)


def fit_report(task: Task, spread: Spread, *, search: bool = True) -> FitReport:
    """Explain a task that has no partition, and, if asked to `search`, find changes that give it one."""
    cores = len(task.chip.cores())
    short = shortfalls(task, spread)
    remedies = tuple(_remedies(task, short)) if search else ()
    if not short:
        needed = next((remedy.cores for remedy in remedies if remedy.cores > cores), cores + 1)
        short = (Shortfall("cores", "at least, for whole pieces", needed, cores, "cores", "mesh.rows"),)
    return FitReport(task.network.name, task.needs.rule, task.chip.name, cores, short, remedies, search)


def _remedies(task: Task, short: Sequence[Shortfall]) -> Iterator[Remedy]:
    """More cores, larger memories, other places for the data."""

    def fits(assignments: Assignments) -> bool:  # every spread falls back on compact filling
        try:
            return task.on(changed(task.chip, assignments)).solve("compact") is not None
        except ConfigError:
            return False

    homeless = [shortfall.resource.split("'")[1] for shortfall in short if not shortfall.key]
    if homeless:
        yield from _adopted(task.chip, homeless, fits)
    else:
        if all(shortfall.scope == ON_CHIP for shortfall in short):
            yield from _more_cores(task, short, fits)
        yield from _larger(task.chip, short, fits)
    yield from _other_places(task, fits)


def _more_cores(task: Task, short: Sequence[Shortfall], fits: Fits) -> Iterator[Remedy]:
    """The fewest rows of tiles with which it fits."""
    chip = task.chip
    if all(core.tiles is not None for core in chip.core_types):
        return
    per_row = -(-len(chip.cores()) // chip.mesh.rows)
    scarcest = max((s.demand / s.bound for s in short), default=1.0)
    low, rows = chip.mesh.rows, max(chip.mesh.rows + 1, ceil(chip.mesh.rows * scarcest))
    while not fits((f"mesh.rows={rows}",)):
        low, rows = rows, ceil(1.25 * rows)
        if rows * per_row > MAX_CORES:
            return
    while rows - low > 1:
        middle = (low + rows) // 2
        low, rows = (low, middle) if fits((f"mesh.rows={middle}",)) else (middle, rows)
    assignment = f"mesh.rows={rows}"
    cores = len(changed(chip, (assignment,)).cores())
    yield Remedy(f"at least {cores} cores", (assignment,), cores)


def _larger(chip: ChipConfig, short: Sequence[Shortfall], fits: Fits) -> Iterator[Remedy]:
    """Scale every short resource by one factor, then undo the changes that were not needed."""
    keys = [shortfall.key for shortfall in short] or list(_capacity_keys(chip))
    if found := _grown(chip, keys, (), fits):
        for assignment in found:
            without = tuple(other for other in found if other != assignment)
            if without and fits(without):
                found = without
        yield Remedy("larger bounds of the core", found, len(chip.cores()))


def _grown(chip: ChipConfig, keys: Sequence[str], besides: Assignments, fits: Fits) -> Assignments | None:
    """Bounds at some key paths grown by the least common factor with which it fits, `besides` other changes."""

    def grown(factor: float) -> Assignments:
        return (*besides, *(f"{key}={ceil(_bound_at(chip, key) * factor)}" for key in keys))

    low, high = 1.0, 2.0
    while not fits(grown(high)):
        low, high = high, 2 * high
        if high > MAX_GROWTH:
            return None
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(grown(middle)) else (middle, high)
    return grown(high)


def _capacity_keys(chip: ChipConfig) -> Iterator[str]:
    for index, core in enumerate(chip.core_types):
        yield f"core_types.{index}.neuron_slots"
        yield from (f"core_types.{index}.memories.{m}.words" for m in range(len(core.memories)))


def _bound_at(chip: ChipConfig, key: str) -> int:
    """The number at a key path of the chip."""
    here: Any = chip
    for part in key.split("."):
        here = here[int(part)] if part.isdigit() else getattr(here, part)
    return int(here)


def _adopted(chip: ChipConfig, homeless: list[str], fits: Fits) -> Iterator[Remedy]:
    """Kinds of data without a memory, given to the largest one of the first type of core, which may have to grow."""
    memories = chip.core_types[0].memories
    index = max(range(len(memories)), key=lambda i: memories[i].capacity_bits)
    key, memory = f"core_types.0.memories.{index}", memories[index]
    change = (f"{key}.holds=[{', '.join([*memory.holds, *homeless])}]",)
    found = change if fits(change) else _grown(chip, [f"{key}.words"], change, fits)
    if found:
        yield Remedy(f"room in memory '{memory.name}'", found, len(chip.cores()))


def _other_places(task: Task, fits: Fits) -> Iterator[Remedy]:
    """DRAM, or another place for the weight gradient or the history."""
    candidates: list[tuple[str, Assignments]] = []
    if task.chip.dram is None:
        candidates.append(("DRAM, and the cores take turns", (DRAM,)))
    if task.needs.trains:
        choices = ("factored", "in_place", "off_chip")
        candidates += [(f"weight gradient {c}", (f"options.weight_gradient={c}",)) for c in choices]
    if task.needs.carries == "history":
        candidates += [(f"history {c}", (f"options.stbp_history={c}",)) for c in ("recompute", "spill")]
    cores = len(task.chip.cores())
    yield from (Remedy(text, assignments, cores) for text, assignments in candidates if fits(assignments))
