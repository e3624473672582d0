"""The mesh as seen from above: how busy each tile's cores and each link are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from nmsim.evaluate import Evaluation
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.routing import DIRECTIONS, EAST, NORTH, SOUTH, WEST
from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import INK, LOAD, RULE, look, new_figure, svg_of
from nmsim.report.times import utilization

FloatArray = NDArray[np.float64]
TILE_SIDE, SMALL_TILE_SIDE = 0.62, 0.3
RASTER_FROM = 256
"""Tiles beyond which boxes are small, links long, and both are drawn as an image inside the picture."""
WRITTEN_UP_TO = 128
"""Cores up to which values are written into the picture."""
LINKS_WRITTEN_UP_TO = 6
"""Columns and rows up to which the load of every link is written on it."""
DARK = 0.45
"""Part of the scale from which writing on a colour is white."""
AHEAD = {EAST: (1.0, 0.0), WEST: (-1.0, 0.0), SOUTH: (0.0, 1.0), NORTH: (0.0, -1.0)}
ASIDE = {EAST: (0.0, -0.26), WEST: (0.0, 0.26), SOUTH: (0.26, 0.0), NORTH: (-0.26, 0.0)}
"""The two directions of a link are drawn side by side, this part of a tile's side off its middle."""


@dataclass(frozen=True)
class MeshLoad:
    """`cores (rows, columns, k)` busy fraction of up to k cores per tile, NaN where none is used; `links (4 * tiles,)`
    busy fraction of each link, numbered as in `nmsim.hardware.routing.Grid`.
    """  # noqa: D205 - one sentence in two lines

    cores: FloatArray
    links: FloatArray


def mesh_load(load: MeshLoad, described: str) -> Picture:
    """Two maps side by side: utilisation of every core, and load of every directed link that carried a flit."""
    rows, columns, _ = load.cores.shape
    wide = columns >= 2 * rows
    panel = float(np.clip((6.4 if wide else min(3.0, 1.1 * columns)) * rows / columns, 0.5, 3.6)) + 1.3
    with look():
        figure = new_figure(
            "Utilisation of cores and load of links", described, height=0.55 + panel * (2 if wide else 1)
        )
        left, right = figure.subplots(*((2, 1) if wide else (1, 2)))
        _cores(left, load.cores)
        _links(right, load.links, rows, columns)
        for axes in (left, right):
            _tile_axes(axes, rows, columns)
        _scale(
            figure, left, float(np.nanmax(load.cores, initial=0.0)), "cores: busy fraction (white: not used)"
        )
        _scale(
            figure, right, float(load.links.max(initial=0.0)), "links: busy fraction, % (dotted: no traffic)"
        )
        svg = svg_of(figure)
    used = load.cores[~np.isnan(load.cores)]
    busiest = int(load.links.argmax()) if load.links.size else 0
    tile = busiest // 4
    where = f"from tile (column {tile % columns}, row {tile // columns}) to the {DIRECTIONS[busiest % 4]}"
    link_text = "no link carries a flit"
    if load.links.any():
        link_text = f"the busiest link, {where}, carries flits {load.links.max():.2%} of the time"
    return Picture(
        "mesh-load",
        "Utilisation of cores and load of links",
        f"Heat maps of a {columns} by {rows} mesh: {used.size} cores used, {used.max(initial=0):.1%} busy at"
        f" most; {link_text}.",
        "Modelled. Utilisation: fraction of the latency during which a core works; cores of one tile share its square."
        " Link load: percent of the latency during which flits cross it; each direction is a line of its own, and links"
        " without traffic are dotted.",
        svg,
    )


