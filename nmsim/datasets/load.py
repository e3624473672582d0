"""`load`: a data set by name, from a path or a checked download, in whatever form its files have; `load_described`: any."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from nmsim.datasets.catalog import Entry, entry_of
from nmsim.datasets.dataset import Dataset, Images, Kind, Labels, Part, Provenance
from nmsim.datasets.download import Progress, data_dir, fetch
from nmsim.datasets.events import FileRecordings, Recordings
from nmsim.datasets.file import files_sha256
from nmsim.datasets.files.archive import extracted, is_archive
from nmsim.datasets.files.event_folder import read_event_folder
from nmsim.datasets.files.image_folder import read_image_folder
from nmsim.datasets.files.mnist_subset import find_subset, read_subset, subset_origin
from nmsim.datasets.files.npz import is_npz, read_npz
from nmsim.datasets.own.read_own import read_own, shape_of
from nmsim.datasets.parts import Parts
from nmsim.datasets.spec import DatasetSpec, OwnDataset, Subset
from nmsim.datasets.split import stratified
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
        subset: which are kept: of every class its share (see `nmsim.datasets.split`), or the first of the file.
        on_progress: called during a download with (file, bytes so far, total or `None`).

    Raises:
        DataError: unknown name, missing or broken files, a failed download, more samples asked for than
        there are.
    """
    entry = entry_of(name)
    known = DatasetSpec.model_construct(
        name=entry.name,  # type: ignore[arg-type]
        path=None,
        train_samples=train_samples,
        test_samples=test_samples,
        subset=subset,
    )
    parts, source = _read(entry, None if path is None else Path(path).expanduser(), on_progress)
    return _dataset(known, entry.kind, entry.shape, parts, source)


def load_described(spec: DatasetSpec, on_progress: Progress | None = None) -> Dataset:
    """The data set that a workload names, or describes if it is the user's own.

    Raises:
        DataError: as `load`; own files contradict their description.
    """
    if not isinstance(spec, OwnDataset):
        return load(
            spec.name,
            spec.path,
            train_samples=spec.train_samples,
            test_samples=spec.test_samples,
            subset=spec.subset,
            on_progress=on_progress,
        )
    own = read_own(spec)
    kind: Kind = "event" if spec.kind == "events" else spec.kind or "image"
    return _dataset(spec, kind, shape_of(own.parts.x_train), own.parts, str(spec.path), own.skipped)


def _dataset(
    spec: DatasetSpec,
    kind: Kind,
    shape: tuple[int, int, int],
    parts: Parts,
    source: str,
    skipped: tuple[str, ...] = (),
) -> Dataset:
    size_bytes = sum(file.stat().st_size for file in parts.files)
    x_train, y_train = _kept(spec, "train", parts.x_train, parts.y_train, spec.train_samples)
    x_test, y_test = _kept(spec, "test", parts.x_test, parts.y_test, spec.test_samples)
    if size_bytes <= IN_MEMORY_BYTES:
        x_train, x_test = (x.packed() if isinstance(x, FileRecordings) else x for x in (x_train, x_test))
    origin = replace(
        _provenance(parts, source, size_bytes), skipped=len(skipped), first_skipped="".join(skipped[:1])
    )
    return Dataset(spec.name, kind, x_train, y_train, x_test, y_test, parts.class_names, shape, origin)


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
    spec: DatasetSpec, part: Part, x: Images | Recordings, y: Labels, count: int | None
) -> tuple[Images | Recordings, Labels]:
    if count is None:
        return x, y
    if not 1 <= count <= len(y):
        raise DataError(
            f"data set {spec.name}: {part}_samples {count} is outside 1..{len(y)}, the {part} samples it has;"
            " lower the number or leave it out"
        )
    if spec.subset == "stratified" and (chosen := stratified(y, count))[-1] != count - 1:
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
