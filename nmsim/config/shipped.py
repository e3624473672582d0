"""The configuration files that come with nmsim."""

import difflib
from pathlib import Path

from nmsim.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_folder(kind: str) -> Path:
    """Folder of the files that come with nmsim: `arch_configs/chips`, `arch_configs/technology`, `workloads`."""
    installed = _PACKAGE / "library" / kind
    return installed if installed.exists() else _PACKAGE.parent / kind


def shipped(kind: str) -> dict[str, Path]:
    """Name to path of the shipped YAML files of a kind."""
    return {path.stem: path for path in sorted(shipped_folder(kind).glob("*.yaml"))}


def is_path(name: str) -> bool:
    """Whether a name in a file or on the command line is that of a file, not of a shipped one."""
    return name.endswith((".yaml", ".yml")) or "/" in name


def find(kind: str, name: str) -> Path:
    """A path given by the user, or a shipped file by its name; `ConfigError` names the nearest."""
    if is_path(name):
        if not Path(name).exists():
            raise ConfigError(
                f"{name}: no such file; check the path, or see `nmsim list` for the shipped ones"
            )
        return Path(name)
    files = shipped(kind)
    if name not in files:
        near = difflib.get_close_matches(name, files, n=1, cutoff=0.4)
        remedy = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(files)}"
        raise ConfigError(
            f"{name}: no shipped file of that name in {kind} and no path to a .yaml file; {remedy}"
        )
    return files[name]
