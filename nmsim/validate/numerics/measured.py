"""The records of a comparison of fixed-point arithmetic with real numbers (docs/validation.md)."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from nmsim.fixedpoint.format import QFormat
from nmsim.validate.numerics.error_sums import (
    CountArray,
    ErrorSums,
    Spread,
    format_integer_bits,
    integer_bits,
)


class ComparedWith(StrEnum):
    """What a stored value is compared with."""

    OWN = "own"
    """The exact value of the expression that was rounded, from the chip's own operands: this format alone."""
    FORCED = "forced"
    """A float64 pass that emits the chip's spikes and reads the chip's surrogate table: how rounding adds up."""
    FREE = "free"
    """A float64 pass that decides its own spikes, with the exact surrogate derivative: the algorithm itself."""


@dataclass(frozen=True)
class TensorNumerics:
    """One tensor of one layer, of `words` elements; `setting` is the precision section's key for its format."""

    layer: int
    tensor: str
    setting: str
    format: QFormat
    rounding: str
    words: int
    errors: dict[ComparedWith, ErrorSums]
    spread: Spread

    @property
    def unused_bits(self) -> int | None:
        """Integer bits that no value needs; negative: bits that are missing; None if every value is 0."""
        needed = self.spread.integer_bits
        return None if needed is None else format_integer_bits(self.format) - needed


@dataclass(frozen=True)
class SpikeNumerics:
    """Spikes of one layer that differ from a reference, by time step `(T,)`, of `decisions` per step.

    `free` from a free-running float64 pass; `forced` from what the pass that is given the chip's past spikes decides.
    """

    layer: int
    decisions: int
    spikes: CountArray
    free: CountArray
    forced: CountArray

    def rate(self, reference: ComparedWith) -> float:
        """Fraction of decisions that differ."""
        found = self.free if reference is ComparedWith.FREE else self.forced
        return int(found.sum()) / max(self.decisions * len(found), 1)


@dataclass(frozen=True)
class GradientNumerics:
    """Gradient of one parameter kind of one layer, summed over all samples, against the two float64 passes.

    `format` is the accumulator's, `largest` the largest |gradient| that a batch would need it to hold. `cosine` is None
    where a gradient is 0 or a single number; `relative_error` is the norm of the difference over the reference's norm.
    """

    layer: int
    parameter: str
    format: QFormat
    elements: int
    largest: float
    cosine: dict[ComparedWith, float | None]
    relative_error: dict[ComparedWith, float | None]
    update: "UpdateNumerics"

    @property
    def unused_bits(self) -> int | None:
        """Integer bits of the accumulator that no sum needs; None if every sum is 0."""
        needed = integer_bits(-self.largest, self.largest)
        return None if needed is None else format_integer_bits(self.format) - needed


@dataclass(frozen=True)
class UpdateNumerics:
    """What a batch changes in a parameter of format `format`, which rounds by `rounding`.

    `step_lsb` is the median non-zero |update| in LSBs (None without any); `lost` the fraction of non-zero updates below
    half an LSB, which rounding to nearest drops and stochastic rounding keeps on average.
    """

    format: QFormat
    rounding: str
    step_lsb: float | None
    lost: float


@dataclass(frozen=True)
class TableNumerics:
    """SQNR of phi by number of table entries, the one in use first; fraction of `|U - theta|` past the table's end."""

    layer: int
    format: QFormat
    sqnr_db: dict[int, float | None]
    beyond_rate: float

    @property
    def entries(self) -> int:
        """Entries in use."""
        return next(iter(self.sqnr_db))


@dataclass(frozen=True)
class InferenceNumerics:
    """Correctly classified samples with the same parameters, and samples on which both predictions are equal."""

    samples: int
    fixed_correct: int
    real_correct: int
    same_prediction: int


@dataclass(frozen=True)
class SeedAccuracy:
    """Held-out accuracy of two training runs from the same quantized start."""

    seed: int
    fixed: float
    real: float
    samples: int


@dataclass(frozen=True)
class AccuracyGap:
    """Short training runs, bit-accurate and float64, over several seeds; `description` says how they were trained."""

    description: str
    seeds: tuple[SeedAccuracy, ...]

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Fixed minus float64, per seed."""
        return np.array([item.fixed - item.real for item in self.seeds])

    @property
    def mean(self) -> float:
        """Mean gap; negative where fixed point is worse."""
        return float(self.gaps.mean())

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the gap over seeds; None for one seed."""
        return float(self.gaps.std(ddof=1)) if len(self.seeds) > 1 else None

    @property
    def interval(self) -> float | None:
        """Half the width of the 95 % confidence interval of the mean gap (Student's t over seeds); None for one seed."""
        if self.deviation is None:
            return None
        count = len(self.seeds)
        quantile = float(stdtrit(count - 1, 0.975))
        return quantile * self.deviation / float(np.sqrt(count))

    @property
    def sentence(self) -> str:
        """Mean gap and what it is worth, in words."""
        text = f"mean gap {self.mean:+.2%}, fixed point minus float64"
        if self.interval is None:
            return f"{text}; one seed tells no uncertainty"
        shown = (
            "a difference"
            if abs(self.mean) > self.interval
            else "no difference that exceeds the spread of seeds"
        )
        return f"{text}, +-{self.interval:.2%} (95 % interval over {len(self.seeds)} seeds): {shown}"


@dataclass(frozen=True)
class ConvergencePoint:
    """Relative distance (root of noise over signal) from float64 with F fraction bits everywhere, by tensor."""

    fraction_bits: int
    errors: dict[str, float]


class FindingKind(StrEnum):
    """What a finding is about, the gravest first."""

    OVERFLOW = "overflow"
    UPDATE_LOST = "update lost"
    SATURATION = "saturation"
    SPIKES = "spikes"
    UNDERFLOW = "underflow"
    BIAS = "bias"
    TABLE = "table"
    RANGE = "range"
    HEADROOM = "headroom"
    FOLLOWS = "follows"
    SAVING = "saving"


@dataclass(frozen=True)
class Finding:
    """What to change, in one sentence with its numbers; `key` and `value` are the precision setting that would do it.

    `gain_bits` is the SQNR that it would win, in bits of 6.02 dB, or None where SQNR is not the point.
    """

    kind: FindingKind
    layer: int
    tensor: str
    sentence: str
    key: str = ""
    value: str = ""
    gain_bits: float | None = None


@dataclass(frozen=True)
class NumericsResult:
    """A whole comparison; `source` says whose parameters, `description` which samples and passes."""

    workload: str
    workload_hash: str
    rule: str
    seed: int
    source: str
    split: str
    samples: int
    time_steps: int
    guard_bits: int
    layers: tuple[str, ...]
    tensors: tuple[TensorNumerics, ...]
    spikes: tuple[SpikeNumerics, ...]
    gradients: tuple[GradientNumerics, ...]
    tables: tuple[TableNumerics, ...]
    inference: InferenceNumerics | None
    overflow_counts: dict[str, int]
    findings: tuple[Finding, ...]
    gap: AccuracyGap | None = None
    convergence: tuple[ConvergencePoint, ...] = ()
    untrained: bool = False

    def tensor(self, layer: int, name: str) -> TensorNumerics:
        """One tensor of one layer."""
        return next(item for item in self.tensors if item.layer == layer and item.tensor == name)
