"""Counts in boxes against NumPy slices."""

import numpy as np

from nmsim.network.spec import NetworkSpec
from nmsim.perf.census import ActivityCensus, Mask
from nmsim.perf.geometry import LayerGeometry
from nmsim.validate.synthetic import Densities, synthetic_activity

RANDOM = np.random.default_rng(3)
ONES = RANDOM.random((2, 3, 7, 5, 4)) < 0.3
C0, C1 = np.array([0, 2, 5]), np.array([7, 6, 5])
Y0, Y1 = np.array([0, 1, 0]), np.array([5, 3, 5])


def boxes() -> list[np.ndarray]:
    return [ONES[:, :, c0:c1, y0:y1] for c0, c1, y0, y1 in zip(C0, C1, Y0, Y1, strict=True)]


def test_ones_in_boxes() -> None:
    assert (Mask(ONES).count(C0, C1, Y0, Y1) == [box.sum(axis=(2, 3, 4)) for box in boxes()]).all()


def test_sums_of_every_box_fit_where_all_places_are_ones() -> None:
    for channels in (
        2,
        12,
        3300,
    ):  # 40, 240 and 66,000 places: one, one and four bytes, differences below zero on the way
        first, last = np.array([0, channels - 1]), np.array([channels, channels])
        found = Mask(np.ones((1, 1, channels, 5, 4), np.bool_)).count(
            first, last, np.array([0, 2]), np.array([5, 4])
        )
        assert found.dtype == np.int64
        assert found[:, 0, 0].tolist() == [channels * 20, 8]


def test_equal_masks_are_unpacked_once_and_those_without_ones_take_no_memory() -> None:
    layers = [{"kind": "dense", "units": 12}, {"kind": "dense", "units": 10}]
    network = NetworkSpec.model_validate({"name": "two", "input_shape": [9], "layers": layers})
    activity = synthetic_activity(network, 3, Densities(0.5, 0.5, 0.0), rule="inference")
    below, above = ActivityCensus(network, activity).layers
    assert np.shares_memory(below.spikes.ones, above.inputs.ones)
    assert above.deltas.ones.strides[:2] == (0, 0)
    assert above.deltas.ones.shape == above.spikes.ones.shape


def test_weighted_ones_with_one_weight_for_all_or_one_per_sample_and_step() -> None:
    for shape in ((5, 4), (2, 3, 5, 4)):
        weight = RANDOM.integers(0, 9, shape)
        product = ONES * (weight if len(shape) == 2 else weight[:, :, None])
        expected = [
            product[:, :, c0:c1, y0:y1].sum(axis=(2, 3, 4))
            for c0, c1, y0, y1 in zip(C0, C1, Y0, Y1, strict=True)
        ]
        assert (Mask(ONES).weighted(weight, C0, C1, Y0, Y1) == expected).all()


def test_channels_with_any_one() -> None:
    expected = [box.any(axis=(3, 4)).sum(axis=2) for box in boxes()]
    assert (Mask(ONES).channels_with_any(C0, C1, Y0, Y1) == expected).all()


def test_groups_start_at_the_first_channel_of_each_box() -> None:
    groups, g0, g1 = Mask(ONES).grouped(np.array([0, 1]), np.array([7, 6]), np.array([3, 2]))
    expected = [[range(3), range(3, 6), range(6, 7)], [range(1, 3), range(3, 5), range(5, 6)]]
    for start, stop, channels in zip(g0, g1, expected, strict=True):
        found = groups.ones[:, :, start:stop]
        assert (found == np.stack([ONES[:, :, list(c)].any(axis=2) for c in channels], axis=2)).all()


def test_groups_of_one_are_the_mask_itself() -> None:
    mask = Mask(ONES)
    groups, g0, g1 = mask.grouped(C0, C1, np.ones(3, np.int64))
    assert groups is mask
    assert (g0 == C0).all()
    assert (g1 == C1).all()


def test_links_of_a_strided_unpadded_and_of_a_padded_kernel() -> None:
    strided = LayerGeometry((1, 7, 7), (1, 3, 3), kernel=3, stride=2, padding=0)
    assert strided.row_links.tolist() == [[1, 1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1, 1]]
    padded = LayerGeometry((1, 2, 2), (1, 2, 2), kernel=3, stride=1, padding=1)
    assert padded.taps.tolist() == [[4, 4], [4, 4]]


def test_masks_keep_the_shape_of_maps_and_are_all_ones_where_nothing_is_skipped() -> None:
    network = NetworkSpec.model_validate(
        {
            "input_shape": [2, 6, 6],
            "time_steps": 2,
            "layers": [{"kind": "conv", "channels": 3, "kernel": 3}, {"kind": "dense", "units": 5}],
        }
    )
    activity = synthetic_activity(network, 4)
    census = ActivityCensus(network, activity)
    assert census.layers[0].spikes.ones.shape == (4, 2, 3, 4, 4)
    assert census.layers[1].inputs.ones.shape == (4, 2, 48, 1, 1)
    assert (census.layers[0].spikes.flat == activity.layers[0].mask("spikes")).all()
    assert census.full[1].deltas.ones.all()
    assert census.full[0].inputs.ones.shape == (1, 1, 2, 6, 6)
