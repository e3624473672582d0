"""How much an engine holds and runs at a time; none of it changes a result."""

import os
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from nmsim.network.spec import NetworkSpec
from nmsim.network.values import ValueRange
from nmsim.stop.fixed.layer_formats import LayerFormats
from nmsim.stop.fixed.magnitude import needs_big_integers, stored_magnitude
from nmsim.stop.spec import TrainingSpec

WIDTH: dict[Any, int] = {np.int16: 16, np.int32: 32, object: 1 << 30}
"""Types of stored integers and their bits; Python integers have as many as it takes."""
SMALL_NEURONS = 1 << 18
"""Neurons and inputs, times time steps held together, up to which calls into kernels matter."""
STATE_BYTES = 1 << 28
"""Memory for states if the caller sets no number of samples."""


def available_workers() -> int:
    """Threads an engine uses by default: `NUMBA_NUM_THREADS` and `OMP_NUM_THREADS` are upper limits."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    return max(1, min(threads, int(limit)) if limit.isdigit() else threads)


def steps_together(network: NetworkSpec, samples: int, training: TrainingSpec) -> int:
    """Time steps of a sample whose states are held together: a divisor of T, more where few samples of few neurons run.

    Results do not depend on it; calls into kernels become fewer, and memory stays bounded whatever T is.
    """
    neurons = sum(layer.neurons + layer.inputs for layer in network.synaptic_layers)
    limit = min(32 // samples, SMALL_NEURONS // neurons, network.time_steps)
    if training.update == "in_place":
        limit = 1
    return max(group for group in range(1, max(1, limit) + 1) if network.time_steps % group == 0)


def samples_at_a_time(network: NetworkSpec, group: int, storage: Any) -> int:
    """Samples whose states fit `STATE_BYTES`, at most 64."""
    word = 16 if storage is object else np.dtype(storage).itemsize
    per_slot = sum(
        word * (7 * layer.neurons + 2 * layer.inputs) + 8 * layer.neurons for layer in network.synaptic_layers
    )
    return max(1, min(64, STATE_BYTES // (per_slot * group)))


def narrowest_storage(
    network: NetworkSpec, formats: list[LayerFormats], ranges: Sequence[ValueRange], training: TrainingSpec
) -> Any:
    """The narrowest type of stored integers with which every intermediate is exact.

    Python integers (`object`) where 64 bits could overflow: kernels then run interpreted, and slowly.
    """
    low, high = stored_magnitude(formats, ranges)
    if not needs_big_integers(network, formats, training):
        for storage in (np.int16, np.int32):
            if np.iinfo(storage).min <= low and high <= np.iinfo(storage).max:
                return storage
    return object
