"""Uses hold what lanes and memories have to do, and nothing of those that have nothing."""

import numpy as np

from nmsim.perf.uses import MAX_LANES, Uses


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lanes, words and bursts of four cores with three memories, most of them idle."""
    rng = np.random.default_rng(seed)

    def some(places: int) -> np.ndarray:
        busy = rng.random((4, places)) < 0.3
        return (
            rng.integers(1, 9, (4, places, 2, 3))
            * (busy[..., None, None] & (rng.random((4, places, 2, 3)) < 0.7))
            * 1.0
        )

    lanes, words = some(MAX_LANES), some(3)
    return lanes, words, rng.integers(1, 9, words.shape) * (words > 0) * 1.0


def test_uses_give_back_what_they_were_made_of() -> None:
    for seed in range(20):
        lanes, words, bursts = drawn(seed)
        uses = Uses.of(lanes, words, bursts)
        assert np.array_equal(uses.lanes, lanes)
        assert np.array_equal(uses.words, words)
        assert np.array_equal(uses.word_bursts, bursts)
        assert np.array_equal(uses.at_work, lanes.any(axis=1) | words.any(axis=1))
        assert uses.amount.any(axis=(1, 2)).all(), "what is never used takes no room"
        assert (np.diff(uses.number) > 0).all()


def test_uses_of_idle_cores_are_empty() -> None:
    uses = Uses.of(np.zeros((2, MAX_LANES, 1, 1)), np.zeros((2, 3, 1, 1)), np.zeros((2, 3, 1, 1)))
    assert len(uses.number) == 0
    assert not uses.at_work.any()
    assert uses.words.shape == (2, 3, 1, 1)


def test_operations_and_bits_moved_are_sums_over_lanes_and_memories() -> None:
    lanes, words, bursts = drawn(3)
    bits = np.array([[8, 0, 32]] * 4)
    operations, moved = Uses.of(lanes, words, bursts).moved(bits)
    assert np.array_equal(operations, lanes[:, :-1].sum(axis=(1, 3)))
    assert np.array_equal(moved, (words * bits[:, :, None, None]).sum(axis=(1, 3)))
    assert lanes[:, -1].any(), "nanoseconds of service are no operations"
