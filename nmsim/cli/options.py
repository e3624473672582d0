"""Arguments and options that several verbs have in common."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from nmsim.errors import ConfigError

WorkloadArgument = Annotated[str, typer.Argument(metavar="WORKLOAD", help="Shipped name or a YAML file.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")]
ChipOption = Annotated[
    list[str] | None,
    typer.Option("--chip", help="Shipped name or a YAML file; repeat or separate by commas."),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder of the run; default runs/WORKLOAD.")]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, help="Seed of initial weights, order of samples and random draws.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key: training.epochs=3, or chip.clock_hz=4e8 for every chip."),
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Path of the data set, instead of a download.")
]
PrecisionOption = Annotated[
    Path | None,
    typer.Option(
        "--precision", help="YAML file whose precision section is used, as `nmsim formats` writes it."
    ),
]
ModelOption = Annotated[str, typer.Option("--model", help="analytic, event, or both.")]
RuleOption = Annotated[
    str | None,
    typer.Option(
        "--rule", help="inference, stop-w, stop-wt, stop-wl, stop-wtl, stbp, ann; separate by commas."
    ),
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Threads; never changes a result of fixed point.")
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device", help="Device of PyTorch to train on, such as cuda; changes no bit. Processor if absent."
    ),
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace a run of another configuration in the folder.")
]
StrictOption = Annotated[
    bool,
    typer.Option("--strict", help="Exit with 1 if the run warns of itself or a rule does not fit, too."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the summary as JSON and nothing else.")]


MODELS = ("analytic", "event")


def names(values: Iterable[str] | None) -> list[str]:
    """What is named in options that may be repeated and hold commas."""
    return [name.strip() for value in values or () for name in value.split(",") if name.strip()]


def models_named(text: str) -> tuple[Any, ...]:
    """The performance models of an option.

    Raises:
        ConfigError: there is no such model.
    """
    if text == "both":
        return MODELS
    if text not in MODELS:
        raise ConfigError(f"--model {text}: no such model; use analytic, event or both")
    return (text,)


def limit_threads(jobs: int | None) -> None:
    """Use at most `jobs` threads in compiled kernels and in BLAS; all processors if None."""
    if jobs is None:
        return
    import numba

    numba.set_num_threads(min(jobs, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return
    threadpool_limits(jobs)
