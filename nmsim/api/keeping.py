"""The verbs that keep values: load, save."""

from pathlib import Path
from typing import Any

from nmsim import records
from nmsim.activity import Activity
from nmsim.api.run import Run
from nmsim.api.study import Study
from nmsim.errors import RunError
from nmsim.evaluate import Evaluation
from nmsim.pipeline import explore
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.simulations import EVALUATION_SCHEMA
from nmsim.pipeline.study import StudyFolder

PathLike = str | Path


def load(path: PathLike) -> Run | Study | Activity:
    """Read back what `save`, `train`, `sweep` or `search` kept: a run, a study, or an activity.

    Args:
        path: the folder of a run or a study, or the `.npz` file of an activity.

    Raises:
        RunError: there is nothing of the kind, it is damaged, or another version's numerics wrote it.
    """
    place = Path(path)
    if RunFolder(place).run_file.exists():
        return Run.load(place)
    if StudyFolder(place).store.exists():
        return Study(place, explore.reopened(place))
    if place.suffix == ".npz" and place.is_file():
        return Activity.load(place)
    raise RunError(
        f"{place}: neither a run nor a study nor an activity; give a folder that nmsim wrote, or an activity file"
    )


def save(value: Run | Activity | Evaluation, path: PathLike) -> Path:
    """Keep a value: a run as a folder, an activity or an evaluation as one `.npz` file; returns the path.

    A file is written whole or not at all. Studies are kept by `sweep` and `search` themselves.

    Raises:
        RunError: the folder holds another run, or the value is of another kind.

    >>> from tempfile import TemporaryDirectory
    >>> from nmsim import read_workload
    >>> from nmsim.validate.synthetic import synthetic_activity
    >>> activity = synthetic_activity(read_workload("mnist-dense").network, 3)
    >>> with TemporaryDirectory() as folder:
    ...     load(save(activity, f"{folder}/activity.npz")).samples
    3
    """
    place = Path(path)
    if isinstance(value, Run):
        return value.save(place)
    if isinstance(value, Activity):
        value.save(place)
    elif isinstance(value, Evaluation):
        records.save(place, value, EVALUATION_SCHEMA)
    else:
        kind: Any = type(value)
        raise RunError(
            f"save: a {kind.__name__} is not kept by nmsim; give a run, an activity or an evaluation"
        )
    return place
