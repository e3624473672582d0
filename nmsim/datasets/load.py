"""`load`: a data set by name, from a path or a checked download, in whatever form its files have."""

from pathlib import Path
from typing import Literal

from nmsim.datasets.arrays import OWN
from nmsim.datasets.catalog import Entry, entry_of
from nmsim.datasets.dataset import Dataset, Images, Labels, Part, Provenance
from nmsim.datasets.download import Progress, data_dir, fetch
from nmsim.datasets.events import FileRecordings, Recordings
from nmsim.datasets.file import files_sha256
from nmsim.datasets.files.archive import extracted, is_archive
from nmsim.datasets.files.event_folder import read_event_folder
from nmsim.datasets.files.image_folder import read_image_folder
from nmsim.datasets.files.mnist_subset import find_subset, read_subset, subset_origin
from nmsim.datasets.files.npz import is_npz, read_npz
from nmsim.datasets.parts import Parts
from nmsim.datasets.spec import Subset
from nmsim.datasets.subset import stratified
from nmsim.errors import DataError

IN_MEMORY_BYTES = 64 << 20
"""Event files up to this size together are read, and checked, at once; larger sets recording by recording."""
HASHED_BYTES = 2 << 30
"""Files up to this size together are hashed by content; larger sets by names and sizes."""


def load(
    name: str,
    path: Path | str | None = None,
    *,
    train_samples: int | None = None,
    test_samples: int | None = None,
    subset: Subset = "stratified",
    on_progress: Progress | None = None,
) -> Dataset:
    """A data set by name.

    Args:
        name: mnist-subset, mnist, fashion-mnist, cifar10, cifar100, nmnist, dvs-gesture or dvs-cifar10.
        path: folder of the original files, one of their archives, or an `.npz` file; without it the files are
            downloaded (mnist-subset comes with an installed package).
        train_samples: keep so many of the training part.
        test_samples: keep so many of the test part.
        subset: which are kept: of every class its share (see `nmsim.datasets.subset`), or the first of the file.
        on_progress: told about a download as (file, bytes so far, total or `None`).

    Raises:
        DataError: unknown name, missing or broken files, a failed download, more samples asked for than
        there are.
    """
    if name == OWN:
        raise DataError(
            "data set 'own' is arrays given in Python: nmsim.train(workload, data=nmsim.from_arrays(...))"
        )
    entry = entry_of(name)
    parts, source = _read(entry, None if path is None else Path(path).expanduser(), on_progress)
    size_bytes = sum(file.stat().st_size for file in parts.files)
    x_train, y_train = _kept(name, "train", parts.x_train, parts.y_train, train_samples, subset)
    x_test, y_test = _kept(name, "test", parts.x_test, parts.y_test, test_samples, subset)
    if size_bytes <= IN_MEMORY_BYTES:
        x_train, x_test = (x.packed() if isinstance(x, FileRecordings) else x for x in (x_train, x_test))
    return Dataset(
        name=name,
        kind=entry.kind,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=parts.class_names,
        input_shape=entry.shape,
        provenance=_provenance(parts, source, size_bytes),
    )


def _read(entry: Entry, path: Path | None, on_progress: Progress | None) -> tuple[Parts, str]:
    if entry.layout == "csv":
        return read_subset(path or find_subset(), entry), str(path or subset_origin())
    source = path = path or fetch(entry, on_progress)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; check the path of {entry.name}")
    if path.is_file():
        if is_npz(path):
            return read_npz(path, entry), str(source)
        if not is_archive(path):
            raise DataError(
                f"{path}: neither an .npz file nor an archive; give one of these, or the folder of the"
                f" original files of {entry.name}"
            )
        path = extracted(path, data_dir() / entry.name)
    return (read_image_folder if entry.kind == "image" else read_event_folder)(path, entry), str(source)


def _kept(
    name: str, part: Part, x: Images | Recordings, y: Labels, count: int | None, subset: Subset
) -> tuple[Images | Recordings, Labels]:
    if count is None:
        return x, y
    if not 1 <= count <= len(y):
        raise DataError(
            f"data set {name}: {part}_samples {count} is outside 1..{len(y)}, the {part} samples it has;"
            " lower the number or leave it out"
        )
    if subset == "stratified" and (chosen := stratified(y, count))[-1] != count - 1:
        return (x.take(chosen) if isinstance(x, Recordings) else x[chosen]), y[chosen]
    return (x.first(count) if isinstance(x, Recordings) else x[:count]), y[:count]


def _provenance(parts: Parts, source: str, size_bytes: int) -> Provenance:
    by_content = size_bytes <= HASHED_BYTES
    covers: Literal["contents", "sizes and names"] = "contents" if by_content else "sizes and names"
    root = parts.files[0].parent
    while not all(file.is_relative_to(root) for file in parts.files):
        root = root.parent
    return Provenance(
        source=source,
        file_format=parts.file_format,
        files=len(parts.files),
        size_bytes=size_bytes,
        sha256=files_sha256(sorted(parts.files), root, contents=by_content),
        sha256_covers=covers,
        split=parts.split,
    )
