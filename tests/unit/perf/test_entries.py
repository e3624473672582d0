"""Entries of a stage, added up in compiled passes, against plain arrays of every row, lane and memory."""

import numpy as np
import pytest

from nmsim.perf.entries import Entries
from nmsim.perf.machine import Lane
from nmsim.perf.rows_by_core import RowsByCore
from nmsim.perf.uses import MAX_LANES, Uses

MEMORIES = 3


class Plain:
    """The same with everything spread out."""

    def __init__(self, rows: int, shape: tuple[int, int]) -> None:
        self.rows, self.shape = rows, shape
        self.lanes = np.zeros((rows, MAX_LANES, *shape))
        self.reads, self.writes, self.bursts = (np.zeros((rows, MEMORIES, *shape)) for _ in range(3))

    def lane(self, lane: Lane, values: np.ndarray, scale: np.ndarray | None) -> None:
        self.lanes[:, lane] += values * (1.0 if scale is None else scale[:, None, None])

    def words(self, values: np.ndarray, place: int | np.ndarray, run: np.ndarray, *, apart: bool) -> None:
        where = np.arange(self.rows), np.broadcast_to(place, self.rows) - MAX_LANES
        (self.writes if apart else self.reads)[where] += values
        self.bursts[where] += np.where(run > 0, values / np.maximum(run, 1), values > 0)

    def uses(self, cores: np.ndarray, splits: np.ndarray) -> Uses:
        distinct, core = np.unique(cores, return_inverse=True)
        joined = []
        for array in (self.lanes, self.reads, self.writes, self.bursts):
            total = np.zeros((len(distinct), *array.shape[1:]))
            np.add.at(total, core, array)
            joined.append(total)
        lanes, reads, writes, bursts = joined
        words = reads + writes
        if len(splits):
            split = splits[:, :, None, None]
            most = np.maximum(reads, writes)
            bursts = np.where(split & (words > 0), bursts * most / np.maximum(words, 1), bursts)
            words = np.where(split, most, words)
        return Uses.of(lanes, words, bursts)


@pytest.mark.parametrize("splits", [False, True])
@pytest.mark.parametrize("shape", [(3, 4), (1, 4), (3, 1), (1, 1)], ids=str)
def test_entries_come_to_what_plain_arrays_do(shape: tuple[int, int], *, splits: bool) -> None:
    for seed in range(12):
        random = np.random.default_rng(seed)
        cores = random.permutation(np.sort(random.integers(0, 5, 7))) if seed % 2 else np.arange(7)
        entries, plain = Entries(len(cores), shape), Plain(len(cores), shape)

        def drawn(random: np.random.Generator = random) -> np.ndarray:
            axes = [size if random.random() < 0.6 else 1 for size in (7, *shape)]
            return random.integers(0, 6, axes)

        for _ in range(10):
            values, lane = drawn(), Lane(int(random.integers(0, MAX_LANES)))
            if random.random() < 0.4:
                scale = random.random(7) if random.random() < 0.5 else None
                entries.lane(lane, values, scale)
                plain.lane(lane, values, scale)
                continue
            place = MAX_LANES + (
                int(random.integers(0, MEMORIES)) if seed % 3 else random.integers(0, MEMORIES, 7)
            )
            run = random.integers(0, 4, (1, 1, 1)) if random.random() < 0.5 else drawn()
            apart = splits and random.random() < 0.5
            entries.words(values, place, run, apart=apart)
            plain.words(values, place, run, apart=apart)
        rows = RowsByCore.of(cores)
        ports = random.random((len(rows.cores), MEMORIES)) < 0.5 if splits else np.zeros((0, 0), np.bool_)
        found, expected = entries.uses(rows, MEMORIES, ports), plain.uses(cores, ports)
        assert np.array_equal(rows.cores, np.unique(cores))
        for name in ("number", "amount", "bursts"):
            assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def test_ends_of_packets_join_the_cores_of_rows() -> None:
    entries = Entries(2, (1, 2))
    entries.lane(Lane.SERVICE, np.array([[[1, 2]], [[3, 4]]]), np.array([0.5, 2.0]))
    entries.lane(Lane.SERVICE, np.array([[[10, 0]]]), np.array([0.25]), first=2, rows=1)
    found = entries.uses(RowsByCore.found(np.array([4, 6, 4])), MEMORIES, np.zeros((0, 0), np.bool_))
    assert found.lanes[:, Lane.SERVICE, 0].tolist() == [[0.5 + 2.5, 1.0], [6.0, 8.0]]


def test_totals_are_sums_over_steps_and_over_samples() -> None:
    random = np.random.default_rng(0)
    entries, asked = Entries(3, (2, 4)), []
    for axes in ((3, 2, 4), (3, 1, 4), (3, 2, 1), (3, 1, 1), (1, 1, 1), (1, 2, 4)):
        values = random.integers(0, 9, axes)
        asked.append((entries.count(values), values))
        assert entries.count(values) == asked[-1][0], "counted once"
    totals = entries.totals()
    for number, values in asked:
        whole = np.broadcast_to(values, (3, 2, 4))
        over_steps, over_samples = totals[number]
        assert np.array_equal(over_steps, whole.sum(axis=2))
        assert np.array_equal(np.broadcast_to(over_samples, (3, 4)), whole.sum(axis=1))
        assert over_samples.shape[1] == values.shape[2]


def test_a_stage_that_does_nothing_uses_nothing() -> None:
    entries = Entries(2, (2, 3))
    entries.lane(Lane.MAC, np.zeros((2, 1, 1), np.int64))
    assert not len(entries.uses(RowsByCore.of(np.array([1, 0])), MEMORIES, np.zeros((0, 0), np.bool_)).number)
    assert Entries(2, (2, 3)).totals() == []
