"""The schedule: which stages run one after another, which at the same time, and at which time step."""

from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from typing import Literal

KEPT = 64
"""Schedules that are kept for further works of the same stages."""
Group = tuple[int, ...]
"""Stages (by number) that start together; the group ends when all of them have."""
Turn = tuple[int, int]
"""A group (by number) at a time step."""
Chain = tuple[Turn, ...]
"""Turns one after another."""


@dataclass(frozen=True)
class Slot:
    """Chains that run at the same time and share the cores, ports and links; a barrier ends the slot."""

    chains: tuple[Chain, ...]


@dataclass(frozen=True)
class Schedule:
    """Slots of one sample in order, then those of one update, which come once per batch."""

    groups: tuple[Group, ...]
    slots: tuple[Slot, ...]
    update_slots: tuple[Slot, ...]
    phase_barriers: bool
    """A barrier also ends every group; only where a slot has one chain."""

    def barriers(self, slots: tuple[Slot, ...]) -> int:
        """Barriers in some of its slots."""
        return sum(
            len(slot.chains[0]) if self.phase_barriers and len(slot.chains) == 1 else 1 for slot in slots
        )


@dataclass(frozen=True)
class Order:
    """Groups by direction and level; level 0 is nearest to the input, every list in order of execution."""

    forward: tuple[tuple[Group, ...], ...]
    again: tuple[tuple[Group, ...], ...]
    """Forward once more, for STBP that recomputes; empty otherwise."""
    backward: tuple[tuple[Group, ...], ...]
    gradient: tuple[tuple[Group, ...], ...]
    at_end: tuple[Group, ...]
    """Once per sample."""
    at_update: tuple[Group, ...]
    """Once per batch."""


ScheduleKind = Literal["sequential", "overlapped", "pipelined"]


class _Scheduler:
    def __init__(self, order: Order, time_steps: int, *, layers_in_turn: bool) -> None:
        self.order, self.steps, self.levels = order, time_steps, len(order.forward)
        self.in_turn = layers_in_turn
        self.groups: dict[Group, int] = {}

    def chain(self, groups: tuple[Group, ...], time_step: int) -> Chain:
        return tuple(
            (self.groups.setdefault(group, len(self.groups)), time_step) for group in groups if group
        )

    def forward(self, time_step: int, *, again: bool = False) -> Chain:
        levels = self.order.again if again else self.order.forward
        return self.chain(tuple(group for level in levels for group in level), time_step)

    def backward(self, time_step: int) -> Chain:
        groups = [group for level in reversed(self.order.backward) for group in level]
        if self.in_turn:
            groups += [group for level in self.order.gradient for group in level]
            return self.chain(tuple(groups), time_step)
        # gradients of all layers need only what their own cores hold: they run together
        depth = max((len(level) for level in self.order.gradient), default=0)
        for position in range(depth):
            rows = [level[position] for level in self.order.gradient if position < len(level)]
            groups += [tuple(stage for row in rows for stage in row)]
        return self.chain(tuple(groups), time_step)

    def update(self) -> Chain:
        groups = self.order.at_update
        if self.in_turn:
            groups = tuple((stage,) for group in groups for stage in group)
        return self.chain(groups, 0)

    def layer_backward(self, level: int, time_step: int) -> Chain:
        return self.chain((*self.order.backward[level], *self.order.gradient[level]), time_step)

    def slots(self, rows: list[list[Chain]]) -> tuple[Slot, ...]:
        filled = [tuple(chain for chain in row if chain) for row in rows]
        return tuple(Slot(chains) for chains in filled if chains)

    def sequential(self) -> list[list[Chain]]:
        return [[self.forward(t) + self.backward(t)] for t in range(self.steps)]

    def overlapped(self) -> list[list[Chain]]:
        rows = []
        for slot in range(self.steps + 1):
            rows.append([self.forward(slot)] if slot < self.steps else [])
            rows[-1] += [self.backward(slot - 1)] if slot else []
        return rows

    def pipelined(self) -> list[list[Chain]]:
        rows: list[list[Chain]] = [[] for _ in range(self.steps + 2 * self.levels)]
        for t in range(self.steps):
            for level in range(self.levels):
                rows[t + level].append(self.chain(self.order.forward[level], t))
                rows[t + 2 * self.levels - 1 - level].append(self.layer_backward(level, t))
        return rows

    def through_time(self, *, pipelined: bool) -> list[list[Chain]]:
        """STBP: all steps forward, then all steps back; recomputing repeats one segment of the forward pass at a time."""
        if self.order.again:
            segment = isqrt(self.steps - 1) + 1
            rows = [[self.forward(t)] for t in range(self.steps)]
            # errors go back from the last step: each segment is computed again from its checkpoint just before they reach it
            for start in reversed(range(0, self.steps, segment)):
                stop = min(start + segment, self.steps)
                rows += [[self.forward(t, again=True)] for t in range(start, stop)]
                rows += [[self.backward(t)] for t in reversed(range(start, stop))]
            return rows
        if not pipelined:
            rows = [[self.forward(t)] for t in range(self.steps)]
            return rows + [[self.backward(t)] for t in reversed(range(self.steps))]
        ahead: list[list[Chain]] = [[] for _ in range(self.steps + self.levels)]
        back: list[list[Chain]] = [[] for _ in range(self.steps + self.levels)]
        for t in range(self.steps):
            for level in range(self.levels):
                ahead[t + level].append(self.chain(self.order.forward[level], t))
                # mirrored in time and in depth: the last step of the last layer is the first to go back
                back[self.steps - 1 - t + self.levels - 1 - level].append(self.layer_backward(level, t))
        return ahead + back


def segment_start(time_steps: int) -> list[bool]:
    """Steps whose state a recomputing STBP keeps as checkpoints: the first of every ceil(sqrt(T)).

    >>> segment_start(6)
    [True, False, False, True, False, False]
    """
    segment = isqrt(time_steps - 1) + 1
    return [t % segment == 0 for t in range(time_steps)]


@lru_cache(maxsize=KEPT)
def make_schedule(
    order: Order, time_steps: int, kind: ScheduleKind, *, through_time: bool, phase_barriers: bool,
    layers_in_turn: bool = False,
) -> Schedule:  # fmt: skip
    """When the stages of one sample and of one update run.

    `sequential`: forward, error, gradient of a step, then the next step. `overlapped`: forward of t+1 while error
    and gradient of t run. `pipelined`: every layer works at a step of its own, one step behind the layer that feeds it.
    With `through_time` (STBP) error and gradient come after the whole forward pass, so nothing overlaps there. Gradients of
    all layers run together, and so do their updates, but for `layers_in_turn`.
    """
    made = _Scheduler(order, time_steps, layers_in_turn=layers_in_turn)
    if through_time:
        rows = made.through_time(pipelined=kind == "pipelined")
    else:
        rows = {
            "sequential": made.sequential,
            "overlapped": made.overlapped,
            "pipelined": made.pipelined,
        }[kind]()
    rows.append([made.chain(order.at_end, 0)])
    slots = made.slots(rows)
    update = made.slots([[made.update()]])
    return Schedule(tuple(made.groups), slots, update, phase_barriers)
