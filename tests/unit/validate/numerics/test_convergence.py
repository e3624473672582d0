"""Convergence to float64: errors halve with every fraction bit, down to float64's own noise."""

from itertools import pairwise

import pytest
from small_networks import batch, chip

from nmsim.network.precision import Precision
from nmsim.validate.numerics.convergence import converge, wide_precision
from nmsim.validate.numerics.measured import ComparedWith, ConvergencePoint

NETWORK = {
    "input_shape": [1, 8, 8],
    "time_steps": 4,
    "neuron": {"leak_factor": 0.6, "surrogate": "rectangle"},
    "layers": [
        {"kind": "conv", "channels": 3, "kernel": 3, "padding": 1},
        {"kind": "avg_pool", "size": 2},
        {"kind": "dense", "units": 12},
        {"kind": "dense", "units": 5},
    ],
}
BITS = (12, 20, 28, 36, 40)


def points(reference: ComparedWith) -> list[ConvergencePoint]:
    """The rectangle jumps at a bin's edge, so that its table is exact: what converges is the arithmetic."""
    own = chip(NETWORK)
    assert own.real is not None
    return list(converge(own, own.real, batch(NETWORK, 2), BITS, reference))


@pytest.mark.parametrize("reference", [ComparedWith.FORCED, ComparedWith.FREE])
def test_every_error_halves_per_bit_from_12_to_40_fraction_bits(reference: ComparedWith) -> None:
    found = points(reference)
    for tensor in found[0].errors:
        for one, next_one in pairwise(found):
            bits = next_one.fraction_bits - one.fraction_bits
            per_bit = (next_one.errors[tensor] / one.errors[tensor]) ** (1 / bits)
            assert 0.4 < per_bit < 0.62, (tensor, one.fraction_bits)
        whole = (found[-1].errors[tensor] / found[0].errors[tensor]) ** (1 / (BITS[-1] - BITS[0]))
        assert whole == pytest.approx(0.5, abs=0.02), tensor
    assert max(found[-1].errors.values()) < 1e-9


def test_wide_formats_keep_modes_and_table_sizes() -> None:
    base = Precision.model_validate(
        {"rounding": "floor", "overflow": "wrap", "surrogate": {"format": "u8.8", "entries": 32, "range": 4}}
    )
    wide = wide_precision(base, 20)
    assert (str(wide.rounding), str(wide.overflow)) == ("floor", "wrap")
    assert (wide.surrogate.entries, wide.surrogate.range, str(wide.surrogate.format)) == (32, 4, "u20.20")
    assert str(wide.resolve(0).delta.format) == "s30.20"
