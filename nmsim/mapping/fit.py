"""When a network does not fit its chip: what is short, by how much, and what would make it fit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from nmsim.hardware.core import Core
from nmsim.mapping.box import box_on_any, cut_large
from nmsim.mapping.mapping import Slice
from nmsim.mapping.partition import Spread, partitions
from nmsim.mapping.room import NOWHERE, Bound, Room, Storage
from nmsim.mapping.task import Task

ON_CHIP = "on the whole chip"


@dataclass(frozen=True)
class Shortfall:
    """A resource that is too small.

    `scope` is what `demand` and `bound` are counted over: one core (the smallest piece of a layer must fit it) or the
    whole chip. `key` is the resource's key path in the chip file.
    """

    resource: str
    scope: str
    demand: int
    bound: int
    unit: str
    key: str
    layer: int | None = None

    @property
    def gap(self) -> int:
        """How much is missing."""
        return self.demand - self.bound

    def text(self) -> str:
        """One line."""
        layer = "" if self.layer is None else f" for layer {self.layer}"
        return (
            f"{self.resource}{layer}: needs {self.demand:,} {self.unit} {self.scope}, has {self.bound:,}:"
            f" {self.gap:,} short"
        )


@dataclass(frozen=True)
class Remedy:
    """A change of the chip after which the network fits, shown by mapping again.

    `assignments` are key paths and values of the chip file, `mesh.rows=8`; `cores` of the chip after them.
    """

    text: str
    assignments: tuple[str, ...]
    cores: int


@dataclass(frozen=True)
class FitReport:
    """Why a network does not fit a chip: what is short and by how much, and changes of the chip after which it fits.

    `nmsim.deploy` returns it in the place of a `Deployment`; `print(report.text())` shows it. Every remedy was tried by
    mapping again. `searched` tells whether remedies were looked for; if they were and there are none, no single change of
    those that were tried is enough. `cores` are those of the chip.
    """

    network: str
    rule: str
    chip: str
    cores: int
    shortfalls: tuple[Shortfall, ...]
    remedies: tuple[Remedy, ...]
    searched: bool

    def text(self) -> str:
        """For people: what is short, then what would make it fit."""
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        lines = [f"{self.chip}: network '{self.network}' with {self.rule} does not fit its {cores}"]
        lines += [f"  {shortfall.text()}" for shortfall in self.shortfalls]
        if self.searched and not self.remedies:
            lines.append("  no single change that was tried makes it fit; use a smaller network")
        if self.remedies:
            lines.append("  any one of these makes it fit (tried by mapping again):")
            lines += [f"    {remedy.text}: {', '.join(remedy.assignments)}" for remedy in self.remedies]
        return "\n".join(lines)


def shortfalls(task: Task, spread: Spread) -> tuple[Shortfall, ...]:
    """What is short; empty where there is room in sum but not for whole pieces."""
    return tuple(_homeless(task)) or tuple(_in_one_core(task)) or tuple(_on_the_chip(task, spread))


def _homeless(task: Task) -> Iterator[Shortfall]:
    """Kinds of data for which no type of core has a memory."""
    missing = [task.homeless(core) for core in task.chip.core_types]
    if all(missing):
        for kind in min(missing, key=len):
            bits = sum(
                term.values(plan.sizes(plan.whole)) * term.value_bits
                for plan in task.plans
                for term in plan.terms
                if term.kind is kind
            )
            yield Shortfall(f"memory for '{kind}'", ON_CHIP, bits, 0, "bits", "")


def _in_one_core(task: Task) -> Iterator[Shortfall]:
    """What is short where even the smallest piece of a layer fits no type of core."""
    storages = task.storages[-1]
    for plan in task.plans:
        if box_on_any(plan, storages):
            continue
        storage = max(storages, key=lambda s: sum(memory.capacity_bits for memory in s.core.memories))
        key = _key(task, storage)
        layer, core = plan.layer, storage.core
        smallest = Slice(layer.index, NOWHERE, 0, 1, min(1, plan.rows - 1), min(2, plan.rows), 0, 1)
        for index, demand in Room(storage).shortfalls(storage.demand(plan, smallest)):
            yield shortfall_of(core, key, index, demand, "in one core", layer.index)


def _on_the_chip(task: Task, spread: Spread) -> Iterator[Shortfall]:
    """What is short in sum over all cores, or how many cores a neuron would have to reach."""
    storages = task.storages[-1]
    bounded = any(core.max_fan_out is not None for core in task.chip.core_types)  # or it would be a mapping
    for found in partitions(task.plans, task.chip, storages, spread) if bounded else ():
        layer, reached, bound = max(task.fan_outs(found.pieces), key=lambda row: row[1] - row[2])
        yield Shortfall(
            "fan-out bound", "per neuron", reached, bound, "cores", "core_types.0.max_fan_out", layer
        )
        return
    storage = storages[0]
    key = _key(task, storage)
    total = Room(storage)
    for plan in task.plans:
        box = box_on_any(plan, storages)
        for piece in cut_large(plan, box) if box else ():
            total = total.with_piece(storage.demand(plan, piece))
    cores = [core.type for core in task.chip.cores()]
    slots = sum(core.neuron_slots for core in cores)
    if total.slots > slots:
        yield Shortfall("neuron slots", ON_CHIP, total.slots, slots, "slots", f"{key}.neuron_slots")
    for index, memory in enumerate(storage.core.memories):
        alike = [
            core.memories[core.home(memory.holds[0])] if core.home(memory.holds[0]) >= 0 else None
            for core in cores
        ]
        bound = sum(m.words for m in alike if m is not None)
        if total.words[index] > bound:
            resource = shortfall_of(storage.core, key, index, total.words[index], ON_CHIP, None)
            yield replace(resource, bound=bound)


def _key(task: Task, storage: Storage) -> str:
    """Key path of a type of core in the chip file."""
    return f"core_types.{[core.name for core in task.chip.core_types].index(storage.core.name)}"


def shortfall_of(core: Core, key: str, bound: Bound, demand: int, scope: str, layer: int | None) -> Shortfall:
    """A shortfall of a type of core, whose key path in the chip file is `key`."""
    owner = f"of core type '{core.name}'"
    if bound == "max_fan_in":
        name = f"fan-in bound {owner}"
        return Shortfall(name, scope, demand, core.max_fan_in or 0, "synapses", f"{key}.max_fan_in", layer)
    if bound == "neuron_slots":
        name = f"neuron slots {owner}"
        return Shortfall(name, scope, demand, core.neuron_slots, "slots", f"{key}.neuron_slots", layer)
    memory = core.memories[bound]
    name, unit = f"memory '{memory.name}' {owner}", f"words of {memory.word_bits} bits"
    return Shortfall(name, scope, demand, memory.words, unit, f"{key}.memories.{bound}.words", layer)
