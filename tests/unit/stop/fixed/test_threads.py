"""Shares of a job run side by side and are all done when it returns."""

from threading import Barrier

import pytest

from nmsim.stop.fixed.threads import Threads, share_of


@pytest.mark.parametrize(("size", "shares"), [(0, 1), (1, 3), (7, 3), (256, 2)])
def test_shares_are_everything_once(size: int, shares: int) -> None:
    parts = [range(*share_of(size, share, shares)) for share in range(shares)]
    assert [number for part in parts for number in part] == list(range(size))


def test_shares_meet_and_come_back_in_their_order() -> None:
    meeting = Barrier(3, timeout=10)

    def job(share: int) -> int:
        meeting.wait()
        return 10 * share

    assert Threads(3).run(job, 3) == [0, 10, 20]
    assert Threads(1).run(lambda share: share, 2) == [0, 1]


def test_an_error_waits_for_the_other_shares() -> None:
    done = []

    def job(share: int) -> None:
        if share == 0:
            raise KeyError(share)
        done.append(share)

    with pytest.raises(KeyError):
        Threads(3).run(job, 3)
    assert sorted(done) == [1, 2]
