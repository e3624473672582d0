import pickle

from nmsim.caches import BoundedCache, HashedTuple, Itself


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


class Item:
    """Counts how often it is hashed and compared."""

    hashed = compared = 0

    def __init__(self, value: int) -> None:
        self.value = value

    def __hash__(self) -> int:
        Item.hashed += 1
        return self.value

    def __eq__(self, other: object) -> bool:
        Item.compared += 1
        return isinstance(other, Item) and self.value == other.value


def test_a_long_key_is_hashed_once_and_seldom_compared() -> None:
    key, alike, other = (HashedTuple(map(Item, values)) for values in ((1, 2, 3), (1, 2, 3), (1, 2, 4)))
    Item.hashed = Item.compared = 0
    known = {(key, 0): "found"}
    assert known.get((key, 0)) == known.get((key, 0)) == "found"
    assert (Item.hashed, Item.compared) == (3, 0)
    assert key != other
    assert Item.compared == 0
    assert known.get((alike, 0)) == "found"
    assert Item.compared == 3


def test_a_hashed_tuple_is_a_tuple() -> None:
    key = HashedTuple([1, "a"])
    assert key == (1, "a")
    assert key != (1, "b")
    assert {key: 1}[1, "a"] == 1  # type: ignore[index]
    assert repr(key) == "(1, 'a')"


def test_a_hash_does_not_travel_to_another_process() -> None:
    key = HashedTuple(["text"])
    hash(key)
    again = pickle.loads(pickle.dumps(key))  # noqa: S301 - own bytes
    assert (again, type(again)) == (key, HashedTuple)
    assert ["_hash" in vars(one) for one in (key, pickle.loads(pickle.dumps(key)))] == [True, False]  # noqa: S301
