"""Map a network onto a chip: cut, fill, place, account."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

from nmsim.caches import BoundedCache
from nmsim.errors import DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.deployment import Deployment, needs_on
from nmsim.mapping.fit import FitReport
from nmsim.mapping.mapping import Mapping, Residencies, Slices
from nmsim.mapping.outline import floor_plan, outline
from nmsim.mapping.partition import Partition, Spread, too_much
from nmsim.mapping.place import place
from nmsim.mapping.remedy import fit_report
from nmsim.mapping.residency import residency
from nmsim.mapping.room import LayerPlan, Storage
from nmsim.mapping.task import PresentSynapses, Task, following
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec

KEPT = 64
"""Mappings that are kept for further chips of the same outline."""
KEPT_BYTES = 64 * 2**20
"""Of what cores keep, kept for chips that hold the same."""


def map_network(
    network: NetworkSpec,
    precision: Precision,
    needs: TrainingNeeds,
    chip: ChipConfig,
    *,
    spread: Spread | None = None,
    remedies: bool = True,
    present: PresentSynapses = (),
) -> Mapping:
    """Give every part of a network a core of a chip and every kind of its data a memory (docs/machine.md).

    Call it for a mapping alone; `nmsim.deploy` also compares mappings on an activity and returns what `nmsim.evaluate`
    takes. The same input gives the same mapping on every machine. A chip with DRAM that is too small is time-multiplexed.

    Args:
        network: what is mapped.
        precision: its formats, which decide how many bits every kind of data takes.
        needs: what the learning rule keeps (`workload.needs(rule, ...)`).
        chip: where it goes.
        spread: a layer gets its share of the cores by work (`balanced`), as few as hold it (`compact`), or all (`wide`);
            where room is short, `compact` is tried last. The chip's option if absent; `balanced` where that leaves it to
            `nmsim.mapper`.
        remedies: look for what would make it fit if it does not.
        present: which synapses are there, for chips that store these alone (`options.synapses`); all if it is empty.

    Raises:
        DoesNotFitError: no way was found; `error.report` is the `FitReport`.
        ConfigError: an option of the chip contradicts the training.

    >>> from nmsim import read_chip, read_workload
    >>> workload = read_workload("mnist-dense")
    >>> needs = workload.needs("inference", sample_bits=8, static_input=True)
    >>> found = map_network(workload.network, workload.precision, needs, read_chip("edge-28nm"), spread="compact")
    >>> found.time_multiplexed, len(found.cores_used) <= 16
    (False, True)
    """
    if spread is None:
        spread = "balanced" if chip.options.spread == "searched" else chip.options.spread
    asked = _Question(network, precision, needs, outline(chip, "compact"), "compact", present)
    if not _hopeless(asked):
        asked = _Question(network, precision, needs, outline(chip, spread), spread, present)
    found = _answer(asked)
    if isinstance(found, FitReport):
        report = fit_report(Task.of(network, precision, needs, chip, present), spread) if remedies else found
        raise DoesNotFitError(report.text(), report)
    return replace(found, chip_hash=chip.content_hash())


@dataclass(frozen=True)
class _Question:
    """All that a mapping by a policy depends on."""

    network: NetworkSpec
    precision: Precision = field(hash=False)  # it holds a dictionary; compared all the same
    needs: TrainingNeeds
    chip: ChipConfig
    spread: Spread
    present: PresentSynapses


@lru_cache(maxsize=KEPT)
def _hopeless(asked: _Question) -> bool:
    """Whether there is too much data for any way to cut it, so that all spreads are refused for the same reasons."""
    task = Task.of(asked.network, asked.precision, asked.needs, asked.chip, asked.present)
    return all(too_much(task.plans, asked.chip, storages) for storages in task.storages)


@lru_cache(maxsize=KEPT)
def _answer(asked: _Question) -> Mapping | FitReport:
    """The mapping of all chips with an outline, or why there is none."""
    task = Task.of(asked.network, asked.precision, asked.needs, asked.chip, asked.present)
    found = task.solve(asked.spread)
    if found is None:
        return fit_report(task, asked.spread, search=False)
    return finished(task, found, movable=True)


def deploy_network(
    network: NetworkSpec,
    precision: Precision,
    needs: TrainingNeeds,
    chip: ChipConfig,
    *,
    spread: Spread | None = None,
    remedies: bool = True,
) -> Deployment:
    """Map a network and hold everything a performance model needs together; arguments and errors of `map_network`."""
    chip = following(network, precision, needs, chip)
    mapping = map_network(network, precision, needs, chip, spread=spread, remedies=remedies)
    return Deployment(network, precision, needs_on(needs, chip)[0], chip, mapping)


def finished(task: Task, found: Partition, *, movable: bool) -> Mapping:
    """The mapping of a partition: its cores put in good places if they are movable, every memory accounted for."""
    slices = found.pieces
    if movable:
        slices = place(task.network, task.plans, slices, task.chip, trains=task.needs.trains)
    streamed = sorted(set().union(*(storage.streamed for storage in found.storages)))
    notes = list(task.notes)
    if streamed:
        notes.append(f"time-multiplexed: {', '.join(streamed)} live in DRAM and are loaded piece by piece")
    return Mapping(
        network_hash=task.network.content_hash(),
        chip_hash=task.chip.content_hash(),
        rule=task.needs.rule,
        slices=slices,
        residency=_accounted((task.plans, slices, found.storages, floor_plan(task.chip))),
        time_multiplexed=bool(streamed),
        notes=tuple(notes),
    )


def _account(asked: tuple[tuple[LayerPlan, ...], Slices, tuple[Storage, ...], ChipConfig]) -> Residencies:
    plans, slices, storages, chip = asked
    by_type, cores = {storage.core.name: storage for storage in storages}, chip.cores()
    return residency(plans, slices, {core: by_type[cores[core].type.name] for core in slices.cores})


_accounted = BoundedCache(_account, lambda _, found: found.nbytes, KEPT_BYTES)
"""What every core keeps; the same object for all chips that hold the same."""
