"""Compare the trace of the RTL with what the engine stores, integer by integer."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nmsim.errors import RunError
from nmsim.rtl.golden import TraceSection
from nmsim.rtl.quantizers import TENSORS

KEPT = 20


@dataclass
class Agreement:
    """Integers compared and different, by tensor, and the first differences in words."""

    compared: Counter[str] = field(default_factory=Counter)
    different: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Integers compared."""
        return sum(self.compared.values())

    @property
    def differences(self) -> int:
        """Integers that differ."""
        return sum(self.different.values())


def compare_trace(trace: Path, golden: Iterable[TraceSection], *, only: str | None = None) -> Agreement:
    """Read the sections of a trace in order and compare each with the engine's.

    `only`: of words with several parts compare this one alone.

    Raises:
        RunError: the trace has other sections than the run, so the core took another course.
    """
    found, expected = Agreement(), iter(golden)
    for title, words in _sections(trace):
        section = next(expected, None)
        if section is None or section.title != title:
            wanted = "the end" if section is None else f"'{section.title[2:]}'"
            raise RunError(
                f"{trace}: the core wrote '{title[2:]}' where {wanted} was due; the stages ran in another order"
            )
        _compare(found, section, words, only)
    missing = next(expected, None)
    if missing is not None:
        raise RunError(f"{trace}: ends before '{missing.title[2:]}'; the core stopped early")
    return found


def _sections(trace: Path) -> Iterator[tuple[str, list[str]]]:
    title = ""
    words: list[str] = []
    with trace.open(encoding="ascii") as lines:
        for line in lines:
            if line.startswith("#"):
                if title:
                    yield title, words
                title, words = line.strip(), []
            else:
                words.append(line.strip())
    if title:
        yield title, words


def _compare(found: Agreement, section: TraceSection, words: list[str], only: str | None) -> None:
    found.compared[section.name] += section.count
    expected = section.memory.pack(section.values)
    if words == expected:
        return
    if len(words) != len(expected):
        raise RunError(
            f"trace: '{section.title[2:]}' has {len(words)} words, not {len(expected)}; rebuild the core"
        )
    rows = [row for row, (a, b) in enumerate(zip(words, expected, strict=True)) if a != b]
    got = section.memory.unpack([_known(words[row]) for row in rows])
    several = len(section.memory.parts) > 1
    for part, values, mine in zip(section.memory.parts, section.values, got, strict=True):
        if several and only is not None and part.name != only:
            continue
        wanted = np.asarray(values)[rows].astype(object)
        places = np.argwhere(mine != wanted)
        found.different[section.name] += len(places)
        for row, lane in places[: KEPT - len(found.first)]:
            found.first.append(
                f"{section.name} of layer {section.layer}, sample {section.sample}, time step {section.step}: {part.name} in"
                f" word {rows[row]}, lane {lane} is {mine[row, lane]}, not {wanted[row, lane]}"
            )


def _known(word: str) -> str:
    """A word whose unknown digits count as zeros."""
    return "".join(digit if digit in "0123456789abcdef" else "0" for digit in word.lower())


def read_cycles(path: Path) -> tuple[dict[tuple[int, int, int], int], dict[tuple[str, int], int]]:
    """Cycles by (sample, stage, layer) and overflow counts by (tensor, layer) of a bench run."""
    cycles: dict[tuple[int, int, int], int] = {}
    counts: dict[tuple[str, int], int] = {}
    for line in path.read_text(encoding="ascii").splitlines():
        parts = line.split()
        if parts[0] == "overflow":
            counts[TENSORS[int(parts[1])].lower(), int(parts[2])] = int(parts[3])
        else:
            sample, phase, layer, number = map(int, parts)
            cycles[sample, phase, layer] = number
    return cycles, counts
