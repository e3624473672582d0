"""The verbs of a design space: sweep, search."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from nmsim.api.study import Study
from nmsim.config import Document
from nmsim.explore.backends import create_backend
from nmsim.explore.sample import Method
from nmsim.explore.search import Sampler
from nmsim.explore.space import load_space
from nmsim.pipeline import explore
from nmsim.pipeline.study import StudyOptions

PathLike = str | Path


def sweep(
    space: Document | PathLike,
    folder: PathLike,
    *,
    method: Method = "grid",
    designs: int | None = None,
    seed: int = 1,
    settings: Sequence[str] = (),
    options: StudyOptions | None = None,
    jobs: int | None = 1,
) -> Study:
    """Evaluate the designs of a grid or a sample of a design space, and find its front.

    Call it for spaces small enough to look at whole, or to see which axis matters; `search` is for the others. The folder
    holds every result, and a page.

    Args:
        space: a shipped name, a YAML path, or a document.
        folder: of the study.
        method: `grid`, `sobol`, `random`, ... (docs/exploration.md).
        designs: how many a sample takes.
        seed: of the sample.
        settings: single keys of the space set, such as `base.rule=inference`.
        options: how the study is run: a finished `run` to take over, `event` simulations, `resume`, `overwrite`.
        jobs: worker processes; None for one per processor.

    Raises:
        ConfigError, RunError: the space is wrong, or the folder holds another study.
    """
    document, options = _space(space, settings), _options(options, folder)
    backend = create_backend("serial" if jobs == 1 else "processes", jobs)
    return Study(
        options.out, explore.sweep(document, backend, options, method=method, designs=designs, seed=seed)
    )


def search(
    space: Document | PathLike,
    folder: PathLike,
    *,
    sampler: Sampler = "tpe",
    evaluations: int = 200,
    seed: int = 1,
    settings: Sequence[str] = (),
    options: StudyOptions | None = None,
    jobs: int | None = 1,
) -> Study:
    """Let a sampler propose designs of a space that is too large to sweep, and find the front of what it saw.

    Call it where an evaluation takes long or the space has many axes. A grid of the same size is exhausted by `sweep`,
    which also shows what every axis does. The same seed proposes the same designs.

    Args:
        space: a shipped name, a YAML path, or a document.
        folder: of the study.
        sampler: `tpe`, `nsga2`, ... (docs/exploration.md).
        evaluations: how many designs are evaluated.
        seed: of the sampler.
        settings: single keys of the space set, such as `base.rule=inference`.
        options: how the study is run: a finished `run` to take over, `event` simulations, `resume`, `overwrite`.
        jobs: worker processes; None for one per processor.

    Raises:
        ConfigError, RunError: the space is wrong, the folder holds another study, or Optuna is not installed.
    """
    document, options = _space(space, settings), _options(options, folder)
    backend = create_backend("serial" if jobs == 1 else "processes", jobs)
    return Study(
        options.out,
        explore.search(document, backend, options, sampler=sampler, evaluations=evaluations, seed=seed),
    )


def _space(space: Document | PathLike, settings: Iterable[str]) -> Document:
    document = space if isinstance(space, Document) else load_space(str(space))
    for assignment in settings:
        document = document.with_value(assignment)
    return document


def _options(options: StudyOptions | None, folder: PathLike) -> StudyOptions:
    return StudyOptions(Path(folder)) if options is None else replace(options, out=Path(folder))
