"""The precision section that all findings together ask for."""

from collections.abc import Iterable
from typing import Any

import yaml

from nmsim.network.precision import LayerPrecision, Precision
from nmsim.validate.numerics.measured import Finding

PLAIN = ("threshold_rounding", "weight_used")
"""Settings that are one value and not a record with a format."""


def advised_precision(given: Precision, findings: Iterable[Finding]) -> Precision:
    """The given section after doing what findings say, the gravest first.

    Where several change the format of one setting the first counts; changed roundings and tables are kept beside it, as
    is everything that no finding names.
    """
    layers = dict(given.layers)
    changed: set[tuple[int, str, str]] = set()
    for finding in findings:
        layer, setting = finding.layer, finding.key.rpartition(".")[2]
        override = layers.get(layer, LayerPrecision())
        old, value = getattr(override, setting) or getattr(given, setting), yaml.safe_load(finding.value)
        if setting not in PLAIN:
            own: dict[str, Any] = old.model_dump(mode="json")
            asked = value if isinstance(value, dict) else {"format": value}
            new = {k: v for k, v in asked.items() if v != own[k] and (layer, setting, k) not in changed}
            changed |= {(layer, setting, name) for name in new}
            value = own | new
        layers[layer] = LayerPrecision.model_validate(override.model_dump(mode="json") | {setting: value})
    return given.model_copy(update={"layers": layers})
