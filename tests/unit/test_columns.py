"""Columns answer as plain arrays do, and find each answer once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmsim.columns import KEPT, Columns, distinct, distinct_numbers, joined

NAMES, NUMBERS = st.sampled_from(["", "alu", "noc", "sram"]), st.integers(-1, 3)


@given(st.lists(st.tuples(NAMES, NUMBERS), min_size=1, max_size=30))
def test_rows_and_groups_are_those_of_a_search_by_hand(rows: list[tuple[str, int]]) -> None:
    names, numbers = (np.array(column) for column in zip(*rows, strict=True))
    columns = Columns({"name": names, "number": numbers})
    assert columns.where(name="noc", number=(1, 2)).tolist() == [n == "noc" and k in {1, 2} for n, k in rows]
    first, group = columns.groups("name", "number")
    assert [rows[first[g]] for g in group] == rows
    assert len(first) == len(set(rows))
    assert all(rows.index(rows[row]) == row for row in first)


def test_answers_are_kept_and_not_without_bound() -> None:
    columns = Columns({"core": np.arange(4)})
    assert columns.groups("core") is columns.groups("core")
    assert columns.take(columns.where(core=(1, 2))) is columns.take(np.array([False, True, True, False]))
    assert columns.take(np.ones(4, np.bool_)) is columns
    asked = []
    for key in range(KEPT + 3):
        columns.keep(key, lambda key=key: asked.append(key))
    columns.keep(KEPT + 2, lambda: asked.append("again"))
    columns.keep(0, lambda: asked.append("forgotten"))
    assert asked == [*range(KEPT + 3), "forgotten"]


def test_joined_columns_have_the_rows_of_all_parts() -> None:
    one, two = Columns({"core": np.array([1])}), Columns({"core": np.array([2, 3])})
    assert joined((one, two))["core"].tolist() == [1, 2, 3]
    assert joined((one, two)) != Columns({"core": np.array([1, 2, 3])})


@given(
    st.lists(st.tuples(NAMES, NUMBERS, st.integers(0, 3)), min_size=1, max_size=12), st.integers(0, 2**32 - 1)
)
def test_picked_columns_answer_as_those_written_out(blocks: list[tuple[str, int, int]], seed: int) -> None:
    names, numbers, lengths = (list(column) for column in zip(*blocks, strict=True))
    rows = sum(lengths)
    core = np.random.default_rng(seed).integers(0, 3, rows)
    values = {"name": np.array(names), "number": np.array(numbers)}
    short = Columns.picked(values, np.repeat(np.arange(len(blocks)), lengths), core=core)
    long = Columns({"name": np.repeat(names, lengths), "number": np.repeat(numbers, lengths), "core": core})
    some = core > 0
    for one, other in (
        (short, long),
        (short.take(some), long.take(some)),
        (joined((short, long)), joined((long, long))),
    ):
        assert one.rows == other.rows
        for made, plain in ((one, other), (one.only("core", "name"), other.only("core", "name"))):
            assert list(made) == list(plain)
            assert all(made[name].tolist() == plain[name].tolist() for name in plain)
            for mine, own in zip(made.groups("name", "core"), plain.groups("name", "core"), strict=True):
                assert mine.tolist() == own.tolist()
            assert made.where(name=("noc", "")).tolist() == plain.where(name=("noc", "")).tolist()


@given(
    st.integers(1, 40), st.integers(1, 4), st.sampled_from([2, 50, 10**6, 2**31]), st.integers(0, 2**32 - 1)
)
def test_combinations_of_numbers_are_those_of_a_sort(rows: int, columns: int, most: int, seed: int) -> None:
    table = np.random.default_rng(seed).integers(0, most, (columns, rows))
    _, first, inverse = np.unique(table, axis=1, return_index=True, return_inverse=True)
    for found in (distinct_numbers(list(table)), distinct(list(table))):
        assert found[0].tolist() == first.tolist()
        assert found[1].tolist() == inverse.reshape(-1).tolist()


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("most", [3, 200])
def test_whole_numbers_are_coded_as_sorting_codes_them(kind: type, most: int) -> None:
    low = 0 if kind is np.uint8 else -1
    array = np.random.default_rng(most).integers(low, most, 50).astype(kind)
    for numbers in (array, array.astype(np.int64) * 10**9):
        values, code = Columns({"number": numbers}).coded("number")
        expected, expected_code = np.unique(numbers, return_inverse=True)
        assert values.dtype == expected.dtype
        assert np.array_equal(values, expected)
        assert np.array_equal(code, expected_code)
