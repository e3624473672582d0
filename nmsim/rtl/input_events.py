"""Input events of the bench: for every sample its label, then index and value of every non-zero input."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.rtl.design import Design

LAST, VALUE_AT = 1 << 63, 32


def event_lines(design: Design, inputs: NDArray[Any], labels: NDArray[Any], batch_size: int) -> Iterator[str]:
    """Lines of 16 hexadecimal digits, sample by sample.

    A sample begins with its label, and bit 32 set if it ends a batch. Events follow, input index in bits 31..0, value in
    bits 62..32, bit 63 where the events of a time step end; a step without inputs is one event of value 0.

    `inputs` `(S, T, M)`, or `(S, 1, M)` for samples that are the same at every time step: they are sent once, or at every
    time step where weights change in between.
    """
    mask = (1 << design.input.bits) - 1
    for sample, (steps, label) in enumerate(zip(inputs, labels, strict=True)):
        ends = (sample + 1) % batch_size == 0
        yield f"{int(label) | int(ends) << 32:016x}"
        times = 1 if design.once else design.side.network.time_steps // len(steps)
        for step in np.tile(steps.reshape(len(steps), -1), (times, 1)):
            indices = np.flatnonzero(step)
            if not len(indices):
                indices = np.zeros(1, np.int64)
            for place, index in enumerate(indices):
                last = LAST if place == len(indices) - 1 else 0
                yield f"{last | (int(step[index]) & mask) << VALUE_AT | int(index):016x}"
