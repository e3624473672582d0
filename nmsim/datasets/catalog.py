"""The data sets nmsim knows by name: what they hold and where their original files are."""

import difflib
from dataclasses import dataclass
from typing import Literal

from nmsim.datasets.dataset import Kind
from nmsim.errors import DataError

Layout = Literal["csv", "idx", "cifar", "nmnist", "dvs_gesture", "cifar10_dvs"]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One original file: mirrors by preference, and its published hash (`md5:...` or `sha256:...`)."""

    name: str
    urls: tuple[str, ...]
    known_hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A known data set."""

    name: str
    kind: Kind
    layout: Layout
    """How its original files are laid out."""
    shape: tuple[int, int, int]
    """(C, H, W) of a sample."""
    class_names: tuple[str, ...]
    """Used where the files name no classes."""
    downloads: tuple[RemoteFile, ...] = ()
    label_base: int = 0
    """Smallest label in `.npz` files; labels count from 0 here."""

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)


_DIGITS = tuple(str(digit) for digit in range(10))
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_GESTURES = (
    "hand_clapping", "right_hand_wave", "left_hand_wave", "right_arm_clockwise",
    "right_arm_counter_clockwise",
    "left_arm_clockwise", "left_arm_counter_clockwise", "arm_roll", "air_drums", "air_guitar",
    "other_gestures",
)  # fmt: skip


def _mirrored(bases: tuple[str, ...], *files: tuple[str, str]) -> tuple[RemoteFile, ...]:
    return tuple(RemoteFile(name, tuple(base + name for base in bases), known) for name, known in files)


# Hashes: MNIST as in torchvision, Fashion-MNIST from the table of its README, CIFAR from the table
# of its page, N-MNIST and DVS128 Gesture as in tonic, CIFAR10-DVS as in SpikingJelly (the hashes figshare
# states).
_MNIST_FILES = _mirrored(
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    ("train-images-idx3-ubyte.gz", "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    ("train-labels-idx1-ubyte.gz", "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    ("t10k-images-idx3-ubyte.gz", "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    ("t10k-labels-idx1-ubyte.gz", "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
)
_FASHION_FILES = _mirrored(
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    ("train-images-idx3-ubyte.gz", "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    ("train-labels-idx1-ubyte.gz", "md5:25c81989df183df01b3e8a0aad5dffbe"),
    ("t10k-images-idx3-ubyte.gz", "md5:bef4ecab320f06d8554ea6380940ec79"),
    ("t10k-labels-idx1-ubyte.gz", "md5:bb300cfdad3c16e7a12a480ee83cd310"),
)
_KRIZ = ("https://www.cs.toronto.edu/~kriz/",)
_NMNIST = "https://data.mendeley.com/public-files/datasets/468j46mzdv/files/"
_NMNIST_FILES = (
    RemoteFile(
        "train.zip",
        (f"{_NMNIST}39c25547-014b-4137-a934-9d29fa53c7a0/file_downloaded",),
        "md5:20959b8e626244a1b502305a9e6e2031",
    ),
    RemoteFile(
        "test.zip",
        (f"{_NMNIST}05a4d654-7e03-4c15-bdfa-9bb2bcbea494/file_downloaded",),
        "md5:69ca8762b2fe404d9b9bad1103e97832",
    ),
)
_FIGSHARE = "https://ndownloader.figshare.com/files/"
_GESTURE_FILES = (
    RemoteFile("ibmGestureTrain.tar.gz", (f"{_FIGSHARE}38022171",), "md5:3a8f0d4120a166bac7591f77409cb105"),
    RemoteFile("ibmGestureTest.tar.gz", (f"{_FIGSHARE}38020584",), "md5:56070e45dadaa85fff82e0fbfbc06de5"),
)
_CIFAR10_DVS_FILES = tuple(
    RemoteFile(f"{name}.zip", (f"{_FIGSHARE}{number}",), f"md5:{md5}")
    for name, number, md5 in zip(
        _CIFAR10,
        (7712788, 7712791, 7712794, 7712812, 7712815, 7712818, 7712842, 7712851, 7712836, 7712839),
        (
            "0afd5c4bf9ae06af762a77b180354fdd", "8438dfeba3bc970c94962d995b1b9bdd",
    "a9c207c91c55b9dc2002dc21c684d785",
            "52c63c677c2b15fa5146a8daf4d56687", "b6bf21f6c04d21ba4e23fc3e36c8a4a3",
    "f379ebdf6703d16e0a690782e62639c3",
            "cad6ed91214b1c7388a5f6ee56d08803", "e7cbbf77bec584ffbf913f00e682782a",
    "41c7bd7d6b251be82557c6cce9a7d5c9",
            "89f3922fd147d9aeff89e76a2b0b70a7",
        ),
        strict=True,
    )
)  # fmt: skip

CATALOG: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("mnist-subset", "image", "csv", (1, 28, 28), _DIGITS),
        Entry("mnist", "image", "idx", (1, 28, 28), _DIGITS, _MNIST_FILES),
        Entry("fashion-mnist", "image", "idx", (1, 28, 28), _FASHION, _FASHION_FILES),
        Entry(
            "cifar10", "image", "cifar", (3, 32, 32), _CIFAR10,
            _mirrored(_KRIZ, ("cifar-10-binary.tar.gz", "md5:c32a1d4ab5d03f1284b67883e8d87530")),
        ),
        Entry(
            "cifar100", "image", "cifar", (3, 32, 32), tuple(str(label) for label in range(100)),
            _mirrored(_KRIZ, ("cifar-100-binary.tar.gz", "md5:03b5dce01913d631647c71ecec9e9cb8")),
        ),
        Entry("nmnist", "event", "nmnist", (2, 34, 34), _DIGITS, _NMNIST_FILES),
        Entry("dvs-gesture", "event", "dvs_gesture", (2, 128, 128), _GESTURES, _GESTURE_FILES, label_base=1),
        Entry("dvs-cifar10", "event", "cifar10_dvs", (2, 128, 128), _CIFAR10, _CIFAR10_DVS_FILES),
    )
}  # fmt: skip


def entry_of(name: str) -> Entry:
    """The data set of a name; `DataError` names the nearest known one.

    >>> entry_of("mnist").shape, entry_of("mnist").classes
    ((1, 28, 28), 10)
    """
    if name not in CATALOG:
        near = difflib.get_close_matches(name, CATALOG, n=1, cutoff=0.5)
        remedy = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(CATALOG)}"
        raise DataError(f"data set '{name}' is not known; {remedy}")
    return CATALOG[name]
