"""A chain of parts, or weights for a network that is described, as a network with parameters in real numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nmsim.config import Document, build
from nmsim.errors import DataError
from nmsim.exchange.chain import Chain, FloatArray, LayerWeights, Neurons
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.stop.protocol import Parameters


@dataclass(frozen=True)
class TrainedNetwork:
    """A network and what it learned elsewhere; `notes` are sentences that a user has to know."""

    network: NetworkSpec
    parameters: Parameters
    notes: tuple[str, ...] = ()


def assembled(chain: Chain, name: str, time_steps: int) -> TrainedNetwork:
    """The network of a chain whose parts say everything but the number of time steps.

    Raises:
        DataError: the parts do not make a network that nmsim runs; the sentence names the part.
    """
    layers: list[dict[str, Any]] = []
    synapses: list[LayerWeights] = []
    neurons: list[Neurons] = []
    waiting: LayerWeights | None = None
    for part in chain.parts:
        if isinstance(part, LayerWeights):
            if waiting is not None:
                raise DataError(
                    f"{waiting.where}: synapses without neurons behind them; put IF or LIF neurons there"
                )
            waiting = part
        elif isinstance(part, Neurons):
            if waiting is None:
                raise DataError(f"{part.where}: neurons without synapses in front of them; put a layer there")
            layers.append(_layer(waiting, part))
            synapses.append(waiting)
            neurons.append(part)
            waiting = None
        elif waiting is not None:
            raise DataError(f"{part.where}: a pool between synapses and neurons; put it behind the neurons")
        else:
            layers.append({"kind": part.kind, "size": part.size})
    if waiting is not None:
        raise DataError(
            f"{waiting.where}: the output has no neurons, and a prediction is counted in spikes; put IF or LIF neurons"
            " behind it"
        )
    if chain.input_shape is None or not neurons:
        raise DataError(
            f"{chain.source}: no input shape or no layer of neurons in it; export the whole network"
        )
    leaks = [item.leak for item in neurons]
    if 1.0 in leaks and len(set(leaks)) > 1:
        raise DataError(
            f"{neurons[leaks.index(1.0)].where}: integrators and leaky neurons in one network; nmsim has one kind of neuron"
            " for all layers"
        )
    described = {
        "name": name,
        "input_shape": list(chain.input_shape),
        "time_steps": time_steps,
        "neuron": {
            "threshold": float(np.mean([item.threshold.mean() for item in neurons])),
            "leak_factor": leaks[0],
            "reset": neurons[0].reset,
        },
        "layers": layers,
    }
    network = build(NetworkSpec, Document(described, chain.source))
    thresholds = [
        _thresholds(item, layer) for item, layer in zip(neurons, network.synaptic_layers, strict=True)
    ]
    return TrainedNetwork(network, _parameters(network, synapses, thresholds, leaks), chain.notes)


def with_weights(
    network: NetworkSpec, found: list[LayerWeights], source: str, notes: tuple[str, ...] = ()
) -> TrainedNetwork:
    """A described network with the weights and biases of a file; thresholds and leak factors are the description's.

    A layer whose bias is not 0 everywhere needs one in the description (`bias: true`).

    Raises:
        DataError: numbers or shapes of layers differ, or a described layer has no bias and the file's has.
    """
    if len(found) != len(network.synaptic_layers):
        raise DataError(
            f"{source}: weights of {len(found)} layers, but the network has {len(network.synaptic_layers)}; describe the"
            " network that they belong to"
        )
    thresholds = [
        np.full(layer.threshold_count, network.neuron.threshold) for layer in network.synaptic_layers
    ]
    leaks = [network.neuron.leak_factor] * len(found)
    return TrainedNetwork(network, _parameters(network, found, thresholds, leaks), notes)


def _parameters(
    network: NetworkSpec, found: list[LayerWeights], thresholds: list[FloatArray], leaks: list[float]
) -> Parameters:
    for layer, item in zip(network.synaptic_layers, found, strict=True):
        if item.weight.shape != layer.weight_shape:
            raise DataError(
                f"{item.where}: weights of shape {list(item.weight.shape)}, but layer {layer.index} of the network takes"
                f" {list(layer.weight_shape)}; describe the network that they belong to"
            )
    layers = len(found)
    biases = [_bias(item, layer) for item, layer in zip(found, network.synaptic_layers, strict=True)]
    return Parameters(
        [item.weight for item in found],
        thresholds,
        list(leaks),
        [None] * layers,
        [None] * layers,
        list(biases),
    )


def _bias(item: LayerWeights, layer: SynapticLayer) -> FloatArray | None:
    """The biases of a layer of the network, zeros where the file gives none."""
    if layer.bias:
        return np.zeros(layer.weight_shape[0]) if item.bias is None else item.bias
    if item.largest_bias > 0:
        raise DataError(
            f"{item.where}: a bias other than 0 (largest {item.largest_bias:g}), but layer {layer.index} of the"
            " network has none; describe the layer with bias: true"
        )
    return None


def _layer(synapses: LayerWeights, neurons: Neurons) -> dict[str, Any]:
    outputs = synapses.weight.shape[0]
    if synapses.weight.ndim == 2:
        described = {"kind": "dense", "units": outputs}
    else:
        described = {
            "kind": "conv", "channels": outputs, "kernel": synapses.weight.shape[-1], "stride": synapses.stride,
            "padding": synapses.padding,
        }  # fmt: skip
    return described | {"threshold_sharing": _sharing(neurons, outputs), "bias": synapses.largest_bias > 0}


def _sharing(neurons: Neurons, outputs: int) -> str:
    """The widest sharing of thresholds that loses nothing."""
    values = neurons.threshold
    if values.size != 1 and values.shape[:1] != (outputs,):
        raise DataError(
            f"{neurons.where}: thresholds of shape {list(values.shape)} behind synapses with {outputs} outputs; give one, or"
            " one for each output"
        )
    if np.ptp(values) == 0:
        return "layer"
    by_channel = values.reshape(outputs, -1)
    return "channel" if not np.ptp(by_channel, axis=1).any() else "neuron"


def _thresholds(neurons: Neurons, layer: SynapticLayer) -> FloatArray:
    values, count = neurons.threshold.ravel(), layer.threshold_count
    if count == 1:
        return values[:1].copy()
    if values.size % count:
        raise DataError(
            f"{neurons.where}: thresholds of shape {list(neurons.threshold.shape)} for a layer of {list(layer.out_shape)}"
            " neurons; give one for each"
        )
    return values.reshape(count, -1)[:, 0].copy()
