"""A mapping written by hand: which core does which part of which layer (docs/machine.md)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pydantic import Field, model_validator

from nmsim.config import Record
from nmsim.errors import ConfigError, DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import finished
from nmsim.mapping.fit import FitReport, Shortfall, shortfall_of
from nmsim.mapping.mapping import Mapping, Slice, Slices
from nmsim.mapping.partition import Partition
from nmsim.mapping.room import Bound, LayerPlan, Room, Storage
from nmsim.mapping.task import Task
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec, SynapticLayer

Range = tuple[int, int]


class ManualSlice(Record):
    """One line of a manual mapping; ranges are `[start, stop)`, and a missing one means all.

    >>> ManualSlice(layer=0, core=3, channels=(0, 64)).rows is None
    True
    """

    layer: int = Field(ge=0)
    """Synaptic layer, counted from 0."""
    core: int = Field(ge=0)
    """Number of the core, counted along the rows of the joint mesh."""
    channels: Range | None = None
    """Output channels; dense: neurons."""
    rows: Range | None = None
    """Rows of the output map; convolution only."""
    inputs: Range | None = None
    """Input channels; dense: inputs. Slices that differ only here share a fan-in; the first one keeps the state."""

    @model_validator(mode="after")
    def _ordered(self) -> "ManualSlice":
        for name in ("channels", "rows", "inputs"):
            bounds = getattr(self, name)
            if bounds is not None and not 0 <= bounds[0] < bounds[1]:
                raise ValueError(
                    f"{name} {list(bounds)} is an empty range; write [start, stop) with start < stop"
                )
        return self


class ManualMapping(Record):
    """A mapping as a YAML file: `slices`, one line each. Give it to `nmsim.deploy(..., mapping=...)`.

    Start from one that was found (`ManualMapping.of(job.mapping)`) and move what should live elsewhere. Memories are
    accounted for as in automatic mappings, so one that does not fit is reported with what is short.

    >>> from nmsim import deploy
    >>> job = deploy("mnist-dense", "edge-28nm", "inference")
    >>> again = deploy("mnist-dense", "edge-28nm", "inference", mapping=ManualMapping.of(job.mapping))
    >>> again.mapping.slices_of(0) == job.mapping.slices_of(0)
    True
    """

    slices: tuple[ManualSlice, ...] = Field(min_length=1)
    """Every neuron of every layer exactly once, and for each its whole fan-in."""

    @classmethod
    def of(cls, mapping: Mapping) -> "ManualMapping":
        """A mapping made elsewhere, as a start for one's own."""
        return cls(
            slices=tuple(
                ManualSlice(
                    layer=piece.layer,
                    core=piece.core,
                    channels=(piece.channel_start, piece.channel_stop),
                    rows=(piece.row_start, piece.row_stop),
                    inputs=(piece.input_start, piece.input_stop),
                )
                for piece in mapping.slices
            )
        )


def map_manually(
    network: NetworkSpec, precision: Precision, needs: TrainingNeeds, chip: ChipConfig, manual: ManualMapping
) -> Mapping:
    """The mapping that a file describes, checked against the network and the chip.

    Raises:
        ConfigError: a slice names no such layer, core or range; neurons or fan-ins are missing or given twice.
        DoesNotFitError: a core is too full; `error.report` is the `FitReport`.
    """
    task = Task.of(network, precision, needs, chip)
    pieces = [_piece(task, number, line) for number, line in enumerate(manual.slices)]
    owners = [piece for plan in task.plans for piece in _with_owners(plan, pieces)]
    tried: list[Shortfall] = []
    for storages in task.storages:
        tried = _overfull(task, owners, storages)
        if storages and not tried:
            return finished(task, Partition(Slices(owners), storages), movable=False)
    report = FitReport(
        network.name, task.needs.rule, chip.name, len(chip.cores()), tuple(tried), (), searched=False
    )
    raise DoesNotFitError(report.text(), report)


