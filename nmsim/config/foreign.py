"""Foreign: files of other tools that are given where a file of nmsim belongs; what they are, and how to bring them over."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEAD_BYTES = 512


@dataclass(frozen=True)
class Format:
    """A format of another tool: what it is, how to tell it, what to do with it.

    `magic` is what its bytes begin with, or else `keys` are top-level keys of a YAML or JSON mapping that are there
    together.
    """

    what: str
    remedy: str
    magic: bytes = b""
    keys: frozenset[str] = frozenset()


BY_BYTES = (
    Format(
        "an HDF5 file, as NIR graphs are",
        "nmsim import-network FILE --dataset NAME makes a run of a NIR graph",
        b"\x89HDF\r\n\x1a\n",
    ),
    Format(
        "a ZIP archive, as .npz files and PyTorch checkpoints are",
        "nmsim import-network FILE takes weights, nmsim import-activity FILE --network NET.yaml takes spikes",
        b"PK\x03\x04",
    ),
    Format("a gzip archive", "unpack it, and give the YAML file", b"\x1f\x8b"),
    Format("a Python pickle", "save the arrays as .npz, then nmsim import-network", b"\x80"),
)
BY_KEYS = (
    Format(
        "an architecture of SANA-FE",
        "nmsim import-chip FILE makes a chip of it; its spikes come over by nmsim import-activity",
        keys=frozenset({"architecture"}),
    ),
    Format(
        "a network of SANA-FE",
        "its spikes come over by nmsim import-activity RASTERS --network NET.yaml --delay-steps 1 (docs/activity.md)",
        keys=frozenset({"network", "mappings"}),
    ),
    Format(
        "an architecture of Timeloop or Accelergy",
        "describe the chip in nmsim's words: nmsim init chip explains every key",
        keys=frozenset({"architecture", "version"}),
    ),
    Format("a problem of Timeloop", "write a workload: nmsim init workload", keys=frozenset({"problem"})),
    Format(
        "an accelerator of ZigZag or Stream",
        "describe the chip in nmsim's words: nmsim init chip explains every key",
        keys=frozenset({"memories", "operational_array"}),
    ),
    Format(
        "a NIR graph written as text",
        "nmsim import-network takes the HDF5 file that nir.write makes",
        keys=frozenset({"nodes", "edges"}),
    ),
    Format(
        "a price table of nmsim",
        "name it under technology: of a chip, and check the chip",
        keys=frozenset({"level"}),
    ),
)


def by_bytes(path: Path) -> Format | None:
    """The format that a file's first bytes tell; None if they tell none, or it cannot be read."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError:
        return None
    return next((known for known in BY_BYTES if head.startswith(known.magic)), None)


def by_keys(data: Mapping[str, Any]) -> Format | None:
    """The format that top-level keys tell, that of most keys first.

    >>> by_keys({"architecture": {}, "version": "0.4"}).what
    'an architecture of Timeloop or Accelergy'
    """
    found = [known for known in BY_KEYS if known.keys <= set(data)]
    return max(found, key=lambda known: len(known.keys), default=None)
