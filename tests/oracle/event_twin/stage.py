"""One stage at one time step: a process per core that sends, receives and works."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simpy import Event, Process

from event_twin.core import Share, whole_cycles
from event_twin.noc import Arrival, Way
from nmsim.counts import Action
from nmsim.perf.event.bursts import Bursts
from nmsim.perf.machine import Lane
from nmsim.perf.traffic import Traffic

if TYPE_CHECKING:
    from event_twin.chip import ChipRun

Steps = Generator[Event, Any, None]


def burst_sizes(bursts: Bursts, packets: int) -> list[int]:
    """Packets of each burst."""
    size = max(bursts.packets, -(-packets // bursts.per_flow))
    return [size] * (packets // size) + [packets % size] * (packets % size > 0)


@dataclass(slots=True)
class _Reception:
    """What a core still expects, and when what came is served."""

    share: Share
    expected: int
    missing: int
    done: Event
    end: float


class StageRun:
    """Runs one stage at one time step of a sample."""

    def __init__(self, run: ChipRun, number: int, t: int) -> None:
        self.run, self.env = run, run.env
        self.stage, self.start = run.work.stages[number], run.env.now
        self.took_cycles = 0.0
        """Longest time of one of its cores or transfers, without time lost to stages that run at the same time."""
        self.s = 0 if self.stage.cadence == "batch" else run.sample
        self.t = t
        traffic = self.stage.traffic
        self.packet_bits = 0 if traffic is None else traffic.packet_bits
        self.flows = {} if traffic is None else self._flows(traffic, run.ways[number])
        fill = run.loads[number].fill_cycles[:, self.s, t].tolist()
        self.busy: dict[int, float] = {}
        """Cycles of work of each core, for the timeline."""
        if run.timeline.on:
            busy = run.loads[number].busy_cycles[:, self.s, t].tolist()
            self.busy = dict(zip(self.stage.cores.tolist(), busy, strict=True))
        self.shares = self._shares(fill)
        self.receptions = self._receptions()

    def processes(self) -> list[Process]:
        """Start everything."""
        started = [self.env.process(self._core(core)) for core in self.shares]
        started += [self.env.process(self._send(port)) for port in self.flows if port < 0]
        bits = float(self.stage.dram_bits[self.s, self.t])
        if bits > 0:
            started.append(self.env.process(self._transfer(bits)))
        return started

    def _flows(self, traffic: Traffic, ways: tuple[Way, ...]) -> dict[int, list[tuple[Way, int]]]:
        """Flows with packets at this step, and how many, by source."""
        flows: dict[int, list[tuple[Way, int]]] = {}
        for way, packets in zip(ways, traffic.packets[:, self.s, self.t].tolist(), strict=True):
            if packets:
                flows.setdefault(way.source, []).append((way, packets))
        return flows

    def _shares(self, fill: list[float]) -> dict[int, Share]:
        """Work by core; the time to send packets is taken when they are sent."""
        stage, machine = self.stage, self.run.work.machine
        at = (self.s, self.t)
        lanes, words, bursts = (
            array[:, :, *at].tolist()
            for array in (stage.uses.lanes, stage.uses.words, stage.uses.word_bursts)
        )
        shares = {}
        for row, core in enumerate(stage.cores.tolist()):
            if machine.event_timed[core]:
                sent = sum(packets for _, packets in self.flows.get(core, ()))
                lanes[row][Lane.SERVICE] -= sent * float(machine.service[Action.AXON_OUT][core])
            clocked = not machine.event_timed[core]
            shares[core] = Share.of(lanes[row], words[row], bursts[row], fill[row], clocked=clocked)
        return shares

    def _receptions(self) -> dict[int, _Reception]:
        if self.stage.traffic is None:
            return {}
        cores, packets = self.stage.traffic.received
        return {
            core: _Reception(self.shares[core], count, count, self.env.event(), self.start)
            for core, count in zip(cores.tolist(), packets[:, self.s, self.t].tolist(), strict=True)
            if count
        }

    def _core(self, number: int) -> Steps:
        """Send what there is to send, serve what arrives (or, if nothing does, everything), fill the pipeline."""
        core, share = self.run.cores[number], self.shares[number]
        reception = self.receptions.get(number)
        end = self.start
        if reception is None and share.any:
            end = core.serve(self.start, share, 1.0, self.stage.name)
        if number in self.flows:
            yield from self._send(number)
        if reception is not None:
            if reception.missing:
                yield reception.done
            end = reception.end
        worked = end - self.start
        finish = self.start + share.whole(worked) + share.fill_cycles
        alone = share.whole(worked - share.waited_cycles) + share.fill_cycles
        self.took_cycles = max(self.took_cycles, alone, self.env.now - self.start)
        if finish > self.env.now:
            yield self.env.timeout(finish - self.env.now)
        self.run.timeline.add(core.track, self.stage.name, self.start, finish, self.busy.get(number))

    def _send(self, source: int) -> Steps:
        """Inject bursts, flow by flow in turn, whenever the tile's port is free."""
        env, noc = self.env, self.run.noc
        core = None if source < 0 else self.run.cores[source]
        for way, packets in self._turns(source):
            ready = now = env.now
            if core is not None:
                ready = core.hand_out(now, packets)
            if way.to_itself:
                self._deliver(source, packets, ready, ready)
            if not way.ends:
                continue
            while (start := max(ready, noc.inject_free[way.tile])) > now:
                yield env.timeout(start - now)
                now = env.now
            self.run.injection_stall_cycles += now - ready
            for arrival in noc.send(now, way, packets):
                env.timeout(arrival.head - now, arrival).callbacks.append(self._arrive)

    def _turns(self, source: int) -> Iterator[tuple[Way, int]]:
        sizes = [(way, burst_sizes(self.run.bursts, packets)) for way, packets in self.flows[source]]
        for turn in range(max(len(size) for _, size in sizes)):
            for way, size in sizes:
                if turn < len(size):
                    yield way, size[turn]

    def _arrive(self, event: Event) -> None:
        """Have a burst served when its head arrives; a full queue keeps its way taken until there is room."""
        arrival = event.value
        assert isinstance(arrival, Arrival)
        now, target, packets = self.env.now, arrival.target, arrival.packets
        room = self.run.cores[target].admit(now, packets, self.packet_bits)
        if room > now:
            self.run.noc.block(arrival, room)
        self._deliver(target, packets, now, max(arrival.tail, room))

    def _deliver(self, target: int, packets: int, head: float, tail: float) -> None:
        reception, core = self.receptions[target], self.run.cores[target]
        end = max(core.serve(head, reception.share, packets / reception.expected, self.stage.name), tail)
        core.enqueue(end, packets)
        reception.end = max(reception.end, end)
        reception.missing -= packets
        self.run.packets_received += packets
        if reception.missing == 0:
            reception.done.succeed()

    def _transfer(self, bits: float) -> Steps:
        dram = self.run.dram
        assert dram is not None
        waited = dram.wait_cycles(self.env.now)
        end = dram.serve(self.env.now, bits, self.stage.name)
        self.took_cycles = max(self.took_cycles, whole_cycles(end - self.start - waited))
        yield self.env.timeout(whole_cycles(end - self.start))
