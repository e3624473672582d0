"""Fixtures of the whole suite."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

UNHURRIED = (HealthCheck.too_slow,)
settings.register_profile("unhurried", deadline=None, suppress_health_check=UNHURRIED, derandomize=True)
settings.register_profile("exploring", deadline=None, suppress_health_check=UNHURRIED, print_blob=True)
settings.load_profile(os.environ.get("NMSIM_HYPOTHESIS", "unhurried"))
"""No test depends on how busy the machine is: no deadline, and the same examples at each run; `exploring` draws new ones."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets beside the checkout (or `NMSIM_SHARED_DATA`); tests skip where it is absent."""
    folder = Path(
        os.environ.get("NMSIM_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    )
    if not folder.is_dir():
        pytest.skip(f"real data sets are not at {folder}; set NMSIM_SHARED_DATA to run this test")
    return folder
