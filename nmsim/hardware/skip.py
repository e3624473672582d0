"""Skipping: how a core finds the values of a vector that are not zero."""

from typing import Literal

from nmsim.config import Record

SkipKind = Literal["none", "scan", "word_list", "value_list"]


class Skip(Record):
    """A machine for each vector that is mostly zeros; none of them is free (docs/timing.md).

    `none`: every value is served. `scan`: every word is read, a cycle each for the empty ones, and what is not zero is
    served. `word_list`: a list of the words that are not empty is kept beside the vector and read first. `value_list`: a
    list of values with their numbers.
    """

    inputs: SkipKind = "value_list"
    """Inputs of a step; packets in a queue are a list of values, the others keep a bitmap or the values themselves."""
    deltas: SkipKind = "scan"
    """Deltas, in the error and gradient phases."""
    traces: SkipKind = "word_list"
    """Weight traces (STBP: inputs) in the gradient."""
    gradients: Literal["none", "scan", "word_list"] = "none"
    """Rows of weight gradients at the update: all are swept, or those of inputs that had a trace in the batch."""
    in_place: Literal["none", "pairs"] = "pairs"
    """Weights that an in-place update visits: those of a non-zero delta and a non-zero trace, or every one, as a core must
    whose draws follow the order of the weights."""
    lists: Literal["with_vector", "own_memory"] = "with_vector"
    """Where word lists lie: in the memory of their vector, whose ports they take, or in a small one of their own that is
    read ahead and costs no cycles. Either way their words are counted, and priced as words of the vector."""
