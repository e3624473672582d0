"""Folders whose folders are classes: `<class>/file`, or `train/<class>/file` and `test/<class>/file`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nmsim.errors import DataError

PARTS = {
    "train": ("train", "training"),
    "test": ("test", "testing", "val", "valid", "validation"),
}
"""Names of folders, in small letters, that hold a part."""


@dataclass(frozen=True)
class ClassFolders:
    """Files of a data set by part, each with the number of its class; `test` is None where the source has no parts."""

    class_names: tuple[str, ...]
    train: list[tuple[Path, int]]
    test: list[tuple[Path, int]] | None


def read_class_folders(
    root: Path, suffixes: Iterable[str], stated_classes: int | None = None
) -> ClassFolders:
    """The files of a folder of class folders, classes in natural order of their names, and files within them.

    Raises:
        DataError: no class folders, no files of a known kind, an empty class, or another number of classes than stated.
    """
    known = tuple(suffixes)
    parts = {part: _part_folder(root, part) for part in PARTS}
    train = parts["train"] or root
    if not train.is_dir():
        raise DataError(f"{root}: no such folder; give the folder that holds one folder per class")
    folders = _visible(train)
    if parts["train"] is None and parts["test"] is not None:
        raise DataError(
            f"{root}: holds {parts['test'].name} but no train; put the training classes into train"
        )
    if not folders:
        raise DataError(
            f"{train}: no folders in it; put the files of every class into a folder named after the class"
        )
    names = tuple(folder.name for folder in folders)
    if stated_classes is not None and stated_classes != len(names):
        raise DataError(
            f"{train}: {len(names)} class folders ({names[0]} to {names[-1]}), but dataset.classes is {stated_classes}; make"
            " them equal"
        )
    test = parts["test"]
    if test is not None:
        unknown = [folder.name for folder in _visible(test) if folder.name not in names]
        if unknown:
            raise DataError(
                f"{test}: class '{unknown[0]}' is not in {train}; every class needs training samples"
            )
    return ClassFolders(
        names,
        _labelled(train, names, known, needed=True),
        None if test is None else _labelled(test, names, known, needed=False),
    )


def natural(name: str) -> list[tuple[int, int, str]]:
    """Key by which `image2` comes before `image10`.

    >>> sorted(["b10", "b9", "a"], key=natural)
    ['a', 'b9', 'b10']
    """
    parts = re.split(r"(\d+)", name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _part_folder(root: Path, part: str) -> Path | None:
    if not root.is_dir():
        return None
    found = [folder for folder in _visible(root) if folder.name.lower() in PARTS[part]]
    if len(found) > 1:
        raise DataError(
            f"{root}: both {found[0].name} and {found[1].name} could be the {part} part; leave one there"
        )
    return found[0] if found else None


def _visible(folder: Path) -> list[Path]:
    inside = (item for item in folder.iterdir() if item.is_dir() and not item.name.startswith((".", "__")))
    return sorted(inside, key=lambda item: natural(item.name))


def _labelled(
    part: Path, names: tuple[str, ...], suffixes: tuple[str, ...], *, needed: bool
) -> list[tuple[Path, int]]:
    found = []
    for label, name in enumerate(names):
        files = [
            file
            for file in (part / name).rglob("*")
            if file.is_file() and file.suffix.lower() in suffixes and not file.name.startswith(".")
        ]
        if needed and not files:
            raise DataError(
                f"{part / name}: no files that end in {', '.join(suffixes)}; fill the class folder or remove it"
            )
        ordered = sorted(files, key=lambda file: natural(file.relative_to(part).as_posix()))
        found += [(file, label) for file in ordered]
    return found
