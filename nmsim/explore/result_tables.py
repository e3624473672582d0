"""Results as files for other tools: CSV always, Parquet where pyarrow is installed."""

import csv
import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nmsim.explore.store import Store
from nmsim.storage import atomic_write, write_text


def write_tables(store: Store, folder: Path) -> None:
    """Write `results.csv` and `sweep.parquet`: the same rows and columns as the store, in order of design and model.

    The same results give the same bytes, whatever wrote them and in which order.
    """
    columns, rows = store.table()
    write_text(folder / "results.csv", csv_text(columns, rows))
    if find_spec("pyarrow") is not None:
        _write_parquet(columns, rows, folder / "sweep.parquet")


def csv_text(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Comma-separated text with a header; floats to the last bit, empty where there is no value."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return stream.getvalue()


def _write_parquet(columns: Sequence[str], rows: Sequence[Sequence[Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {}
    for index, name in enumerate(columns):
        cells = [row[index] for row in rows]
        kinds = {type(cell) for cell in cells if cell is not None}
        if kinds == {int, float}:
            cells = [None if cell is None else float(cell) for cell in cells]
        elif len(kinds) > 1:
            cells = [None if cell is None else str(cell) for cell in cells]
        arrays[name] = pa.array(cells)
    with atomic_write(path) as stream:
        pq.write_table(pa.table(arrays), stream)
