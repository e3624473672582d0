"""What to change: findings follow from measured values, and doing what they say wins what they promise."""

import copy
from typing import Any

from small_networks import DENSE, POOLED, batch, chip

from nmsim.config import Document, parse_text
from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.validate.numerics.advice import advise
from nmsim.validate.numerics.advised import advised_precision
from nmsim.validate.numerics.measured import ComparedWith, Finding, FindingKind
from nmsim.validate.numerics.three_passes import Compared, compare

WIDE_SUMS = {"weight_gradient": "s48", "error": "s48", "current": "s48"}


def measured(network: dict[str, Any], training: dict[str, Any] | None = None, **precision: Any) -> Compared:
    return compare(chip(network, training, **precision), iter([batch(network)]))


def findings(found: Compared, kind: FindingKind, guard_bits: int = 1) -> list[Finding]:
    return [item for item in advise(found, guard_bits, initial=True) if item.kind is kind]


def changed(finding: Finding, **precision: Any) -> dict[str, Any]:
    """The precision section after doing what a finding says, as --set does it."""
    document = Document({"precision": precision}, "test").with_value(f"{finding.key}={finding.value}")
    section: dict[str, Any] = document.data["precision"]
    return section


def everything(found: Compared, **precision: Any) -> dict[str, Any]:
    """The precision section after all findings, as plain data."""
    given = Precision.model_validate(precision)
    return advised_precision(given, advise(found, 1, initial=True)).model_dump(mode="json", exclude_none=True)


def own_db(found: Compared, layer: int, tensor: str) -> float:
    (item,) = [item for item in found.tensors if (item.layer, item.tensor) == (layer, tensor)]
    value = item.errors[ComparedWith.OWN].sqnr_db()
    assert value is not None
    return value


def test_unused_integer_bits_become_fraction_bits() -> None:
    given = {"delta": "s20.13", **WIDE_SUMS}
    before = measured(POOLED, **given)
    proposed = [item for item in findings(before, FindingKind.RANGE) if item.key.endswith("delta")]
    assert {item.layer for item in proposed} == {1, 2}
    for finding in proposed:
        fmt = QFormat.parse(finding.value)
        assert fmt.total_bits == 20
        assert f"use {fmt}" in finding.sentence
        after = measured(POOLED, **changed(finding, **given))
        won = own_db(after, finding.layer, finding.tensor) - own_db(before, finding.layer, finding.tensor)
        assert finding.gain_bits is not None
        assert won > finding.gain_bits * 6.02 - 1.5
        item = next(t for t in after.tensors if (t.layer, t.tensor) == (finding.layer, finding.tensor))
        assert item.unused_bits is not None
        assert item.unused_bits >= 1
        assert not item.spread.saturated.any()


def test_saturation_is_cured_by_what_is_proposed() -> None:
    given = {"membrane": "s12.10", **WIDE_SUMS}
    before = measured(POOLED, **given)
    proposed = findings(before, FindingKind.SATURATION)
    assert proposed
    for finding in proposed:
        assert finding.key == f"precision.layers.{finding.layer}.membrane"
        after = measured(POOLED, **changed(finding, **given))
        own = [item for item in after.tensors if (item.layer, item.setting) == (finding.layer, "membrane")]
        assert not any(item.spread.saturated.any() for item in own)
        assert own_db(after, finding.layer, "membrane") > own_db(before, finding.layer, "membrane") + 6


def underflow(found: Compared, layer: int) -> float:
    own = [item for item in found.tensors if (item.layer, item.setting) == (layer, "delta")]
    return max(item.spread.underflow_rate for item in own)


def test_underflow_is_cured_by_what_is_proposed() -> None:
    given = {"delta": "s12.7", **WIDE_SUMS}
    before = measured(POOLED, **given)
    proposed = [f for f in findings(before, FindingKind.UNDERFLOW) if f.key.endswith("delta")]
    assert proposed
    for finding in proposed:
        after = measured(POOLED, **changed(finding, **given))
        assert underflow(after, finding.layer) < 0.1 < underflow(before, finding.layer)


def test_floor_is_found_by_its_bias() -> None:
    found = findings(measured(POOLED, rounding="floor"), FindingKind.BIAS)
    assert {"membrane", "delta"} <= {item.tensor for item in found}
    for item in found:
        assert "rounding: nearest" in item.value
        assert item.gain_bits is not None
        assert 0.5 < item.gain_bits < 2
    assert not findings(measured(POOLED), FindingKind.BIAS)


def test_lost_updates_are_found_only_where_rounding_loses_them() -> None:
    small = {"learning_rates": {"weight": 0.001, "threshold": 0.0001, "leak": 0.0001}}
    found = findings(
        measured(DENSE, small, weight="s8.5", update_rounding="nearest"), FindingKind.UPDATE_LOST
    )
    assert {(item.layer, item.tensor) for item in found} >= {(0, "weight"), (1, "weight"), (0, "threshold")}
    for item in found:
        section = changed(item, weight="s8.5", update_rounding="nearest")
        again = findings(measured(DENSE, small, **section), FindingKind.UPDATE_LOST)
        assert (item.layer, item.tensor) not in {(other.layer, other.tensor) for other in again}
    assert not findings(measured(DENSE, small, weight="s8.5"), FindingKind.UPDATE_LOST)


def test_overflowing_accumulators_come_first_and_fit_as_proposed() -> None:
    before = measured(POOLED, weight_gradient="s24")
    proposed = findings(before, FindingKind.OVERFLOW)
    assert proposed
    assert advise(before, 1, initial=True)[0].kind is FindingKind.OVERFLOW
    for finding in proposed:
        after = measured(POOLED, **changed(finding, weight_gradient="s24"))
        assert after.overflow_counts[f"layer{finding.layer}.weight_gradient"] == 0


