"""The reference report: every data set of a plan, trained a little, replayed under every rule on every chip."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nmsim.activity import Activity
from nmsim.config import Document
from nmsim.cost.chip_file import build_chip, load_chip
from nmsim.errors import ConfigError, CostError, DataError, DoesNotFitError, TooFastError
from nmsim.evaluate import evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.network.memory_table import NetworkMemory, network_memory
from nmsim.perf.census import ActivityCensus
from nmsim.pipeline.along import simulate_along
from nmsim.pipeline.folder import RunFolder, package_versions
from nmsim.pipeline.kept import find_kept, is_restored, read_kept, restore_run
from nmsim.pipeline.reference_cases import case_file, keep_outcome, kept_outcome, made_of
from nmsim.pipeline.reference_plan import PlannedDataset, ReferencePlan, find_data, planned_workload
from nmsim.pipeline.simulate import mapped
from nmsim.pipeline.train import train
from nmsim.report.learning_energy import LearningEnergy
from nmsim.report.reference.result import CASES, Absent, Case, DatasetResult, Outcome, Reference
from nmsim.report.reference.write import write_reference
from nmsim.rules import BASELINE, DEFAULT, FORWARD_PROFILE, PROFILES, rule_named
from nmsim.stop.history import TrainingHistory
from nmsim.stop.train import Progress
from nmsim.storage import file_name
from nmsim.workload import WorkloadSpec


def _silence(label: str) -> AbstractContextManager[Callable[[Progress], None]]:  # noqa: ARG001 - nobody reads it
    return nullcontext(lambda _: None)


@dataclass(frozen=True)
class Listener:
    """Whom to tell: `say` a line of text; `training`, given a label, opens a listener of one training run."""

    say: Callable[[str], None] = lambda _: None
    training: Callable[[str], AbstractContextManager[Callable[[Progress], None]]] = _silence


def reference(
    plan: ReferencePlan,
    data_root: Path,
    out: Path,
    work: Path,
    *,
    resume: bool = False,
    listener: Listener | None = None,
) -> list[Path]:
    """Make the reference report of a plan in `out`; the files written.

    Training runs are kept in `work`, one folder each, with the outcome of every case: `resume` goes on from both. The same
    plan, data and versions give the same bytes.

    Raises:
        DataError: nothing of the plan's data is below `data_root`, or a file of it is broken.
        ConfigError: a workload or chip of the plan is wrong.
        RunError: with `resume`, a folder in `work` belongs to another configuration.
    """
    return write_reference(collect(plan, data_root, work, resume=resume, listener=listener), out)


def collect(
    plan: ReferencePlan,
    data_root: Path,
    work: Path,
    *,
    resume: bool = False,
    listener: Listener | None = None,
) -> Reference:
    """What the report says, without writing it; see `reference`."""
    tell = listener or Listener()
    documents = [load_chip(name) for name in plan.chips]
    chips = tuple(build_chip(document) for document in documents)
    found, absent = [], []
    for entry in plan.datasets:
        source = _source(entry, data_root)
        if source is None:
            looked = ", ".join(entry.paths)
            absent.append(Absent(entry.title, f"none of {looked} is below the data root"))
            tell.say(f"{entry.title}: no data, left out")
            continue
        found.append(_dataset(plan, entry, source, documents, work, tell, resume=resume))
    if not found:
        raise DataError(
            f"{data_root}: none of the data of plan '{plan.name}' is there; give the folder that holds"
            f" {', '.join(entry.paths[0] for entry in plan.datasets)} as --data-root"
        )
    return Reference(
        plan.name, plan.description, plan.content_hash(), plan.seed, _command(plan), package_versions(), chips,
        tuple(found), tuple(absent),
    )  # fmt: skip


def _command(plan: ReferencePlan) -> str:
    return f"nmsim reference {plan.name} --data-root DIR --out reports/reference"


@dataclass(frozen=True)
class _SampleSource:
    """Where an entry's samples come from."""

    data: Path
    settings: dict[str, Any]
    stand_in: str


def _source(entry: PlannedDataset, data_root: Path) -> _SampleSource | None:
    data = find_data(data_root, entry.paths)
    if data is not None:
        return _SampleSource(data, {}, "")
    if entry.stand_in is not None and (other := find_data(data_root, entry.stand_in.paths)) is not None:
        return _SampleSource(other, entry.stand_in.settings, entry.stand_in.note)
    return None


