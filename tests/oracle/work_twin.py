"""A slow, obvious twin of the work's counts: plain loops over spikes, neurons and kernels; no prefix sums, no boxes."""

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from nmsim.mapping.mapping import Slice
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.validate.designs import DrawnDesign

Place = tuple[int, int, int]


def place_of(index: int, shape: tuple[int, ...]) -> Place:
    if len(shape) == 1:
        return index, 0, 0
    _, height, width = shape
    return index // (height * width), index // width % height, index % width


def synapses(layer: SynapticLayer, i: int) -> Iterator[Place]:
    """Neurons that input `i` reaches, once per synapse."""
    _, y, x = place_of(i, layer.in_shape)
    if layer.kind == "dense":
        yield from ((n, 0, 0) for n in range(layer.neurons))
        return
    channels, rows, columns = layer.out_shape
    kernel = layer.weight_shape[2]
    for c, oy, ox in product(range(channels), range(rows), range(columns)):
        ky, kx = y - (oy * layer.stride - layer.padding), x - (ox * layer.stride - layer.padding)
        if 0 <= ky < kernel and 0 <= kx < kernel:
            yield c, oy, ox


def holds(piece: Slice, neuron: Place) -> bool:
    c, y, _ = neuron
    return piece.channel_start <= c < piece.channel_stop and piece.row_start <= y < piece.row_stop


def sums(piece: Slice, layer: SynapticLayer, i: int) -> bool:
    return piece.input_start <= place_of(i, layer.in_shape)[0] < piece.input_stop


def owner(design: DrawnDesign, layer: SynapticLayer, n: int) -> int:
    place = place_of(n, layer.out_shape)
    return next(p.core for p in design.job.mapping.slices_of(layer.index) if p.owner and holds(p, place))


def feeds(network: NetworkSpec, layer: int) -> Counter[tuple[int, int, int]]:
    """(source layer or -1, neuron, input of `layer`) for every way through pools and sums, found from the top."""
    node = next(node for node in network.nodes if node.layer == layer)
    below = network.nodes[node.inputs[0]]
    found: set[tuple[int, int, int]] = set()

    def descend(node: Any, element: int, target: int) -> None:
        if node.kind == "input" or node.layer is not None:
            found.add((-1 if node.layer is None else node.layer, element, target))
            return
        for index in node.inputs:
            source = network.nodes[index]
            if node.kind == "add":
                descend(source, element, target)
                continue
            c, y, x = place_of(element, node.out_shape)
            _, height, width = node.in_shape
            size = height if node.kind == "global_avg_pool" else node.spec.size
            for dy, dx in product(range(size), range(width if node.kind == "global_avg_pool" else size)):
                descend(source, (c * height + y * size + dy) * width + x * size + dx, target)

    for element in range(int(np.prod(below.out_shape))):
        descend(below, element, element)
    return Counter(found)


