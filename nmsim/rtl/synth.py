"""Synthesis of a written core with Yosys: cells, flip-flops and area by block, longest path.

Memories are black boxes. Blocks are what `stop_core` is made of; each is flattened, mapped and optimised by itself, so that
its area can be set beside the model's.
"""

import gzip
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmsim.errors import CheckFailedError, ConfigError

TOP = "stop_core"
MEMORIES = ("ram_1rw", "ram_1r1w")
SCRIPT = Path(__file__).with_name("yosys_script.py")


@dataclass(frozen=True)
class SynthesizedBlock:
    """What a block of the core takes: `area_um2` of cells without memories and wires, `flip_flops` in number."""

    name: str
    cells: int
    flip_flops: int
    area_um2: float
    flip_flop_area_um2: float


@dataclass(frozen=True)
class Synthesis:
    """Blocks by name, the rest of the top module among them; `longest_path_ps` with buffers, None where not asked for."""

    blocks: tuple[SynthesizedBlock, ...]
    longest_path_ps: float | None
    version: str

    @property
    def area_um2(self) -> float:
        """Cells of the core."""
        return sum(block.area_um2 for block in self.blocks)

    @property
    def flip_flops(self) -> int:
        """Flip-flops of the core."""
        return sum(block.flip_flops for block in self.blocks)


def require_pyosys() -> None:
    """Refuse to go on without Yosys.

    Raises:
        ConfigError: pyosys is not installed.
    """
    if importlib.util.find_spec("pyosys") is None:
        raise ConfigError("nmsim rtl --synth: pyosys is not installed; run `pip install pyosys`")


def elaborate(folder: Path) -> None:
    """Elaborate a core and check it: no latch, no undriven or doubly driven net, no inferred memory.

    Raises:
        CheckFailedError: Yosys finds fault with it.
    """
    _yosys(folder, {"mode": "check"})


def synthesize(folder: Path, liberty: Sequence[Path], *, timed: bool = False) -> Synthesis:
    """Map a core to the cells of a library.

    `timed` maps the whole core flat, with buffers and sized cells, for its longest path; that takes minutes more.

    Raises:
        ConfigError: pyosys is not installed, or a library is no Liberty file.
        CheckFailedError: Yosys finds fault with the core.
    """
    with tempfile.TemporaryDirectory() as scratch:
        files = [str(_plain(path, Path(scratch))) for path in liberty]
        found = _yosys(folder, {"mode": "map", "liberty": files, "timed": timed})
    blocks = tuple(SynthesizedBlock(**block) for block in found["blocks"])
    return Synthesis(blocks, found["longest_path_ps"], found["version"])


def _plain(path: Path, scratch: Path) -> Path:
    """A library as text; gzipped ones are unpacked."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")
    except OSError as error:
        raise ConfigError(
            f"--liberty {path}: not readable ({error}); give Liberty files, .lib or .lib.gz"
        ) from error
    if re.search(r"\blibrary\s*\(", text) is None:
        raise ConfigError(f"--liberty {path}: holds no library; give Liberty files, .lib or .lib.gz")
    target = scratch / path.name.removesuffix(".gz")
    target.write_text(text)
    return target


def _yosys(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Run the script in a process of its own: Yosys ends the process where it finds a fault."""
    require_pyosys()
    answer = folder / "yosys.json"
    answer.unlink(missing_ok=True)
    command = [sys.executable, str(SCRIPT), json.dumps({**request, "top": TOP, "memories": MEMORIES})]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode or not answer.exists():
        lines = [
            line for line in (done.stdout + done.stderr).splitlines() if "rror" in line or "ssert" in line
        ]
        raise CheckFailedError(f"{folder}: Yosys does not accept the core\n" + "\n".join(lines[-10:]))
    if "Resizing cell port" in done.stdout:
        raise CheckFailedError(
            f"{folder}: Yosys cut a port to another width; report this as a fault of nmsim"
        )
    found: dict[str, Any] = json.loads(answer.read_text())
    return found
