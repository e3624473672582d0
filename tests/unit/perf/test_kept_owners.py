"""Owners of neurons are kept up to a number of bytes: a search looks at many mappings of layers of a million neurons."""

import numpy as np

from nmsim.mapping.mapping import Slice
from nmsim.network.published import vgg11
from nmsim.perf import geometry
from nmsim.perf.geometry import KEPT_BYTES, LayerSlices


def test_many_mappings_of_a_large_layer_keep_few_owners() -> None:
    layer = vgg11((2, 128, 128), classes=11).synaptic_layers[0]
    channels, rows, _ = layer.out_shape
    size = layer.neurons * np.dtype(np.int64).itemsize
    mappings = [
        LayerSlices.of(layer, (Slice(0, core, 0, channels, 0, rows, 0, layer.in_shape[0], True),))
        for core in range(2 * KEPT_BYTES // size)
    ]
    assert len(mappings) > 20
    for core, slices in enumerate(mappings):
        assert (slices.owners == core).all()
    held = [array for slices in mappings for array in vars(slices).values() if isinstance(array, np.ndarray)]
    assert sum(array.nbytes for array in held) < size
    assert len(geometry._owners) * size <= KEPT_BYTES
