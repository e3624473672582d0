"""A simulation of one sample: the tables of an idle chip, filled with the sample's work, and what becomes of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.perf.analytic import loads_of
from nmsim.perf.event.bursts import Bursts
from nmsim.perf.event.chance import SEED
from nmsim.perf.event.core import LANES
from nmsim.perf.event.idle_chip import idle_chip, tracks
from nmsim.perf.event.layout import Layout, turns_of
from nmsim.perf.event.loop import RUN
from nmsim.perf.event.room import Room, free, grown
from nmsim.perf.event.tables import BAR, BURST, CLOCK, EVENT, NODE, NONE, USE, IntArray, Table, Tables
from nmsim.perf.event.timeline import LIMIT
from nmsim.perf.model import TimelineEvent
from nmsim.perf.schedule import Slot
from nmsim.perf.stage import Stage
from nmsim.perf.stage_load import StageLoad, dram_rate
from nmsim.perf.traffic_load import entry_cycles
from nmsim.perf.work import StepWork


@dataclass(frozen=True, eq=False)
class Simulation:
    """Simulates samples of one work; what they have in common is found once. `bursts` says how packets are grouped."""

    work: StepWork
    bursts: Bursts

    def run(self, sample: int, slots: tuple[Slot, ...], *, timeline: bool = False) -> Tables:
        """Simulate some slots of a sample, from an idle chip to their end."""
        layout, schedule = self.layout, self.work.schedule
        turns = turns_of(schedule, slots)
        amounts = self._amounts(sample, timeline=timeline)
        room = self._room(amounts["packets"], len(turns["chains"]))
        longest = int((layout.flows["steps_past"] - layout.flows["step"]).max(initial=0)) + 1
        keys = len(tracks(self.work.machine)) * (len(layout.names) + 1)
        tables = Tables(
            clock=self._clock(slots, room, keys, timeline=timeline), events=np.zeros(room.events, EVENT),
            nodes=free(np.zeros(room.nodes, NODE)), bursts=free(np.zeros(room.bursts, BURST)),
            rows=layout.rows.copy(), senders=layout.senders.copy(), stages=layout.stages.copy(),
            uses=np.zeros((len(layout.rows), LANES + self._memories), USE),
            flows=layout.flows, ports=layout.ports, stage_ports=layout.stage_ports, steps=layout.steps,
            ends=layout.ends, paces=layout.paces, heads=np.zeros(longest), tails=np.zeros(longest),
            stage_cycles=np.zeros((len(layout.stages), self.work.time_steps)),
            group_cycles=np.zeros((len(schedule.groups), self.work.time_steps)), slot_cycles=np.zeros(len(slots)),
            bars=np.zeros(LIMIT if timeline else 0, BAR), last_bar=np.full(keys if timeline else 0, NONE),
            **{name: table.copy() for name, table in self._chip.items()}, **turns, **amounts,
        )  # fmt: skip
        while not RUN.machine(tables, *room):
            tables = grown(tables, room)
        return tables

    def bars(self, tables: Tables) -> tuple[TimelineEvent, ...]:
        """The timeline of a simulation in order of bars' beginning being known."""
        bars = tables.bars[: tables.clock["bars"][0]]
        track, name = np.divmod(bars["key"], len(self.layout.names) + 1)
        names, places = (*self.layout.names, "barrier"), tracks(self.work.machine)
        rows = zip(
            track.tolist(),
            name.tolist(),
            *(bars[key].tolist() for key in ("start", "end", "busy")),
            strict=True,
        )
        return tuple(
            TimelineEvent(places[at], names[which], start, end - start, busy)
            for at, which, start, end, busy in rows
        )

    @cached_property
    def layout(self) -> Layout:
        """Tables of the work's stages."""
        grid = self.work.machine.links.grid
        return Layout.of(self.work.stages, grid.tiles, grid.links)

    @cached_property
    def _chip(self) -> dict[str, Any]:
        return idle_chip(self.work.machine, len(self.layout.names) + 1)

    @cached_property
    def _loads(self) -> tuple[StageLoad, ...]:
        return loads_of(self.work)

    @property
    def _memories(self) -> int:
        """Memories of a core."""
        return int(self.work.machine.banks.shape[1])

    def _clock(self, slots: tuple[Slot, ...], room: Room, keys: int, *, timeline: bool) -> Table:
        """Where a simulation begins, and what is constant in it."""
        work, noc, names = self.work, self.work.chip.noc, len(self.layout.names) + 1
        clock = np.zeros(1, CLOCK)
        clock["luck"] = SEED
        clock["spare_nodes"], clock["spare_bursts"] = room.nodes, room.bursts
        clock["timeline"], clock["barrier_name"], clock["dram_name"] = timeline, keys - 1, keys - 2 * names
        clock["phase_barriers"], clock["barrier_cycles"] = work.schedule.phase_barriers, work.barrier_cycles
        clock["least_burst"], clock["bursts_per_flow"] = self.bursts.packets, self.bursts.per_flow
        clock["port_cycles"], clock["buffer_flits"] = noc.link_cycles, noc.buffer_flits
        clock["entry_cycles"] = entry_cycles(work.machine)
        clock["tick_cycles"] = work.tick_cycles if slots is work.schedule.slots else 0.0
        if work.chip.dram is not None:
            clock["dram_rate"], clock["dram_latency"] = dram_rate(work.chip.dram, work.clock_hz)
        return clock

    def _amounts(self, sample: int, *, timeline: bool) -> dict[str, NDArray[Any]]:
        """What a sample has every stage do, in the order of the layout's tables."""
        stages, loads = self.work.stages, self._loads
        packets = [
            _of(stage, sample, stage.traffic.packets[order])
            for stage, order in zip(stages, self.layout.orders, strict=True)
            if stage.traffic is not None
        ]
        found = {
            "lane_work": [_of(stage, sample, stage.uses.lanes) for stage in stages],
            "words": [_of(stage, sample, stage.uses.words) for stage in stages],
            "word_bursts": [_of(stage, sample, stage.uses.word_bursts) for stage in stages],
            "fill": [_of(load.stage, sample, load.fill_cycles) for load in loads],
            "busy": [_of(load.stage, sample, load.busy_cycles) for load in loads]
            if timeline
            else [np.zeros(0)],
            "dram_bits": [_of(stage, sample, stage.dram_bits.astype(np.float64)) for stage in stages],
            "packets": packets or [np.zeros(0, np.int64)],
        }
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def _room(self, packets: IntArray, chains: int) -> Room:
        flows = self.layout.flows
        most = np.zeros(len(flows), np.int64)
        if len(flows):
            most = np.maximum.reduceat(packets, flows["packets"])
        return Room.of(self.layout, most, self.bursts.packets, self.bursts.per_flow, chains)


def _of(stage: Stage, sample: int, values: NDArray[Any]) -> NDArray[Any]:
    """Values of one sample from those of all `(..., S, T)`, one after the other."""
    return values[..., 0 if stage.cadence == "batch" else sample, :].reshape(-1)
