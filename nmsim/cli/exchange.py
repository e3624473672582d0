"""Verbs `import-network`, `export-network`, `import-chip`: what comes from other tools, and goes back to them as files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nmsim.cli.answers import ExportedAnswer, ImportedChipAnswer, ImportedNetworkAnswer
from nmsim.cli.console import Screen
from nmsim.cli.options import JsonOption
from nmsim.errors import ConfigError
from nmsim.exchange.nir_export import DT_S
from nmsim.exchange.sanafe_chip import Choice
from nmsim.pipeline.export_network import Format, export_network
from nmsim.pipeline.import_chip import import_chip
from nmsim.pipeline.import_network import ImportPlan, import_network


def register(app: typer.Typer) -> None:
    """Add the verbs of this file."""
    app.command("import-network")(import_trained)
    app.command("export-network")(export_trained)
    app.command("import-chip")(import_architecture)


def import_trained(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .nir, .npz, .safetensors or .pt file.")],
    dataset: Annotated[str, typer.Option("--dataset", help="Data set to run it on, as in a workload.")],
    data: Annotated[Path | None, typer.Option("--data", help="Folder or file of the data set.")] = None,
    encoding: Annotated[str, typer.Option("--encoding", help="Encoding of the samples.")] = "direct",
    time_steps: Annotated[
        int | None, typer.Option("--time-steps", help="Time steps per sample; a NIR file does not say.")
    ] = None,
    dt_s: Annotated[
        float | None, typer.Option("--dt", help="Seconds per time step, where neurons have time constants.")
    ] = None,
    reset: Annotated[
        Literal["zero", "subtract"],
        typer.Option("--reset", help="What a spike does to the membrane (NIR: zero)."),
    ] = "zero",
    network: Annotated[
        Path | None, typer.Option("--network", help="YAML with the network section, for files of weights.")
    ] = None,
    precision: Annotated[
        Path | None,
        typer.Option("--precision", help="YAML with a precision section, or a workload; chosen if absent."),
    ] = None,
    bits: Annotated[
        int, typer.Option("--bits", min=2, max=32, help="Width of weights, if formats are chosen.")
    ] = 16,
    calibration: Annotated[
        int, typer.Option("--calibration", min=1, help="Training samples that formats are chosen from.")
    ] = 32,
    modules: Annotated[
        str,
        typer.Option(
            "--modules",
            help="Modules of a PyTorch file in the order in which spikes pass them: conv1,bn1,fc.",
        ),
    ] = "",
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="Set a key of the workload, such as training.epochs=3.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the run; default runs/ and the name.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the run.")] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another run in the folder.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Import a network that another tool trained: quantize it, measure it, record its activity."""
    screen = Screen(quiet=quiet or as_json)
    folder = out or Path("runs") / file.stem
    plan = ImportPlan(
        dataset, None if data is None else str(data), encoding, time_steps, dt_s, reset, network, precision, bits,
        calibration, tuple(assignments or ()), seed, tuple(name.strip() for name in modules.split(",") if name.strip()),
    )  # fmt: skip
    found = import_network(file, folder, plan, overwrite=overwrite)
    for note in found.notes:
        screen.say(f"Note: {note}")
    layers = found.workload.network.synaptic_layers
    formats = [found.workload.precision.resolve(index) for index in range(len(layers))]
    weights, neurons = sum(layer.weights for layer in layers), sum(layer.neurons for layer in layers)
    if as_json:
        ImportedNetworkAnswer(
            folder=str(folder), layers=len(layers), weights=weights, neurons=neurons,
            weight_formats=[str(own.weight.format) for own in formats],
            membrane_formats=[str(own.membrane.format) for own in formats],
            real_accuracy=found.real_accuracy, fixed_accuracy=found.fixed_accuracy,
            test_samples=found.test_samples, notes=list(found.notes),
        ).show()  # fmt: skip
    screen.say(f"{len(layers)} layers, {weights:,} weights, {neurons:,} neurons")
    for index, own in enumerate(formats):
        screen.say(f"  layer {index}: weights {own.weight.format}, membranes {own.membrane.format}")
    screen.say(
        f"Held-out accuracy on {found.test_samples:,} samples: {found.real_accuracy:.2%} in real numbers,"
        f" {found.fixed_accuracy:.2%} in fixed point"
    )
    screen.say(f"Next: nmsim simulate {folder} --chip edge-28nm")


