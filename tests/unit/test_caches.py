from nmsim.caches import BoundedCache, Itself


def test_answers_are_found_once_and_the_oldest_make_room() -> None:
    asked: list[int] = []

    def find(size: int) -> int:
        asked.append(size)
        return size

    kept = BoundedCache(find, lambda _, size: size, most_bytes=10)
    assert [kept(size) for size in (4, 5, 4)] == [4, 5, 4]
    assert asked == [4, 5]
    kept(3)  # 12 bytes: 5, which was asked for longest ago, goes
    assert (kept(4), kept(3), asked) == (4, 3, [4, 5, 3])
    kept(5)
    assert asked[-1] == 5


def test_the_last_answer_is_kept_whatever_its_size() -> None:
    kept = BoundedCache(lambda size: size, lambda _, size: size, most_bytes=10)
    kept(4)
    kept(50)
    assert len(kept) == 1
    assert kept(50) == 50
    kept.cache_clear()
    assert len(kept) == 0


def test_an_object_is_a_key_by_identity() -> None:
    one, alike = [1], [1]
    kept = BoundedCache[Itself[list[int]], int](lambda asked: len(asked.it), lambda _, __: 1, most_bytes=10)
    assert [kept(Itself(item)) for item in (one, alike, one)] == [1, 1, 1]
    assert len(kept) == 2
