"""Rasters of a tool whose layers hear the layer below some steps later, brought to the steps that nmsim means."""

from dataclasses import replace
from typing import Any

import numpy as np

from nmsim.errors import DataError
from nmsim.network.spec import NetworkSpec
from nmsim.rasters.raster import LAYER, UPDATES, Rasters


def aligned(rasters: Rasters, network: NetworkSpec, delay_steps: int) -> Rasters:
    """The same spikes, with those of every layer at the step of the input that they answer.

    Where a spike of step t reaches the layer above in step t + `delay_steps`, a layer at depth d answers the input of
    step t in step t + d x `delay_steps` of the recording: its rasters are moved to the front by that much. Depth counts
    layers with weights from the first, which is at 0. Nothing is lost: the first steps of a deep layer are silent, for
    nothing can have reached it yet, and nothing is recorded of what it would answer after the end.

    Raises:
        DataError: a layer spikes, or is updated, before anything can have reached it.
    """
    if delay_steps == 0:
        return rasters
    depth = depths(network)
    return replace(
        rasters,
        spikes=tuple(
            _moved(mask, depth[index] * delay_steps, f"{LAYER}{index}", delay_steps)
            for index, mask in enumerate(rasters.spikes)
        ),
        updates=tuple(
            None
            if mask is None
            else _moved(mask, depth[index] * delay_steps, f"{UPDATES}{index}", delay_steps)
            for index, mask in enumerate(rasters.updates)
        ),
    )


def depths(network: NetworkSpec) -> tuple[int, ...]:
    """Layers with weights below each layer on the longest way from the input."""
    found: dict[int, int] = {}
    for layer in network.synaptic_layers:
        below = [found[source] for source in network.source_layers(layer.index) if source >= 0]
        found[layer.index] = 1 + max(below, default=-1)
    return tuple(found.values())


def _moved(mask: Any, steps: int, name: str, delay_steps: int) -> Any:
    """A raster `(S, T, N)` some steps earlier, silent at its end."""
    steps = min(steps, mask.shape[1])
    early = np.argwhere(mask[:, :steps])
    if len(early):
        sample, step, neuron = (int(value) for value in early[0])
        raise DataError(
            f"'{name}': neuron {neuron} is active in step {step} of sample {sample}, but with a delay of {delay_steps} per"
            f" layer nothing can have reached it before step {steps}; give the delay that the tool has, or 0"
        )
    moved = np.zeros_like(mask)
    moved[:, : mask.shape[1] - steps] = mask[:, steps:]
    return moved
