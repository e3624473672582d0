"""Trained networks out to the Neuromorphic Intermediate Representation (NIR), written by the package `nir`.

The reverse of `nir_file`: a layer becomes its synapses and its neurons. A leaky neuron with leak factor alpha is a LIF node
of time constant `tau = dt / (1 - alpha)` and resistance `r = 1 / (1 - alpha)`, so that one forward Euler step of `dt` is
nmsim's step and weights stay as they are; an integrator is an IF node.
"""

from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from nmsim.errors import ConfigError, DataError
from nmsim.network.layers import AvgPool, Conv, Dense, Flatten, GlobalAvgPool, SumPool
from nmsim.network.spec import NetworkSpec, SynapticLayer
from nmsim.stop.protocol import Parameters

DT_S = 1e-3
"""Duration of a time step, where nothing says one: the usual millisecond."""


def write_nir(
    path: Path, network: NetworkSpec, parameters: Parameters, dt_s: float = DT_S
) -> tuple[str, ...]:
    """Write real parameters as a NIR graph; sentences that a user has to know.

    Raises:
        ConfigError: the package `nir` is missing.
        DataError: the network has a part that NIR lacks.
    """
    try:
        import nir
    except ImportError as error:
        raise ConfigError(
            f"{path}: writing NIR files needs the package 'nir'; install it with `pip install nir` (extra `exchange`)"
        ) from error
    nodes: dict[str, Any] = {"input": nir.Input(input_type={"input": np.array(network.input_shape)})}
    shape: tuple[int, ...] = network.input_shape
    synaptic = iter(network.synaptic_layers)
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Dense | Conv):
            own = next(synaptic)
            if isinstance(layer, Dense) and len(shape) > 1:
                nodes[f"flatten{index}"] = _flatten(nir, shape)
                shape = (prod(shape),)
            nodes[f"synapses{own.index}"] = _synapses(nir, layer, own, shape, parameters)
            shape = own.out_shape
            nodes[f"neurons{own.index}"] = _neurons(nir, network, own, parameters, dt_s)
        elif isinstance(layer, Flatten):
            nodes[f"flatten{index}"] = _flatten(nir, shape)
            shape = (prod(shape),)
        elif isinstance(layer, AvgPool | SumPool | GlobalAvgPool):
            side = shape[1:] if isinstance(layer, GlobalAvgPool) else (layer.size, layer.size)
            make = nir.SumPool2d if isinstance(layer, SumPool) else nir.AvgPool2d
            nodes[f"pool{index}"] = make(np.array(side), np.array(side), np.array([0, 0]))
            shape = (shape[0], shape[1] // side[0], shape[2] // side[1])
        else:
            raise DataError(
                f"{network.name}: layer {index} is of kind '{layer.kind}', which NIR does not have; export the weights with"
                " --to npz"
            )
    nodes["output"] = nir.Output(output_type={"output": np.array(shape)})
    nir.write(str(path), nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False))
    return _notes(network, dt_s)


def _flatten(nir: Any, shape: tuple[int, ...]) -> Any:
    return nir.Flatten(input_type={"input": np.array(shape)}, start_dim=0, end_dim=-1)


def _synapses(
    nir: Any, layer: Dense | Conv, own: SynapticLayer, shape: tuple[int, ...], parameters: Parameters
) -> Any:
    weight = np.asarray(parameters.weights[own.index], np.float64)
    bias = parameters.bias_of(own.index)
    if isinstance(layer, Conv):
        added = np.zeros(weight.shape[0]) if bias is None else np.asarray(bias, np.float64)
        return nir.Conv2d(shape[1:], weight, layer.stride, layer.padding, 1, 1, added)
    return nir.Linear(weight) if bias is None else nir.Affine(weight, np.asarray(bias, np.float64))


def _neurons(nir: Any, network: NetworkSpec, own: SynapticLayer, parameters: Parameters, dt_s: float) -> Any:
    ones = np.ones(own.out_shape)
    thresholds = np.asarray(parameters.thresholds[own.index], np.float64)
    shared = np.repeat(thresholds, own.neurons // len(thresholds)).reshape(own.out_shape)
    alpha = float(parameters.leak[own.index])
    if network.neuron.integrates:
        return nir.IF(r=ones, v_threshold=shared, v_reset=0 * ones)
    tau = dt_s / (1 - alpha)
    return nir.LIF(
        tau=tau * ones, r=ones / (1 - alpha), v_leak=0 * ones, v_threshold=shared, v_reset=0 * ones
    )


def _notes(network: NetworkSpec, dt_s: float) -> tuple[str, ...]:
    reset = (
        "a spike subtracts the threshold, which a NIR file cannot say: read it back with --reset subtract"
        if network.neuron.reset == "subtract"
        else "a spike resets the membrane to zero, as NIR defines it"
    )
    step = (
        "" if network.neuron.integrates else f"; a time step is {dt_s:g} s: read it back with --dt {dt_s:g}"
    )
    return (
        f"{reset}{step}",
        f"T = {network.time_steps} time steps per sample, which a NIR file does not say",
    )
