"""Rasters of a tool whose layers hear the layer below some steps later, brought to the steps that nmsim means."""

from dataclasses import replace
from typing import Any

import numpy as np

from nmsim.errors import DataError
from nmsim.network.spec import NetworkSpec
from nmsim.rasters.raster import LAYER, UPDATES, Rasters

Delay = int | tuple[int, ...]
"""Time steps that a spike takes into every layer but the first, or into each layer, the input's into the first included."""


def aligned(rasters: Rasters, network: NetworkSpec, delay_steps: Delay) -> Rasters:
    """The same spikes, each layer's moved to the time step of the input that caused them.

    Where a spike of step t reaches the layer above in step t + `delay_steps`, a layer at depth d answers the input of
    step t in step t + d x `delay_steps` of the recording: its rasters are moved to the front by that much. Depth counts
    layers with weights from the first, which is at 0. With a number for each layer, the numbers on the way add up; where
    ways of different lengths join, the longest counts. Nothing is lost: the first steps of a deep layer are silent, for
    nothing can have reached it yet, and nothing is recorded of what it would answer after the end.

    Raises:
        DataError: a layer spikes, or is updated, before anything can have reached it; there is not one number for each
            layer.
    """
    late = steps_behind(network, delay_steps)
    return replace(
        rasters,
        spikes=tuple(
            _moved(mask, late[index], f"{LAYER}{index}") for index, mask in enumerate(rasters.spikes)
        ),
        updates=tuple(
            None if mask is None else _moved(mask, late[index], f"{UPDATES}{index}")
            for index, mask in enumerate(rasters.updates)
        ),
    )


def steps_behind(network: NetworkSpec, delay_steps: Delay) -> tuple[int, ...]:
    """Time steps by which each layer with weights is behind the input, on the longest way.

    Raises:
        DataError: there is not one number for each layer.
    """
    layers = network.synaptic_layers
    delays = delay_steps if isinstance(delay_steps, tuple) else (0, *[delay_steps] * (len(layers) - 1))
    if len(delays) != len(layers):
        raise DataError(
            f"delay_steps: {len(delays)} numbers for the {len(layers)} layers with weights; give one number for each, the"
            " first being that of the input into the first layer, or one for all"
        )
    found: dict[int, int] = {}
    for layer, delay in zip(layers, delays, strict=True):
        below = [found[source] for source in network.source_layers(layer.index) if source >= 0]
        found[layer.index] = delay + max(below, default=0)
    return tuple(found.values())


def _moved(mask: Any, steps: int, name: str) -> Any:
    """A raster `(S, T, N)` some steps earlier, silent at its end."""
    if steps == 0:
        return mask
    steps = min(steps, mask.shape[1])
    early = np.argwhere(mask[:, :steps])
    if len(early):
        sample, step, neuron = (int(value) for value in early[0])
        raise DataError(
            f"'{name}': neuron {neuron} is active in step {step} of sample {sample}, but with these delays nothing can have"
            f" reached it before step {steps}; give the delay per layer that the tool has, or 0"
        )
    moved = np.zeros_like(mask)
    moved[:, : mask.shape[1] - steps] = mask[:, steps:]
    return moved
