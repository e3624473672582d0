"""nmsim: a neuromorphic hardware co-design simulator. The public names, in the order data flow."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmsim.activity import Activity
    from nmsim.evaluate import Evaluation
    from nmsim.hardware.chip import ChipConfig
    from nmsim.mapping.automatic import map_network
    from nmsim.network.precision import Precision
    from nmsim.network.spec import NetworkSpec
    from nmsim.pipeline.imported import import_activity
    from nmsim.pipeline.report import report_run
    from nmsim.pipeline.simulate import read_chip, simulate
    from nmsim.pipeline.train import read_workload, train
    from nmsim.stop.raw import run_raw
    from nmsim.workload import WorkloadSpec

_HOMES = {
    "NetworkSpec": "nmsim.network.spec",
    "Precision": "nmsim.network.precision",
    "WorkloadSpec": "nmsim.workload",
    "read_workload": "nmsim.pipeline.train",
    "train": "nmsim.pipeline.train",
    "run_raw": "nmsim.stop.raw",
    "Activity": "nmsim.activity",
    "import_activity": "nmsim.pipeline.imported",
    "ChipConfig": "nmsim.hardware.chip",
    "read_chip": "nmsim.pipeline.simulate",
    "map_network": "nmsim.mapping.automatic",
    "Evaluation": "nmsim.evaluate",
    "simulate": "nmsim.pipeline.simulate",
    "report_run": "nmsim.pipeline.report",
}

__all__ = [
    "Activity", "ChipConfig", "Evaluation", "NetworkSpec", "Precision", "WorkloadSpec", "import_activity",
    "map_network", "read_chip", "read_workload", "report_run", "run_raw", "simulate", "train",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import nmsim` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nmsim' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
