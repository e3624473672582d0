"""Instead of stage one: spikes that another tool recorded become a run, ready to be replayed on chips."""

from pathlib import Path
from typing import Any

from nmsim import config
from nmsim.activity import Activity
from nmsim.config import Record
from nmsim.datasets.file import files_sha256
from nmsim.datasets.spec import DatasetSpec, RecordedEncoding
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.folder import RunFolder, package_versions
from nmsim.rasters import SpikeList, activity_of, aligned, read_rasters
from nmsim.rasters.align import Delay
from nmsim.rules import FORWARD_PROFILE
from nmsim.stop.history import TrainingHistory
from nmsim.workload import Profile, WorkloadSpec

SEED = 0


class RecordedNetwork(Record):
    """What a recording needs besides its spikes."""

    name: str | None = None
    """Name of the run in reports; the network's if absent."""
    network: NetworkSpec
    precision: Precision = Precision()
    """Widths of weights and membranes on chips described by memories and lanes."""


def read_network(path: Path) -> RecordedNetwork:
    """Shapes and connectivity: a YAML file with the section `network`, and `name` and `precision` if wanted.

    A workload file or a run's `workload.yaml` serves as well; what else it says is left alone.
    """
    document = config.load(path)
    if "dataset" in document.data:
        workload = config.build(WorkloadSpec, document)
        return RecordedNetwork(name=workload.name, network=workload.network, precision=workload.precision)
    return config.build(RecordedNetwork, document)


def import_activity(
    rasters: Path,
    network_file: Path,
    out: Path,
    *,
    delay_steps: Delay = 0,
    overwrite: bool = False,
    spike_list: SpikeList | None = None,
) -> Activity:
    """Make the run folder `out` from rasters and a network; what was recorded.

    `delay_steps`: time steps that a spike takes from one layer to the next in the tool that recorded it, or one number for
    each layer; see `nmsim.rasters.align`. `spike_list`: how a CSV names its columns and counts, where it is not ours.

    Raises:
        ConfigError: the network is wrong.
        DataError: the rasters are broken or do not fit the network.
        RunError: the folder holds another run.
    """
    described = read_network(network_file)
    recording = aligned(read_rasters(rasters, described.network, spike_list), described.network, delay_steps)
    files = sorted(rasters.glob("*.csv")) if rasters.is_dir() else [rasters]
    sha256 = files_sha256(files, rasters.parent, contents=True)
    name = described.name or described.network.name
    workload = WorkloadSpec(
        name=name,
        description=f"{name}: spikes that another tool recorded, imported from {rasters.name}"
        f"{_reading_text(spike_list or SpikeList())}{_delay_text(delay_steps)}.",
        dataset=DatasetSpec(name="recorded", path=rasters.name),
        encoding=RecordedEncoding(kind="recorded"),
        network=described.network,
        precision=described.precision,
        profile=Profile(samples=recording.samples),
    )
    folder = RunFolder(out)
    about = _provenance(workload, rasters, sha256, recording.samples, delay_steps)
    meta = {
        "dataset": "recorded",
        "workload": name,
        "file": rasters.name,
        "sha256": sha256,
        "delay_steps": delay_steps,
    }
    with folder.claim(workload, SEED, about, overwrite=overwrite):
        activity = activity_of(described.network, recording, meta)
        folder.save_activity(FORWARD_PROFILE, activity)
        folder.save_history(TrainingHistory())
    return activity


def _reading_text(how: SpikeList) -> str:
    """How a list was read, where it says otherwise than ours: another reading is another run."""
    said = [
        *([f"a step of {how.dt_s:g}"] if how.dt_s is not None else []),
        *([f"steps from {how.first_step}"] if how.first_step else []),
        *([f"counts of {how.spike_bits} bits"] if how.spike_bits > 1 else []),
        *(
            f"{ours} as '{theirs}'" if theirs else f"{ours} silent"
            for ours, theirs in sorted({**how.names, **how.layers}.items())
        ),
    ]
    return f", read with {', '.join(said)}" if said else ""


def _delay_text(delay_steps: Delay) -> str:
    if isinstance(delay_steps, tuple):
        text = ", ".join(map(str, delay_steps))
        return f", with its delays of {text} time steps into the layers taken out"
    return f", with its delay of {delay_steps} time steps per layer taken out" if delay_steps else ""


def _provenance(
    workload: WorkloadSpec, rasters: Path, sha256: str, samples: int, delay_steps: Delay
) -> dict[str, Any]:
    return {
        "versions": package_versions(),
        "workload": {
            "name": workload.name,
            "hash": workload.content_hash(),
            "network_hash": workload.network.content_hash(),
        },
        "dataset": {
            "name": "recorded",
            "source": rasters.name,
            "file_format": rasters.suffix.removeprefix("."),
            "sha256": sha256,
            "samples": samples,
            "delay_steps": delay_steps,
        },
        "encoding": {"kind": "recorded"},
    }
