"""Stage one: train a workload, and record the activity of its profile."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nmsim import config
from nmsim.config import Document
from nmsim.datasets.dataset import Dataset
from nmsim.datasets.event_encoding import lost_events
from nmsim.datasets.events import Recordings
from nmsim.datasets.spec import EventEncoding
from nmsim.pipeline.folder import RunFolder, package_versions
from nmsim.pipeline.milestones import MilestoneRecorder
from nmsim.pipeline.profile import profile_activities, profile_samples
from nmsim.pipeline.start import read_start, write_start
from nmsim.stop.balance import LayerBalance, balance
from nmsim.stop.engines import create_engine
from nmsim.stop.history import TrainingHistory
from nmsim.stop.protocol import Engine, Parameters
from nmsim.stop.spec import check_network
from nmsim.stop.train import Progress
from nmsim.stop.train import train as run_training
from nmsim.workload import Prepared, WorkloadSpec, prepare


def read_workload(name: str, *assignments: str, precision: Path | None = None) -> WorkloadSpec:
    """A workload by shipped name or path, with overrides such as `training.epochs=3`.

    `precision` is a file whose `precision` section takes the place of the workload's, as `nmsim formats` writes it.

    >>> read_workload("mnist-dense", "training.epochs=3").training.epochs
    3
    """
    return overridden(config.find("workloads", name), assignments, precision)


def overridden(path: Path, assignments: Iterable[str] = (), precision: Path | None = None) -> WorkloadSpec:
    """A workload file with another precision section, if given, and then with single keys set."""
    document = config.load(path)
    if precision is not None:
        document = document.with_part("precision", config.load(precision))
    for assignment in assignments:
        document = long_form(document, assignment).with_value(assignment)
    return config.build(WorkloadSpec, document)


def long_form(document: Document, keys: str) -> Document:
    """`dataset: mnist` written out as `dataset: {name: mnist}` where one of its keys is about to be set; so `encoding`."""
    for section, key in (("dataset", "name"), ("encoding", "kind")):
        short = document.data.get(section)
        if isinstance(short, str) and keys.startswith(f"{section}."):
            document = document.with_values({section: {key: short}}, document.place((section,)))
    return document


def train(
    workload: WorkloadSpec,
    out: Path,
    *,
    seed: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    max_samples_in_flight: int | None = None,
    listen: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    on_download: Any = None,
    data: Dataset | None = None,
    start: Parameters | None = None,
    device: str | None = None,
) -> TrainingHistory:
    """Train, write parameters, history and activity into the run folder `out`.

    What the folder held is moved to `earlier/` in it, and `say` reports it; with `resume` a run goes on from its last
    checkpoint, and one that has finished is left as it is.
    `max_samples_in_flight` bounds memory and changes no bit of a fixed-point run; `device`, where PyTorch runs its passes
    (compiled kernels if None), changes none either. `data` takes the place
    of the workload's data set. `start` are the real parameters that `workload.start` names (`pipeline.start.started_from`
    makes both); without them they are read from the folder.

    Raises:
        ConfigError, DataError, FormatError: the workload or its data are wrong.
        RunError: the folder belongs to another configuration, or another command is at work in it.
    """
    folder = RunFolder(out)
    check_network(workload.network, workload.training.rule, learns=True)
    if start is None and workload.start is not None:
        start = read_start(folder, workload)
    prepared = prepare(workload, seed, on_download, data)
    with folder.claim(workload, seed, provenance_of(prepared), overwrite=overwrite, resume=resume) as earlier:
        if earlier is not None:
            say(f"what was in {out} is now in {earlier}")
        if start is not None:
            write_start(folder.start, start)
        if resume and folder.training_file.exists():
            return folder.history()
        engine = build_engine(prepared, seed, max_samples_in_flight, start, device)
        history = run_training(
            engine,
            prepared.training_samples,
            prepared.test,
            seed=seed,
            run_hash=workload.run_hash(seed),
            checkpoint_path=folder.checkpoint,
            resume=resume,
            listen=listen,
            visit=MilestoneRecorder(folder, engine, prepared),
        )
        folder.save_parameters(engine.state())
        for name, activity in profile_activities(engine, prepared).items():
            folder.save_activity(name, activity)
        folder.save_history(history)
        return history


def build_engine(
    prepared: Prepared,
    seed: int,
    max_samples_in_flight: int | None = None,
    start: Parameters | None = None,
    device: str | None = None,
) -> Engine:
    """The engine that a workload asks for, with the parameters that it starts from."""
    workload = prepared.workload
    return create_engine(
        workload.network,
        workload.precision,
        workload.training,
        prepared.input_format,
        seed,
        max_samples_in_flight,
        start,
        workload.structure_schedule(len(prepared.train)),
        device,
    )


def provenance_of(prepared: Prepared) -> dict[str, Any]:
    """What a run folder says of where its run comes from."""
    workload, dataset = prepared.workload, prepared.dataset
    return {
        "versions": package_versions(),
        "workload": {
            "name": workload.name,
            "hash": workload.content_hash(),
            "network_hash": workload.network.content_hash(),
        },
        "dataset": {
            **json.loads(json.dumps(asdict(dataset.provenance))),
            "name": dataset.name,
            "train_samples": len(dataset.train),
            "test_samples": len(dataset.test),
            "train_per_class": np.bincount(dataset.y_train, minlength=dataset.classes).tolist(),
            "test_per_class": np.bincount(dataset.y_test, minlength=dataset.classes).tolist(),
        },
        "encoding": {
            "kind": workload.encoding.kind,
            "format": prepared.encoded.format,
            "static": prepared.encoded.static,
            **_events(prepared),
        },
    }


def _events(prepared: Prepared) -> dict[str, int]:
    """Of event recordings: the events of the profiled samples, and how many the encoding drops."""
    encoding, profile = prepared.workload.sample_encoding, prepared.workload.profile
    recordings = getattr(prepared, profile.split).split.x
    if not isinstance(recordings, Recordings) or not isinstance(encoding, EventEncoding):
        return {}
    steps = prepared.workload.network.time_steps
    events, lost = lost_events(recordings, profile_samples(prepared), encoding, steps)
    return {"events": events, "lost_events": lost}


def balance_workload(
    workload: WorkloadSpec, *, seed: int = 1, samples: int = 16, spike_rate: float = 0.15
) -> tuple[LayerBalance, ...]:
    """Weight scales at which every layer spikes on the workload's own samples: one factor per synaptic layer.

    Call it for a deep network without batch normalisation that stays silent; see `nmsim.stop.balance`.

    Raises:
        CheckFailedError: a layer stays almost silent.
        DataError, ConfigError: as `nmsim.workload.prepare`.
    """
    prepared = prepare(workload, seed)
    chosen = np.arange(min(samples, len(prepared.train)))
    return balance(workload.network, workload.training, prepared.train.batch(chosen, 0), seed, spike_rate)
