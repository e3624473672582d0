"""Verb `import-activity`: spikes recorded in another tool become a run."""

from pathlib import Path
from typing import Annotated

import typer

from nmsim.cli.console import Screen
from nmsim.pipeline.imported import import_activity


def register(app: typer.Typer) -> None:
    """Add the verb of this file."""
    app.command("import-activity")(import_rasters)


def import_rasters(
    rasters: Annotated[
        Path, typer.Argument(metavar="RASTERS", help="Spikes, as .npz or .csv; see docs/activity.md.")
    ],
    network: Annotated[
        Path, typer.Option("--network", help="YAML file with the network section: shapes and connectivity.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the run; default runs/ and the name of the rasters."),
    ] = None,
    delay_steps: Annotated[
        int,
        typer.Option(
            "--delay-steps",
            min=0,
            help="Time steps that a spike takes from layer to layer in that tool: 1 for Loihi, SANA-FE, Lava.",
        ),
    ] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another run in the folder.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Import spikes recorded in another tool, to be replayed on any chip."""
    screen = Screen(quiet=quiet)
    folder = out or Path("runs") / rasters.stem
    activity = import_activity(rasters, network, folder, delay_steps=delay_steps, overwrite=overwrite)
    spikes = sum(int(layer.mask("spikes").sum()) for layer in activity.layers)
    screen.say(
        f"{activity.samples} sample{'s' if activity.samples != 1 else ''} of {activity.time_steps} time steps,"
        f" {len(activity.layers)} layers, {spikes:,} spikes"
    )
    screen.say(f"Next: nmsim simulate {folder} --chip edge-28nm")
