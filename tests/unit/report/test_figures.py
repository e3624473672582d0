"""Figures: one home of their names, units and wording."""

import pytest

from nmsim.evaluate import Evaluation
from nmsim.figures import COMPONENTS, ENERGY, FIGURES, METRICS, THROUGHPUT
from nmsim.report.result import RunResult

UNITS = {
    "J": "_j", "s": "_s", "W": "_w", "J s": "_js", "mm2": "_mm2", "bit": "_bits", "sample/s": "_samples_per_s",
    "fraction": "_fraction",
}  # fmt: skip


@pytest.fixture(scope="module")
def item(result: RunResult) -> Evaluation:
    return result.subject


@pytest.mark.parametrize("name", FIGURES)
def test_a_name_ends_in_its_unit(name: str) -> None:
    figure = FIGURES[name]
    assert not figure.unit or name.endswith(UNITS[figure.unit])


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_gives_a_value_and_its_parts(name: str, item: Evaluation) -> None:
    figure = FIGURES[name]
    assert (
        len(list(figure.cells(item)))
        == len(list(figure.cells(None)))
        == 1 + 2 * figure.interval + 2 * figure.banded
    )
    value, estimate = figure.of(item), figure.estimate(item)
    assert (value is None) == (estimate is None)
    if estimate is not None and figure.banded:
        assert estimate.band_low <= estimate.mean <= estimate.band_high


def test_components_add_up_to_the_energy(item: Evaluation) -> None:
    parts = [FIGURES[f"energy_per_sample_{component}_j"].of(item) or 0 for component in COMPONENTS]
    assert sum(parts) == pytest.approx(ENERGY.of(item))


def test_what_only_describes_is_no_metric() -> None:
    assert "sops_per_sample" not in METRICS
    assert METRICS[THROUGHPUT.name].better == "max"
