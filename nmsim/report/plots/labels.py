"""Labels at points of a plot that cover neither each other nor a point; what finds no place is left out."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from nmsim.report.plots.canvas import INK

PLACES = (
    (5, 4, "left", "bottom"), (5, -4, "left", "top"), (-5, 4, "right", "bottom"), (-5, -4, "right", "top"),
    (0, 7, "center", "bottom"), (0, -7, "center", "top"), (8, 0, "left", "center"), (-8, 0, "right", "center"),
)  # fmt: skip
"""Where a label may stand around its point: shift in points, and alignment."""
MARK = 3.0
"""Half the side of the box that a point takes, in points."""


def label_points(
    axes: Axes, labels: Sequence[tuple[str, float, float]], points: Sequence[tuple[float, float]]
) -> None:
    """Write labels (text, x, y) in order of importance, each where it covers nothing; call when limits are final.

    `points (x, y)` are the marks that must stay visible, those of the labels included.
    """
    figure = axes.figure
    figure.draw_without_rendering()  # type: ignore[union-attr]
    scale = axes.figure.dpi / 72
    inside = axes.bbox
    marks = [axes.transData.transform(point) for point in points]
    taken = [
        Bbox.from_extents(x - MARK * scale, y - MARK * scale, x + MARK * scale, y + MARK * scale)
        for x, y in marks
    ]
    for text, x, y in labels:
        for dx, dy, across, along in PLACES:
            label = axes.annotate(
                text,
                (x, y),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=across,
                va=along,
                fontsize=6.5,
                color=INK,
            )
            box = label.get_window_extent()
            fits = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
            if fits and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            label.remove()
