"""Verb `import-activity`: spikes recorded in another tool become a run."""

from pathlib import Path
from typing import Annotated

import typer

from nmsim.cli.answers import ImportedAnswer
from nmsim.cli.console import Screen
from nmsim.errors import ConfigError
from nmsim.pipeline.imported import import_activity
from nmsim.rasters.align import Delay
from nmsim.rasters.csv_file import COLUMNS, SpikeList
from nmsim.storage import file_name


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
        str,
        typer.Option(
            "--delay-steps",
            help="Time steps that a spike takes from layer to layer in that tool: 1 for Loihi, SANA-FE, Lava;"
            " 0,1,2 for each layer.",
        ),
    ] = "0",
    columns: Annotated[
        str,
        typer.Option(
            "--columns", help="Names of a CSV's columns by ours, such as time_step=t,neuron=i,layer=group."
        ),
    ] = "",
    layers: Annotated[
        str,
        typer.Option(
            "--layers",
            help="Names of a CSV's layers, or of a folder's files, by ours: layer0=hidden; input= if it was silent.",
        ),
    ] = "",
    first_step: Annotated[
        int, typer.Option("--first-step", min=0, help="Number of the first time step in a CSV.")
    ] = 0,
    dt_s: Annotated[
        float | None,
        typer.Option(
            "--dt", help="Duration of a time step, where a CSV has times; in their unit, such as seconds."
        ),
    ] = None,
    spike_bits: Annotated[
        int,
        typer.Option(
            "--spike-bits", min=1, max=16, help="Width of a count of spikes per neuron and step in a CSV."
        ),
    ] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another run in the folder.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Import spikes recorded in another tool, to be replayed on any chip."""
    screen = Screen(quiet=quiet or as_json)
    folder = out or Path("runs") / file_name(rasters.stem)
    how = SpikeList(_names(columns), first_step, dt_s, spike_bits, _layers(layers))
    delay = _delay(delay_steps)
    activity = import_activity(
        rasters, network, folder, delay_steps=delay, overwrite=overwrite, spike_list=how
    )
    spikes = sum(
        int(layer.counts.get("spike_counts", layer.mask("spikes")).sum()) for layer in activity.layers
    )
    if as_json:
        ImportedAnswer(
            folder=str(folder), samples=activity.samples, time_steps=activity.time_steps, layers=len(activity.layers),
            spikes=spikes,
        ).show()  # fmt: skip
    screen.say(
        f"{activity.samples} sample{'s' if activity.samples != 1 else ''} of {activity.time_steps} time steps,"
        f" {len(activity.layers)} layers, {spikes:,} spikes"
    )
    screen.say(f"Next: nmsim simulate {folder} --chip edge-28nm")


def _names(text: str) -> dict[str, str]:
    rule = f"NAME=THEIRS with a name of {', '.join(COLUMNS)}; write for example time_step=t,neuron=i"
    found = _pairs("--columns", text, rule)
    wrong = [ours for ours, theirs in found.items() if ours not in COLUMNS or not theirs]
    if wrong:
        raise ConfigError(f"--columns: '{wrong[0]}' is no pair {rule}")
    return found


def _layers(text: str) -> dict[str, str]:
    return _pairs(
        "--layers", text, "NAME=THEIRS; write for example layer0=hidden, or input= if it was silent"
    )


def _pairs(option: str, text: str, rule: str) -> dict[str, str]:
    """Pairs `a=b,c=d`; `ConfigError` for what is none, and for a name that is there twice."""
    found: dict[str, str] = {}
    for part in text.split(","):
        ours, sign, theirs = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not sign or not ours:
            raise ConfigError(f"{option}: '{ours}' is no pair {rule}")
        if ours in found:
            raise ConfigError(
                f"{option}: '{ours}' is there twice, as '{found[ours]}' and '{theirs}'; keep one"
            )
        found[ours] = theirs
    return found


def _delay(text: str) -> Delay:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise ConfigError(
            f"--delay-steps {text}: not a whole number of 0 or more; write one for all layers, or one for each as 0,1,1"
        )
    return int(parts[0]) if len(parts) == 1 else tuple(map(int, parts))
