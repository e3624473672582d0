"""Rasters: who spiked when, as another tool recorded it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.network.spec import NetworkSpec, Shape

BoolArray = NDArray[np.bool_]
Spikes = NDArray[np.bool_] | NDArray[np.uint16]
"""Who spiked, or how often in the step."""
INPUT = "input"
LAYER = "layer"
UPDATES = "updates"


@dataclass(frozen=True)
class Rasters:
    """S samples over T time steps.

    `inputs (S, T, M)` what was non-zero at the network's input, or `(S, 1, M)` if it is the same at every step;
    `input_bits` the width of one of its values. `spikes` and `updates`, one `(S, T, N)` per synaptic layer: who
    spiked (booleans, or how often in the step), and whose state changed (None where it was not recorded).
    `labels (S,)`, -1 where unknown. Neurons of a
    map are counted channel by channel, row by row.
    """

    inputs: Spikes
    input_bits: int
    spikes: tuple[Spikes, ...]
    updates: tuple[BoolArray | None, ...]
    labels: NDArray[np.int64]

    @property
    def samples(self) -> int:
        """Number of samples S."""
        return len(self.inputs)


def shapes_of(network: NetworkSpec) -> dict[str, Shape]:
    """Shape of everything that is recorded, by its name in a file: `input`, then `layer0` and so on."""
    layers = {f"{LAYER}{layer.index}": layer.out_shape for layer in network.synaptic_layers}
    return {INPUT: network.input_shape, **layers}
