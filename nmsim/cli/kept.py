"""Verbs `keep` and `restore`: a trained run as one file, and back."""

from pathlib import Path
from typing import Annotated

import typer

from nmsim.cli.answers import KeptAnswer, RestoredAnswer
from nmsim.cli.console import Screen
from nmsim.cli.options import DataOption, JsonOption, OverwriteOption, QuietOption, RunArgument
from nmsim.cli.results import LARGER_CHIP
from nmsim.errors import CheckFailedError
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.kept import find_kept, keep_run, read_kept, restore_run


def register(app: typer.Typer) -> None:
    """Add the verbs of this file."""
    app.command("keep")(keep)
    app.command("restore")(restore)


def keep(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", help="File to write, .npz.")],
    how: Annotated[str, typer.Option("--how", help="The command that made the run, for who repeats it.")],
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Keep a trained run as one file: workload, seed, history and parameters."""
    screen = Screen(quiet=quiet or as_json)
    kept = keep_run(RunFolder(run), out, how)
    size = out.stat().st_size
    if as_json:
        KeptAnswer(file=str(out), workload=kept.workload.name, seed=kept.seed, size_bytes=size).show()
    screen.say(f"{out}: {kept.workload.name}, seed {kept.seed}, {size / 1e3:,.0f} kB")
    screen.say(f"Back to a run: nmsim restore {out} --out {run}")


def restore(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME|FILE", help="A kept run that comes with nmsim, or a file of `keep`."),
    ],
    data: DataOption = None,
    profile_samples: Annotated[
        int | None, typer.Option("--profile-samples", min=1, help="Samples whose activity is recorded.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the run; default runs/ and the name.")
    ] = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a kept run a run folder again, and measure its accuracy on this machine."""
    screen = Screen(quiet=quiet or as_json)
    file = find_kept(name)
    kept = read_kept(file)
    folder = out or Path("runs") / file.stem
    found = restore_run(
        kept, folder, path=None if data is None else str(data), profile_samples=profile_samples, overwrite=overwrite
    )  # fmt: skip
    screen.say(f"{kept.workload.name}, {kept.workload.training.rule}, seed {kept.seed}; made by: {kept.how}")
    then = kept.history.rows[-1]
    if as_json:
        RestoredAnswer(
            folder=str(folder), workload=kept.workload.name, seed=kept.seed, how=kept.how, accuracy=found.accuracy,
            kept_accuracy=then.test_accuracy, test_samples=found.samples, same_data=found.same_data, agrees=found.agrees,
        ).show()  # fmt: skip
    screen.say(f"Accuracy measured now: {found.accuracy:.2%} on {found.samples:,} held-out samples")
    screen.say(f"When it was kept: {then.accuracy_text}")
    if not found.same_data:
        screen.say(
            "The file of samples is another one than it was trained on; its held-out samples may still be the same."
        )
    if not found.agrees:
        raise CheckFailedError(
            f"{file}: {found.accuracy:.2%} now and {then.test_accuracy:.2%} when it was kept, on the same data; the"
            " arithmetic of this installation is not the one that trained it"
        )
    screen.say(f"Next: nmsim simulate {folder} --chip {LARGER_CHIP}")