def _dataset(
    plan: ReferencePlan,
    entry: PlannedDataset,
    source: _SampleSource,
    chips: list[Document],
    work: Path,
    tell: Listener,
    *,
    resume: bool,
) -> DatasetResult:
    place = f"plan {plan.name}, data set {entry.title}"
    workload = planned_workload(entry, entry.settings | source.settings, source.data, place)
    folder = RunFolder(work / file_name(workload.name))
    if entry.kept is not None:
        tell.say(f"{entry.title}: restore {entry.kept}, and measure it on {source.data.name}")
        prepared, history = _restored(entry, workload, source.data, folder.path, place, resume=resume)
    else:
        preparation = entry.settings | entry.preparation | source.settings
        prepared = planned_workload(entry, preparation, source.data, place)
        tell.say(f"{entry.title}: prepare {workload.name} on {source.data.name}")
        with tell.training(workload.name) as listen:
            history = train(
                prepared, folder.path, seed=plan.seed, resume=resume, overwrite=not resume, listen=listen
            )
    activities = {scheme: folder.activity(scheme) for scheme in PROFILES}
    learning = _learning(entry.title, folder, [build_chip(document) for document in chips], tell)
    return DatasetResult(
        entry.title, workload, prepared, _portable(folder.provenance(), source.data.name), history, activities,
        _memory(workload, activities[FORWARD_PROFILE]),
        tuple(_outcomes(entry.title, workload, activities, chips, folder.path, tell, resume=resume)),
        entry.epoch_samples, entry.epoch_source, source.stand_in, learning,
    )  # fmt: skip


def _restored(
    entry: PlannedDataset, workload: WorkloadSpec, data: Path, out: Path, place: str, *, resume: bool
) -> tuple[WorkloadSpec, TrainingHistory]:
    """The workload and the history of an entry's kept run, which is made a run folder.

    Raises:
        ConfigError: it is a run of another network than the entry's.
    """
    kept = read_kept(find_kept(str(entry.kept)))
    if kept.workload.network.content_hash() != workload.network.content_hash():
        raise ConfigError(
            f"{place}: the kept run {entry.kept} has the network {kept.workload.network.name}, and its workload"
            f" {workload.name} another one; name the workload that the run was made with"
        )
    samples = entry.profile_samples
    if not (resume and is_restored(kept, out, path=str(data), profile_samples=samples)):
        restore_run(kept, out, path=str(data), profile_samples=samples, overwrite=True)
    folder = RunFolder(out)
    return folder.workload(), folder.history()


def _learning(
    title: str, folder: RunFolder, chips: list[ChipConfig], tell: Listener
) -> tuple[LearningEnergy, ...]:
    """Energy along the preparation, if it recorded milestones; chips that do not hold the network are left out."""
    if not folder.workload().profile.milestones:
        return ()
    rules = (DEFAULT.name, BASELINE.name)
    return simulate_along(
        folder.path, chips, rules=rules, say=lambda text: tell.say(f"{title}: {text}")
    ).found


def _portable(provenance: dict[str, Any], data: str) -> dict[str, Any]:
    """What a run knows of its data, without the paths of this computer and the hashes that hold them."""
    return {"dataset": {**provenance["dataset"], "source": data}, "encoding": provenance["encoding"]}


def _memory(workload: WorkloadSpec, activity: Activity) -> dict[str, NetworkMemory]:
    """Memory of the network under every case, one sample in flight."""
    found = {}
    for case in CASES:
        needs = workload.needs(
            case.rule,
            stbp_history=str(case.chip_settings.get("options.stbp_history", "stored")),
            sample_bits=activity.layers[0].input_bits,
            static_input=activity.static_input,
        )
        found[case.name] = network_memory(workload.network, workload.precision, needs)
    return found


def _outcomes(
    title: str, workload: WorkloadSpec, activities: dict[str, Activity], chips: list[Document], run: Path, tell: Listener,
    *, resume: bool,
) -> Iterator[Outcome]:  # fmt: skip
    censuses = {scheme: ActivityCensus(workload.network, own) for scheme, own in activities.items()}
    for document in chips:
        for case in CASES:
            chip = build_chip(document.with_values(case.chip_settings, f"case {case.name}"))
            scheme = rule_named(case.rule).profile
            file, digest = case_file(run, case, chip), made_of(workload, case, chip, activities[scheme])
            outcome = kept_outcome(file, digest) if resume else None
            if outcome is None:
                tell.say(f"{title}: {case.name} on {chip.name}")
                outcome = _outcome(workload, case, chip, activities[scheme], censuses[scheme])
                keep_outcome(file, digest, outcome)
            yield outcome


def _outcome(
    workload: WorkloadSpec, case: Case, chip: ChipConfig, activity: Activity, census: ActivityCensus
) -> Outcome:
    """One case on one chip; that the network does not fit, or cannot be priced, is a result."""
    try:
        job = mapped(workload, case.rule, activity, chip, census=census)
        found = replace(evaluate(job, activity, census=census), chip_hash=chip.content_hash())
    except (DoesNotFitError, TooFastError, CostError) as error:
        return Outcome(case.name, chip.name, None, str(error))
    return Outcome(case.name, chip.name, found, time_multiplexed=job.mapping.time_multiplexed)
