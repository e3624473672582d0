"""Golden vectors of a workload or a run: export, and replay against the engine."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from nmsim.errors import CheckFailedError, ConfigError
from nmsim.pipeline.folder import package_versions
from nmsim.pipeline.subject import Subject
from nmsim.validate.vectors.replay import Replay, replay
from nmsim.validate.vectors.vector_files import Exported, export_vectors

Listen = Callable[[int, int], None]
SHOWN = 10


def export(
    subject: Subject,
    samples: Sequence[int],
    out: Path,
    *,
    split: str = "train",
    batch_size: int = 1,
    tensors: Collection[str] = (),
    overwrite: bool = False,
) -> Exported:
    """Write the vectors of chosen samples of a split, trained on in the order given.

    Raises:
        ConfigError: a sample or the split does not exist, a tensor is unknown, the batch size does not fit.
        RunError: earlier vectors are in `out`.
    """
    own = subject.split(split)
    outside = [index for index in samples if not 0 <= index < len(own)]
    if outside or not samples:
        found = f"sample {outside[0]} is" if outside else "no sample is given:"
        raise ConfigError(
            f"--samples: {found} not among the {len(own):,} {split} samples; use numbers from 0 on"
        )
    about = {
        "versions": package_versions(),
        "workload": subject.workload.name,
        "workload_hash": subject.workload.content_hash(),
        "parameters": subject.source,
        "split": split,
        "samples": list(samples),
    }
    batch = own.batch(np.array(samples, np.int64), 0)
    return export_vectors(subject.chip, batch, batch_size, out, about, tensors=tensors, overwrite=overwrite)


def check(folder: Path, listen: Listen = lambda _, __: None) -> Replay:
    """Replay exported vectors against the engine.

    Raises:
        CheckFailedError: a file differs from what the engine computes.
        RunError, DataError: the folder holds no vectors, or they cannot be read.
    """
    found = replay(folder, listen)
    if found.mismatches:
        shown = [item.sentence for item in found.mismatches[:SHOWN]]
        more = len(found.mismatches) - len(shown)
        shown += [f"and {more} more"] * bool(more)
        raise CheckFailedError(
            f"{folder}: {len(found.mismatches)} files differ from what the engine computes; export again, or find what"
            " changed them\n" + "\n".join(shown)
        )
    return found
