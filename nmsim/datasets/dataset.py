"""The data set: labelled images or event recordings, in a training and a test part, with their origin."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmsim.datasets.events import Recordings

Part = Literal["train", "test"]
Kind = Literal["image", "event", "frames"]
Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a data set came from, exactly enough to tell two of them apart."""

    source: str
    """Path, or package with its version."""
    file_format: str
    files: int
    size_bytes: int
    sha256: str
    """Of the file, or over the `sha256sum` lines of all files (see docs/datasets.md)."""
    sha256_covers: Literal["contents", "sizes and names"]
    split: str
    """How the samples were divided into training and test part."""
    skipped: int = 0
    """Broken recordings that were left out, where that was asked for."""
    first_skipped: str = ""
    """What is wrong with the first of them."""


@dataclass(frozen=True, slots=True)
class Split:
    """One part of a data set: samples `x`, labels `y` (N,) counted from 0.

    `x` is uint8 images (N, C, H, W), uint8 frames (N, T, C, H, W) or `Recordings`.
    """

    part: Part
    x: Images | Recordings
    y: Labels

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Dataset:
    """Labelled samples: images uint8 (N, C, H, W), original pixels, frames, or event recordings; labels int64 (N,).

    The test part is empty if the source has no split (`provenance.split` says so): an accuracy cannot be
    measured.
    """

    name: str
    kind: Kind
    x_train: Images | Recordings
    y_train: Labels
    x_test: Images | Recordings
    y_test: Labels
    class_names: tuple[str, ...]
    input_shape: tuple[int, int, int]
    """(C, H, W); for events the channels are the polarities OFF and ON."""
    provenance: Provenance

    @property
    def train(self) -> Split:
        """The training part."""
        return Split("train", self.x_train, self.y_train)

    @property
    def test(self) -> Split:
        """The test part, possibly empty."""
        return Split("test", self.x_test, self.y_test)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)