def _piece(task: Task, number: int, line: ManualSlice) -> Slice:
    """A line with its ranges filled in."""
    if line.layer >= len(task.plans):
        last = len(task.plans) - 1
        raise ConfigError(
            f"slices[{number}].layer: the network has layers 0..{last}, not {line.layer}; use one of them"
        )
    if line.core >= len(task.chip.cores()):
        last = len(task.chip.cores()) - 1
        raise ConfigError(
            f"slices[{number}].core: the chip has cores 0..{last}, not {line.core}; use one of them"
        )
    plan = task.plans[line.layer]
    channels, units = plan.layer.weight_shape[:2]
    bounds: list[Range] = []
    for name, size in (("channels", channels), ("rows", plan.rows), ("inputs", units)):
        start, stop = getattr(line, name) or (0, size)
        if stop > size:
            raise ConfigError(
                f"slices[{number}].{name}: [{start}, {stop}) goes beyond the {size} {name} of layer {line.layer};"
                f" end at {size}"
            )
        bounds.append((start, stop))
    columns, bands, inputs = bounds
    return Slice(line.layer, line.core, *columns, *bands, *inputs)


def _with_owners(plan: LayerPlan, pieces: Sequence[Slice]) -> list[Slice]:
    """Pieces of a layer, one owner for each box of neurons; `ConfigError` unless they tile the layer."""
    layer = plan.layer
    boxes: dict[tuple[int, int, int, int], list[Slice]] = defaultdict(list)
    for piece in pieces:
        if piece.layer == layer.index:
            boxes[piece.channel_start, piece.channel_stop, piece.row_start, piece.row_stop].append(piece)
    owned = np.zeros((layer.weight_shape[0], plan.rows), np.int64)
    for (first, last, top, bottom), parts in boxes.items():
        owned[first:last, top:bottom] += 1
        _check_fan_in(layer, parts)
    for number, wrong in ((0, "has no core"), (2, "has two cores")):
        places = np.argwhere(owned == number if number == 0 else owned >= number)
        if len(places):
            channel, row = places[0]
            raise ConfigError(
                f"slices: layer {layer.index}: the neuron in channel {channel}, row {row} {wrong};"
                " give every neuron one core"
            )
    return [
        replace(part, owner=position == 0)
        for parts in boxes.values()
        for position, part in enumerate(sorted(parts, key=lambda p: p.input_start))
    ]


def _check_fan_in(layer: SynapticLayer, parts: list[Slice]) -> None:
    """The input ranges of one box of neurons follow each other from the first input to the last."""
    reached = 0
    for part in sorted(parts, key=lambda p: p.input_start):
        if part.input_start != reached:
            raise ConfigError(
                f"slices: layer {layer.index}: channels [{part.channel_start}, {part.channel_stop}) sum input"
                f" {min(part.input_start, reached)} {'never' if part.input_start > reached else 'twice'};"
                " let their input ranges follow each other"
            )
        reached = part.input_stop
    if reached != layer.weight_shape[1]:
        raise ConfigError(
            f"slices: layer {layer.index}: channels [{parts[0].channel_start}, {parts[0].channel_stop}) never sum inputs"
            f" from {reached} on; add a slice for them"
        )


def _overfull(task: Task, pieces: Sequence[Slice], storages: Sequence[Storage]) -> list[Shortfall]:
    """What is short on every core that its slices overfill."""
    by_type = {storage.core.name: storage for storage in storages}
    rooms: dict[int, Room] = {}
    short: dict[tuple[int, Bound], Shortfall] = {}
    for piece in pieces:
        core = task.chip.cores()[piece.core].type
        if core.name not in by_type:
            kinds = ", ".join(task.homeless(core))
            raise ConfigError(
                f"core {piece.core}: its type '{core.name}' has no memory for {kinds}; use another core"
            )
        room = rooms.get(piece.core) or Room(by_type[core.name])
        demand = room.storage.demand(task.plans[piece.layer], piece)
        key = f"core_types.{task.chip.core_types.index(core)}"
        for index, words in room.shortfalls(demand):
            short[piece.core, index] = shortfall_of(core, key, index, words, f"in core {piece.core}", None)
        rooms[piece.core] = room.with_piece(demand)
    return list(short.values())
