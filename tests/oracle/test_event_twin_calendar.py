"""Bookings and the idle time between them."""

from event_twin.calendar import Calendar
from hypothesis import given
from hypothesis import strategies as st


def test_a_booking_starts_when_its_head_is_there_and_the_link_is_free() -> None:
    link = Calendar()
    assert link.book(0, head=5, cycles=10) == (5, 15)
    assert link.book(0, head=6, cycles=10) == (15, 25)


def test_idle_time_before_a_later_booking_is_used() -> None:
    link = Calendar()
    link.book(0, head=20, cycles=10)
    assert link.book(0, head=2, cycles=5) == (2, 7)
    assert link.book(0, head=0, cycles=5) == (0, 10)
    assert link.free == 30


def test_a_burst_takes_what_is_idle_and_the_rest_at_the_end() -> None:
    link = Calendar()
    link.book(0, head=4, cycles=6)
    assert link.book(0, head=0, cycles=9) == (0, 15)
    assert link.gaps == []


def test_idle_time_that_has_passed_is_gone() -> None:
    link = Calendar()
    link.book(0, head=20, cycles=10)
    assert link.book(25, head=26, cycles=5) == (30, 35)
    assert link.gaps == []


def test_what_is_held_is_taken() -> None:
    link = Calendar()
    link.hold(12)
    assert link.book(0, head=3, cycles=1) == (12, 13)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=12))
def test_bookings_never_overlap_and_never_waste_idle_time(wishes: list[tuple[int, int]]) -> None:
    link, taken = Calendar(), set()
    for head, cycles in wishes:
        begin, end = link.book(0, head, cycles)
        # the twin: the first free unit cycles from the head on
        mine = [cycle for cycle in range(head, 1000) if cycle not in taken][:cycles]
        taken |= set(mine)
        assert (begin, end) == (mine[0], mine[-1] + 1)
