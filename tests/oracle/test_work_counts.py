"""The vectorised work against its slow twin, on random designs with every option."""

from collections import Counter
from functools import cache
from itertools import product

import numpy as np
import pytest
from work_twin import Twin

from nmsim.counts import Action, ActionCounts, Phase
from nmsim.perf.stage import StageKind
from nmsim.perf.work import StepWork
from nmsim.validate.designs import DrawnDesign, random_design

SEEDS = range(16)


def by_core(counts: ActionCounts, *actions: Action) -> Counter[tuple[int, int, int]]:
    total: Counter[tuple[int, int, int]] = Counter()
    for row in range(len(counts)):
        if counts.columns["action"][row] in actions:
            for s, count in enumerate(counts.counts[row].tolist()):
                key = (int(counts.columns["layer"][row]), int(counts.columns["core"][row]), s)
                total[key] += count
    return total


def stages(work: StepWork, *parts: StageKind) -> ActionCounts:
    blocks = [block for stage in work.stages if stage.part in parts for block in stage.blocks]
    return ActionCounts.from_blocks(blocks, work.samples)


def passes(design: DrawnDesign) -> int:
    """Forward passes: two where STBP recomputes."""
    recompute = design.job.needs.carries == "history" and design.job.chip.options.stbp_history == "recompute"
    return 2 if recompute else 1


@cache
def made(seed: int) -> tuple[DrawnDesign, StepWork, Twin]:
    """A design, its work and its twin; a module's fixture would be made again wherever the order changes the seed."""
    design = random_design(seed)
    return design, design.work(), Twin(design)


@pytest.fixture(params=SEEDS)
def case(request: pytest.FixtureRequest) -> tuple[DrawnDesign, StepWork, Twin]:
    return made(request.param)


def test_synaptic_operations_of_every_core(case: tuple[DrawnDesign, StepWork, Twin]) -> None:
    design, work, twin = case
    found = by_core(stages(work, StageKind.INTEGRATE), Action.SOP, Action.MAC)
    assert found == Counter({key: n * passes(design) for key, n in twin.integrate.items() if n})
    assert by_core(stages(work, StageKind.INTEGRATE), Action.SYNAPTIC_OP) == found


def test_transposed_products_of_every_core(case: tuple[DrawnDesign, StepWork, Twin]) -> None:
    _, work, twin = case
    assert by_core(stages(work, StageKind.PROPAGATE), Action.MAC) == +twin.error


def test_gradient_pairs_of_every_core(case: tuple[DrawnDesign, StepWork, Twin]) -> None:
    _, work, twin = case
    found = by_core(stages(work, StageKind.GRADIENT, StageKind.OUTER_PRODUCT), Action.SYNAPTIC_UPDATE)
    assert found == +twin.pairs


def deliveries(work: StepWork, part: StageKind) -> Counter[tuple[int, int, int, int]]:
    """Packets of a part by (layer, source core, target core, sample)."""
    found: Counter[tuple[int, int, int, int]] = Counter()
    for stage in work.stages:
        if stage.part is part and stage.traffic is not None:
            for flow, (source, targets) in enumerate(
                zip(stage.traffic.source, stage.traffic.targets, strict=True)
            ):
                for target, s in product(targets, range(work.samples)):
                    sent = int(stage.traffic.packets[flow, s].sum())
                    found[stage.layer, int(source), target, s] += sent
    return +found


def test_every_spike_reaches_every_core_that_needs_it_once(case: tuple[DrawnDesign, StepWork, Twin]) -> None:
    design, work, twin = case
    expected = Counter({key: n * passes(design) for key, n in twin.spikes.items() if n})
    assert deliveries(work, StageKind.INTEGRATE) == expected


def test_deltas_reach_the_other_cores_of_a_split_fan_in(case: tuple[DrawnDesign, StepWork, Twin]) -> None:
    _, work, twin = case
    assert deliveries(work, StageKind.DISTRIBUTE) == +twin.shared_deltas


def test_cores_of_the_output_layer_exchange_how_many_fired(case: tuple[DrawnDesign, StepWork, Twin]) -> None:
    _, work, twin = case
    assert deliveries(work, StageKind.NORMALISE) == +twin.spike_counts


def test_some_designs_split_their_fan_in_and_their_output() -> None:
    """Else the two tests above would compare nothing with nothing."""
    assert any(made(seed)[2].shared_deltas for seed in SEEDS)
    assert any(made(seed)[2].spike_counts for seed in SEEDS)


def test_flit_hops_are_the_sum_of_route_lengths(case: tuple[DrawnDesign, StepWork, Twin]) -> None:
    design, work, _ = case
    grid, tile = work.machine.links.grid, work.machine.tile.tolist()
    for stage in work.stages:
        if stage.traffic is None:
            continue
        crossed = 0
        for source, targets, packets in zip(
            stage.traffic.source.tolist(),
            stage.traffic.targets,
            stage.traffic.packets.sum(axis=(1, 2)),
            strict=True,
        ):
            start = 0 if source < 0 else tile[source]
            routes = [grid.route(start, tile[target]) for target in targets]
            links = (
                sum(map(len, routes))
                if design.job.chip.noc.casting == "unicast"
                else len(set().union(*routes))
            )
            crossed += links * int(packets) * stage.traffic.flits
        counts = ActionCounts.from_blocks(stage.blocks, work.samples)
        found = counts.total(action=Action.FLIT_HOP) // (work.samples if stage.cadence == "batch" else 1)
        assert found == crossed


def test_every_weight_is_updated_once_per_batch(case: tuple[DrawnDesign, StepWork, Twin]) -> None:
    design, work, _ = case
    if not design.job.needs.trains:
        assert not len(work.counts.select(phase=Phase.UPDATE))
        return
    updates = work.counts.select(phase=Phase.UPDATE, action=Action.MULTIPLY)
    assert updates.per_batch.all()
    weights = updates.counts[updates.columns["bits_b"] == 32].sum(axis=0)  # width of a weight gradient
    in_place = design.job.chip.options.weight_gradient == "in_place"
    every = sum(layer.weights for layer in design.job.network.synaptic_layers)
    if design.job.chip.options.skip.gradients == "none":
        assert (weights == (0 if in_place else every)).all()
    else:  # only rows of inputs that had a trace
        assert (weights <= (0 if in_place else every)).all()


def test_counts_are_additive_over_stages(case: tuple[DrawnDesign, StepWork, Twin]) -> None:
    _, work, _ = case
    for column in ("phase", "layer", "core", "component"):
        parts = [
            work.counts.select(**{column: value}).counts for value in np.unique(work.counts.columns[column])
        ]
        assert (sum(part.sum(axis=0) for part in parts) == work.counts.counts.sum(axis=0)).all()
