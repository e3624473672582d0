"""A folder of pictures per class, read by Pillow: any format it knows, grey or in colours, equally large or resized."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.dataset import Images
from nmsim.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
_GREY_MODES = frozenset({"1", "L", "LA", "I;16", "I;16B", "I", "F"})


def read_pictures(
    paths: Sequence[Path], resize: tuple[int, int] | None = None, colour: Literal["grey", "rgb"] | None = None
) -> Images:
    """Pictures as (N, C, H, W), C = 1 or 3; grey ones are shown as such in `rgb`, transparency is put on black.

    Args:
        paths: the files.
        resize: width and height that every picture is brought to by averaging over its pixels.
        colour: channels; rgb if any picture has colours, if None.

    Raises:
        DataError: Pillow is missing, a file is no picture, its pixels have more than 8 bits, or sizes differ.
    """
    chosen = colour or ("rgb" if any(_has_colours(path) for path in paths) else "grey")
    pictures: list[NDArray[np.uint8]] = []
    for path in paths:
        picture = _read(path, resize, chosen)
        if pictures and picture.shape != pictures[0].shape:
            (first_height, first_width), (height, width) = pictures[0].shape[:2], picture.shape[:2]
            raise DataError(
                f"{path}: {width} x {height} pixels, but {paths[0]} has {first_width} x {first_height}; make them equally"
                " large, or state dataset.resize: [width, height]"
            )
        pictures.append(picture)
    stacked = np.stack(pictures)
    return stacked[:, None] if stacked.ndim == 3 else np.ascontiguousarray(stacked.transpose(0, 3, 1, 2))


def _has_colours(path: Path) -> bool:
    with _opened(path) as image:
        return image.mode not in _GREY_MODES


def _read(path: Path, resize: tuple[int, int] | None, colour: str) -> NDArray[np.uint8]:
    from PIL import Image

    with _opened(path) as image:
        if image.mode.startswith(("I", "F")):
            raise DataError(
                f"{path}: pixels of mode {image.mode} have more than 8 bits; store it as 8-bit grey or colours, or as an"
                " array with dataset.value_range"
            )
        try:
            shown = image
            if "A" in image.getbands() or "transparency" in image.info:
                ground = Image.new("RGBA", image.size, (0, 0, 0, 255))
                shown = Image.alpha_composite(ground, image.convert("RGBA"))
            shown = shown.convert("L" if colour == "grey" else "RGB")
            if resize is not None and shown.size != resize:
                shown = shown.resize(resize, Image.Resampling.BOX)
            return np.asarray(shown, np.uint8)
        except (OSError, ValueError, SyntaxError) as error:
            raise DataError(f"{path}: the picture is broken ({error}); store it again") from error


def _opened(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - Pillow is optional
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(f"{path}: pictures are read by Pillow; run `pip install pillow`") from error
    try:
        return Image.open(path)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the path") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: no picture that Pillow can read ({error}); store it again") from error
