"""Which tools the tests of RTL need, and the reason where one is absent."""

import importlib.util
import shutil

import pytest

needs_verilator = pytest.mark.skipif(
    shutil.which("verilator") is None, reason="Verilator is not installed (Debian package verilator)"
)
needs_pyosys = pytest.mark.skipif(
    importlib.util.find_spec("pyosys") is None, reason="pyosys is not installed (extra rtl)"
)
