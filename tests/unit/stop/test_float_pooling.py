"""Pools of channel-last maps and their adjoints."""

import numpy as np
import pytest

from nmsim.stop.float import graph


def test_average_drops_rows_and_columns_that_fill_no_window() -> None:
    maps = np.arange(15.0).reshape(1, 3, 5, 1)
    assert graph.average(maps, 2).ravel().tolist() == [3.0, 5.0]
    spread = graph.spread_average(np.array([4.0, 8.0]).reshape(1, 1, 2, 1), maps, 2)
    assert spread[0, :, :, 0].tolist() == [[1, 1, 2, 2, 0], [1, 1, 2, 2, 0], [0, 0, 0, 0, 0]]


def test_maximum_sends_the_error_to_the_first_maximum_in_row_major_order() -> None:
    maps = np.array([[0, 1, 0, 0], [1, 1, 0, 0]], dtype=float).reshape(1, 2, 4, 1)
    assert graph.maximum(maps, 2).ravel().tolist() == [1, 0]
    spread = graph.spread_maximum(np.array([5.0, 7.0]).reshape(1, 1, 2, 1), maps, 2)
    assert spread[0, :, :, 0].tolist() == [[0, 5, 7, 0], [0, 0, 0, 0]]


def test_channels_and_samples_do_not_mix() -> None:
    maps = np.random.default_rng(0).normal(size=(2, 6, 6, 3))
    for pool in (lambda m: graph.average(m, 3), lambda m: graph.maximum(m, 2), graph.global_average):
        whole = pool(maps)
        for sample in range(2):
            for channel in range(3):
                alone = pool(maps[sample : sample + 1, :, :, channel : channel + 1])
                assert np.allclose(whole[sample, :, :, channel], alone[0, :, :, 0], rtol=1e-15)


def test_the_adjoints_of_the_averages() -> None:
    rng = np.random.default_rng(1)
    maps = rng.normal(size=(2, 5, 6, 3))
    for pool, spread in (
        (lambda m: graph.average(m, 2), lambda e, m: graph.spread_average(e, m, 2)),
        (graph.global_average, graph.spread_global_average),
    ):
        out = pool(maps)
        error = rng.normal(size=out.shape)
        assert np.vdot(out, error) == pytest.approx(np.vdot(maps, spread(error, maps)), rel=1e-12)
