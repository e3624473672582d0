"""Profile: which samples of a workload are recorded, and their activity under its rule and under STBP."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.activity import Activity
from nmsim.datasets.split import stratified
from nmsim.rules import BASELINE
from nmsim.stop.engines import real_parameters
from nmsim.stop.protocol import Engine
from nmsim.stop.record_activity import record_activity
from nmsim.stop.stbp.engine import StbpEngine
from nmsim.workload import EncodedSplit, Prepared


def profile_samples(prepared: Prepared) -> NDArray[np.int64]:
    """Numbers of the profiled samples in their split: of every class its share, the first ones."""
    profile = prepared.workload.profile
    split: EncodedSplit = getattr(prepared, profile.split)
    return stratified(split.split.y, min(profile.samples, len(split)))


def profile_activities(engine: Engine, prepared: Prepared) -> dict[str, Activity]:
    """The profile under the workload's rule and, for a STOP rule, under STBP with the same parameters."""
    return recorded_activities(engine, prepared, prepared.workload.profile.split, profile_samples(prepared))


def recorded_activities(
    engine: Engine,
    prepared: Prepared,
    part: str,
    chosen: NDArray[np.int64],
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Activity]:
    """Activity of the samples `chosen (S,)` of the part `train` or `test` with the engine's parameters as they are.

    Under the workload's rule and, for a STOP rule, under STBP as well; `extra` joins the note that each carries.
    """
    workload = prepared.workload
    split: EncodedSplit = prepared.training_samples if part == "train" else prepared.test
    meta = {
        "split": part,
        "dataset": workload.dataset.name,
        "workload": workload.name,
        **(extra or {}),
    }
    rule = workload.training.rule
    origin = workload.training.arithmetic
    batch = split.batch(chosen, 0)
    first = record_activity(
        engine, batch, chosen, prepared.input_format, rule=rule.name, origin=origin, meta=meta
    )
    found = {rule.profile: first}
    if not rule.through_time:
        training = workload.training.model_copy(
            update={"rule": BASELINE, "arithmetic": "float64", "update": "accumulate"}
        )
        equal_terms = workload.precision if workload.training.arithmetic == "fixed" else None
        twin = StbpEngine(workload.network, training, precision=equal_terms)
        twin.parameters = real_parameters(engine, workload.precision)
        how = ", deltas rounded to their format" if equal_terms else ""
        note = {**meta, "note": f"float64 STBP pass with the parameters that {rule} trained{how}"}
        found[BASELINE.profile] = record_activity(
            twin, batch, chosen, prepared.input_format, rule=BASELINE.name, origin="float64", meta=note
        )
    return found
