"""What of a study's front is safe, in sentences: the ends of axes, and prices that move within their bands."""

from collections.abc import Sequence

from nmsim.explore.analysis import Analysis
from nmsim.explore.robustness import ALONG_WITH_ENERGY, edges, price_moves, stability
from nmsim.pipeline.evaluate_design import EvaluateDesign, evaluate_configured
from nmsim.pipeline.study import StudyRunner
from nmsim.report.tables import value_text

MOST_NAMED = 30
"""Designs that a sentence names."""


def edge_sentences(found: Analysis) -> tuple[str, ...]:
    """Axes at whose ends designs of the front sit: a better design may lie beyond."""
    chosen = found.chosen.design if found.chosen else None
    return tuple(
        f"{edge.axis}: {len(edge.designs)} of {len(found.front)} at its {edge.end} end, {value_text(edge.level)}"
        + (f", design {chosen} among them" if chosen in edge.designs else "")
        for edge in edges(found.front, found.space.axes)
    )


def stability_sentences(study: StudyRunner, found: Analysis) -> tuple[str, ...]:
    """Which designs of the front are there whatever the prices, within their bands; empty if no objective has a price."""
    if found.chosen is None or not any(
        "energy" in o.metric or o.described in ALONG_WITH_ENERGY for o in found.space.objectives
    ):
        return ()
    made = study.configurator.configure(found.chosen.values)
    rule = EvaluateDesign(study.configurator, study.numerics).rule(made)
    energy = evaluate_configured(made, study.numerics.run(found.chosen.numerics), rule, "analytic")[0].energy
    seen = stability([item.result for item in found.ranked], found.space, price_moves(energy))
    groups = list(dict.fromkeys(move.group for move in seen.moves))
    if not groups:
        return ()
    count = len(seen.leaves)
    staying = (
        f"{len(seen.staying)} of {count} stay on the front whichever group of prices ({', '.join(groups)}) is at the low or"
        f" the high end of its band, one group at a time: {_numbers(seen.staying) or 'none'}."
    )
    sentences = [staying]
    sentences += [
        f"Design {design} leaves it with {' or '.join(move.text for move in moves)}."
        for design, moves in seen.leaves.items()
        if moves
    ]
    if seen.joins:
        sentences.append(f"Designs that join it under some such move: {_numbers(tuple(seen.joins))}.")
    return tuple(sentences)


def _numbers(designs: Sequence[int]) -> str:
    shown = ", ".join(map(str, designs[:MOST_NAMED]))
    return f"{shown} and {len(designs) - MOST_NAMED} more" if len(designs) > MOST_NAMED else shown
