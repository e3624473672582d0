"""The comparison itself: chip, forced and free float64 passes over the same samples, a few at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from nmsim.network.spec import NetworkSpec
from nmsim.stop.protocol import Batch
from nmsim.stop.raw import RawRun
from nmsim.validate.numerics.exact_values import ExactValues
from nmsim.validate.numerics.fixed_side import QUANTITIES, FixedSide
from nmsim.validate.numerics.float_side import ReferenceEngine, ReferencePass, Tensors
from nmsim.validate.numerics.gradient_sums import GradientSums
from nmsim.validate.numerics.measured import (
    ComparedWith,
    GradientNumerics,
    SpikeNumerics,
    TableNumerics,
    TensorNumerics,
)
from nmsim.validate.numerics.stored_parameters import compare_parameters
from nmsim.validate.numerics.surrogate_table import TableNoise
from nmsim.validate.numerics.tally import Tally

CHUNK_BYTES = 400_000_000
COPIES = 4
"""Tensors of the chip and of its three references."""
INPUT_TENSORS, NEURON_TENSORS = 3, 9
"""Tensors of a time step that have one value per input, and one per neuron."""


@dataclass(frozen=True)
class Compared:
    """What a comparison found."""

    tensors: tuple[TensorNumerics, ...]
    spikes: tuple[SpikeNumerics, ...]
    gradients: tuple[GradientNumerics, ...]
    tables: tuple[TableNumerics, ...]
    overflow_counts: dict[str, int]


def samples_together(network: NetworkSpec) -> int:
    """Samples whose tensors are held at a time."""
    layers = network.synaptic_layers
    values = sum(INPUT_TENSORS * layer.inputs + NEURON_TENSORS * layer.neurons for layer in layers)
    weights = sum(layer.weights for layer in layers)
    return max(1, CHUNK_BYTES // (8 * (COPIES * network.time_steps * values + weights)))


def compare(
    chip: FixedSide, batches: Iterator[Batch], listen: Callable[[int], None] = lambda _: None
) -> Compared:
    """Compare a chip with float64 on batches of any size; `listen` is called with the number of samples done.

    All passes have the same parameters and inputs; the forced one also has the chip's spikes and surrogate table.
    """
    sums = _Sums(chip)
    done = 0
    for batch in batches:
        sums.add(batch)
        done += len(batch.labels)
        listen(done)
    return sums.found()


class _Sums:
    """Everything that adds up over samples."""

    def __init__(self, chip: FixedSide) -> None:
        self.chip = chip
        steps, layers = chip.network.time_steps, chip.network.synaptic_layers
        float64 = chip.training.model_copy(update={"arithmetic": "float64", "update": "accumulate"})
        self.forced = ReferenceEngine(chip.network, float64, precision=chip.precision)
        self.free = ReferenceEngine(chip.network, float64)
        self.forced.parameters = self.free.parameters = chip.real_parameters
        self.exact = ExactValues(chip.network, chip.real_parameters, chip.training.loss)
        self.tallies: dict[tuple[int, str], Tally] = {}
        self.spikes = np.zeros((len(layers), 3, steps), np.int64)
        self.samples = 0
        self.gradients = GradientSums(chip)
        self.tables = [TableNoise(chip, layer.index) for layer in layers]
        self.overflows: dict[str, int] = {}

    def add(self, batch: Batch) -> None:
        run = self.chip.run(batch)
        chip = [self.chip.tensors(index, layer) for index, layer in enumerate(run.layers)]
        emitted = [layer.spikes.astype(np.int64) for layer in run.layers]
        forced, free = self.forced.observe(batch, emitted), self.free.observe(batch)
        exact = self.exact.layers(chip, batch)
        for index, own in enumerate(chip):
            self._tensors(index, own, exact[index], forced.layers[index], free.layers[index])
            self.tables[index].add(np.abs(own["membrane"] - self.exact.theta(index)))
            self._spikes(index, own, forced, free)
        self.samples += len(batch.labels)
        self.gradients.add(run, forced.gradients, free.gradients, len(batch.labels))
        self._count(run)

    def _tensors(self, index: int, own: Tensors, exact: Tensors, forced: Tensors, free: Tensors) -> None:
        for quantity in QUANTITIES:
            name = quantity.name
            if name not in own:
                continue
            place = (index, name)
            if place not in self.tallies:
                self.tallies[place] = Tally(
                    index, name, quantity.setting, self.chip.format_of(index, quantity),
                    self.chip.rounding_of(index, quantity), self.chip.network.time_steps,
                )  # fmt: skip
            references = {
                ComparedWith.OWN: exact[name],
                ComparedWith.FORCED: forced[name],
                ComparedWith.FREE: free[name],
            }
            self.tallies[place].add(own[name], references)

    def _spikes(self, index: int, own: Tensors, forced: ReferencePass, free: ReferencePass) -> None:
        spikes = own["spikes"] != 0
        self.spikes[index, 0] += spikes.sum(axis=(0, 2))
        self.spikes[index, 1] += (spikes != free.decided[index]).sum(axis=(0, 2))
        self.spikes[index, 2] += (spikes != forced.decided[index]).sum(axis=(0, 2))

    def _count(self, run: RawRun) -> None:
        for name, count in run.overflows.items():
            self.overflows[name] = self.overflows.get(name, 0) + count

    def found(self) -> Compared:
        layers = self.chip.network.synaptic_layers
        tensors = [*compare_parameters(self.chip), *(tally.record() for tally in self.tallies.values())]
        tensors.sort(key=lambda item: item.layer)
        spikes = tuple(
            SpikeNumerics(layer.index, layer.neurons * self.samples, *self.spikes[layer.index])
            for layer in layers
        )
        tables = tuple(table.record() for table in self.tables)
        return Compared(tuple(tensors), spikes, self.gradients.record(), tables, self.overflows)