class Twin:
    """Totals of one design by (layer, core, sample), and deliveries by (layer, source core, target core, sample)."""

    def __init__(self, design: DrawnDesign) -> None:
        self.design = design
        self.options = design.job.chip.options
        self.integrate: Counter[tuple[int, int, int]] = Counter()
        self.error: Counter[tuple[int, int, int]] = Counter()
        self.pairs: Counter[tuple[int, int, int]] = Counter()
        self.spikes: Counter[tuple[int, int, int, int]] = Counter()
        self.shared_deltas: Counter[tuple[int, int, int, int]] = Counter()
        self.spike_counts: Counter[tuple[int, int, int, int]] = Counter()
        for layer in design.job.network.synaptic_layers:
            self._layer(layer)
            self._spikes(layer)
            if design.job.needs.trains:
                self._deltas(layer)
        if design.job.needs.trains:
            self._softmax(design.job.network.synaptic_layers[-1])

    def _masks(self, layer: SynapticLayer, name: str, *, skip: bool) -> np.ndarray:
        mask = self.design.activity.layers[layer.index].mask(name)
        return mask if skip else np.ones_like(mask)

    def _static(self, layer: SynapticLayer) -> bool:
        only_input = self.design.job.network.source_layers(layer.index) == (-1,)
        return self.design.activity.static_input and only_input and self.options.static_input_once

    def _layer(self, layer: SynapticLayer) -> None:
        options, trains = self.options, self.design.job.needs.trains
        inputs = self._masks(layer, "inputs", skip=options.skip.inputs != "none")
        operand = "inputs" if self.design.job.needs.carries == "history" else "traces"
        traces = self._masks(layer, operand, skip=options.skip.traces != "none")
        deltas = self._masks(layer, "deltas", skip=options.skip.deltas != "none")
        propagates = any(source >= 0 for source in self.design.job.network.source_layers(layer.index))
        pieces = self.design.job.mapping.slices_of(layer.index)
        flat = np.arange(layer.neurons).reshape(layer.out_shape if layer.kind == "conv" else (-1, 1, 1))
        for i in range(layer.inputs):
            for neuron in synapses(layer, i):
                for piece in pieces:
                    if not (holds(piece, neuron) and sums(piece, layer, i)):
                        continue
                    for s in range(self.design.activity.samples):
                        key = (layer.index, piece.core, s)
                        steps = inputs[s, :1, i] if self._static(layer) else inputs[s, :, i]
                        self.integrate[key] += int(steps.sum())
                        if trains:
                            hot = deltas[s, :, flat[neuron]]
                            self.error[key] += int(hot.sum()) * propagates
                            self.pairs[key] += int((hot & traces[s, :, i]).sum())

    def _spikes(self, layer: SynapticLayer) -> None:
        activity, pieces = self.design.activity, self.design.job.mapping.slices_of(layer.index)
        needs: dict[int, set[int]] = {i: set() for i in range(layer.inputs)}
        for i in range(layer.inputs):
            heard = list(synapses(layer, i))
            for piece in pieces:
                start, stop = piece.input_rows(layer)
                inside = start <= place_of(i, layer.in_shape)[1] < stop
                if sums(piece, layer, i) and inside and any(holds(piece, neuron) for neuron in heard):
                    needs[i].add(piece.core)
        inputs = self._masks(layer, "inputs", skip=self.options.skip.inputs != "none")
        sent_inputs = set()
        for source, n, i in feeds(self.design.job.network, layer.index):
            if source < 0:
                if i in sent_inputs:
                    continue
                sent_inputs.add(i)
                fired = inputs[:, :1, i] if self._static(layer) else inputs[:, :, i]
                core = -1
            else:
                below = self.design.job.network.synaptic_layers[source]
                fired = activity.layers[source].mask("spikes")[:, :, n]
                core = owner(self.design, below, n)
            for s, target in product(range(activity.samples), needs[i]):
                self.spikes[layer.index, core, target, s] += int(fired[s].sum())

    def _deltas(self, layer: SynapticLayer) -> None:
        """A delta goes from its neuron's owner to every other core that sums a part of the neuron's inputs."""
        deltas = self._masks(layer, "deltas", skip=self.options.skip.deltas != "none")
        pieces = self.design.job.mapping.slices_of(layer.index)
        for n in range(layer.neurons):
            home = owner(self.design, layer, n)
            for core in {p.core for p in pieces if holds(p, place_of(n, layer.out_shape))} - {home}:
                for s in range(self.design.activity.samples):
                    self.shared_deltas[layer.index, home, core, s] += int(deltas[s, :, n].sum())

    def _softmax(self, layer: SynapticLayer) -> None:
        """Every core with outputs tells every other one, at every step, how many of its outputs fired."""
        homes = {owner(self.design, layer, n) for n in range(layer.neurons)}
        for source, target in product(homes, homes):
            for s in range(self.design.activity.samples):
                if source != target:
                    self.spike_counts[layer.index, source, target, s] += self.design.job.network.time_steps
