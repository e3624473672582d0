import sqlite3
from pathlib import Path

import pytest
from toy_space import space, toy_result

from nmsim.errors import RunError
from nmsim.explore.result import Result, Status
from nmsim.explore.result_tables import write_tables
from nmsim.explore.store import Store

AXES = space().axes
IDENTITY = {"verb": "sweep", "space": "abc"}


def filled(path: Path, order: range, *, close: bool = True) -> Store:
    store = Store(path, AXES, IDENTITY)
    for design in order:
        store.add(toy_result(design, space().grid()[design * 7]))
    if close:
        store.close()
    return store


def test_what_is_added_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    filled(tmp_path / "s.sqlite", range(40))
    with Store(tmp_path / "s.sqlite", AXES) as store:
        found = store.results()
    expected = [toy_result(design, space().grid()[design * 7]) for design in range(40)]
    assert [(r.design, r.values, r.status, r.reason) for r in found] == [
        (r.design, r.values, r.status, r.reason) for r in expected
    ]
    for left, right in zip(found, expected, strict=True):
        assert {name: left.metrics[name] for name in right.metrics} == right.metrics
    assert {r.status for r in found} == {Status.OK, Status.DOES_NOT_FIT}


def test_the_table_does_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    forward = filled(tmp_path / "a.sqlite", range(30), close=False)
    backward = filled(tmp_path / "b.sqlite", range(29, -1, -1), close=False)
    assert forward.digest() == backward.digest()
    for store in (forward, backward):
        (tmp_path / store.path.stem).mkdir()
        write_tables(store, tmp_path / store.path.stem)
        store.close()
    for name in ("results.csv", "sweep.parquet"):
        if (tmp_path / "a" / name).exists():
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_changed_bit_changes_the_digest(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite", range(10), close=False)
    before = store.digest()
    store.add(Result(10, "analytic", space().grid()[1], Status.OK, metrics={"energy_per_sample_j": 1.0}))
    after = store.digest()
    store.close()
    other = filled(tmp_path / "b.sqlite", range(10), close=False)
    other.add(
        Result(10, "analytic", space().grid()[1], Status.OK, metrics={"energy_per_sample_j": 1.0 + 2**-52})
    )
    assert len({before, after, other.digest()}) == 3
    other.close()


def test_a_result_is_never_replaced_unless_it_was_lost(tmp_path: Path) -> None:
    values = space().grid()[5]
    with Store(tmp_path / "s.sqlite", AXES, IDENTITY) as store:
        store.add(Result(3, "analytic", values, Status.LOST, "its worker died 3 times"))
        assert store.done("analytic") == set()
        store.add(Result(3, "analytic", values, Status.ERROR, "no"))
        assert store.done("analytic") == {3}
        with pytest.raises(RunError):
            store.add(Result(3, "analytic", values, Status.OK))
        store.add(Result(3, "event", values, Status.OK))
        assert [(r.design, r.model, r.status) for r in store.results()] == [
            (3, "analytic", "error"),
            (3, "event", "ok"),
        ]


def test_ordinary_tools_read_it(tmp_path: Path) -> None:
    filled(tmp_path / "s.sqlite", range(40))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".s.sqlite.lock", "s.sqlite"], (
        "one file, no log beside it"
    )
    database = sqlite3.connect(tmp_path / "s.sqlite")
    best = database.execute(
        "SELECT design, node FROM results WHERE status = 'ok' ORDER BY energy_per_sample_j LIMIT 1"
    ).fetchone()
    database.close()
    expected = min(
        (r for r in (toy_result(d, space().grid()[d * 7]) for d in range(40)) if r.ok),
        key=lambda r: r.metrics["energy_per_sample_j"],
    )
    assert best == (expected.design, expected.values[4])


def test_a_store_that_somebody_reads_is_closed_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    store = filled(path, range(20), close=False)
    reader = sqlite3.connect(path)
    assert reader.execute("SELECT count(*) FROM results").fetchone() == (20,)
    store.close()
    reader.close()
    with Store(path, AXES, IDENTITY) as again:
        assert len(again.results()) == 20
    assert [file.name for file in tmp_path.glob("s.sqlite-*")] == []


def test_another_studys_file_is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "s.sqlite", range(2))
    with pytest.raises(RunError) as error:
        Store(tmp_path / "s.sqlite", AXES, {**IDENTITY, "space": "xyz"})
    assert str(error.value) == (
        f"{tmp_path}/s.sqlite: holds another study (space differ); give another --out, or --overwrite"
    )


def test_two_writers_are_refused(tmp_path: Path) -> None:
    store = filled(tmp_path / "s.sqlite", range(2), close=False)
    with pytest.raises(RunError) as error:
        Store(tmp_path / "s.sqlite", AXES, IDENTITY)
    assert str(error.value) == (
        f"{tmp_path}/s.sqlite: another process writes this study; wait for it, or give another --out"
    )
    with Store(tmp_path / "s.sqlite", AXES) as reader:
        assert len(reader.results()) == 2, "reading goes on meanwhile"
    store.close()
    Store(tmp_path / "s.sqlite", AXES, IDENTITY).close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite").write_text("not a database, but long enough to be taken for one" * 40)
    with pytest.raises(
        RunError,
        match=r"s\.sqlite: not usable as a study's store \(file is not a database\); give another --out$",
    ):
        Store(tmp_path / "s.sqlite", AXES, IDENTITY)
    with pytest.raises(
        RunError, match=r"no\.sqlite: no study here; make one with `nmsim sweep` or `nmsim search`$"
    ):
        Store(tmp_path / "no.sqlite", AXES)


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path / "s.sqlite", range(20), close=False)
    store._database.execute("PRAGMA max_page_count = 12")
    told = []

    def fill() -> None:
        for design in range(20, 400):
            store.add(toy_result(design, space().grid()[design]))
            told.append(design)

    with pytest.raises(RunError) as error:
        fill()
    assert str(error.value) == (
        f"{tmp_path}/s.sqlite: the disk is full (database or disk is full); every result so far is kept, so free space and"
        " --resume"
    )
    added = 20 + len(told)
    assert added < 400
    store.close()
    with Store(tmp_path / "s.sqlite", AXES, IDENTITY) as again:
        assert again.done("analytic") == set(range(added))
        again.add(toy_result(added, space().grid()[added]))


def test_notes_are_kept_beside_the_results(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite", AXES, IDENTITY) as store:
        digest = store.digest()
        store.note("versions", {"nmsim": "1"})
        store.note("versions", {"nmsim": "2"})
        assert store.noted("versions") == {"nmsim": "2"}
        assert store.noted("nothing") is None
        assert store.digest() == digest
