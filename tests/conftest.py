"""Fixtures of the whole suite."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

UNHURRIED = (HealthCheck.too_slow,)
settings.register_profile("unhurried", deadline=None, suppress_health_check=UNHURRIED, derandomize=True)
settings.register_profile("exploring", deadline=None, suppress_health_check=UNHURRIED, print_blob=True)
settings.load_profile(os.environ.get("NMSIM_HYPOTHESIS", "unhurried"))
"""No test depends on how busy the machine is: no deadline, and the same examples at each run; `exploring` draws new ones."""

ROOT = Path(__file__).resolve().parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Draw the order of files and tests from the commit: a new one with every change, the same for all who have it.

    The head of a test run names it; `--random-order-seed` asks for another.
    """
    if config.getoption("random_order_seed").startswith("default:"):
        config.option.random_order_seed = _commit() or "no commit"


def _commit() -> str:
    try:
        asked = subprocess.run(
            ["git", "-c", "safe.directory=*", "rev-parse", "--short=7", "HEAD"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:  # no git here
        return ""
    return asked.stdout.strip()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets beside the checkout (or `NMSIM_SHARED_DATA`); tests skip where it is absent."""
    folder = Path(
        os.environ.get("NMSIM_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    )
    if not folder.is_dir():
        pytest.skip(f"real data sets are not at {folder}; set NMSIM_SHARED_DATA to run this test")
    return folder
