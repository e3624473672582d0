"""The search of a mapping: against policies and against trying everything; the same every time."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from nmsim import capacity
from nmsim.activity import Activity
from nmsim.cost.table import load_table
from nmsim.errors import ConfigError, DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.dataflow import FLOWS
from nmsim.mapper import mapping_search
from nmsim.mapper.costing import Coster
from nmsim.mapper.mapping_search import Searched, search_mapping
from nmsim.mapping.automatic import finished, map_network
from nmsim.mapping.flow import LayerFlow
from nmsim.mapping.partition import LayerCut
from nmsim.mapping.task import Task
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.validate.designs import DrawnDesign, random_design
from nmsim.validate.synthetic import synthetic_activity

COSTS = load_table("cmos")


def priced(design: DrawnDesign, **options: Any) -> ChipConfig:
    """A random chip that the price table knows and whose clock any memory keeps."""
    chip = design.job.chip.model_dump(mode="json", exclude_none=True)
    chip |= {"technology": "cmos", "clock_hz": 1e7}
    chip["options"] |= {"spread": "searched", "dataflow": {}, **options}
    return ChipConfig.model_validate(chip)


def searched(design: DrawnDesign, chip: ChipConfig, **options: Any) -> Searched:
    return search_mapping(
        design.job.network, Precision(), design.job.needs, design.activity, chip, COSTS, **options
    )


@pytest.mark.parametrize(("seed", "objective"), [(2, "energy"), (5, "latency"), (11, "edp")])
def test_no_policy_is_better(seed: int, objective: Any) -> None:
    design = random_design(seed)
    found = searched(design, priced(design), objective=objective)
    assert found.policies
    assert all(found.gain(policy) >= 1 for policy in found.policies)
    assert [len(found.mapping.flows)] == [len(design.job.network.synaptic_layers)]


def test_the_same_input_gives_the_same_mapping() -> None:
    design = random_design(5)
    first, second = (searched(design, priced(design), effort="quick") for _ in range(2))
    assert first.mapping == second.mapping
    assert first.tried == second.tried


def test_a_machine_of_very_many_cores_is_searched_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    design = random_design(5)
    quick, full = searched(design, priced(design), effort="quick"), searched(design, priced(design))
    monkeypatch.setattr(mapping_search, "MOST_SEARCHED", 1)
    bounded = searched(design, priced(design))
    assert (bounded.tried, bounded.mapping.content_hash()) == (quick.tried, quick.mapping.content_hash())
    assert bounded.tried < full.tried


def test_more_cores_and_samples_than_memory_holds_are_refused_before_they_are_mapped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    design = random_design(5)
    chip = priced(design)
    wide = chip.model_copy(update={"mesh": chip.mesh.model_copy(update={"columns": 4000, "rows": 4})})
    monkeypatch.setattr(capacity, "available_bytes", lambda: 1_000_000_000)
    with pytest.raises(
        ConfigError,
        match=r"samples on [\d,]+ cores needs [\d.]+ GB of memory, and 1\.0 GB are free; use a smaller mesh",
    ):
        searched(design, wide)


def test_what_the_chip_prescribes_stays() -> None:
    design = random_design(5)
    flows = dict.fromkeys(("integrate", "error", "gradient"), "input_stationary")
    found = searched(design, priced(design, spread="compact", dataflow=flows))
    assert list(found.policies) == ["compact"]
    assert set(found.mapping.flows) == {LayerFlow(*flows.values())}
    assert found.gain("compact") == 1


def test_the_sentence_says_what_was_chosen_and_what_it_beat() -> None:
    design = random_design(5)
    found = searched(design, priced(design), effort="quick")
    assert found.sentence.startswith(f"mapping searched for edp, {found.tried} tried: cores by layer ")
    assert f"balanced {found.gain('balanced'):.2f}x" in found.sentence
    assert found.mapping.chosen == found.sentence


@pytest.mark.parametrize("seed", range(12))
def test_lower_bounds_are_never_above_what_a_mapping_costs(seed: int) -> None:
    design = random_design(seed)
    for schedule in ("sequential", "overlapped", "pipelined"):
        chip, job = priced(design, schedule=schedule), design.job
        price = Coster(job.network, Precision(), job.needs, design.activity, chip, COSTS)
        try:
            mappings = [
                map_network(job.network, Precision(), job.needs, chip, spread=spread, remedies=False)
                for spread in mapping_search.POLICIES
            ]
        except DoesNotFitError:
            continue
        for mapping, flow in product(mappings, FLOWS):
            flows = (LayerFlow(flow, flow, flow),) * len(job.network.synaptic_layers)
            least = price(replace(mapping, flows=flows), lambda _: True)
            cost = price(replace(mapping, flows=flows), lambda _: False)
            assert (least.bound, cost.bound) == (True, False)
            assert least.parts == cost.parts
            for objective in ("energy", "latency", "edp"):
                assert least.value(objective) <= cost.value(objective)  # to the last bit


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("schedule", ["sequential", "pipelined"])
def test_bounds_refuse_mappings_and_change_none_that_is_found(
    seed: int, schedule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = random_design(seed)
    chip = priced(design, schedule=schedule)
    try:
        found = searched(design, chip, effort="quick")
    except DoesNotFitError:
        return
    monkeypatch.setattr(mapping_search._Search, "_cannot_win", lambda *_: False)
    exact = searched(design, chip, effort="quick")
    assert found.mapping.flows == exact.mapping.flows
    assert found.mapping.slices == exact.mapping.slices
    assert (found.cost.value("edp"), found.tried) == (exact.cost.value("edp"), exact.tried)
    for policy, cost in found.policies.items():
        assert found.gain(policy) <= exact.gain(policy)
        assert cost.bound or found.gain(policy) == exact.gain(policy)
        assert (f"{policy} at least " in found.sentence) == cost.bound
        assert "at least" not in exact.sentence


def test_a_full_search_says_exactly_what_it_beat() -> None:
    design = random_design(5)
    assert not any(cost.bound for cost in searched(design, priced(design)).policies.values())


def small() -> tuple[NetworkSpec, TrainingNeeds, Activity, ChipConfig]:
    network = NetworkSpec.model_validate(
        {"input_shape": [24], "time_steps": 3,
         "layers": [{"kind": "dense", "units": 20}, {"kind": "dense", "units": 6}]}
    )  # fmt: skip
    design = random_design(5)
    core = {
        "accumulate_lanes": 4, "mac_lanes": 4, "neuron_slots": 64,
        "memories": [
            {"name": "sums", "holds": ["accumulator"], "words": 4, "word_bits": 32, "kind": "registers", "banks": 4},
            {"name": "weights", "holds": ["weight"], "words": 1024, "word_bits": 64},
            {"name": "state", "words": 4096, "word_bits": 64,
             "holds": ["membrane", "spike", "threshold", "threshold_gradient", "weight_trace", "threshold_trace",
                       "leak_trace", "delta", "accumulator", "input", "weight_gradient", "velocity"]},
        ],
    }  # fmt: skip
    chip = priced(design).model_dump(mode="json", exclude_none=True)
    chip |= {"core_types": [core], "mesh": {"columns": 2, "rows": 2}, "chips": {}, "options": {}}
    needs = TrainingNeeds.for_rule("stop-wtl", batch_size=4)
    activity = synthetic_activity(network, 1, rule="stop-wtl")
    return network, needs, activity, ChipConfig.model_validate(chip)


def test_within_three_percent_of_trying_everything() -> None:
    network, needs, activity, chip = small()
    found = search_mapping(network, Precision(), needs, activity, chip, COSTS, objective="energy")
    task, price = (
        Task.of(network, Precision(), needs, chip),
        Coster(network, Precision(), needs, activity, chip, COSTS),
    )
    best = np.inf
    for counts in product(range(1, 5), repeat=2):
        partition = task.solve(tuple(LayerCut(count) for count in counts))
        assert partition is not None
        mapping = finished(task, partition, movable=True)
        # a dense layer holds inputs or outputs; phases do not meet, and the second layer's errors are the only ones
        for flows in product(FLOWS[:2], repeat=3):
            first, second, errors = flows
            chosen = (LayerFlow(first, errors), LayerFlow(second, errors))
            best = min(best, price(replace(mapping, flows=chosen)).energy_j)
    assert found.cost.energy_j <= 1.03 * best


def test_a_network_that_fits_no_way_is_refused() -> None:
    network, needs, activity, chip = small()
    tiny = chip.model_dump(mode="json", exclude_none=True)
    tiny.pop("dram", None)
    tiny["core_types"][0]["memories"][1]["words"] = 1
    with pytest.raises(DoesNotFitError, match="does not fit"):
        search_mapping(network, Precision(), needs, activity, ChipConfig.model_validate(tiny), COSTS)