def _tile_axes(axes: Axes, rows: int, columns: int) -> None:
    axes.set_xlim(-0.52, columns - 0.48)
    axes.set_ylim(rows - 0.48, -0.52)
    axes.set_aspect("equal")
    axes.set_xlabel("tile column")
    axes.set_ylabel("tile row")
    axes.set_xticks(range(0, columns, -(-columns // 16)))
    axes.set_yticks(range(0, rows, -(-rows // 16)))
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _scale(figure: Figure, axes: Axes, largest: float, label: str) -> None:
    """A colour bar above the map; where nothing moved there is only the label."""
    if largest <= 0:
        axes.set_title(f"{label.partition(':')[0]}: nothing to show", fontsize=8.5, loc="center")
        return
    mappable = ScalarMappable(Normalize(0, largest), LOAD)
    bar = figure.colorbar(
        mappable,
        ax=axes,
        location="top",
        shrink=0.75,
        aspect=34,
        pad=0.03,
        format=PercentFormatter(1.0),
        ticks=MaxNLocator(4),
    )
    bar.set_label(label, fontsize=8.5)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=7.5)


def _cores(axes: Axes, cores: FloatArray) -> None:
    """Draw a square per core; the cores of a tile fill rows inside the tile's square."""
    shades = Normalize(0, max(float(np.nanmax(cores, initial=0.0)), 1e-9))
    across = int(np.ceil(np.sqrt(cores.shape[2])))
    down = -(-cores.shape[2] // across)
    width, height = 0.92 / across, 0.92 / down
    corners = [
        (c - 0.46 + i % across * width, r - 0.46 + i // across * height)
        for r, c, i in np.ndindex(*cores.shape)
    ]
    colours = [LOAD(shades(value)) if not np.isnan(value) else "white" for value in cores.flat]
    boxes = [Rectangle(corner, width, height) for corner in corners]
    edge = "white" if across > 1 else RULE
    boxes_drawn = PatchCollection(boxes, facecolors=colours, edgecolors=edge, linewidths=0.6)
    boxes_drawn.set_rasterized(cores.size > RASTER_FROM)
    axes.add_collection(boxes_drawn)
    if cores.size > WRITTEN_UP_TO:
        return
    for (x, y), value in zip(corners, cores.flat, strict=True):
        if not np.isnan(value):
            ink = INK if shades(value) < DARK else "white"
            text = f"{value:.0%}" if value >= 0.0095 else f"{value:.1%}"
            size = 7 if across == 1 else 5.5
            middle = x + width / 2, y + height / 2
            axes.text(*middle, text, ha="center", va="center", fontsize=size, color=ink)


def _links(axes: Axes, links: FloatArray, rows: int, columns: int) -> None:
    many = rows * columns > RASTER_FROM
    side = SMALL_TILE_SIDE if many else TILE_SIDE
    boxes = [Rectangle((c - side / 2, r - side / 2), side, side) for r, c in np.ndindex(rows, columns)]
    tiles = PatchCollection(boxes, facecolors="#f1f3f5", edgecolors=RULE, linewidths=0.0 if many else 0.5)
    axes.add_collection(tiles)
    ends = {link: _ends(link, rows, columns, side, used=bool(value)) for link, value in enumerate(links)}
    shown = sorted((link for link, line in ends.items() if line), key=lambda link: links[link])
    shades = Normalize(0, float(links.max(initial=0.0)) or 1e-9)
    colours = [LOAD(shades(links[link])) if links[link] > 0 else RULE for link in shown]
    width = float(np.clip(40 / max(rows, columns), 0.8, 9.0))
    widths = [width if links[link] > 0 else 0.8 for link in shown]
    styles = ["-" if links[link] > 0 else ":" for link in shown]
    lines = LineCollection(
        [ends[link] for link in shown], colors=colours, linewidths=widths, linestyles=styles
    )
    axes.add_collection(lines)
    if max(rows, columns) <= LINKS_WRITTEN_UP_TO:
        for link in shown:
            _write_load(axes, ends[link], links[link], "white" if shades(links[link]) > DARK else INK)
    tiles.set_rasterized(many)
    lines.set_rasterized(many)


def _write_load(axes: Axes, line: Sequence[tuple[float, float]], load: float, ink: str) -> None:
    """The busy share of a link in percent, along it; nothing where no flit crossed it."""
    if load <= 0:
        return
    (x, y), (x_end, y_end) = line
    text = f"{load:.0%}" if load >= 0.0995 else f"{load:.1%}" if load >= 0.0005 else "<.1"
    turned = 0 if y == y_end else 90
    middle = (x + x_end) / 2, (y + y_end) / 2
    axes.text(*middle, text.rstrip("%"), rotation=turned, ha="center", va="center", fontsize=5.5, color=ink)


def _ends(link: int, rows: int, columns: int, side: float, *, used: bool) -> list[tuple[float, float]]:
    """Both ends of a link's line; empty for a link over the edge of a mesh, a stub for one that wraps round."""
    (column, row), (x, y) = (link // 4 % columns, link // 4 // columns), AHEAD[link % 4]
    over_the_edge = not (0 <= column + x < columns and 0 <= row + y < rows)
    if over_the_edge and not used:
        return []
    dx, dy = (shift * side for shift in ASIDE[link % 4])
    begin = column + x * side / 2 + dx, row + y * side / 2 + dy
    reach = 0.5 - side / 2 if over_the_edge else 1 - side
    return [begin, (begin[0] + reach * x, begin[1] + reach * y)]


def load_of(item: Evaluation, chip: ChipConfig) -> MeshLoad:
    """The mesh load of an evaluation, means over its samples."""
    placed, seen = chip.cores(), defaultdict[tuple[int, int], int](int)
    position = []
    for core in placed:
        position.append(seen[core.row, core.column])
        seen[core.row, core.column] += 1
    cores = np.full((chip.rows, chip.columns, max(seen.values())), np.nan)
    for number, fraction in utilization(item).items():
        cores[placed[number].row, placed[number].column, position[number]] = fraction
    return MeshLoad(cores, item.perf.link_utilization.mean(axis=1))
