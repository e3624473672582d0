"""Kernels: both forms agree, and the disk cache knows the sources of everything that is called."""

import logging
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pytest

from nmsim.fixedpoint import compiled
from nmsim.fixedpoint.format import Overflow, QFormat, Rounding
from nmsim.fixedpoint.quantize import quantize_into, step_numbers
from nmsim.stop.fixed.memory_plan import Held, Plan, Work
from nmsim.stop.fixed.pass_kernels import Loss


def test_forms_of_a_kernel_agree() -> None:
    kernel = compiled.kernel(quantize_into)
    values, row = (
        np.arange(-40, 40),
        step_numbers(3, QFormat.parse("s3.1"), Rounding.NEAREST_EVEN, Overflow.WRAP),
    )
    out, draws = np.zeros(80, np.int64), np.zeros(80, np.uint16)
    exact = np.zeros(80, object)
    over = kernel.form(interpreted=False)(out, values, np.array(row, np.int64), draws)
    assert over == kernel.form(interpreted=True)(exact, values.astype(object), row, draws.astype(object)) > 0
    assert out.tolist() == exact.tolist()


class _Arrays(NamedTuple):
    values: list[int]
    out: list[int]
    unused: list[int]


def scale(out, values, factor, offset):
    """Kernel of the tests below."""
    for k in range(len(values)):
        out[k] = values[k] * factor + offset


def test_leading_parameters_are_bound_by_name() -> None:
    arrays = _Arrays([1, 2], [0, 0], [])
    scaled = compiled.kernel(scale, "bound").bound(arrays, interpreted=True, factor=3)
    scaled(1)
    assert arrays.out == [4, 7]


def test_what_changes_from_call_to_call_comes_last() -> None:
    kernel = compiled.kernel(scale, "bound")
    with pytest.raises(TypeError, match="scale cannot bind offset: bound parameters come first"):
        kernel.bound(_Arrays([1], [0], []), interpreted=True, offset=3)
    with pytest.raises(TypeError, match="cannot bind colour"):
        kernel.bound(_Arrays([1], [0], []), interpreted=True, colour=3)


def test_arrays_of_a_pass_have_one_name_each() -> None:
    names = [name for home in (Plan, Held, Work, Loss) for name in home._fields]
    assert len(set(names)) == len(names)


def test_cache_key_changes_with_any_kernel_source() -> None:
    kernel = compiled.kernel(quantize_into, "test")
    key = kernel.machine._cache._index_key(("signature",), _Codegen())
    assert key[-1] == ("nmsim.fixedpoint.quantize.quantize_into.test", compiled.source_digest())


def test_digest_covers_all_folders_with_kernels() -> None:
    for folder in compiled._FOLDERS:
        assert any((compiled._PACKAGE / folder).glob("*.py"))


def test_what_takes_long_to_compile_is_announced_once_and_not_when_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    caplog.set_level(logging.INFO, "nmsim")
    for on_disk in (False, True):
        kernel = compiled.kernel(scale, "announced", slow="a test (1 s)")
        assert kernel.on_disk is on_disk
        kernel.machine(np.arange(2), np.zeros(2, np.int64), 3, 1)
        kernel.machine(np.arange(3), np.zeros(3, np.int64), 3, 1)
        assert [record.getMessage() for record in caplog.records] == [
            "compiling a test (1 s) for this processor, once"
        ]


def test_code_of_other_sources_is_not_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    kernel = compiled.kernel(scale, "sources")
    kernel.machine(np.arange(2), np.zeros(2, np.int64), 3, 1)
    assert kernel.on_disk
    monkeypatch.setattr(compiled, "source_digest", lambda: "changed")
    assert not kernel.on_disk


class _Codegen:
    def magic_tuple(self) -> tuple[str]:
        return ("processor",)
