"""The verbs by name; a verb's file is imported when the verb is called, so that help and mistakes answer at once."""

import gc
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

VERBS = {
    "run": ("stages", "Train, simulate and report: the whole way from a workload to report.html."),
    "train": ("stages", "Train a workload and record the activity of its profile."),
    "simulate": ("stages", "Replay the recorded activity of a run on chips."),
    "report": ("stages", "Write the pages and tables of a run, or the page of a study."),
    "compare": ("stages", "Put learning rules and chips side by side on the activity of one run."),
    "import-activity": ("recorded", "Import spikes recorded in another tool, to be replayed on any chip."),
    "import-network": ("exchange", "Import a network that another tool trained, as a run."),
    "import-chip": ("exchange", "Translate a chip that SANA-FE describes into a chip file and its prices."),
    "export-network": ("exchange", "Write a trained network as a NIR file, or as arrays."),
    "keep": ("kept", "Keep a trained run as one small file."),
    "restore": ("kept", "Make a kept run a run folder again, and measure its accuracy."),
    "validate": ("validate", "Compare fixed point with float64, or estimates with silicon."),
    "formats": ("formats", "Find the narrowest formats that keep the accuracy."),
    "balance": ("reference", "Find weight scales at which every layer of a deep network spikes."),
    "synapses": ("synapses", "Price the synapses of a run in every storage format, on chips."),
    "map": ("map", "Map a network onto a chip, without training."),
    "sweep": ("explore", "Evaluate the designs of a grid or a sample, and find their front."),
    "search": ("explore", "Let a multi-objective sampler look for the front."),
    "reference": ("reference", "Make the energy report over data sets, learning rules and chips."),
    "export-vectors": ("vectors", "Write every stored tensor as hex memory files, for RTL test benches."),
    "rtl": ("rtl", "Write the RTL of a core that trains a network, and check it."),
    "init": ("init", "Write a commented template of a chip, workload or design space, which runs as it is."),
    "list": ("describe", "List the shipped workloads, chips, price tables and design spaces."),
    "check-config": ("check_config", "Validate configuration files; every mistake is one sentence."),
    "schema": ("describe", "Print the JSON Schema of a configuration file, for editors."),
    "costs": ("describe", "List every price in use for a chip, with its source."),
    "doctor": ("describe", "Check this machine: versions, extras, data, disk, compiled kernels."),
}  # fmt: skip
"""Verb to the file of `nmsim.cli` that holds it, and its line in `nmsim --help`."""


LIGHT = frozenset({"describe", "init"})
"""Files of verbs that load neither compiler nor linear algebra, as far as they are asked for lists and templates."""
LEAST_ADDRESS_SPACE_BYTES = 450 * 2**20
"""What libraries of the other verbs take when they are loaded; with less some fail at that, and one never returns."""


def _check_address_space() -> None:
    """`MemoryError` if a limit of the shell (`ulimit -v`) leaves less than loading the libraries takes."""
    try:
        import resource
    except ImportError:  # not on this system
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESS_SPACE_BYTES:
        raise MemoryError(
            f"ulimit -v allows {limit >> 20:,} MB, and loading numpy, scipy and numba takes"
            f" {LEAST_ADDRESS_SPACE_BYTES >> 20}"
        )


class Verbs(TyperGroup):
    """A group of commands that are imported one by one, when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the framework's signature
        """Every verb, in the order of `--help`."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the framework's signature
        """The command of a verb; None if there is no such verb."""
        if cmd_name not in self.commands and cmd_name in VERBS:
            one = typer.Typer(rich_markup_mode=None)
            if VERBS[cmd_name][0] not in LIGHT:
                _check_address_space()
            import_module(f"nmsim.cli.{VERBS[cmd_name][0]}").register(one)
            gc.freeze()  # what was imported stays: looks for garbage need not go through it
            one.callback()(lambda: None)
            self.commands.update(typer.main.get_group(one).commands)
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name, command and arguments; a name that is none gets the nearest one, without importing any."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=1)
            ctx.fail(f"no verb {args[0][:40]!r}; " + (f"did you mean '{near[0]}'?" if near else "see --help"))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the framework's signature
        """The list of verbs in `nmsim --help`."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])


app = typer.Typer(
    name="nmsim",
    cls=Verbs,
    help="Neuromorphic hardware co-design: train with STOP bit for bit, replay on multi-core chips, report energy.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
)


@app.callback()
def _nmsim() -> None:
    """Neuromorphic hardware co-design: train with STOP bit for bit, replay on multi-core chips, report energy."""
