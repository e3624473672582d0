"""An idle chip as tables: its cores with their lanes and memories, links and ports, all free."""

import numpy as np

from nmsim.contents import Content
from nmsim.counts import Action
from nmsim.hardware.routing import DIRECTIONS
from nmsim.perf.event.core import LANES
from nmsim.perf.event.tables import CORE, LANE, LINK, MEMORY, NONE, FloatArray, Table
from nmsim.perf.machine import Machine


def idle_chip(machine: Machine, names: int) -> dict[str, Table | FloatArray]:
    """Tables by their names in `Tables`; a track of the timeline has bars of so many names."""
    grid, memories = machine.links.grid, _memories(machine)
    links = np.zeros(grid.links + grid.tiles, LINK)
    links["first"] = links["last"] = NONE
    links["latency"][: grid.links] = machine.links.latency_cycles
    lanes = np.zeros((len(machine.tile), LANES), LANE)
    lanes["cycles"] = 1.0 / machine.lane_rate
    cores = _cores(machine)
    first = 0
    for table in (cores, memories.reshape(-1), links):
        table["track"] = (first + np.arange(len(table))) * names
        first += len(table)
    return {
        "links": links, "cores": cores, "lanes": lanes, "memories": memories, "inject_free": np.zeros(grid.tiles),
        "bank_free": np.zeros(int(machine.banks.sum())), "bank_load": np.zeros(int(machine.banks.max())),
    }  # fmt: skip


def tracks(machine: Machine) -> list[str]:
    """Names of the timeline's tracks: cores, their memories, links, ports, DRAM, barrier."""
    kinds, cores = machine.memory_kinds, range(len(machine.tile))
    found = [f"core {core}" for core in cores]
    found += [
        f"memory {core} {kinds[kind][0]}" for core in cores for kind in machine.memory_kind[core].tolist()
    ]
    found += [f"link {link // 4} {DIRECTIONS[link % 4]}" for link in range(machine.links.grid.links)]
    found += [f"port {tile}" for tile in range(machine.links.grid.tiles)]
    return [*found, "dram", "barrier"]


def _memories(machine: Machine) -> Table:
    found = np.zeros(machine.banks.shape, MEMORY)
    found["banks"], found["ports"] = machine.banks, machine.memory_rate / machine.banks
    found["bank"] = (np.cumsum(machine.banks) - machine.banks.reshape(-1)).reshape(machine.banks.shape)
    return found


def _cores(machine: Machine) -> Table:
    """Cores with the queue of what comes in: no bound where no memory is described for it."""
    found = np.zeros(len(machine.tile), CORE)
    index = machine.memory_of[Content.INPUT]
    bounded = (index >= 0) & ~machine.event_timed
    place = np.maximum(index, 0)[:, None]
    words = np.take_along_axis(machine.words, place, axis=1)[:, 0]
    bits = np.take_along_axis(machine.word_bits, place, axis=1)[:, 0]
    found["queue_words"], found["queue_bits"] = np.where(bounded, words, np.inf), np.where(bounded, bits, 1)
    found["timed"], found["axon_out"] = machine.event_timed, machine.service[Action.AXON_OUT]
    found["first"] = found["last"] = NONE
    return found
