"""A pytest plugin that writes what was skipped, one test or file a line, to the file that NMSIM_SKIPPED names.

CI runs the whole suite without extras, as the README has it, and then what was skipped once more with all of them.
"""

import os
from pathlib import Path

import pytest


def _note(report: pytest.CollectReport | pytest.TestReport) -> None:
    if report.skipped:
        with Path(os.environ["NMSIM_SKIPPED"]).open(
            "a", encoding="utf-8"
        ) as file:  # workers append, each its own
            file.write(f"{report.nodeid}\n")


pytest_runtest_logreport = _note
pytest_collectreport = _note
