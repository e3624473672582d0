"""Memory of a worker, sized by the layout."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.stop.fixed.compress import BEHIND
from nmsim.stop.fixed.layout import Layout
from nmsim.stop.fixed.memory_plan import Work
from nmsim.stop.fixed.tensor import Tensor

EXACT = 1024
"""Elements whose exact values are held at a time."""
DRAW_ROWS = 8
"""Zeros, weight trace, leak trace, threshold trace, membrane, error, delta, trace of a constant."""


LINE_BYTES = 64
"""Bytes of a line of the processor's cache, and of its longest vector: one that crosses lines is read twice."""


def zeros(size: int, dtype: Any) -> NDArray[Any]:
    """Zeros that begin at a line of the cache, as rows of products should."""
    if np.dtype(dtype) == object:
        return np.zeros(size, object)
    bytes_each = np.dtype(dtype).itemsize
    memory = np.zeros(size + LINE_BYTES // bytes_each, dtype)
    start = -memory.ctypes.data % LINE_BYTES // bytes_each
    return memory[start : start + size]


def make_weight_sums(layout: Layout, workers: int) -> NDArray[Any]:
    """Memory of dW, `(workers, P)`, zero."""
    return np.zeros((workers, layout.weights), layout.weight_sums)


def make_work(layout: Layout, weight_sums: NDArray[Any], samples: int, *, logs: bool) -> Work:
    """Memory for passes over up to `samples` samples, with `weight_sums (P,)` for dW; `logs`: sums are to be watched."""
    storage = layout.storage
    numbers: Any = object if storage is object else np.int64
    draws: Any = object if storage is object else np.uint16
    layers, outputs, slots = len(layout.layers), layout.layers[-1].neurons, samples * layout.group
    return Work(
        memory=zeros(slots * layout.words, storage),
        errors=zeros(slots * layout.error_words, numbers),
        kept=zeros(samples * layout.kept_sums, numbers),
        block=zeros(layout.block_sums, numbers),
        gathered=zeros(layout.gathered, storage),
        exact=np.zeros(EXACT, numbers),
        factors=np.zeros(layout.widest, numbers),
        nonzero=np.zeros(layout.widest_sum, np.int64),
        entries=np.zeros(slots * layout.listed_inputs + BEHIND, np.int32),
        marks=np.zeros(slots * layout.listed_marks, np.int32),
        segments=np.zeros(layout.segments, np.int64),
        transposed=zeros(layout.transposed, storage),
        draws=np.zeros((DRAW_ROWS, layout.widest), draws),
        panels=zeros(layout.panels, storage),
        filled=np.zeros(layers, np.int64),
        weight_sums=weight_sums,
        threshold_sums=np.zeros(layout.neurons, numbers),
        group_sums=np.zeros(layout.thresholds, numbers),
        leak_sums=np.zeros(layers, numbers),
        bias_sums=np.zeros(layout.channels, numbers),
        constants=np.zeros(slots * layers, numbers),
        static_sums=np.zeros(samples * layout.static_sums, numbers),
        magnitudes=np.zeros(layout.neurons, numbers),
        bounds=np.zeros((layers, 4), numbers),
        largest=np.zeros(layers, numbers),
        counts=np.zeros((layers, len(Tensor)), np.int64),
        tally=np.zeros((2, outputs + 1), np.int64),
        spikes=np.zeros((samples, outputs), np.int64),
        current_log=np.zeros(layout.neurons * logs, numbers),
        error_log=np.zeros(layout.inputs * logs, numbers),
    )
