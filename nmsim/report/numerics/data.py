"""A comparison with float64 as plain data for JSON: every table, with what it was measured on."""

import json
from collections.abc import Mapping
from typing import Any

from nmsim.report.numerics.tables import tables
from nmsim.validate.numerics.measured import NumericsResult

SCHEMA = "nmsim/validation-1"


def validation_text(result: NumericsResult, versions: Mapping[str, str]) -> str:
    """Content of `validation.json`."""
    return json.dumps(validation_data(result, versions), indent=2, allow_nan=False) + "\n"


def validation_data(result: NumericsResult, versions: Mapping[str, str]) -> dict[str, Any]:
    """Plain data; SQNR is the text `exact` where nothing differs, and null where there is no signal."""
    inference, gap = result.inference, result.gap
    return {
        "schema": SCHEMA,
        "workload": result.workload,
        "workload_hash": result.workload_hash,
        "rule": result.rule,
        "seed": result.seed,
        "parameters": result.source,
        "untrained": result.untrained,
        "split": result.split,
        "samples": result.samples,
        "time_steps": result.time_steps,
        "guard_bits": result.guard_bits,
        "layers": list(result.layers),
        "inference": inference and {
            "samples": inference.samples, "fixed_correct": inference.fixed_correct,
            "float64_correct": inference.real_correct, "same_prediction": inference.same_prediction,
        },
        "accuracy_gap": gap and {
            "description": gap.description, "mean": gap.mean, "deviation": gap.deviation, "interval_95": gap.interval,
        },
        **{table.name.replace("-", "_"): table.records() for table in tables(result)},
        "versions": dict(versions),
    }  # fmt: skip
