import pytest
from pydantic import TypeAdapter

from nmsim import config
from nmsim.errors import ConfigError
from nmsim.explore.axis import Axis
from nmsim.explore.space import DesignSpace

ADAPTER: TypeAdapter[Axis] = TypeAdapter(Axis)


def make(**keys: object) -> Axis:
    return ADAPTER.validate_python({"key": "chip.clock_hz", **keys})


def refused(line: str) -> str:
    text = f"name: s\naxes:\n  - {{{line}}}\nobjectives: [energy_per_sample_j]\n"
    with pytest.raises(ConfigError) as error:
        config.build(DesignSpace, config.parse_text(text, "s.yaml"))
    return str(error.value)


def test_levels_of_every_kind() -> None:
    assert make(kind="power_of_two", low=2, high=16).levels() == (2, 4, 8, 16)
    assert make(kind="integer", low=1, high=8, step=3).levels() == (1, 4, 7)
    assert make(kind="categorical", values=["a", "b"]).levels() == ("a", "b")
    assert make(kind="continuous", low=1.0, high=3.0, points=3).levels() == (1.0, 2.0, 3.0)
    assert make(kind="continuous", low=1.0, high=100.0, log=True, points=3).levels() == (1.0, 10.0, 100.0)


def test_the_unit_interval_is_shared_equally_by_levels() -> None:
    axis = make(kind="power_of_two", low=1, high=8)
    assert [axis.at(u) for u in (0.0, 0.2499, 0.25, 0.5, 0.75, 0.9999)] == [1, 1, 2, 4, 8, 8]


def test_continuous_values_survive_being_written_in_six_digits() -> None:
    axis = make(kind="continuous", low=1e8, high=1e9, log=True)
    for u in (0.1, 1 / 3, 0.777):
        value = axis.at(u)
        assert float(f"{value:.6g}") == value
        assert axis.position(value) == pytest.approx(u, abs=1e-5)


def test_positions_go_from_zero_to_one() -> None:
    axis = make(kind="categorical", values=["a", "b", "c"])
    assert [axis.position(level) for level in axis.levels()] == [0.0, 0.5, 1.0]
    assert make(kind="categorical", values=["a"]).position("a") == 0.0


def test_several_keys_take_one_value_and_linked_keys_their_own() -> None:
    both = ADAPTER.validate_python(
        {"keys": ["chip.mesh.columns", "chip.mesh.rows"], "kind": "integer", "low": 1, "high": 2}
    )
    assert both.assignments(2) == {"chip.mesh.columns": 2, "chip.mesh.rows": 2}
    choices = {"old": {"chip.tech_node_nm": 65, "chip.voltage_v": 1.2}, "new": {"chip.tech_node_nm": 16}}
    linked = ADAPTER.validate_python({"name": "node", "kind": "linked", "choices": choices})
    assert linked.levels() == ("old", "new")
    assert linked.assignments("old") == {"chip.tech_node_nm": 65, "chip.voltage_v": 1.2}
    assert linked.paths == ("chip.tech_node_nm", "chip.voltage_v")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "key: chip.x, kind: power_of_two, low: 3, high: 8",
            "s.yaml:3: axes[0]: low 3 is not a power of two; use 2",
        ),
        (
            "key: chip.x, kind: integer, low: 3, high: 2",
            "s.yaml:3: axes[0]: low 3 is above high 2; exchange them",
        ),
        (
            "kind: integer, low: 1, high: 2",
            "s.yaml:3: axes[0]: an axis needs 'key' or 'keys', one of the two; name the key path it moves",
        ),
        (
            "key: chip.x, kind: continuous, low: 0, high: 1, log: true",
            "s.yaml:3: axes[0]: low 0.0 has no logarithm; use a positive one, or log: false",
        ),
        (
            "key: chip.x, kind: categorical, values: [1, 2, 1]",
            "s.yaml:3: axes[0]: value 1 is listed twice; keep one",
        ),
        (
            "name: n, kind: linked, choices: {a: {}}",
            "s.yaml:3: axes[0]: choice 'a' sets no key; write KEY.PATH: VALUE under it",
        ),
        (
            "key: chip.x, kind: powers, low: 1, high: 2",
            "s.yaml:3: axes[0].kind: unknown kind 'powers'; did you mean 'power_of_two'?",
        ),
    ],
)
def test_a_wrong_axis_is_one_sentence(line: str, sentence: str) -> None:
    assert refused(line) == sentence
