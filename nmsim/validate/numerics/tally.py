"""Running sums over samples of one tensor: errors against each reference, and the spread of its exact values."""

import numpy as np

from nmsim.fixedpoint.format import QFormat
from nmsim.stop.protocol import FloatArray
from nmsim.validate.numerics.error_sums import EXPONENTS, FIRST_EXPONENT, ErrorSums, Spread
from nmsim.validate.numerics.measured import ComparedWith, TensorNumerics

SHIFTS = range(-8, 13)
"""Positions of the binary point that are tried, relative to the format's own."""


class Tally:
    """One tensor of one layer; arrays are `(S, T, n)` of real numbers."""

    def __init__(
        self, layer: int, tensor: str, setting: str, fmt: QFormat, rounding: str, time_steps: int
    ) -> None:
        self.layer, self.tensor, self.setting = layer, tensor, setting
        self.format, self.rounding, self._steps = fmt, rounding, time_steps
        self._sums = {reference: np.zeros((6, time_steps)) for reference in ComparedWith}
        self._seen: set[ComparedWith] = set()
        self._exponents = np.zeros(EXPONENTS, np.int64)
        self._words, self._zeros, self._low, self._high = 0, 0, 0.0, 0.0
        self._outside = np.zeros((2, time_steps), np.int64)
        self._noise = dict.fromkeys((fmt.fraction_bits + shift for shift in SHIFTS), 0.0)

    def add(self, chip: FloatArray, references: dict[ComparedWith, FloatArray]) -> None:
        """Take more samples: what the chip stored, and what each reference has in its place."""
        for reference, values in references.items():
            self._seen.add(reference)
            self._compare(self._sums[reference], chip, values)
        self._words = chip.shape[2]
        self._spread(chip, references[ComparedWith.OWN])

    def _compare(self, sums: FloatArray, chip: FloatArray, reference: FloatArray) -> None:
        difference = chip - reference
        in_lsb = np.abs(difference) / self.format.lsb
        axes = (0, 2)
        sums[0] += chip.shape[0] * chip.shape[2]
        sums[1] += np.square(reference).sum(axis=axes)
        sums[2] += np.square(difference).sum(axis=axes)
        sums[3] += in_lsb.sum(axis=axes)
        sums[4] += difference.sum(axis=axes) / self.format.lsb
        np.maximum(sums[5], in_lsb.max(axis=axes), out=sums[5])

    def _spread(self, chip: FloatArray, exact: FloatArray) -> None:
        nonzero = exact != 0
        found = exact[nonzero]
        places = np.frexp(found)[1] - 1 - FIRST_EXPONENT
        self._exponents += np.bincount(np.clip(places, 0, EXPONENTS - 1), minlength=EXPONENTS)
        self._zeros += exact.size - found.size
        self._low = min(self._low, float(exact.min(initial=0.0)))
        self._high = max(self._high, float(exact.max(initial=0.0)))
        lsb = self.format.lsb
        outside = (exact >= (self.format.max_raw + 0.5) * lsb) | (exact < (self.format.min_raw - 0.5) * lsb)
        if self.setting != "surrogate":  # whose table clips to its largest entry by definition
            self._outside[0] += outside.sum(axis=(0, 2))
        self._outside[1] += (nonzero & (chip == 0)).sum(axis=(0, 2))
        for bits in self._noise:
            scaled = found * 2.0**bits
            self._noise[bits] += float(np.square(np.rint(scaled) - scaled).sum()) * 4.0**-bits

    def record(self) -> TensorNumerics:
        """The sums as a record."""
        errors = {
            reference: ErrorSums(sums[0].astype(np.int64), *sums[1:])
            for reference, sums in self._sums.items()
            if reference in self._seen
        }
        spread = Spread(
            self._exponents,
            self._zeros,
            self._low,
            self._high,
            self._outside[0],
            self._outside[1],
            self._noise,
        )
        return TensorNumerics(
            self.layer, self.tensor, self.setting, self.format, self.rounding, self._words, errors, spread
        )
