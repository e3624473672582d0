"""Every cell of the notebooks in docs/ runs, and what a notebook holds is what its `.py` file says."""

import ast
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"
SOURCES = sorted(path for path in NOTEBOOKS.glob("*.py") if path.name != "execute.py")


def maker() -> ModuleType:
    pytest.importorskip("nbformat", reason="notebooks are made with nbformat and nbclient")
    pytest.importorskip("nbclient", reason="notebooks are made with nbformat and nbclient")
    spec = importlib.util.spec_from_file_location("execute", NOTEBOOKS / "execute.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code_cells(source: str) -> list[str]:
    parts = source.split("\n# %%")
    return [
        part.partition("\n")[2]
        for part in parts
        if not part.startswith(" [markdown]") and "# %% [markdown]" not in part
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_cell_runs_and_shows_its_last_line(path: Path) -> None:
    pytest.importorskip("pandas", reason="a cell makes a data frame")
    scope: dict[str, Any] = {}
    for cell in code_cells(path.read_text(encoding="utf-8")):
        tree = ast.parse(cell)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, path.name, "exec"), scope)  # noqa: S102 - cells of our own notebook
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), path.name, "eval"), scope)  # noqa: S307 - same
            if shown is not None:
                html = getattr(shown, "_repr_html_", None) or shown._repr_svg_
                assert html()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_notebook_holds_the_cells_of_its_source(path: Path) -> None:
    held = json.loads(path.with_suffix(".ipynb").read_text(encoding="utf-8"))
    wanted = maker().cells(path.read_text(encoding="utf-8"))
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in held["cells"]] == wanted, (
        "run python docs/notebooks/execute.py"
    )
    assert all(cell["execution_count"] for cell in held["cells"] if cell["cell_type"] == "code")
