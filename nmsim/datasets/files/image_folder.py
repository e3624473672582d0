"""Folders of original image files: the IDX files of MNIST, or a CIFAR archive in binary or python form."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from nmsim.datasets.catalog import Entry
from nmsim.datasets.files.cifar_binary import read_cifar_binary, read_label_names
from nmsim.datasets.files.cifar_pickle import read_cifar_pickle, read_pickled_names
from nmsim.datasets.files.idx import read_images
from nmsim.datasets.parts import Parts
from nmsim.errors import DataError

_DEPTHS = ("", "*", "*/*", "*/*/*")
_IDX = {
    role: re.compile(rf"{part}[-.]{kind}[-.]ubyte(\.gz)?")
    for role, part, kind in (
        ("train images", "train-images", "idx3"),
        ("train labels", "train-labels", "idx1"),
        ("test images", "(t10k|test)-images", "idx3"),
        ("test labels", "(t10k|test)-labels", "idx1"),
    )
}


def read_image_folder(root: Path, entry: Entry) -> Parts:
    """Both parts of an image data set from the folder of its original files, or up to 3 levels below.

    Raises:
        DataError: the files are not there, are there twice, or are broken.
    """
    if entry.layout == "idx":
        return _read_idx_folder(root, entry)
    classes: Literal[10, 100] = 100 if entry.classes == 100 else 10
    if folder := _only(root, lambda folder: _has_cifar(folder, classes, ".bin"), entry):
        return _read_cifar_folder(folder, entry, classes, ".bin")
    if folder := _only(root, lambda folder: _has_cifar(folder, classes, ""), entry):
        return _read_cifar_folder(folder, entry, classes, "")
    wanted = "train.bin and test.bin" if classes == 100 else "data_batch_1.bin and test_batch.bin"
    raise DataError(
        f"{root}: no folder with {wanted} (or the python form) is here; give the folder of the {entry.name}"
        " archive"
    )


def _read_idx_folder(root: Path, entry: Entry) -> Parts:
    folder = _only(root, lambda folder: len(_idx_files(folder)) == len(_IDX), entry)
    if folder is None:
        known = {role for folder in _folders(root) for role in _idx_files(folder)}
        missing = ", ".join(role for role in _IDX if role not in known) or "all four in one folder"
        raise DataError(
            f"{root}: the IDX files of {entry.name} are incomplete (missing: {missing}); put train- and"
            " t10k-images-idx3-ubyte and -labels-idx1-ubyte, plain or .gz, into one folder"
        )
    files = _idx_files(folder)
    train = read_images(files["train images"], files["train labels"], entry.classes)
    test = read_images(files["test images"], files["test labels"], entry.classes)
    for path, x in ((files["train images"], train[0]), (files["test images"], test[0])):
        if x.shape[1:] != entry.shape:
            raise DataError(
                f"{path}: byte 8: images of shape {x.shape[2:]} instead of the {entry.shape[1:]} of"
                f" {entry.name}; give that data set, or another name"
            )
    return Parts(
        *train, *test, entry.class_names, "IDX", "official files", tuple(files[role] for role in _IDX)
    )


def _read_cifar_folder(
    folder: Path, entry: Entry, classes: Literal[10, 100], suffix: Literal[".bin", ""]
) -> Parts:
    train_files, test_file = _cifar_files(folder, classes, suffix)
    names = entry.class_names
    if suffix:
        read, file_format = read_cifar_binary, f"CIFAR-{classes} binary"
        names_file = folder / ("fine_label_names.txt" if classes == 100 else "batches.meta.txt")
        names = read_label_names(names_file, classes) if names_file.exists() else names
    else:
        read, file_format = read_cifar_pickle, f"CIFAR-{classes} python"
        names_file = folder / ("meta" if classes == 100 else "batches.meta")
        names = read_pickled_names(names_file, classes) if names_file.exists() else names
    official = 1 if classes == 100 else 5
    split = f"official files, {len(train_files)} of {official} training files present"
    x_train, y_train = read(train_files, classes)
    x_test, y_test = read([test_file], classes)
    return Parts(x_train, y_train, x_test, y_test, names, file_format, split, (*train_files, test_file))


def _folders(root: Path) -> Iterator[Path]:
    for pattern in _DEPTHS:
        yield from (
            folder for folder in (sorted(root.glob(pattern)) if pattern else [root]) if folder.is_dir()
        )


def _only(root: Path, fits: Callable[[Path], bool], entry: Entry) -> Path | None:
    found = [folder for folder in _folders(root) if fits(folder)]
    if len(found) > 1:
        raise DataError(
            f"{root}: two folders could be {entry.name}: {found[0]} and {found[1]}; give one of them as the"
            " path"
        )
    return found[0] if found else None


def _idx_files(folder: Path) -> dict[str, Path]:
    """Role to file; a plain file goes before its .gz."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        for role, pattern in _IDX.items():
            if pattern.fullmatch(path.name):
                found.setdefault(role, path)
    return found


def _cifar_files(folder: Path, classes: Literal[10, 100], suffix: str) -> tuple[list[Path], Path]:
    if classes == 100:
        return [folder / f"train{suffix}"], folder / f"test{suffix}"
    batches = (folder / f"data_batch_{number}{suffix}" for number in range(1, 6))
    return [path for path in batches if path.is_file()], folder / f"test_batch{suffix}"


def _has_cifar(folder: Path, classes: Literal[10, 100], suffix: str) -> bool:
    train_files, test_file = _cifar_files(folder, classes, suffix)
    return test_file.is_file() and bool(train_files) and all(path.is_file() for path in train_files)
