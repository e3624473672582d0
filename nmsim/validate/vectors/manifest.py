"""The manifest of golden vectors: what ran, how it rounds and learns, and what every file holds."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from nmsim.errors import FormatError, RunError
from nmsim.fixedpoint.format import QFormat
from nmsim.fixedpoint.lfsr import PERIOD, SEED_STATE
from nmsim.fixedpoint.version import KEY, NUMERICS, check_numerics
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.fixed.exact import exact_sums
from nmsim.stop.fixed.parameters import highest_leak, lowest_threshold
from nmsim.stop.fixed.rates import momentum_raw, update_rate
from nmsim.stop.raw import RawRun
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.vectors.hexfile import digits
from nmsim.validate.vectors.register import hex_rows, registers
from nmsim.validate.vectors.vector import Vector

SCHEMA = "nmsim/vectors-2"
MANIFEST = "manifest.json"
REMEDY = "export the vectors again"
GRADIENTS = (
    "weight_gradient, threshold_gradient, leak_gradient and bias_gradient are the accumulators after the sample:"
    " cumulative within its batch, and 0 before the batch's first sample; static_gradient is that of the sample alone"
)
LFSR = {
    "polynomial": "x^16 + x^14 + x^13 + x^11 + 1",
    "new_bit": "(S ^ S>>2 ^ S>>3 ^ S>>5) & 1, shifted in at bit 15",
    "initial_state": f"{SEED_STATE:04x}",
    "shifts_per_draw": 16,
    "draws": "tables/draws.hex: L[j] is the state after 16*(j+1) shifts",
    "one_draw": hex_rows(1),
    "matrices": "rows, row 0 first: bit b of the new state is the parity of row[b] & state",
    "rule": f"element e of the n-th rounding of a tensor draws L[(offset + (n << k) + e) mod {PERIOD}],"
    " k = ceil(log2(elements))",
    "offset": f"(40503*(seed+1) + 7919*(16*layer + role)) mod {PERIOD}",
    "roles": "w 0, theta 1, alpha 2, U 3, a~ 4, th~ 5, w~ 6, delta 7, e 8, v 9, c 10, bias 11, its velocity 14",
    "n": "sample*T + t for tensors of a time step, updates done before for parameters",
}


def is_export(folder: str) -> bool:
    """Whether a folder holds exported vectors."""
    return (Path(folder) / MANIFEST).exists()


def manifest_text(
    chip: FixedSide,
    training: TrainingSpec,
    run: RawRun,
    labels: Iterable[int],
    about: dict[str, Any],
    files: list[dict[str, Any]],
) -> str:
    """Content of the manifest; `about` says where network, parameters and samples come from."""
    content = {
        "schema": SCHEMA,
        KEY: NUMERICS,
        **about,
        "words": "one per line, hexadecimal, two's complement, address 0 first; last axis of the shape fastest",
        "seed": chip.seed,
        "input_format": str(chip.input_format),
        "labels": [int(label) for label in labels],
        "predictions": run.predictions.tolist(),
        "spike_counts": run.spike_counts.tolist(),
        "overflows": _present(run.overflows),
        "sample_overflows": [_present(counts) for counts in run.sample_overflows],
        "exact_bits": _exact_bits(chip, training),
        "gradients": GRADIENTS,
        "learning": learning(chip, training),
        "lfsr": LFSR,
        "registers": registers(chip, training),
        "network": chip.network.model_dump(mode="json"),
        "precision": chip.precision.model_dump(mode="json"),
        "training": training.model_dump(mode="json"),
        "files": files,
    }
    return json.dumps(content, indent=1) + "\n"


def _present(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _exact_bits(chip: FixedSide, training: TrainingSpec) -> list[dict[str, int]]:
    """By layer and sum, the width that holds the exact sum whatever the data."""
    found: list[dict[str, int]] = [{} for _ in chip.formats]
    for item in exact_sums(chip.network, chip.formats, training):
        found[item.layer][item.name] = item.exact_bits
    return found


def learning(chip: FixedSide, training: TrainingSpec) -> dict[str, Any]:
    """Numbers of an update: `parameter = Q(parameter - mantissa * gradient * 2^-shift)`, the batch's mean included.

    Gradients in the vectors are those before a centralization.
    """
    rates = training.learning_rates
    found: dict[str, Any] = {
        name: dict(zip(("mantissa", "shift"), update_rate(rate, training), strict=True))
        for name, rate in (
            ("weight", rates.weight),
            ("threshold", rates.threshold),
            ("leak_factor", rates.leak),
        )
    }
    found["momentum"] = {"raw": momentum_raw(training) if training.momentum > 0 else 0, "format": "u8.8"}
    found["gradient_centralization"] = training.gradient_centralization
    found["layers"] = [
        {
            "threshold_min_raw": lowest_threshold(own, training),
            "leak_factor_max_raw": highest_leak(own, training),
            "leak_factor_extra_shift": (own.layer.neurons - 1).bit_length(),
        }
        for own in chip.formats
    ]
    return found


def entry(vector: Vector, sha256: str) -> dict[str, Any]:
    """What the manifest says of a file."""
    fmt = vector.format
    return {
        "path": vector.path, "tensor": vector.tensor, "layer": vector.layer, "sample": vector.sample,
        "update": vector.update, "shape": list(vector.values.shape), "axes": list(vector.axes), "words": vector.values.size,
        "format": str(fmt), "signed": fmt.signed, "total_bits": fmt.total_bits, "fraction_bits": fmt.fraction_bits,
        "hex_digits": digits(fmt), "rounding": vector.rounding, "overflow": vector.overflow, "sha256": sha256,
    }  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """A manifest that was read."""

    content: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read the manifest of a folder.

        Raises:
            RunError: there is none, or it is something else.
        """
        path = folder / MANIFEST
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(
                f"{path}: no such file; give a folder that `nmsim export-vectors` wrote"
            ) from error
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: not readable ({error}); {REMEDY}") from error
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            found = content.get("schema") if isinstance(content, dict) else None
            raise RunError(f"{path}: schema {found!r} is not {SCHEMA}; {REMEDY}")
        check_numerics(content, path, REMEDY)
        return cls(content)

    @property
    def files(self) -> list[dict[str, Any]]:
        """Entries of the files."""
        found: list[dict[str, Any]] = self.content["files"]
        return found

    @property
    def labels(self) -> NDArray[np.int64]:
        """Labels `(S,)`."""
        return np.array(self.content["labels"], np.int64)

    def records(self) -> tuple[NetworkSpec, Precision, TrainingSpec, QFormat, int]:
        """Network, precision, training, input format and seed.

        Raises:
            RunError: one of them is not valid.
        """
        try:
            return (
                NetworkSpec.model_validate(self.content["network"]),
                Precision.model_validate(self.content["precision"]),
                TrainingSpec.model_validate(self.content["training"]),
                QFormat.parse(self.content["input_format"]),
                int(self.content["seed"]),
            )
        except (ValidationError, FormatError, KeyError, TypeError) as error:
            raise RunError(
                f"{MANIFEST}: network, precision or training are not valid ({error}); {REMEDY}"
            ) from error
