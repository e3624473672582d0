"""What the house promises: names that are there, a file for every noun, units in names, one home per figure and rule."""

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import nmsim
from nmsim.figures import FIGURES
from nmsim.rules import NARROWED, RULES

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
ROW = re.compile(r"^\| `(\w+)` \| `([\w/.]+\.py)` \|", re.MULTILINE)

QUANTITIES = {
    "energy", "latency", "power", "area", "voltage", "bandwidth", "frequency", "delay", "leakage", "duration", "supply",
}  # fmt: skip
UNITS = re.compile(
    r"_(j|pj|fj|nj|js|s|ns|us|ps|ms|w|uw|mw|v|hz|mhz|nm|um|um2|mm|mm2|bits?|bytes|mb|cycles?|steps?|words?|lsb|db"
    r"|ratio|fraction|factor|share|per_\w+)$"
)
NUMBERS = {
    *("float", "float | None", "int", "int | None", "Estimate", "Estimate | None"),
    *("FloatArray", "IntArray", "NDArray[np.float64]", "NDArray[np.int64]"),
}

MAY_NAME_A_RULE = {
    "nmsim/rules.py": "the home",
    "nmsim/validate/designs.py": "draws rules at random",
    "nmsim/validate/trainers.py": "published chips train by certain rules",
    "nmsim/cost/published_sops.py": "published figures of inference",
    "nmsim/validate/shipped_sops.py": "the same",
    "nmsim/validate/whole_chips.py": "the same",
    "nmsim/report/numerics/data.py": "no rule: a key of JSON that is called like the pass `inference`",
}
MOST_ARGUMENTS = 8
"""Positional arguments of a call in the bit-accurate engine, whose kernels take arrays by name."""


@cache
def trees() -> dict[str, ast.Module]:
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "nmsim").rglob("*.py"))
    }


def prose(tree: ast.Module) -> set[int]:
    """Docstrings, of modules, classes, functions and fields."""
    bodies = (getattr(node, "body", []) for node in ast.walk(tree))
    statements = (s for body in bodies if isinstance(body, list) for s in body if isinstance(s, ast.Expr))
    return {id(s.value) for s in statements}


def strings(tree: ast.Module) -> set[str]:
    told = prose(tree)
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    }


def test_every_public_name_is_shown_and_there() -> None:
    assert dir(nmsim) == sorted({*nmsim.__all__, "__version__"})
    assert set(nmsim.__all__) == set(nmsim._HOMES)
    for name in nmsim.__all__:
        assert getattr(nmsim, name) is not None
    assert nmsim.__version__
    assert (ROOT / "nmsim" / "py.typed").exists()
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = nmsim.nothing


def test_the_package_docstring_names_every_public_name() -> None:
    text = nmsim.__doc__ or ""
    missing = [name for name in nmsim.__all__ if f"`{name}`" not in text and name != "StudyOptions"]
    assert not missing


def nouns() -> list[tuple[str, str]]:
    return ROW.findall(GLOSSARY.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("noun", "file"), nouns(), ids=[noun for noun, _ in nouns()])
def test_every_noun_of_the_glossary_has_its_file(noun: str, file: str) -> None:
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    assert hasattr(module, noun), f"{file} has no {noun}"
    tree = trees()[file]
    own = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert noun in own, f"{noun} is not defined in {file}"


def test_every_exported_noun_is_in_the_glossary() -> None:
    listed = {noun for noun, _ in nouns()}
    classes = {name for name in nmsim.__all__ if isinstance(getattr(nmsim, name), type)}
    layers = {"AvgPool", "Conv", "Dense", "Flatten", "GlobalAvgPool", "MaxPool", "Residual", "StudyOptions"}
    assert classes - layers <= listed


def quantities(tree: ast.Module) -> Iterator[str]:
    """Fields, parameters and public functions that hold a number and are named after a quantity."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, kind = node.target.id, ast.unparse(node.annotation)
        elif isinstance(node, ast.arg) and node.annotation is not None:
            name, kind = node.arg, ast.unparse(node.annotation)
        elif isinstance(node, ast.FunctionDef) and node.returns is not None and not node.name.startswith("_"):
            name, kind = node.name, ast.unparse(node.returns)
        else:
            continue
        if kind in NUMBERS and set(name.lower().split("_")) & QUANTITIES:
            yield name


@pytest.mark.parametrize("path", trees())
def test_every_quantity_has_its_unit_in_its_name(path: str) -> None:
    assert [name for name in quantities(trees()[path]) if not UNITS.search(name.lower())] == []


def test_a_figure_has_one_home() -> None:
    """A file that spells three figures or more keeps a table of its own."""
    spelled = {
        path: strings(tree) & set(FIGURES) for path, tree in trees().items() if path != "nmsim/figures.py"
    }
    assert {path: names for path, names in spelled.items() if len(names) >= 3} == {}


def named(tree: ast.Module) -> set[str]:
    """Variables, attributes, and what is imported under whatever name."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.add(node.name)
    return found


def test_a_rule_has_one_home() -> None:
    names = {*RULES, *NARROWED}
    found = {path for path, tree in trees().items() if strings(tree) & names}
    members = {name.upper().replace("-", "_") for name in RULES} - {"INFERENCE"}
    found |= {path for path, tree in trees().items() if members & named(tree)}
    assert found == set(MAY_NAME_A_RULE), (
        "ask a rule for what it learns or carries (nmsim.rules), not for its name"
    )


def wide_calls(tree: ast.Module) -> Iterator[str]:
    """Calls with more positional arguments than anyone reads in order; records and signatures are none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) > MOST_ARGUMENTS:
            name = ast.unparse(node.func)
            last = name.rpartition(".")[2]
            if not last.isidentifier() or last.isupper() or last[0].islower():
                yield f"{name}, line {node.lineno}"


@pytest.mark.parametrize("path", [path for path in trees() if path.startswith("nmsim/stop/fixed/")])
def test_kernels_are_called_by_name(path: str) -> None:
    assert list(wide_calls(trees()[path])) == [], (
        "bind arrays by name (Kernel.bound), or group them in a record"
    )


def test_modules_say_what_they_are_for() -> None:
    short = [path for path, tree in trees().items() if len(ast.get_docstring(tree) or "") < 10]
    assert short == []


def test_every_public_name_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    missing = [name for name in nmsim.__all__ if f"### `{name}`" not in text]
    assert not missing, "run python docs/make_api.py"
