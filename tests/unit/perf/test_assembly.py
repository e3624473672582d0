"""Stages are shared by rules, mappings and dataflows that agree in what a stage looks at, and never by others."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from test_work_outline import CONVOLUTION, DENSE, same, shipped

from nmsim.hardware.dataflow import FLOWS
from nmsim.mapping.automatic import map_network
from nmsim.mapping.deployment import needs_on
from nmsim.mapping.flow import LayerFlow
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf import assembly
from nmsim.perf.assembly import assemble
from nmsim.perf.census import ActivityCensus
from nmsim.perf.outline import outline
from nmsim.perf.stage import Stage, StageKind
from nmsim.validate.synthetic import synthetic_activity

RULES = ("stop-wtl", "stop-w", "stbp", "inference")
KEPT = (assembly._stages, assembly._task, assembly._slices, assembly._setting)


def stages(
    network: NetworkSpec, rule: str, name: str, census: ActivityCensus, *flows: LayerFlow
) -> tuple[Stage, ...]:
    chip = outline(shipped(name))
    mapping = map_network(network, Precision(), TrainingNeeds.for_rule(rule), shipped(name))
    mapping = replace(mapping, flows=flows or (LayerFlow(),) * len(network.synaptic_layers))
    needs = needs_on(TrainingNeeds.for_rule(rule, batch_size=4), chip)[0]
    return assemble(network, Precision(), needs, chip, mapping, census)[1]


@pytest.mark.parametrize("network", [DENSE, CONVOLUTION], ids=["dense", "convolution"])
@pytest.mark.parametrize("name", ["edge-28nm", "single-core-dram-28nm"])
def test_stages_among_others_are_those_of_a_work_alone(network: NetworkSpec, name: str) -> None:
    census = ActivityCensus(network, synthetic_activity(network, 2))
    layers = len(network.synaptic_layers)
    cases = [
        (rule, (LayerFlow(*steps),) * layers)
        for rule, steps in product(RULES, [(FLOWS[0],) * 3, (FLOWS[1], FLOWS[0], FLOWS[0]), (FLOWS[0], *FLOWS[:2])])
    ]  # fmt: skip
    alone = []
    for rule, flows in cases:
        for kept in KEPT:
            kept.cache_clear()
        alone.append(stages(network, rule, name, census, *flows))
    among = [stages(network, rule, name, census, *flows) for rule, flows in reversed(cases)][::-1]
    for one, other in zip(alone, among, strict=True):
        assert len(one) == len(other)
        assert all(same(a, b) for a, b in zip(one, other, strict=True))


def test_rules_that_learn_other_parameters_share_what_does_not_learn() -> None:
    census = ActivityCensus(CONVOLUTION, synthetic_activity(CONVOLUTION, 2))
    one, other = (stages(CONVOLUTION, rule, "edge-28nm", census) for rule in ("stop-wtl", "stop-w"))
    shared = {stage.part for stage in one if any(stage is also for also in other)}
    assert {StageKind.INTEGRATE, StageKind.PROPAGATE, StageKind.COLLECT} <= shared
    # with a delta come the gradients of what a neuron learns
    assert not {StageKind.NEURON, StageKind.DELTA, StageKind.GRADIENT, StageKind.UPDATE} & shared


def test_dataflows_share_what_they_do_not_order() -> None:
    census = ActivityCensus(CONVOLUTION, synthetic_activity(CONVOLUTION, 2))
    weights, inputs = (LayerFlow(flow, "weight_stationary", "weight_stationary") for flow in FLOWS[:2])
    one, other = (
        stages(CONVOLUTION, "stop-wtl", "edge-28nm", census, flow, flow) for flow in (weights, inputs)
    )
    apart = {stage.part for stage in one if not any(stage is also for also in other)}
    assert apart == {StageKind.INTEGRATE, StageKind.NEURON}


def test_boxes_are_counted_once_and_not_changed() -> None:
    census = ActivityCensus(CONVOLUTION, synthetic_activity(CONVOLUTION, 2))
    mask, box = census.layers[0].spikes, tuple(np.array([bound]) for bound in (0, 2, 1, 4))
    assert mask.count(*box) is mask.count(*(bound.copy() for bound in box))
    assert not np.array_equal(mask.count(*box), mask.count(box[0], box[1], box[2], box[3] + 1))
