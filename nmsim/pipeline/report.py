"""Stage three: everything a run measured and estimated, as files for people and for machines."""

from importlib import import_module
from pathlib import Path
from threading import Thread

from nmsim.diagnosis import Diagnosis, diagnose
from nmsim.errors import DoesNotFitError
from nmsim.neurobench import NeuroBench, neurobench_of
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.simulations import Simulations
from nmsim.pipeline.start import trained_parameters
from nmsim.report.result import RunResult
from nmsim.sharing import Share, in_turn
from nmsim.workload import WorkloadSpec


def read_result(out: Path) -> RunResult:
    """What the stages before left in a run folder; `RunError` if training or simulation has not been done."""
    folder = RunFolder(out)
    provenance, workload, store = folder.provenance(), folder.workload(), Simulations(folder)
    history = folder.history()
    store.require()
    evaluations, misfits = store.results()
    if not evaluations:
        raise DoesNotFitError("\n".join(line for misfit in misfits for line in misfit.lines()))
    return RunResult(
        workload=workload,
        seed=provenance["seed"],
        provenance=provenance,
        history=history,
        activity=folder.activity(workload.training.rule.profile),
        evaluations=tuple(evaluations),
        chips=tuple(store.chips()),
        misfits=tuple(misfits),
        neurobench=None if workload.recorded else _neurobench(folder, workload),
        learning=tuple(store.learning()),
    )


def _neurobench(folder: RunFolder, workload: WorkloadSpec) -> NeuroBench:
    """Of the trained weights on the profiled samples; of a float run at the width of its arithmetic."""
    width = {"fixed": None, "float32": 32, "float64": 64}[workload.training.arithmetic]
    weights = trained_parameters(folder).weights
    activity = folder.activity(workload.training.rule.profile)
    return neurobench_of(workload.network, weights, activity, workload.precision, width)


def diagnose_run(out: Path) -> Diagnosis:
    """What a trained run says about itself, before anything was simulated; `RunError` if training has not finished."""
    folder = RunFolder(out)
    workload = folder.workload()
    activity = folder.activity(workload.training.rule.profile)
    return diagnose(workload, folder.history(), activity, folder.provenance())


def report_run(out: Path | str) -> list[Path]:
    """Write the report of a run into its folder; the files written."""
    return reported(Path(out))[1]


def load_ahead() -> None:
    """Import what draws, and statistics, on a thread: call it before a training, whose compiled code leaves Python free."""

    def load() -> None:
        for name in ("scipy.special", "nmsim.report.write"):
            import_module(name)

    Thread(target=load, daemon=True).start()


def reported(folder: Path, share: Share = in_turn) -> tuple[RunResult, list[Path]]:
    """Write the report of a run into its folder, its pictures drawn by `share`; what it is about, and the files written."""
    from nmsim.report.write import write_report  # loads what draws, which takes a third of all imports

    with RunFolder(folder).locked():
        result = read_result(folder)
        return result, write_report(result, folder, share)
