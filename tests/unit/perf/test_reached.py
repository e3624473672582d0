"""Inputs that errors reach, in one compiled pass, against every neuron and kernel position one by one."""

import numpy as np
import pytest

from nmsim.mapping.mapping import Slice
from nmsim.network.spec import Conv, NetworkSpec
from nmsim.perf.census import Mask
from nmsim.perf.geometry import LayerSlices
from nmsim.perf.reached import reached_inputs


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (2, 2, 0), (5, 1, 2), (2, 3, 0)]
)
def test_rows_of_inputs_are_those_under_the_kernels_of_deltas(kernel: int, stride: int, padding: int) -> None:
    layers = (Conv(kind="conv", channels=4, kernel=kernel, stride=stride, padding=padding),)
    layer = NetworkSpec(input_shape=(2, 9, 8), layers=layers).synaptic_layers[0]
    channels, height, width = layer.out_shape
    inputs, bounds = (
        layer.in_shape[0],
        ((0, 1, 0, height), (1, channels, 0, height), (1, channels, 1, height)),
    )
    slices = LayerSlices.of(
        layer,
        tuple(Slice(0, core, c0, c1, r0, r1, 0, inputs) for core, (c0, c1, r0, r1) in enumerate(bounds)),
    )
    ones = np.random.default_rng(kernel).random((2, 3, channels, height, width)) < 0.1
    columns = np.array([0, 2, 3, 7])
    found, plane = reached_inputs(Mask(ones), slices, columns)
    for row, (c0, c1, r0, r1) in enumerate(bounds):
        reached = np.zeros((2, 3, 9, 8), np.bool_)
        for s, t, _, y, x in np.argwhere(ones[:, :, c0:c1, r0:r1]).tolist():
            for i in range(kernel):
                for j in range(kernel):
                    at = (y + r0) * stride - padding + i, x * stride - padding + j
                    if 0 <= at[0] < 9 and 0 <= at[1] < 8:
                        reached[s, t, at[0], at[1]] = True
        expected = reached[..., columns].sum(axis=-1)
        assert np.array_equal(found[plane[row]], np.moveaxis(expected, -1, 0).reshape(9, 6))
    assert ones.any()