def export_trained(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a trained run.")],
    to: Annotated[
        Format, typer.Option("--to", help="nir: the whole network; npz: arrays of parameters.")
    ] = "nir",
    out: Annotated[
        Path | None, typer.Option("--out", help="File; default: the name of the folder, here.")
    ] = None,
    dt_s: Annotated[
        float, typer.Option("--dt", help="Seconds per time step, for time constants in NIR.")
    ] = DT_S,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Export a trained network for other tools; its parameters as real numbers."""
    screen = Screen(quiet=quiet or as_json)
    file = out or Path(f"{run.name}.{to}")
    notes = export_network(run, file, to, dt_s)
    if as_json:
        ExportedAnswer(file=str(file), format=to, notes=list(notes)).show()
    for note in notes:
        screen.say(f"Note: {note}")
    screen.say(f"Wrote {file}")


def import_architecture(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An architecture of SANA-FE, YAML.")],
    synapse: Annotated[
        list[str] | None,
        typer.Option("--synapse", help="Synapse unit that serves, or KIND=NAME for dense or conv layers."),
    ] = None,
    dendrite: Annotated[
        str | None, typer.Option("--dendrite", help="Dendrite unit that serves, if a core has several.")
    ] = None,
    soma: Annotated[
        str | None, typer.Option("--soma", help="Soma unit that serves, if a core has several.")
    ] = None,
    node_nm: Annotated[
        int, typer.Option("--node-nm", help="Technology node: a label, no energy depends on it.")
    ] = Choice.node_nm,
    voltage_v: Annotated[
        float, typer.Option("--voltage", help="Supply: a label, no energy depends on it.")
    ] = Choice.voltage_v,
    out: Annotated[
        Path | None, typer.Option("--out", help="Chip file; default: the architecture's name, here.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files in the place.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Translate a chip that SANA-FE describes: a chip file and, next to it, the prices of its events."""
    screen = Screen(quiet=quiet or as_json)
    choice = Choice(_by_kind(synapse or []), dendrite, soma, node_nm, voltage_v)
    found = import_chip(file, out, choice, overwrite=overwrite)
    for note in found.notes:
        screen.say(f"Note: {note}")
    cores = found.chip.cores()
    slots = sum(core.type.neuron_slots for core in cores)
    if as_json:
        ImportedChipAnswer(
            chip_file=str(found.chip_file), prices_file=str(found.prices_file),
            tiles=found.chip.columns * found.chip.rows, cores=len(cores), neuron_slots=slots, notes=list(found.notes),
        ).show()  # fmt: skip
    screen.say(f"{found.chip.columns} x {found.chip.rows} tiles, {len(cores):,} cores for {slots:,} neurons")
    screen.say(f"Wrote {found.chip_file} and {found.prices_file}")
    screen.say(f"Next: nmsim check-config {found.chip_file}; nmsim simulate RUN --chip {found.chip_file}")


def _by_kind(given: list[str]) -> dict[str, str]:
    """`dense=NAME` by its kind, a bare name under "".

    Raises:
        ConfigError: a kind is named twice.
    """
    found: dict[str, str] = {}
    for text in given:
        kind, sign, name = text.rpartition("=")
        key = kind if sign else ""
        if key in found:
            raise ConfigError(
                f"--synapse {text}: there is one for {key or 'all kinds'} already; keep one of the two"
            )
        found[key] = name
    return found
