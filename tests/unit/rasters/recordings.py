"""A small network with a strided, unpadded convolution, and random spikes for it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.network.spec import NetworkSpec

NETWORK = """\
network:
  input_shape: [2, 8, 8]
  time_steps: 3
  layers:
    - {kind: conv, channels: 4, kernel: 3, stride: 2}
    - {kind: conv, channels: 3, kernel: 3, padding: 1}
    - {kind: dense, units: 5}
"""
SPEC = NetworkSpec.model_validate(
    {
        "input_shape": [2, 8, 8], "time_steps": 3,
        "layers": [
            {"kind": "conv", "channels": 4, "kernel": 3, "stride": 2},
            {"kind": "conv", "channels": 3, "kernel": 3, "padding": 1},
            {"kind": "dense", "units": 5},
        ],
    }
)  # fmt: skip
SHAPES = {"input": (2, 8, 8), "layer0": (4, 3, 3), "layer1": (3, 3, 3), "layer2": (5,)}


def spikes(samples: int = 2, seed: int = 1) -> dict[str, NDArray[Any]]:
    """Random rasters `(S, T, ...)`."""
    random = np.random.default_rng(seed)
    return {name: random.random((samples, 3, *shape)) < 0.3 for name, shape in SHAPES.items()}


def save(folder: Path, arrays: dict[str, NDArray[Any]]) -> Path:
    """As `.npz`."""
    path = folder / "spikes.npz"
    np.savez(path, allow_pickle=False, **arrays)
    return path


def csv_text(arrays: dict[str, NDArray[Any]]) -> str:
    """As lines of a `.csv`."""
    lines = ["sample,time_step,layer,neuron"]
    for name, raster in arrays.items():
        flat = raster.reshape(*raster.shape[:2], -1)
        lines += [f"{s},{t},{name},{n}" for s, t, n in zip(*np.nonzero(flat), strict=True)]
    return "\n".join(lines) + "\n"
