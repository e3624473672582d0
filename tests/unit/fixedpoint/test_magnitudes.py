"""Magnitudes in kernels: `abs` and unary minus keep a narrow type, in which the most negative integer has no magnitude."""

import ast
from pathlib import Path

import numpy as np
import pytest

import nmsim
from nmsim.fixedpoint.compiled import kernel
from nmsim.fixedpoint.quantize import magnitude

PACKAGE = Path(nmsim.__file__).parent
KERNEL_FILES = [
    path
    for folder in ("fixedpoint", "stop/fixed")
    for path in sorted((PACKAGE / folder).glob("*.py"))
    if "register_jitable" in path.read_text() or "import kernel" in path.read_text()
]


def total_magnitude(values):
    total = 0
    for k in range(values.size):
        total += magnitude(values[k])
    return total


@pytest.mark.parametrize("kind", [np.int16, np.int32, object])
def test_magnitude_of_the_most_negative_integer(kind: type) -> None:
    least = -(1 << 31) if kind is object else np.iinfo(kind).min
    values = np.array([least, 3, least, -5], kind)
    run = kernel(total_magnitude).form(interpreted=kind is object)
    assert run(values) == 2 * -int(least) + 8


def test_kernels_take_no_magnitude_in_the_width_of_what_is_stored() -> None:
    assert len(KERNEL_FILES) > 8
    used = [
        f"{path.name}:{node.lineno}"
        for path in KERNEL_FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Name) and node.id in {"abs", "fabs"})
        or (isinstance(node, ast.Attribute) and node.attr in {"abs", "absolute", "fabs"})
    ]
    assert used == []  # quantize.magnitude has at least 64 bits
