"""Chapter on energy along learning: what the whole training costs, and why one profile cannot tell."""

from collections.abc import Sequence

from nmsim.report.learning_energy import LearningEnergy
from nmsim.report.learning_tables import points_for_people, sums_for_people
from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.picture import Picture
from nmsim.report.sections.section import Evidence, Section, badge
from nmsim.report.words import how_many
from nmsim.units import scaled

HOW = (
    "Between two milestones the energy of a sample is taken to be a straight line over the samples seen (trapezoid rule);"
    " samples follow one another without overlap, and measuring the accuracy is left out. Every milestone holds the same"
    " training samples, so that intervals, and those of ratios, are of paired samples; they hold the spread over samples,"
    " not what lies between two milestones. The network is mapped once, for its last profile."
)


def learning_energy(
    own: LearningEnergy, every: Sequence[LearningEnergy], network: str, picture: Picture
) -> Section:
    """Figure, sums over epochs and the training, and every milestone.

    `own` is the trained rule on the chip of the figure, one of `every`; `network` says what the network is at the end.
    """
    body: list[Markup] = [
        tag("p", _what(own), " ", badge(Evidence.MODELLED)),
        figure(picture),
        sums_for_people(every, own.rule).html(
            f"Energy and time of epochs and of the whole training, CI at 95 %; network at the end: {network}"
        ),
        tag("p", HOW),
        tag(
            "details",
            tag("summary", "Every milestone"),
            points_for_people(every, own.rule).html(
                f"The same {own.samples} training samples at every milestone; CI at 95 %; held-out accuracy on"
                f" {own.points[-1].accuracy_samples:,} samples"
            ),
        ),
    ]
    return Section("learning-energy", "Energy along learning", join(body))


def _what(own: LearningEnergy) -> str:
    """The main finding in two sentences."""
    start, end = (float(own.points[index].energy_j.mean()) for index in (0, -1))
    whole, told = own.energy_j().mean, own.at_the_end_j()
    return (
        f"Under {own.rule} on {own.chip_name} a training sample costs {scaled(start, 'J')} before the first update and"
        f" {scaled(end, 'J')} after the last. The whole training of {how_many(own.epochs, 'epoch')}, integrated over"
        f" {len(own.points)} milestones, costs {scaled(whole, 'J')}: {whole / told:.2f} times what the last epoch's profile"
        " would tell."
    )
