"""Recording: an engine's masks of a profile of samples as an `Activity`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import SYNAPSES, Activity, LayerActivity
from nmsim.fixedpoint.format import QFormat
from nmsim.network.values import input_formats
from nmsim.stop.protocol import Batch, Engine


def record_activity(
    engine: Engine,
    batch: Batch,
    sample_index: NDArray[np.int64],
    input_format: QFormat,
    *,
    rule: str,
    origin: str,
    meta: Mapping[str, Any],
) -> Activity:
    """Activity of one training pass over a batch, parameters left as they are."""
    network = engine.network
    there = engine.parameters.mask or [None] * len(network.synaptic_layers)
    formats = input_formats(network, input_format)
    layers = tuple(
        LayerActivity.from_masks(
            layer.in_shape,
            layer.out_shape,
            formats[layer.index].total_bits,
            {
                "inputs": record.input_nonzero,
                "spikes": record.spikes,
                "traces": record.trace_nonzero,
                "deltas": record.delta_nonzero,
                **({} if mask is None or np.all(mask) else {SYNAPSES: np.asarray(mask, np.bool_)}),
            },
        )
        for layer, record, mask in zip(network.synaptic_layers, engine.record(batch), there, strict=True)
    )
    static = batch.inputs.shape[1] == 1 and network.time_steps > 1
    return Activity(
        network.content_hash(), str(rule), origin, network.time_steps, static, layers, np.asarray(sample_index, np.int64),
        np.asarray(batch.labels, np.int64), np.asarray(engine.infer(batch), np.int64), dict(meta),
    )  # fmt: skip
