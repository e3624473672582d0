"""Arrays reach the kernels by position: their order is said three times, and must be one."""

import ast
from inspect import getsource, signature

import pytest

from nmsim.stop.fixed.memory_plan import Held, Plan, Work
from nmsim.stop.fixed.pass_kernels import Loss, run_pass


def _calls() -> dict[str, tuple[str, ...]]:
    """Names of what `run_pass` builds its named tuples from, in order."""
    found = {}
    for node in ast.walk(ast.parse(getsource(run_pass))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found[node.func.id] = tuple(given.id for given in node.args if isinstance(given, ast.Name))
    return found


@pytest.mark.parametrize("home", [Plan, Held, Work, Loss])
def test_a_pass_gives_every_field_the_array_of_its_name(home: type) -> None:
    assert _calls()[home.__name__] == home._fields  # type: ignore[attr-defined]


def test_parameters_of_a_pass_begin_with_all_fields() -> None:
    fields = (*Plan._fields, *Held._fields, *Work._fields, *Loss._fields)
    assert tuple(signature(run_pass).parameters)[: len(fields)] == fields
