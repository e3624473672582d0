"""The event-driven run as a Chrome trace: opens in Perfetto or chrome://tracing, offline."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from nmsim.evaluate import Evaluation
from nmsim.perf.model import TimelineEvent
from nmsim.units import US_PER_S

Lane = list[TimelineEvent]
KINDS = ("core", "memory", "link", "dram", "barrier")
"""Kinds of track, in the order in which they are shown."""
DIGITS = 6
"""Microseconds to the picosecond."""


def trace_text(item: Evaluation) -> str:
    """Trace-event JSON: a process per kind of track, a thread per track, complete events that nest.

    Times are microseconds of simulated time; `busy_cycles` is how much of a bar is work. Bars of one track that
    overlap without one holding the other go to further threads of that name.
    """
    events: list[dict[str, Any]] = []
    tracks: dict[str, list[TimelineEvent]] = {}
    for event in item.perf.timeline:
        tracks.setdefault(event.track, []).append(event)
    groups = [kind for kind in KINDS if any(_group(track) == kind for track in tracks)]
    events += [_named("process_name", index, 0, group) for index, group in enumerate(groups)]
    thread = 0
    for track in sorted(tracks, key=_in_order):
        for number, lane in enumerate(lanes(tracks[track])):
            process = groups.index(_group(track))
            events.append(
                _named("thread_name", process, thread, track if number == 0 else f"{track} ({number + 1})")
            )
            events.append(
                {
                    "ph": "M",
                    "name": "thread_sort_index",
                    "pid": process,
                    "tid": thread,
                    "args": {"sort_index": thread},
                }
            )
            events += [_bar(event, process, thread, item.perf.clock_hz) for event in lane]
            thread += 1
    about = {
        "network": item.network_name,
        "chip": item.chip_name,
        "rule": item.rule,
        "clock_hz": item.perf.clock_hz,
        "shows": "first profiled sample and then one update, simulated time",
        "left_out_bars": item.perf.timeline_left_out,
    }
    content = {"displayTimeUnit": "ns", "otherData": about, "traceEvents": events}
    return json.dumps(content, separators=(",", ":")) + "\n"


def lanes(events: Iterable[TimelineEvent]) -> Sequence[Lane]:
    """Events spread over as few lanes as this greedy rule needs, so that in each they are apart or nested."""
    found: list[tuple[Lane, list[float]]] = []
    for event in sorted(events, key=lambda e: (e.start_cycles, -e.duration_cycles, e.name)):
        end = event.start_cycles + event.duration_cycles
        for lane, open_ends in found:
            while open_ends and open_ends[-1] <= event.start_cycles:
                open_ends.pop()
            if not open_ends or end <= open_ends[-1]:
                lane.append(event)
                open_ends.append(end)
                break
        else:
            found.append(([event], [end]))
    return [lane for lane, _ in found]


def _bar(event: TimelineEvent, process: int, thread: int, clock_hz: float) -> dict[str, Any]:
    start, end = (
        round(cycles * US_PER_S / clock_hz, DIGITS)
        for cycles in (event.start_cycles, event.start_cycles + event.duration_cycles)
    )
    return {
        "ph": "X",
        "name": event.name,
        "pid": process,
        "tid": thread,
        "ts": start,
        "dur": round(end - start, DIGITS),
        "args": {"busy_cycles": round(event.busy_cycles, DIGITS)},
    }


def _named(kind: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _group(track: str) -> str:
    """Kind of a track: its first word."""
    return track.split(" ", 1)[0]


def _in_order(track: str) -> tuple[tuple[int, int | str], ...]:
    """Natural order: `core 2` before `core 10`."""
    return tuple((0, int(word)) if word.isdigit() else (1, word) for word in track.split())
