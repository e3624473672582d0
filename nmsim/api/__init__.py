"""The front door for Python: the verbs, and the values they give. `import nmsim` shows these names."""

from nmsim.api.comparison import Comparison
from nmsim.api.keeping import load, save
from nmsim.api.run import Run
from nmsim.api.study import Study
from nmsim.api.sweeps import search, sweep
from nmsim.api.verbs import compare, deploy, evaluate, report, train, validate

__all__ = [
    "Comparison", "Run", "Study", "compare", "deploy", "evaluate", "load", "report", "save", "search", "sweep", "train",
    "validate",
]  # fmt: skip
