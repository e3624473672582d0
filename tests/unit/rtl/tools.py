"""Which tools the tests of RTL need, and the reason where one is absent."""

import importlib.util
import shutil

import pytest

needs_verilator = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("verilator", "make", "g++")),
    reason="Verilator, make or g++ is not installed (Debian packages verilator, make, g++)",
)
needs_pyosys = pytest.mark.skipif(
    importlib.util.find_spec("pyosys") is None, reason="pyosys is not installed (extra rtl)"
)
