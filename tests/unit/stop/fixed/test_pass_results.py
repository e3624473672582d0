"""Results of a pass are taken over whole, once, and only where no bound exceeds its limit."""

import numpy as np

from nmsim.stop.fixed.layout import _records
from nmsim.stop.fixed.memory_plan import LAYER_FIELDS
from nmsim.stop.fixed.pass_results import COUNT_CORRECT, TAKE_BOUNDS, TAKE_RESULTS


def test_bounds_are_added_emptied_and_compared_with_their_limits() -> None:
    limits = np.full((2, 4), 10)
    for interpreted in (False, True):
        for place, added, within in ((0, 7, True), (0, 8, False), (7, 8, False)):
            total, bounds = np.full((2, 4), 3), np.zeros((2, 4), np.int64)
            bounds.flat[place] = added
            assert bool(TAKE_BOUNDS.form(interpreted=interpreted)(total, bounds, limits)) is within
            assert total.flat[place] == 3 + added
            assert total.sum() == 24 + added
            assert not bounds.any()


def test_results_go_to_their_samples_and_are_added_up_once() -> None:
    spikes, own = np.zeros((4, 3), np.int64), np.arange(1, 10).reshape(3, 3)
    counts, tally = np.full((2, 5), 2), np.full((2, 4), 3)
    own_counts, own_tally = np.arange(10).reshape(2, 5), np.arange(8).reshape(2, 4)
    for _ in range(2):
        TAKE_RESULTS.machine(spikes, counts, tally, 1, 3, own, own_counts, own_tally)
    assert spikes.tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6], [0, 0, 0]]
    assert counts.ravel().tolist() == [2 + k for k in range(10)]
    assert tally.ravel().tolist() == [3 + k for k in range(8)]
    assert not own_counts.any()
    assert not own_tally.any()


def test_the_first_of_the_outputs_with_most_spikes_is_the_class() -> None:
    spikes = np.array([[0, 2, 2], [3, 1, 3], [0, 0, 0], [0, 0, 1]])
    for labels in ([1, 0, 0, 2], [2, 2, 1, 1], [1, 2, 0, 1]):
        wanted = int(np.count_nonzero(spikes.argmax(axis=1) == labels))
        assert COUNT_CORRECT.machine(spikes, np.array(labels)) == wanted


def test_engines_share_one_type_of_records() -> None:
    """Numba compares equal types that are not one object field by field at every call."""
    rows = [dict.fromkeys(LAYER_FIELDS, 1)]
    first, second = (_records(rows, LAYER_FIELDS, np.int16) for _ in range(2))
    assert first.dtype is second.dtype
