"""Verb `init`: a file of one's own to begin with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from nmsim import config
from nmsim.cli.answers import FilesAnswer
from nmsim.cli.check_config import KINDS
from nmsim.cli.console import Screen
from nmsim.cli.options import QuietOption
from nmsim.errors import ConfigError
from nmsim.storage import write_text


@dataclass(frozen=True)
class Start:
    """The shipped file that a template begins as, and what to do with the template."""

    folder: str
    shipped: str
    next_command: str


STARTS = {
    "chip": Start("arch_configs/chips", "edge-28nm", "nmsim run --chip {file}"),
    "workload": Start("workloads", "mnist-dense", "nmsim run {file}"),
    "space": Start("arch_configs/spaces", "mnist-edge", "nmsim sweep {file} --method lhs --designs 50"),
}


def register(app: typer.Typer) -> None:
    """Add the verb of this file."""
    app.command("init")(init)


def init(
    kind: Annotated[str, typer.Argument(help="chip, workload or space.")],
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default my-KIND.yaml.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if there is one.")] = False,
    quiet: QuietOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Write a commented template of a chip, workload or design space, which runs as it is."""
    if kind not in STARTS:
        raise ConfigError(f"init {kind}: no such kind of file; use {', '.join(STARTS)}")
    file = out or Path(f"my-{kind}.yaml")
    if file.exists() and not overwrite:
        raise ConfigError(f"{file}: is there already; give another file with --out, or --overwrite")
    start, screen = STARTS[kind], Screen(quiet=quiet or as_json)
    write_text(file, template_of(kind, file.stem))
    if as_json:
        FilesAnswer(folder=str(file.parent), files=1).show()
    screen.say(f"{file}: a {kind} that begins as {start.shipped}, with every key explained")
    screen.say(f"Next: edit it, then nmsim check-config {file}, then {start.next_command.format(file=file)}")


def template_of(kind: str, name: str) -> str:
    """The text of a template: a shipped file under another name, with every key there is."""
    start = STARTS[kind]
    data = config.load(config.find(start.folder, start.shipped)).data
    head = (
        f"A {kind} to begin with: {start.shipped} with every key there is. A key behind #, without a space, is at its"
        " default: take the # away to set it."
    )
    return config.template(KINDS[kind], {**data, "name": name}, head=head)
