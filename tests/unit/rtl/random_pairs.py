"""Random pairs of a chip and a live network for the comparison of cycles: neurons that fire, deltas that travel.

The random cores of the bit comparison have formats and weights so wild that most of their layers are silent; a model of
time is to be judged on networks that do something.
"""

from random import Random
from typing import Any

import numpy as np
from random_cores import Case

from nmsim.fixedpoint.format import QFormat
from nmsim.hardware.core import Core
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.rtl.design import Design
from nmsim.stop.protocol import Batch, Parameters
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import FixedSide

INPUTS, NEURONS = (32, 256), (16, 128)
"""Bounds of layers: stages long enough for a model that does not claim every cycle."""


def pair(seed: int) -> Case:
    """The pair of a seed; rules, losses, kinds of update and of input take turns or are drawn."""
    rng = Random(f"pair {seed}")
    static, in_place = rng.random() < 0.5, seed % 5 == 4
    network = _network(rng)
    precision = _precision(rng)
    batch_size = 1 if in_place else rng.choice((1, 2, 4))
    training = TrainingSpec.model_validate(
        {
            "rule": rng.choice(("stop-wtl", "stop-w", "stop-wt", "stop-wl")),
            "loss": rng.choice(("cross_entropy", "squared_error")),
            "batch_size": batch_size,
            "update": "in_place" if in_place else "accumulate",
        }
    )
    fmt = QFormat.parse(rng.choice(("u8.8", "u1.0", "u4.4")))
    side = FixedSide(network, precision, training, _parameters(rng, network, precision), fmt, seed)
    samples = batch_size * (1 if batch_size == 4 else 2)
    shape = (samples, 1 if static else network.time_steps, network.input_shape[0])
    numbers = np.random.default_rng(seed)
    raw = numbers.integers(max(fmt.max_raw // 4, 1), fmt.max_raw + 1, shape)
    raw[numbers.random(shape) > rng.choice((0.1, 0.2, 0.4, 0.8))] = 0
    labels = numbers.integers(network.synaptic_layers[-1].neurons, size=samples)
    return Case(Design(side, training, _core(rng), static), Batch(raw, fmt, labels, 0))


def _network(rng: Random) -> NetworkSpec:
    sizes = [rng.randint(*NEURONS) for _ in range(rng.choice((1, 2, 2, 3)))]
    return NetworkSpec.model_validate(
        {
            "input_shape": [rng.randint(*INPUTS)],
            "time_steps": rng.randint(2, 6),
            "neuron": {"surrogate": rng.choice(("exponential", "triangle", "rectangle", "rational"))},
            "layers": [{"kind": "dense", "units": n} for n in sizes],
        }
    )


def _precision(rng: Random) -> Precision:
    found: dict[str, Any] = {
        "weight": rng.choice(("s16.13", "s12.10", "s8.6")),
        "membrane": rng.choice(("s16.10", "s12.7")),
        "weight_trace": rng.choice(("u12.8", "u8.5")),
        "delta": rng.choice(("s16.14", "s10.9", "s8.7")),
        "rounding": rng.choice(("nearest", "floor", "stochastic")),
    }
    return Precision.model_validate(found)


def _parameters(rng: Random, network: NetworkSpec, precision: Precision) -> Parameters:
    """Weights of mean and spread such that about a fifth to a half of the neurons fire at threshold 1."""
    numbers = np.random.default_rng(rng.randrange(2**32))
    weights, thresholds, leak = [], [], []
    for layer in network.synaptic_layers:
        own = precision.resolve(layer.index)
        fmt, state = own.weight.format, own.membrane.format
        gain = rng.uniform(2, 6)
        real = numbers.normal(gain / layer.fan_in, gain / layer.fan_in**0.5, layer.weight_shape)
        raw = np.rint(real * 2.0**fmt.fraction_bits).astype(np.int64)
        weights.append(np.clip(raw, fmt.min_raw, fmt.max_raw))
        thresholds.append(np.full(layer.threshold_count, 1 << state.fraction_bits))
        leak.append(int(rng.uniform(0.5, 0.95) * own.leak_factor.format.max_raw))
    return Parameters(weights, thresholds, leak, [None] * len(leak))


def _core(rng: Random) -> Core:
    lanes = rng.choice((2, 4, 4, 8, 16))
    return Core.model_validate(
        {
            "accumulate_lanes": lanes, "mac_lanes": lanes, "neuron_slots": 512,
            "neuron_lanes": rng.choice([n for n in (1, 2, 4, 8) if n <= lanes]),
            "update_lanes": rng.choice([n for n in (1, 2, 4, 8, 16) if n <= lanes]),
            "memories": [{"name": "all", "holds": ["weight"], "words": 1, "word_bits": 8}],
        }
    )  # fmt: skip
