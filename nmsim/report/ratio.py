"""One evaluation over another: a ratio with the two uncertainties that it has, kept apart."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nmsim.cost.energy import ratio_band
from nmsim.evaluate import Estimate, Evaluation
from nmsim.report.tables import ratio_text
from nmsim.statistics import Interval, ratio_of_means

FloatArray = NDArray[np.float64]


def same_machine(one: Evaluation, other: Evaluation) -> bool:
    """Whether both were made on one chip with one price table; compares hashes, since names may be reused."""
    return (one.chip_hash, one.costs_hash) == (other.chip_hash, other.costs_hash)


def energy_ratio(above: Evaluation, below: Evaluation, *, same_prices: bool | None = None) -> Estimate | None:
    """Energy per sample of one evaluation over another's; None if the other takes none, or one has no total.

    `same_prices`: the errors of the prices are common to both. So it is on one machine, which is what None takes; also
    where two states of a chip differ in an option that no price depends on, such as where STBP's history lives.

    Its confidence interval is that of paired samples; its band is what the prices allow, which on one chip is far
    narrower than the bands of the two energies, for most of a price's error is common to both.
    """
    if above.energy_j is None or below.energy_j is None or below.energy_j.mean <= 0:
        return None
    found = _paired(above, below, lambda item: np.asarray(item.energy.total_pj))
    same = same_machine(above, below) if same_prices is None else same_prices
    band = ratio_band(above.energy, below.energy, same_prices=same)
    return Estimate(found.value, found.low, found.high, *band)


def latency_ratio(above: Evaluation, below: Evaluation) -> Estimate | None:
    """Latency per sample of one evaluation over another's; no price enters."""
    if below.latency_s.mean <= 0:
        return None
    found = _paired(above, below, lambda item: np.asarray(item.perf.latency_s))
    return Estimate(found.value, found.low, found.high, found.value, found.value)


def ratio_with_interval(ratio: Estimate | None, lost: str = "n/a") -> str:
    """`1.04x (1.02 to 1.07)`: a ratio with its confidence interval, or `lost` where there is none."""
    if ratio is None:
        return lost
    return ratio_text(ratio.mean) + (f" ({interval_text(ratio)})" if ratio.ci_low is not None else "")


def interval_text(ratio: Estimate) -> str:
    """`1.02 to 1.07`, with one digit more where two are not enough to tell the ends apart."""
    if ratio.ci_low is None or ratio.ci_high is None:
        return ""
    digits = 2 if ratio.ci_high - ratio.ci_low >= 0.02 else 3
    return f"{ratio.ci_low:.{digits}f} to {ratio.ci_high:.{digits}f}"


def _paired(above: Evaluation, below: Evaluation, figure: Callable[[Evaluation], FloatArray]) -> Interval:
    """Ratio of the means; its interval only where both replay the same number of the same network's samples."""
    over, under = figure(above), figure(below)
    if above.network_hash != below.network_hash or len(over) != len(under):
        return Interval(float(over.mean() / under.mean()), None, None)
    return ratio_of_means(over, under)
