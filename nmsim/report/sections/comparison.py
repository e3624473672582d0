"""Chapters beyond one sample on one chip: all evaluations side by side, and what a whole training takes."""

from nmsim.misfit import Misfit
from nmsim.report.compare import OTHER_MACHINE_NOTE, RATIO_NOTE, mixes_machines, side_by_side
from nmsim.report.extrapolate import ASSUMPTION, extrapolate
from nmsim.report.live.chart import choices, live
from nmsim.report.markup import Markup, join, tag
from nmsim.report.picture import Picture
from nmsim.report.plots.evaluations import comparison_chart
from nmsim.report.result import RunResult
from nmsim.report.sections.section import Evidence, Section, badge, bullets
from nmsim.report.tables import Column, Table
from nmsim.report.words import how_many, with_interval
from nmsim.units import scaled


def comparison(result: RunResult, picture: Picture | None) -> Section:
    """All evaluations side by side."""
    shown = result.subject_first
    options = {
        "chip": ("Chip", list(dict.fromkeys(item.chip_name for item in shown))),
        "rule": ("Rule", list(dict.fromkeys(item.rule for item in shown))),
        "model": ("Model", list(dict.fromkeys(item.model for item in shown))),
    }
    text = (
        f"Per sample; {RATIO_NOTE}. Ratios are safer than the figures: most of the error of a price is common to both, and"
        " so are the samples. A training sample and an inference are different amounts of work."
        " Choose chips, rules and models; a click on a heading sorts. "
    )
    body = join(
        [
            tag("p", text, badge(Evidence.MODELLED)),
            *([choices(options), live(picture, comparison_chart(shown))] if picture else []),
            side_by_side(shown, result.misfits, result.diagnosis).html(
                "Every evaluation of this run", live=True
            ),
            tag("p", f"{OTHER_MACHINE_NOTE}.") if mixes_machines(shown) else "",
            *(_misfit(misfit) for misfit in result.misfits),
        ]
    )
    return Section("comparison", "Comparison", body)


def _misfit(misfit: Misfit) -> Markup:
    """What is short, and what would make it fit."""
    head, *rest = misfit.lines()
    return join([tag("h3", head), bullets(line.strip() for line in rest)])


def extrapolation(result: RunResult) -> Section:
    """An epoch and the whole training."""
    names = ("Rule", "Model", "Chip", "Of", "Energy", "Band of the energy", "CI of the energy", "Time")
    rows = []
    for item in extrapolate(result):
        found = item.evaluation
        for of, joules, seconds in (
            (
                f"one epoch as the last,\n{item.samples_per_epoch:,} samples",
                item.epoch_energy_j,
                item.epoch_latency_s,
            ),
            (
                f"all of {how_many(item.epochs, 'epoch')}\nat that cost",
                item.training_energy_j,
                item.training_latency_s,
            ),
        ):
            band = f"{scaled(joules.band_low, 'J')}\nto {scaled(joules.band_high, 'J')}"
            interval = with_interval(joules, "J").removeprefix("95 % CI ").replace(" to ", "\nto ")
            texts = scaled(joules.mean, "J"), band, interval, scaled(seconds.mean, "s")
            rows.append((found.rule, found.model, found.chip_name, of, *texts))
    columns = tuple(Column(name.lower(), name) for name in names)
    table = Table("extrapolation", columns, tuple(rows)).html(
        "Extrapolated energy and time on the chip; CI at 95 %"
    )
    text = f"Assumed: {ASSUMPTION}. "
    return Section(
        "extrapolation", "Extrapolation", join([tag("p", text, badge(Evidence.EXTRAPOLATED)), table])
    )
