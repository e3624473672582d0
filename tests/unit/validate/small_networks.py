"""Small networks with every kind of layer, their samples and their chips, for the tests of validation."""

from typing import Any

import numpy as np

from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.fixed.layer_formats import layer_formats
from nmsim.stop.fixed.parameters import quantized_parameters
from nmsim.stop.initial import initial_parameters
from nmsim.stop.protocol import Batch
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import FixedSide

PIXELS = QFormat.parse("u8.8")
DENSE: dict[str, Any] = {
    "input_shape": [20],
    "time_steps": 4,
    "layers": [{"kind": "dense", "units": 12}, {"kind": "dense", "units": 5}],
}
POOLED: dict[str, Any] = {
    "input_shape": [2, 8, 8],
    "time_steps": 3,
    "neuron": {"leak_factor": 0.6},
    "layers": [
        {"kind": "conv", "channels": 3, "kernel": 3, "padding": 1, "weight_scale": 2.0},
        {"kind": "avg_pool", "size": 2},
        {"kind": "conv", "channels": 4, "kernel": 3, "padding": 1, "stride": 2, "weight_scale": 2.0},
        {"kind": "max_pool", "size": 2},
        {"kind": "dense", "units": 4, "weight_scale": 2.0},
    ],
}
RESIDUAL: dict[str, Any] = {
    "input_shape": [1, 4, 4],
    "time_steps": 3,
    "layers": [
        {"kind": "conv", "channels": 2, "kernel": 3, "padding": 1, "weight_scale": 2.0},
        {
            "kind": "residual",
            "body": [{"kind": "conv", "channels": 2, "kernel": 3, "padding": 1, "weight_scale": 2.0}],
        },
        {"kind": "global_avg_pool"},
        {"kind": "dense", "units": 3},
    ],
}
BIASED: dict[str, Any] = {
    "input_shape": [2, 6, 6],
    "time_steps": 3,
    "layers": [
        {"kind": "conv", "channels": 3, "kernel": 3, "weight_scale": 2.0, "bias": True},
        {"kind": "avg_pool", "size": 2},
        {"kind": "dense", "units": 6, "weight_scale": 2.0, "bias": True},
        {"kind": "dense", "units": 4, "weight_scale": 2.0},
    ],
}
NETWORKS = {"dense": DENSE, "pooled": POOLED, "residual": RESIDUAL, "biased": BIASED}


def chip(
    network: dict[str, Any], training: dict[str, Any] | None = None, seed: int = 3, **precision: Any
) -> FixedSide:
    """A chip with the initial parameters of a seed; biases, which start at 0, are drawn."""
    spec, section = NetworkSpec.model_validate(network), Precision.model_validate(precision)
    trained = TrainingSpec.model_validate({"batch_size": 4, **(training or {})})
    real = initial_parameters(spec, trained, seed)
    for bias in real.bias:
        if bias is not None:
            bias[:] = np.random.default_rng(seed).normal(0, 0.2, bias.shape)
    raw = quantized_parameters(real, layer_formats(spec, section, PIXELS, seed), trained)
    return FixedSide(spec, section, trained, raw, PIXELS, seed, real)


def batch(network: dict[str, Any], samples: int = 4, *, static: bool = True, seed: int = 0) -> Batch:
    """Random pixels and labels."""
    spec, random = NetworkSpec.model_validate(network), np.random.default_rng(seed)
    steps = 1 if static else spec.time_steps
    inputs = random.integers(0, 256, (samples, steps, *spec.input_shape))
    return Batch(inputs, PIXELS, random.integers(0, spec.classes, samples), 0)
