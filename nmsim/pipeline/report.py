"""Stage three: everything a run measured and estimated, as files for people and for machines."""

from pathlib import Path

from nmsim.activity import Activity
from nmsim.pipeline.folder import RunFolder
from nmsim.report.result import RunResult
from nmsim.report.write import write_report


def read_result(out: Path) -> RunResult:
    """What the stages before left in a run folder; `RunError` if training or simulation has not been done."""
    folder = RunFolder(out)
    provenance, workload = folder.provenance(), folder.workload()
    return RunResult(
        workload=workload,
        seed=provenance["seed"],
        provenance=provenance,
        history=folder.history(),
        activity=Activity.load(folder.activity(workload.training.rule.profile)),
        evaluations=tuple(folder.evaluations()),
        chips=tuple(folder.chips()),
    )


def report_run(out: Path) -> list[Path]:
    """Write the report of a run into its folder; the files written."""
    return write_report(read_result(out), out)
