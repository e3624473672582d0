"""nmsim: a neuromorphic hardware co-design simulator.

Verbs, in the order in which data flow:

==================  ================================================================================================
`train`             train a workload bit for bit; gives a `Run`: parameters, history, activity
`deploy`            map its network onto a chip; gives a `Deployment`, or a `FitReport` that says what is short
`evaluate`          replay the activity on the chip; gives an `Evaluation`: time, energy, memory, area
`compare`           evaluations side by side, with ratios; gives a `Comparison`
`sweep`, `search`   evaluate a design space, find its front; give a `Study`
`validate`          fixed point against float64, tensor by tensor; gives a `NumericsResult`
`report`            write pages, tables and summaries
`load`, `save`      keep values in folders and files, and read them back
`read_workload`     a workload by shipped name or path; `read_chip` a chip, `from_arrays` own samples,
`read_chip`         `import_activity` spikes of another tool, `map_network` a mapping alone,
`from_arrays`       `run_raw` a run on raw integers, `simulate` and `report_run` the stages of the command line
==================  ================================================================================================

Nouns: `NetworkSpec` with its layers (`Dense`, `Conv`, `AvgPool`, `MaxPool`, `GlobalAvgPool`, `Flatten`, `Residual`),
`Precision`, `QFormat`, `TrainingSpec`, `WorkloadSpec`, `Activity`, `ChipConfig`, `Mapping`, `Deployment`, `Evaluation`,
`Figure` (all of them: `FIGURES`), `LearningRule` (all of them: `RULES`), and `NmsimError`, which every error that nmsim
raises on purpose is.

>>> import nmsim
>>> nmsim.FIGURES["energy_per_sample_j"].text
'energy per sample'
>>> [name for name, rule in nmsim.RULES.items() if rule.learns_leak]
['stop-wl', 'stop-wtl', 'stbp']
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nmsim.kernel_cache import use_writable_folder

if TYPE_CHECKING:
    from nmsim.activity import Activity
    from nmsim.api import (
        Comparison,
        Run,
        Study,
        compare,
        deploy,
        evaluate,
        load,
        report,
        save,
        search,
        sweep,
        train,
        validate,
    )
    from nmsim.datasets.arrays import from_arrays
    from nmsim.errors import NmsimError
    from nmsim.evaluate import Evaluation
    from nmsim.figures import FIGURES, Figure
    from nmsim.fixedpoint.format import QFormat
    from nmsim.hardware.chip import ChipConfig
    from nmsim.mapping.automatic import map_network
    from nmsim.mapping.deployment import Deployment
    from nmsim.mapping.fit import FitReport
    from nmsim.mapping.mapping import Mapping
    from nmsim.network.layers import AvgPool, Conv, Dense, Flatten, GlobalAvgPool, MaxPool, Residual
    from nmsim.network.precision import Precision
    from nmsim.network.spec import NetworkSpec
    from nmsim.pipeline.imported import import_activity
    from nmsim.pipeline.report import report_run
    from nmsim.pipeline.simulate import read_chip, simulate
    from nmsim.pipeline.study import StudyOptions
    from nmsim.pipeline.train import read_workload
    from nmsim.rules import RULES, LearningRule
    from nmsim.stop.raw import run_raw
    from nmsim.stop.spec import TrainingSpec
    from nmsim.workload import WorkloadSpec

use_writable_folder()

__version__ = "0.1.0"

_HOMES = {
    "train": "api", "deploy": "api", "evaluate": "api", "compare": "api", "sweep": "api", "search": "api",
    "validate": "api", "report": "api", "load": "api", "save": "api", "Run": "api", "Comparison": "api", "Study": "api",
    "read_workload": "pipeline.train", "read_chip": "pipeline.simulate", "from_arrays": "datasets.arrays",
    "import_activity": "pipeline.imported", "map_network": "mapping.automatic", "run_raw": "stop.raw",
    "simulate": "pipeline.simulate", "report_run": "pipeline.report", "StudyOptions": "pipeline.study",
    "NetworkSpec": "network.spec", "Dense": "network.layers", "Conv": "network.layers", "AvgPool": "network.layers",
    "MaxPool": "network.layers", "GlobalAvgPool": "network.layers", "Flatten": "network.layers",
    "Residual": "network.layers", "Precision": "network.precision", "QFormat": "fixedpoint.format",
    "TrainingSpec": "stop.spec", "WorkloadSpec": "workload", "Activity": "activity", "ChipConfig": "hardware.chip",
    "Mapping": "mapping.mapping", "Deployment": "mapping.deployment", "FitReport": "mapping.fit",
    "Evaluation": "evaluate", "Figure": "figures", "FIGURES": "figures", "LearningRule": "rules", "RULES": "rules",
    "NmsimError": "errors",
}  # fmt: skip
"""Public name to the module that has it, below `nmsim`."""

__all__ = [
    "FIGURES", "RULES", "Activity", "AvgPool", "ChipConfig", "Comparison", "Conv", "Dense", "Deployment", "Evaluation",
    "Figure", "FitReport", "Flatten", "GlobalAvgPool", "LearningRule", "Mapping", "MaxPool", "NetworkSpec", "NmsimError",
    "Precision", "QFormat", "Residual", "Run", "Study", "StudyOptions", "TrainingSpec", "WorkloadSpec", "compare",
    "deploy", "evaluate", "from_arrays", "import_activity", "load", "map_network", "read_chip", "read_workload", "report",
    "report_run", "run_raw", "save", "search", "simulate", "sweep", "train", "validate",
]  # fmt: skip

_VERBS = frozenset({"evaluate", "report", "validate"})
"""Names that are a verb and the room where its work is done."""


class _Room(ModuleType):
    """A module that is also a verb: `nmsim.report.words` is in the room, `nmsim.report(run)` does it."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return getattr(import_module("nmsim.api"), self.__name__.rpartition(".")[2])(*args, **options)


class _Package(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        # the import system sets a submodule as an attribute of its package, in the place of the verb of the same name
        if name in _VERBS and isinstance(value, ModuleType):
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import nmsim` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nmsim' has no attribute '{name}'")
    return getattr(import_module(f"nmsim.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
