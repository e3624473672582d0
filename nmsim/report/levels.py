"""Levels of memory: how full the words of each are, and how often a word that was fetched is used."""

from dataclasses import dataclass

from nmsim.counts import Action, Component
from nmsim.evaluate import Evaluation
from nmsim.report.tables import Column, Table

OPERATIONS = (Action.SOP, Action.MAC, Action.ADD)
"""What a word is fetched for: an addition of a synapse, or a multiplication and an addition."""


@dataclass(frozen=True)
class Level:
    """One memory in one phase, per sample.

    `reuse`: operations of the phase over its words read or written in it, over all cores. A word of 16 weights
    that serves 16 synapses has a reuse of 16; sums that stay in registers leave little for the memory behind them.
    """

    phase: str
    memory: str
    component: str
    reads: float
    writes: float
    operations: float

    @property
    def reuse(self) -> float:
        """Operations per word."""
        return self.operations / (self.reads + self.writes)


def levels(item: Evaluation) -> tuple[Level, ...]:
    """Every memory that a phase reads or writes, phase by phase; empty where a chip is priced by whole events."""
    counts = {
        key: float(part.count.mean(axis=1).sum())
        for key, part in item.energy.by("phase", "component", "unit", "action").items()
    }
    operations: dict[str, float] = {}
    words: dict[tuple[str, str, str], dict[str, float]] = {}
    for (phase, component, unit, action), count in counts.items():
        if component == Component.ALU and action in OPERATIONS:
            operations[phase] = operations.get(phase, 0.0) + count
        elif component in {Component.SRAM, Component.REGISTERS}:
            words.setdefault((phase, component, unit), {})[action] = count
    return tuple(
        Level(phase, unit, component, found.get(Action.READ, 0.0), found.get(Action.WRITE, 0.0), operations.get(phase, 0.0))
        for (phase, component, unit), found in words.items()
        if any(found.values())
    )  # fmt: skip


def levels_table(item: Evaluation) -> Table:
    """One row a phase and memory."""
    columns = (
        Column("phase", "Phase"), Column("memory", "Memory"), Column("level", "Level"), Column("reads", "Words read"),
        Column("writes", "Words written"), Column("reuse", "Operations per word"),
    )  # fmt: skip
    rows = tuple(
        (level.phase, level.memory, level.component, level.reads, level.writes, level.reuse)
        for level in levels(item)
    )
    return Table("levels", columns, rows)


def level_lines(item: Evaluation) -> tuple[str, ...]:
    """A line a phase for a terminal: operations per word of every memory, and how full the words are."""
    found = levels(item)
    by_phase = dict.fromkeys(level.phase for level in found)
    lines = [
        f"{phase}: "
        + ", ".join(
            f"{level.memory} {level.reuse:.3g}" for level in found if level.phase == phase and level.reuse
        )
        for phase in by_phase
    ]
    return tuple(line for line in lines if not line.endswith(": "))


def words_filled(item: Evaluation) -> dict[str, float]:
    """Share of the bits of the words in use that hold data, by memory."""
    used: dict[str, list[int]] = {}
    for use in item.memory:
        total = used.setdefault(use.memory, [0, 0])
        total[0] += use.data_bits
        total[1] += use.used_bits
    return {memory: data / bits for memory, (data, bits) in used.items() if bits}
