"""What a chip would store if its one rounding per value were none: exact values from the chip's own operands.

Every stored value is one expression of stored values, rounded once (docs/arithmetic.md), so the difference to these
values is what the value's own format costs, and nothing else.
"""

from dataclasses import dataclass

import numpy as np

from nmsim.network.neuron import Surrogate
from nmsim.network.spec import NetworkSpec
from nmsim.stop.float.chunk import internal_shape, to_c_order, to_internal
from nmsim.stop.float.gradients import Loss, output_error
from nmsim.stop.float.graph import FloatGraph
from nmsim.stop.protocol import Batch, FloatArray, Parameters
from nmsim.stop.surrogate import derivative
from nmsim.validate.numerics.float_side import Tensors


@dataclass(frozen=True)
class ExactValues:
    """Computes exact values of a network; `parameters` are real numbers, the weights those that sums use."""

    network: NetworkSpec
    parameters: Parameters
    loss: Loss

    def layers(self, chip: list[Tensors], batch: Batch) -> list[Tensors]:
        """Exact values beside what the chip stored of a batch (as real numbers), by layer."""
        found = [self._neurons(index, own) for index, own in enumerate(chip)]
        self._sums(chip, batch, found)
        return found

    def theta(self, index: int) -> FloatArray:
        """Threshold of every neuron of a layer, `(N,)` in C order."""
        shared = self.network.synaptic_layers[index].neurons_per_threshold
        return np.repeat(np.asarray(self.parameters.thresholds[index], np.float64), shared)

    def _neurons(self, index: int, own: Tensors) -> Tensors:
        alpha, theta = float(self.parameters.leak[index]), self.theta(index)
        spiked = before(own["spikes"])
        found = {
            "residual": before(own["membrane"]) - theta * spiked,
            "membrane": alpha * own["residual"] + own["current"],
            "surrogate": derivative(self.surrogate, own["membrane"] - theta),
            "delta": own["error"] * own["surrogate"],
        }
        if "weight_trace" in own:
            found["weight_trace"] = alpha * before(own["weight_trace"]) + own["inputs"]
        if "constant_trace" in own:
            found["constant_trace"] = alpha * before(own["constant_trace"]) + 1
        if "threshold_trace" in own:
            found["threshold_trace"] = alpha * (before(own["threshold_trace"]) - spiked)
        if "leak_trace" in own:
            found["leak_trace"] = alpha * before(own["leak_trace"]) + own["residual"]
        return found

    @property
    def surrogate(self) -> Surrogate:
        """Shape of the surrogate derivative."""
        return self.network.neuron.surrogate

    def _sums(self, chip: list[Tensors], batch: Batch, found: list[Tensors]) -> None:
        """Currents, errors and error sums, from products in float64."""
        graph = FloatGraph(self.network)
        samples, steps = chip[0]["spikes"].shape[:2]
        values = self._values(graph, chip, batch)
        packed = [one.pack(self.parameters.weights[i]) for i, one in enumerate(graph.synapses)]
        for i, synapses in enumerate(graph.synapses):
            current = synapses.current(
                values[graph.source(graph.layers[i].node)], packed[i], self.parameters.bias_of(i)
            )
            found[i]["current"] = to_c_order(current, graph.layers[i].out_shape).reshape(samples, steps, -1)
        spikes = chip[-1]["spikes"].reshape(samples * steps, -1)
        error, _ = output_error(self.loss, spikes, np.repeat(np.asarray(batch.labels), steps))
        errors = {graph.nodes[-1].index: to_internal(error, graph.nodes[-1].out_shape)}
        for node in reversed(graph.nodes):
            if graph.input_only[node.index]:
                continue
            error = errors.pop(node.index)
            if node.layer is None:
                below = graph.spread(node, error, [values[i] for i in node.inputs])
            else:
                i, shape = node.layer, (samples, steps, -1)
                found[i]["error"] = to_c_order(error, node.out_shape).reshape(shape)
                if graph.input_only[node.inputs[0]]:
                    continue
                delta = to_internal(chip[i]["delta"].reshape(samples * steps, -1), node.out_shape)
                below = [graph.synapses[i].error_below(delta.reshape(samples * steps, -1), packed[i])]
                found[i]["error_sum"] = to_c_order(below[0], graph.nodes[node.inputs[0]].out_shape).reshape(
                    shape
                )
            for source, part in zip(node.inputs, below, strict=True):
                errors[source] = errors[source] + part if source in errors else part

    def _values(self, graph: FloatGraph, chip: list[Tensors], batch: Batch) -> list[FloatArray]:
        """Value of every node, `(S * T, ...)` in internal order."""
        samples, steps = chip[0]["spikes"].shape[:2]
        values: list[FloatArray] = []
        for node in graph.nodes:
            if node.layer is not None:
                value = to_internal(chip[node.layer]["spikes"].reshape(samples * steps, -1), node.out_shape)
                values.append(value.reshape(samples * steps, *internal_shape(node.out_shape)))
            elif node.kind == "input":
                real = np.asarray(batch.inputs, np.float64).reshape(samples, batch.inputs.shape[1], -1)
                every = np.broadcast_to(real * batch.format.lsb, (samples, steps, real.shape[2]))
                values.append(to_internal(every.reshape(samples * steps, -1), node.out_shape))
            else:
                values.append(graph.combine(node, [values[i] for i in node.inputs]))
        return values


def before(values: FloatArray) -> FloatArray:
    """The value of the time step before, `(S, T, n)`; 0 at the first."""
    shifted = np.zeros_like(values)
    shifted[:, 1:] = values[:, :-1]
    return shifted
