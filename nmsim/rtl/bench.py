"""Build and run the bench of a written core with Verilator."""

import shutil
import subprocess
from pathlib import Path

from nmsim.errors import CheckFailedError, ConfigError

PACKAGE, MODULES, BENCH = "rtl/stop_pkg.sv", "rtl", "tb/stop_tb.sv"
BUILT = "obj_dir/stop_tb"
LINT = (
    "verilator",
    "--lint-only",
    "-Wall",
    PACKAGE,
    "-y",
    MODULES,
    "rtl/stop_core.sv",
    "--top-module",
    "stop_core",
)
BUILD = (
    "verilator", "--binary", "--timing", "--x-initial", "unique", "-Wno-fatal", "-Wno-lint", PACKAGE, "-y", MODULES, BENCH,
    "--top-module", "stop_tb", "-o", "stop_tb",
)  # fmt: skip


def require_verilator() -> None:
    """Refuse to go on without Verilator.

    Raises:
        ConfigError: it is not installed.
    """
    if shutil.which("verilator") is None:
        raise ConfigError(
            "nmsim rtl: Verilator is not installed; install the Debian package verilator (5.006 or later)"
        )


def lint(folder: Path) -> str:
    """Warnings of `verilator --lint-only -Wall` about a written core, empty where there are none."""
    require_verilator()
    done = subprocess.run(LINT, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    return (done.stdout + done.stderr).strip()


def build(folder: Path, *, quick: bool = False) -> None:
    """Compile the bench; `quick` compiles fast and simulates slowly.

    All of Verilator's C++ is one translation unit: most of what a split one costs is its headers, once for each part.

    Raises:
        CheckFailedError: Verilator does not accept the core.
    """
    require_verilator()
    level = "-O0" if quick else "-O2"
    effort = (
        *(["-fno-inline"] * quick),
        "-O3",
        "-MAKEFLAGS",
        f"VM_PARALLEL_BUILDS=0 OPT_FAST={level} OPT_SLOW=-O0 OPT_GLOBAL={level}",
    )
    done = subprocess.run((*BUILD, *effort), cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CheckFailedError(f"{folder}: the bench does not build\n{(done.stdout + done.stderr)[-2000:]}")


def run(folder: Path, *, only_final: bool = False, samples: int | None = None) -> None:
    """Run the bench; it writes `trace.hex` and `cycles.txt`.

    Raises:
        CheckFailedError: the simulation ends with an error.
    """
    options = ["+final"] * only_final + ([f"+samples={samples}"] if samples is not None else [])
    done = subprocess.run([f"./{BUILT}", *options], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CheckFailedError(f"{folder}: the simulation failed\n{(done.stdout + done.stderr)[-2000:]}")
