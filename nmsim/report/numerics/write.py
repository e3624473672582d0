"""A comparison with float64 as files."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from nmsim.report.numerics import plots
from nmsim.report.numerics.data import validation_text
from nmsim.report.numerics.numerics_page import html
from nmsim.report.numerics.tables import tables
from nmsim.report.picture import Picture
from nmsim.report.plots.bit_widths import TensorRange, ranges_by_format
from nmsim.storage import write_text
from nmsim.validate.numerics.error_sums import FIRST_EXPONENT
from nmsim.validate.numerics.measured import NumericsResult


def write_numerics(result: NumericsResult, folder: Path, versions: Mapping[str, str]) -> list[Path]:
    """Write every file into `folder`; the same result gives the same bytes. Returns the paths."""
    paths = []
    for name, text in _files(result, versions):
        path = folder / name
        write_text(path, text)
        paths.append(path)
    return paths


def _files(result: NumericsResult, versions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "validation.json", validation_text(result, versions)
    for table in tables(result):
        yield f"{table.name}.csv", table.csv()
    pictures = draw(result)
    for picture in pictures.values():
        yield f"pictures/{picture.name}.svg", picture.svg.decode()
    yield "validation.html", html(result, pictures, versions)


def draw(result: NumericsResult) -> dict[str, Picture]:
    """Every picture, by name."""
    pictures = [ranges_of_layer(result, layer) for layer in range(len(result.layers))]
    pictures += [
        plots.sqnr_map(result), plots.sqnr_by_step(result), plots.spike_mismatch(result), plots.gradient_error(result),
    ]  # fmt: skip
    if result.gap is not None:
        pictures.append(plots.accuracy_gap(result, result.gap))
    if result.convergence:
        about = f"{result.workload} · {result.rule} · {result.source} · first {result.split} sample"
        pictures.append(plots.convergence(result.convergence, about))
    return {picture.name: picture for picture in pictures}


def ranges_of_layer(result: NumericsResult, layer: int) -> Picture:
    """Values of every tensor of a layer against its format."""
    ranges = [
        TensorRange(
            item.tensor,
            item.format,
            {
                FIRST_EXPONENT + k: int(item.spread.exponents[k])
                for k in item.spread.exponents.nonzero()[0].tolist()
            },
            int(item.spread.saturated.sum()),
        )
        for item in result.tensors
        if item.layer == layer
    ]
    return ranges_by_format(
        ranges, f"layer {result.layers[layer]} · {plots.described(result)}", f"ranges-layer{layer}"
    )
