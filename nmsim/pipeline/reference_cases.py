"""Reference cases: outcomes of the reference report, kept beside the run they replay so that a report can go on."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from nmsim import records
from nmsim.activity import Activity
from nmsim.cost.table import load_table
from nmsim.errors import RunError
from nmsim.hardware.chip import ChipConfig
from nmsim.pipeline.folder import package_versions
from nmsim.report.reference.result import Case, Outcome
from nmsim.storage import file_name
from nmsim.workload import WorkloadSpec

SCHEMA = "nmsim/reference-case-1"
FOLDER = "cases"
"""In a run folder."""


@dataclass(frozen=True)
class KeptCase:
    """One outcome, and the digest of all that it was made of."""

    made_of: str
    outcome: Outcome


def made_of(workload: WorkloadSpec, case: Case, chip: ChipConfig, activity: Activity) -> str:
    """Digest of what an outcome depends on: workload, rule, chip, prices, activity, versions of nmsim and its packages."""
    prices = load_table(chip.technology).content_hash()
    parts = (workload.content_hash(), case.rule, chip.content_hash(), prices, activity.content_hash)
    return hashlib.sha256(json.dumps([*parts, package_versions()], sort_keys=True).encode()).hexdigest()


def case_file(run: Path, case: Case, chip: ChipConfig) -> Path:
    """Where the outcome of a case on a chip is kept."""
    return run / FOLDER / f"{file_name(chip.name)}--{file_name(case.name)}.npz"


def kept_outcome(file: Path, digest: str) -> Outcome | None:
    """The outcome in a file if it was made of the same; None where there is none, or another one, or a damaged one."""
    if not file.exists():
        return None
    try:
        kept = records.load(file, KeptCase, SCHEMA, "remove it")
    except RunError:
        return None
    return kept.outcome if kept.made_of == digest else None


def keep_outcome(file: Path, digest: str, outcome: Outcome) -> None:
    """Write an outcome, atomically."""
    file.parent.mkdir(parents=True, exist_ok=True)
    records.save(file, KeptCase(digest, outcome), SCHEMA)
