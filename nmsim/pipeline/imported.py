"""Instead of stage one: spikes that another tool recorded become a run, ready to be replayed on chips."""

from pathlib import Path
from typing import Any

from nmsim import config
from nmsim.activity import Activity
from nmsim.config import Record
from nmsim.datasets.file import files_sha256
from nmsim.datasets.spec import DatasetSpec, RecordedEncoding
from nmsim.errors import RunError
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.folder import RunFolder, package_versions
from nmsim.rasters import activity_of, read_rasters
from nmsim.rules import INFERENCE
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


def import_activity(rasters: Path, network_file: Path, out: Path, *, overwrite: bool = False) -> Activity:
    """Make the run folder `out` from rasters and a network; what was recorded.

    Raises:
        ConfigError: the network is wrong.
        DataError: the rasters are broken or do not fit the network.
        RunError: the folder holds another run.
    """
    described = read_network(network_file)
    recording = read_rasters(rasters, described.network)
    sha256 = files_sha256([rasters], rasters.parent, contents=True)
    name = described.name or described.network.name
    workload = WorkloadSpec(
        name=name,
        description=f"{name}: spikes that another tool recorded, imported from {rasters.name}.",
        dataset=DatasetSpec(name="recorded", path=rasters.name),
        encoding=RecordedEncoding(kind="recorded"),
        network=described.network,
        precision=described.precision,
        profile=Profile(samples=recording.samples),
    )
    folder = RunFolder(out)
    _claim(folder, workload, _provenance(workload, rasters, sha256, recording.samples), overwrite=overwrite)
    meta = {"dataset": "recorded", "workload": name, "file": rasters.name, "sha256": sha256}
    activity = activity_of(described.network, recording, meta)
    activity.save(folder.activity(INFERENCE.profile))
    folder.save_history(TrainingHistory())
    return activity


def _claim(folder: RunFolder, workload: WorkloadSpec, provenance: dict[str, Any], *, overwrite: bool) -> None:
    """Take the folder; evaluations of another recording in it are removed with it."""
    sha256 = provenance["dataset"]["sha256"]
    if folder.run_file.exists():
        held = folder.provenance().get("dataset", {}).get("sha256")
        if held != sha256 and not overwrite:
            raise RunError(
                f"{folder.path}: holds another run or recording; give another --out, or --overwrite"
            )
    folder.claim(workload, SEED, provenance, overwrite=overwrite)
    for file in [*folder.simulations.glob("*.npz"), *folder.simulations.glob("*.chip.yaml")]:
        file.unlink()


def _provenance(workload: WorkloadSpec, rasters: Path, sha256: str, samples: int) -> dict[str, Any]:
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
        },
        "encoding": {"kind": "recorded"},
    }
