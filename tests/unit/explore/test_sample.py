import numpy as np
import pytest
from toy_space import TEXT, space

from nmsim.errors import ConfigError
from nmsim.explore.sample import METHODS, sample

CONTINUOUS = TEXT.replace(
    "  - {name: node,",
    "  - {name: clock, key: chip.clock_hz, kind: continuous, low: 1e8, high: 1e9}\n  - {name: node,",
)


def test_a_grid_is_the_grid() -> None:
    assert sample(space(), "grid", None, 1) == space().grid()


@pytest.mark.parametrize("method", METHODS[1:])
def test_samples_depend_on_the_seed_and_nothing_else(method: str) -> None:
    first, again, other = (sample(space(CONTINUOUS), method, 100, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) == len(first)
    assert all(space(CONTINUOUS).holds(values) for values in first)


@pytest.mark.parametrize("method", ["random", "sobol"])
def test_a_larger_sample_begins_with_the_smaller(method: str) -> None:
    small, large = (sample(space(), method, designs, 3) for designs in (37, 300))
    assert len(small) == 37
    assert large[:37] == small


def test_a_sample_of_a_small_space_ends_when_all_designs_are_found() -> None:
    found = sample(space(), "random", 5000, 1)
    assert set(found) == set(space().grid())


@pytest.mark.parametrize("method", ["lhs", "sobol"])
def test_stratified_samples_visit_levels_evenly(method: str) -> None:
    found = sample(space(CONTINUOUS), method, 128, 1)
    schedules = [values[3] for values in found].count("overlapped")
    clocks = np.histogram([values[4] for values in found], bins=8, range=(1e8, 1e9))[0]
    assert abs(schedules - 64) <= 1
    assert clocks.min() >= 15
    assert clocks.max() <= 17


@pytest.mark.parametrize(
    ("method", "designs", "sentence"),
    [
        ("grid", 5, "--designs: a grid has as many designs as its axes have levels; leave it out, or sample"),
        ("sobol", None, "--method sobol: how many designs is open; give --designs N"),
    ],
)
def test_bad_requests(method: str, designs: int | None, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        sample(space(), method, designs, 1)
    assert str(error.value) == sentence


def test_a_grid_beyond_a_million_is_refused() -> None:
    text = TEXT + "".join(
        f"  - {{name: a{i}, key: chip.a{i}, kind: integer, low: 1, high: 20}}\n" for i in range(4)
    )
    text = (
        text.replace("objectives: [energy_per_sample_j, latency_per_sample_s, area_mm2]\n", "")
        + "objectives: [energy_per_sample_j]\n"
    )
    with pytest.raises(
        ConfigError, match=r"^space toy: its grid has 115,200,000 designs, more than 1,000,000; sample with"
    ):
        sample(space(text), "grid", None, 1)
