"""Verb `export-vectors`: golden vectors for RTL test benches."""

from pathlib import Path
from typing import Annotated

import typer

from nmsim.cli.answers import ReplayAnswer, VectorsAnswer
from nmsim.cli.console import Screen
from nmsim.cli.options import (
    DataOption,
    JsonOption,
    OverwriteOption,
    PrecisionOption,
    QuietOption,
    SetOption,
)
from nmsim.cli.progress import counted
from nmsim.errors import ConfigError
from nmsim.pipeline.subject import is_run, read_subject
from nmsim.pipeline.vectors import check, export
from nmsim.storage import file_name
from nmsim.units import scaled
from nmsim.validate.vectors.manifest import MANIFEST


def register(app: typer.Typer) -> None:
    """Add the verb of this file."""
    app.command("export-vectors")(export_vectors)


def export_vectors(
    target: Annotated[
        str, typer.Argument(metavar="RUN | WORKLOAD", help="Folder of a run, shipped name or YAML file.")
    ],
    samples: Annotated[str, typer.Option(help="Numbers of samples, from 0, separated by commas.")] = "0",
    split: Annotated[str, typer.Option(help="Their split: train or test.")] = "train",
    batch_size: Annotated[int, typer.Option(min=1, help="Samples per update.")] = 1,
    tensors: Annotated[
        str,
        typer.Option(
            help="Tensors to write, separated by commas; all if empty. Inputs and initial parameters always are."
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder; default RUN/vectors or runs/WORKLOAD-vectors.")
    ] = None,
    unchecked: Annotated[bool, typer.Option("--no-check", help="Do not replay what was written.")] = False,
    assignments: SetOption = None,
    precision: PrecisionOption = None,
    data: DataOption = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of a workload's initial parameters, and of the draws.")
    ] = 1,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write every stored tensor at every time step as hex memory files with a manifest, and check them."""
    screen = Screen(quiet=quiet or as_json)
    subject = read_subject(target, assignments or (), precision=precision, data=data, seed=seed)
    name = (
        Path(target) / "vectors"
        if is_run(target)
        else Path("runs") / file_name(f"{subject.workload.name}-vectors")
    )
    folder = out or name
    chosen = [text.strip() for text in tensors.split(",") if text.strip()]
    written = export(
        subject,
        _numbers(samples),
        folder,
        split=split,
        batch_size=batch_size,
        tensors=chosen,
        overwrite=overwrite,
    )
    size = scaled(written.size_bytes, "B")
    screen.say(
        f"{written.files:,} files, {written.words:,} words, {size} in {folder}; see {folder / MANIFEST}"
    )
    if not unchecked:
        check_vectors(folder, screen)
    if as_json:
        VectorsAnswer(
            folder=str(folder), files=written.files, words=written.words, size_bytes=written.size_bytes,
            checked=not unchecked,
        ).show()  # fmt: skip


def check_vectors(folder: Path, screen: Screen, *, as_json: bool = False) -> None:
    """Replay vectors and say so; `CheckFailedError` if a word differs."""
    with counted(screen) as count:
        found = check(folder, lambda done, total: count("replay", done, total, "files"))
    if as_json:
        ReplayAnswer(files=found.files, words=found.words).show()
    screen.say(
        f"Replayed from the files: all {found.words:,} words of {found.files:,} files agree with the engine"
    )


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        raise ConfigError(
            f"--samples {text}: expected numbers separated by commas; write for example --samples 0,1,2"
        )
    return [int(part) for part in parts]
