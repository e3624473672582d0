"""Memory images of the initial parameters, in the order in which the core's words lie."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.rtl.design import Design, ceil_div
from nmsim.rtl.memories import Memory, memories

RawArray = NDArray[Any]


def by_rows(values: RawArray, lanes: int) -> RawArray:
    """Values `(N, M)` of a layer as words `(rows * M, lanes)`: row r of `lanes` neurons, then input i; the rest zero."""
    neurons, inputs = values.shape
    rows = ceil_div(neurons, lanes)
    padded = np.zeros((rows * lanes, inputs), values.dtype)
    padded[:neurons] = values
    return padded.reshape(rows, lanes, inputs).transpose(0, 2, 1).reshape(rows * inputs, lanes)


def by_words(values: RawArray, lanes: int) -> RawArray:
    """Values `(N,)` as words `(words, lanes)`, the last one filled with zeros."""
    words = ceil_div(len(values), lanes)
    padded = np.zeros(words * lanes, values.dtype)
    padded[: len(values)] = values
    return padded.reshape(words, lanes)


def memory_named(design: Design, name: str) -> Memory:
    """A memory of the core."""
    return next(memory for memory in memories(design) if memory.name == name)


def weight_words(design: Design, weights: Iterable[RawArray]) -> list[str]:
    """The weight (or gradient) memory's words."""
    words = [by_rows(np.asarray(own), design.lanes) for own in weights]
    return memory_named(design, "weights").pack([np.concatenate(words)])


def neuron_words(
    design: Design, layer: int, thresholds: RawArray, state: dict[str, RawArray] | None = None
) -> list[str]:
    """Words of a layer's neurons: thresholds and state, zero where none is given."""
    memory = memory_named(design, "neurons")
    given = {"threshold": thresholds, **(state or {})}
    zeros = np.zeros(design.neurons[layer], np.int64)
    values = [by_words(np.asarray(given.get(part.name, zeros)), design.neuron_lanes) for part in memory.parts]
    return memory.pack(values)


def initial_images(design: Design) -> dict[str, list[str]]:
    """Images by memory: weights and neurons; every other memory starts with zeros."""
    parameters = design.side.parameters
    neurons = [
        word
        for layer in range(design.layers)
        for word in neuron_words(design, layer, np.asarray(parameters.thresholds[layer]))
    ]
    return {"weights": weight_words(design, parameters.weights), "neurons": neurons}
