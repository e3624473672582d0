"""Commands in this process, a workload of a second for them, and values that are wrong wherever they stand."""

import random
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from nmsim.cli.main import main

SMALL_WORKLOAD = """\
name: small
dataset: {name: mnist-subset, train_samples: 40, test_samples: 20}
encoding: direct
network:
  input_shape: [784]
  time_steps: 2
  layers: [{kind: dense, units: 12}, {kind: dense, units: 10}]
training: {epochs: 1, batch_size: 8}
profile: {samples: 4}
"""
"""On images that are embedded."""
WRONG: tuple[Any, ...] = (
    None, "", "abc", "\x1b[31m" + "x" * 5000, -1, 1e308, 10**30, True, [], [None], {}, {"a": 1}, float("nan"),
)  # fmt: skip


def command(*arguments: str) -> int:
    """Exit code of a command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nmsim", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
    return int(str(stopped.value.code))


def places_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values below a value of mappings and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*path, key)
        yield from places_of(below, (*path, key))


def change_a_value(draw: random.Random, content: Any, wrong: Sequence[Any] = WRONG) -> str:
    """Change one value of a tree, or leave it out; values near the top more often."""
    places = list(places_of(content))
    path = draw.choice([place for place in places if len(place) <= draw.choice((1, 2, 9))] or places)
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    if draw.random() < 0.3:
        del holder[path[-1]]
        return f"{path} left out"
    holder[path[-1]] = draw.choice(wrong)
    return f"{path} = {str(holder[path[-1]])[:20]!r}"