def test_savings_hold_every_sum_and_little_more() -> None:
    network = {**DENSE, "layers": [{"kind": "dense", "units": 200}, {"kind": "dense", "units": 5}]}
    before = measured(network, weight_gradient="s60")
    advised = everything(before, weight_gradient="s60")
    assert not any(measured(network, **advised).overflow_counts.values())
    for layer in (0, 1):
        tight = copy.deepcopy(advised)
        width = int(advised["layers"][str(layer)]["weight_gradient"]["format"].removeprefix("s"))
        assert width < 60
        tight["layers"][str(layer)]["weight_gradient"]["format"] = f"s{width - 3}"
        assert measured(network, **tight).overflow_counts[f"layer{layer}.weight_gradient"] > 0


def test_accumulators_grow_with_operands_that_are_to_change() -> None:
    given = {"delta": "s12.7", "weight_gradient": "s21"}
    before = measured(POOLED, **given)
    assert before.overflow_counts["layer2.weight_gradient"] == 0
    (finding,) = [item for item in findings(before, FindingKind.FOLLOWS) if item.layer == 2]
    assert "has to grow with its operands" in finding.sentence
    operands = everything(before, **given)
    assert measured(POOLED, **operands).overflow_counts["layer2.weight_gradient"] == 0
    del operands["layers"]["2"]["weight_gradient"]
    assert measured(POOLED, **operands).overflow_counts["layer2.weight_gradient"] > 0


def test_all_findings_together_leave_nothing_grave() -> None:
    """Saturation hides what it costs elsewhere, so that a second round finds more; a third finds nothing."""
    section: dict[str, Any] = {
        "rounding": "floor", "membrane": "s12.10", "delta": "s12.7", "weight_gradient": "s17"
    }  # fmt: skip
    grave = {FindingKind.OVERFLOW, FindingKind.SATURATION, FindingKind.UNDERFLOW, FindingKind.BIAS}
    rounds = []
    for _ in range(3):
        before = measured(POOLED, **section)
        rounds.append({item.kind for item in advise(before, 1, initial=True)} & grave)
        section = everything(before, **section)
    assert rounds[0] == grave
    assert not rounds[2]


def test_nothing_is_called_unused_where_something_saturates() -> None:
    found = measured(POOLED, membrane="s12.10", **WIDE_SUMS)
    saturating = {item.layer for item in findings(found, FindingKind.SATURATION)}
    assert saturating
    assert not saturating & {item.layer for item in findings(found, FindingKind.RANGE)}


def test_modes_that_no_finding_names_stay() -> None:
    given = Precision.model_validate({"delta": {"format": "s20.13", "rounding": "floor", "overflow": "wrap"}})
    asked = Finding(FindingKind.RANGE, 0, "delta", "", "precision.layers.0.delta", "s20.16")
    rounding = Finding(
        FindingKind.BIAS, 0, "delta", "", "precision.layers.0.delta", "{format: s20.13, rounding: nearest}"
    )
    later = Finding(FindingKind.HEADROOM, 0, "delta", "", "precision.layers.0.delta", "s20.10")
    own = advised_precision(given, [rounding, asked, later]).layers[0].delta
    assert own is not None
    assert (str(own.format), own.rounding, own.overflow) == ("s20.16", "nearest", "wrap")


def test_values_elsewhere_keep_their_integer_bits() -> None:
    """What a trained chip leaves unused may be what training begins with."""
    given = {"delta": "s20.13", **WIDE_SUMS}
    quiet, loud = measured(POOLED, **given), measured(POOLED, {"loss": "squared_error"}, **given)
    alone, both = advise(quiet, 1, initial=False), advise(quiet, 1, initial=False, elsewhere=loud)
    key = "precision.layers.1.delta"
    values = [next(item.value for item in found if item.key == key) for found in (alone, both)]
    assert values == ["s20.17", "s20.16"]


def test_a_coarse_table_is_found_and_a_fine_one_is_not() -> None:
    before = measured(POOLED)
    proposed = findings(before, FindingKind.TABLE)
    assert sorted(item.layer for item in proposed) == [0, 1, 2]
    for finding in proposed:
        after = measured(POOLED, **changed(finding))
        assert own_db(after, finding.layer, "surrogate") >= 39.9
        assert finding.layer not in {item.layer for item in findings(after, FindingKind.TABLE)}


def test_turned_spikes_are_found_with_a_coarse_membrane() -> None:
    found = findings(measured(POOLED, membrane="s12.4"), FindingKind.SPIKES)
    assert found
    for finding in found:
        after = measured(POOLED, **changed(finding, membrane="s12.4", **WIDE_SUMS))
        (item,) = [item for item in after.spikes if item.layer == finding.layer]
        assert item.rate(ComparedWith.FORCED) < 0.01
    assert not findings(measured(POOLED), FindingKind.SPIKES)


def test_a_full_range_is_named_before_training_widens_it() -> None:
    found = findings(measured(POOLED, delta="s16.15", **WIDE_SUMS), FindingKind.HEADROOM, guard_bits=2)
    assert any(item.key == "precision.layers.2.delta" for item in found)


def test_every_value_is_what_yaml_reads() -> None:
    for finding in advise(measured(POOLED, rounding="floor", weight_gradient="s24"), 1, initial=True):
        assert parse_text(finding.value, "finding").data
