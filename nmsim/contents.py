"""Content: every kind of data a core keeps, one enumeration for networks, memories, mappings and reports."""

from enum import StrEnum


class Content(StrEnum):
    """A kind of data that a layer keeps on a core.

    The names stand in chip files (`memories: holds: [weight]`), in mappings, and in memory tables. Which kinds a learning
    rule keeps, how many values of them and of what width: `nmsim.network.state` and `nmsim.network.memory`.

    >>> Content("weight_trace") in STORED, Content.TABLE in STORED
    (True, False)
    """

    WEIGHT = "weight"
    WEIGHT_GRADIENT = "weight_gradient"
    VELOCITY = "velocity"
    THRESHOLD = "threshold"
    THRESHOLD_GRADIENT = "threshold_gradient"
    MEMBRANE = "membrane"
    SPIKE = "spike"
    """Spike bit of the previous time step, one per neuron."""
    WEIGHT_TRACE = "weight_trace"
    THRESHOLD_TRACE = "threshold_trace"
    LEAK_TRACE = "leak_trace"
    DELTA = "delta"
    """Deltas of the layer in work and errors of the layer below it."""
    INPUT_SUM = "input_sum"
    """Input currents of the layer in work, one sum a neuron."""
    ERROR_SUM = "error_sum"
    """Error sums of the layer in work, one an input, and those that arrive from the layer above."""
    INPUT = "input"
    """Incoming spikes or intensities of the step: the queue of the core."""
    HISTORY = "history"
    """Membranes and spikes of earlier time steps, kept only by STBP."""
    TEMPORAL_ERROR = "temporal_error"
    """Error carried back from the following time step, kept only by STBP."""
    FACTOR = "factor"
    """Deltas and traces over T of the factored weight gradient."""
    LEAK_FACTOR = "leak_factor"
    """Leak factors and their gradients: a register or two per layer."""
    TABLE = "table"
    """Surrogate and softmax tables."""


SUMS = (Content.INPUT_SUM, Content.ERROR_SUM)
"""What a core adds up; `accumulator` in a chip file means both.

Input sums are done with before error sums begin, unless steps overlap (then both exist twice): they share a buffer.
"""
REGISTERS = frozenset({Content.LEAK_FACTOR, Content.TABLE})
"""What a core keeps outside its memories, in registers and lookup tables."""
STORED = tuple(content for content in Content if content not in REGISTERS)
"""What a memory of a core can hold; a kind that no memory of a core holds must live off chip."""
