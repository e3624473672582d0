"""The comparison with published silicon in a terminal: one line a row, 80 columns."""

from collections.abc import Iterator, Sequence
from statistics import median
from textwrap import wrap

from nmsim.validate.point import CALIBRATED, NOT_COMPARED, SiliconPoint, overall
from nmsim.validate.shipped_sops import JOB, ShippedSop

WIDTH = 80
MARKS = {CALIBRATED: "fit", NOT_COMPARED: "-"}


def silicon_lines(points: Sequence[SiliconPoint]) -> Iterator[str]:
    """Title, a line a point, and how close they are together."""
    yield "Estimates against published silicon"
    yield ""
    yield f"{'':37} {'published':>9} {'model':>8} {'unit':8} {'error':>7}  role"
    for point in points:
        yield line(point)
    yield ""
    yield "fit: the model was made to meet it; test: held out; test*: held out, and a part"
    yield "of the chip or its task is assumed."
    yield ""
    yield f"{'':32} {'points':>7} {'within 10 %':>12} {'within 25 %':>12} {'median':>8}"
    for name, found in overall(points).items():
        shares = f"{found.within_10:>12.0%} {found.within_25:>12.0%} {found.median:>8.1%}"
        yield f"{name:32} {found.points:>7} {shares}"


def line(point: SiliconPoint) -> str:
    """One point in one line."""
    model = "-" if point.model is None else f"{point.model:.4g}"
    error = "-" if point.relative_error is None else f"{point.relative_error:+.1%}"
    role = MARKS.get(point.role, "test" if point.frame_published else "test*")
    return f"{point.what:37} {point.published:>9.4g} {model:>8} {point.unit:8} {error:>7}  {role}"


def sop_lines(chips: Sequence[ShippedSop]) -> Iterator[str]:
    """Shipped chips next to published ones of about their node, with a note where one takes much more energy."""
    yield "Energy per synaptic operation of the shipped chips, pJ"
    yield from wrap(f"({JOB})", WIDTH)
    yield ""
    yield f"{'':24} {'node':>5} {'supply':>6} {'incremental':>11} {'all-in':>6}  published near it"
    for chip in chips:
        figures = [published.pj for published in chip.published]
        span = f"{min(figures):.1f}-{max(figures):.0f}, median {median(figures):.1f}" if figures else "none"
        place = f"{chip.node_nm:>2g} nm {chip.voltage_v:>4g} V"
        yield f"{chip.chip:24} {place} {chip.incremental_pj:>11.3g} {chip.all_in_pj:>6.3g}  {span}"
    notes = [chip.note for chip in chips if chip.note]
    if notes:
        yield ""
        for note in notes:
            yield from wrap(note, WIDTH)
