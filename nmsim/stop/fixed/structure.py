"""Structure steps of the bit-accurate engine: masks change, weights of what goes and comes are raw 0."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import ConfigError
from nmsim.fixedpoint.lfsr import Role, draws, first_draw, offset
from nmsim.fixedpoint.quantize import HIGH, LOW, MASK, WRAP, bring_into_range
from nmsim.stop.fixed.layer_formats import LayerFormats
from nmsim.stop.fixed.parameters import RawParameters
from nmsim.stop.fixed.samples import BatchSums
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.protocol import Parameters
from nmsim.stop.spec import TrainingSpec
from nmsim.structure.prune_and_grow import exchanged, grown, pruned
from nmsim.structure.pruned_units import Units
from nmsim.structure.spec import NofM
from nmsim.structure.update_schedule import StructureSchedule

Gradients = list[NDArray[Any]]


def check_structure(plan: StructureSchedule, formats: list[LayerFormats], training: TrainingSpec) -> None:
    """A structure section goes with the training and the formats.

    Raises:
        ConfigError: it looks at gradients that are not kept, ranks numbers of different formats, or names no layer.
    """
    spec = plan.spec
    if spec.needs_gradient and training.update == "in_place":
        raise ConfigError(
            "structure: it ranks synapses by gradient, but training.update 'in_place' keeps none; use update accumulate, or"
            " prune_by magnitude and grow_by random"
        )
    unknown = [index for index in spec.dense_layers if not 0 <= index < len(formats)]
    if unknown:
        raise ConfigError(
            f"structure.dense_layers: there is no layer {unknown[0]}; use numbers of synaptic layers, 0..{len(formats) - 1}"
        )
    ranked = [own for own in formats if own.layer.index not in spec.dense_layers]
    if not ranked:
        raise ConfigError(
            "structure.dense_layers: it names every layer, so nothing can change; leave one out"
        )
    if spec.scope == "global":
        widths = {own.precision.weight.format.fraction_bits for own in ranked}
        gradients = {own.weight_gradient_fraction for own in ranked}
        for name, found in (("weights", widths), ("gradients", gradients if spec.needs_gradient else {0})):
            if len(found) > 1:
                raise ConfigError(
                    f"structure.scope: 'global' compares raw integers, but the {name} of the layers have"
                    f" {', '.join(map(str, sorted(found)))} fraction bits; use scope layer or one format"
                )


class Structure:
    """Changes the masks of an engine's parameters when they are due."""

    def __init__(self, plan: StructureSchedule, raw: RawParameters, seed: int) -> None:
        self.plan, self.raw, self.seed = plan, raw, seed
        self.layers = [
            own.layer.index for own in raw.formats if own.layer.index not in plan.spec.dense_layers
        ]
        self.units = {
            index: Units.of(plan.spec.pattern, layer.channels, layer.fan_in)
            for index, layer in enumerate(raw.layout.layers)
            if index in self.layers
        }

    def listens(self, updates: int) -> bool:
        """Whether the step after so many updates looks at gradients."""
        return self.plan.spec.needs_gradient and self.plan.due(updates)

    @contextmanager
    def gathering(self, updates: int) -> Iterator[None]:
        """Within the context of the batch that ends with that update, absent synapses gather dW too, if a step grows by it.

        Their weights stay raw 0, and the update, which comes after, sees the masks as they are.
        """
        synapses = self.raw.held.synapses
        if not self._gathers_all(updates):
            yield
            return
        kept = synapses.copy()
        synapses[:] = 1
        try:
            yield
        finally:
            synapses[:] = kept

    def _gathers_all(self, updates: int) -> bool:
        return self.plan.spec.grows_by_gradient and self.plan.due(updates)

    def sparse_start(self, real: Parameters) -> Parameters:
        """Real initial parameters with the masks of a sparse start, drawn as in a step after 0 updates.

        What is left is scaled by `sqrt(fan-in / present fan-in)`, so that a neuron's current keeps its variance.
        """
        if self.plan.spec.method == "prune" or any(mask is not None for mask in real.mask):
            return real
        masks, weights = list(real.mask) or [None] * len(real.weights), list(real.weights)
        for index, units in self.units.items():
            scores = self._draws(index, 0)
            there = grown(np.zeros(units.count, np.bool_), scores, self.plan.spec.start)
            mask = units.synapses(there).reshape(weights[index].shape)
            masks[index] = mask
            share = max(int(np.count_nonzero(mask)), 1) / mask.size
            weights[index] = np.where(mask, weights[index] * np.sqrt(1 / share), 0.0)
        return replace(real, weights=weights, mask=masks)

    def _draws(self, index: int, updates: int) -> NDArray[np.int64]:
        size = self.units[index].count
        start = offset(self.seed, index, Role.STRUCTURE) + first_draw(updates, size)
        return draws(start, size).astype(np.int64)

    def gradients(self, sums: BatchSums, counts: NDArray[np.int64], updates: int) -> Gradients:
        """DW as the accumulators hold it at the end of the batch; overflows of absent synapses are counted here."""
        found = []
        for index, at in enumerate(self.raw.slices):
            row = self.raw.formats[index].numbers[Tensor.WEIGHT_GRADIENT]
            exact = sums.weight_gradient(at.weights)
            low, high = int(row[LOW]), int(row[HIGH])
            outside = (exact < low) | (exact > high)
            absent = self.raw.held.synapses[at.weights] == 0
            if self._gathers_all(updates):
                counts[index, Tensor.WEIGHT_GRADIENT] += np.count_nonzero(outside & absent)
            held = exact
            for place in np.flatnonzero(outside):
                held[place] = bring_into_range(int(exact[place]), low, high, int(row[MASK]), row[WRAP])
            if not self._gathers_all(updates):
                held[absent] = 0
            found.append(held)
        return found

    def step(self, updates: int, gradients: Gradients | None) -> None:
        """The step after so many updates."""
        present = {i: self.units[i].present(self._synapses(i)) for i in self.layers}
        if isinstance(self.plan.spec.pattern, NofM):
            after = {i: self._in_groups(i, present[i], updates, gradients) for i in self.layers}
        elif self.plan.spec.scope == "global":
            prune, grow = (
                np.concatenate(own) for own in zip(*self._all_scores(updates, gradients), strict=True)
            )
            joined = self._ranked(np.concatenate(list(present.values())), prune, grow, updates)
            ends = np.cumsum([len(present[i]) for i in self.layers])[:-1]
            after = dict(zip(self.layers, np.split(joined, ends), strict=True))
        else:
            scores = self._all_scores(updates, gradients)
            after = {
                i: self._ranked(present[i], *own, updates) for i, own in zip(self.layers, scores, strict=True)
            }
        for index in self.layers:
            self._change(index, present[index], after[index])

    def _synapses(self, index: int) -> NDArray[np.uint8]:
        return self.raw.held.synapses[self.raw.slices[index].weights]

    def _all_scores(
        self, updates: int, gradients: Gradients | None
    ) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """Scores of pruning and of growing, layer by layer; what the method does not look at is whatever is at hand."""
        spec, found = self.plan.spec, []
        for index in self.layers:
            units = self.units[index]
            weights = np.ascontiguousarray(self.raw.in_order(index)).ravel()
            wide = weights if weights.dtype == object else weights.astype(np.int64)
            by_gradient = units.scores(gradients[index]) if gradients is not None else None
            prune: NDArray[Any] | None = units.scores(wide) if spec.prune_by == "magnitude" else by_gradient
            grow = by_gradient if spec.grow_by == "gradient" else self._draws(index, updates)
            nothing = np.zeros(units.count, np.int64)
            found.append((nothing if prune is None else prune, nothing if grow is None else grow))
        return found

    def _ranked(
        self, present: NDArray[np.bool_], prune: NDArray[Any], grow: NDArray[Any], updates: int
    ) -> NDArray[np.bool_]:
        match self.plan.spec.method:
            case "prune":
                return pruned(present, prune, self.plan.sparsity(updates))
            case "grow":
                return grown(present, grow, self.plan.sparsity(updates))
        return exchanged(present, prune, grow, self.plan.exchanged(updates))

    def _in_groups(
        self, index: int, present: NDArray[np.bool_], updates: int, gradients: Gradients | None
    ) -> NDArray[np.bool_]:
        scores = self._all_scores(updates, gradients)[self.layers.index(index)][0]
        sparsity, after = self.plan.sparsity(updates), present.copy()
        for members in self.units[index].groups:
            after[members] = pruned(present[members], scores[members], sparsity)
        return after

    def _change(self, index: int, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> None:
        """New mask; weights and velocities of what goes and comes are 0."""
        raw, at, units = self.raw, self.raw.slices[index], self.units[index]
        if (before == after).all():
            return
        gone, came = units.synapses(before & ~after), units.synapses(after & ~before)
        synapses = self._synapses(index)
        synapses[gone], synapses[came] = 0, 1
        weights = raw.in_order(index)
        weights[(gone | came).reshape(weights.shape)] = 0
        if raw.velocity.size:
            raw.velocity[at.weights][gone | came] = 0
        raw.held.masked[index] = int(not synapses.all())
        raw.used.arrange(index)
