"""Structure steps of a training: budgets are met to the synapse, and stopping changes no bit."""

import numpy as np
import pytest

from nmsim.errors import ConfigError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.layers import Dense
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.protocol import Batch, UpdateRates
from nmsim.stop.spec import TrainingSpec
from nmsim.structure.spec import StructureSpec
from nmsim.structure.update_schedule import StructureSchedule

NETWORK = NetworkSpec(input_shape=(12,), time_steps=3, layers=(Dense(units=9), Dense(units=3)))
INPUT = QFormat.parse("u8.8")
RATES = UpdateRates(0.25, 0.01, 0.001)


def engine(training: TrainingSpec | None = None, **settings: object) -> FixedEngine:
    plan = StructureSchedule(StructureSpec(**settings), updates_per_epoch=4)
    chosen = training or TrainingSpec(batch_size=4)
    return FixedEngine(NETWORK, Precision(), chosen, INPUT, 5, structure=plan, workers=1)


def batch(number: int, size: int = 4) -> Batch:
    rng = np.random.default_rng(number)
    return Batch(rng.integers(0, 256, (size, 1, 12)), INPUT, rng.integers(0, 3, size), number * size)


def absent(own: FixedEngine) -> list[int]:
    return [0 if mask is None else int((~mask).sum()) for mask in own.parameters.mask]


def test_pruning_meets_its_budget_to_the_synapse() -> None:
    own = engine(method="prune", sparsity=0.7, begin_epoch=0.5, end_epoch=1, every_updates=1)
    for number in range(4):
        own.train_batch(batch(number), RATES)
    assert absent(own) == [7 * 108 // 10, 7 * 27 // 10]
    assert all(not w[~m].any() for w, m in zip(own.parameters.weights, own.parameters.mask, strict=True))


def test_growth_starts_sparse_and_ends_at_its_budget() -> None:
    own = engine(method="grow", sparsity=0.5, initial_sparsity=0.9, end_epoch=1, every_updates=1)
    assert absent(own) == [9 * 108 // 10, 9 * 27 // 10]
    for number in range(4):
        own.train_batch(batch(number), RATES)
    assert absent(own) == [54, 13]


@pytest.mark.parametrize("grow_by", ["gradient", "random"])
def test_an_exchange_keeps_the_budget_and_changes_the_mask(grow_by: str) -> None:
    own = engine(method="prune_and_grow", sparsity=0.6, grow_by=grow_by, end_epoch=2, every_updates=1)
    before = [mask.copy() for mask in own.parameters.mask]
    counts = absent(own)
    for number in range(4):
        own.train_batch(batch(number), RATES)
    assert absent(own) == counts
    assert any((a != b).any() for a, b in zip(before, own.parameters.mask, strict=True))


def test_blocks_go_as_a_whole() -> None:
    own = engine(
        method="prune", sparsity=0.5, schedule="one_shot", pattern={"kind": "blocks", "rows": 3, "columns": 3}
    )
    own.train_batch(batch(0), RATES)
    mask = own.parameters.mask[0].reshape(3, 3, 4, 3)
    assert (mask.all(axis=(1, 3)) | ~mask.any(axis=(1, 3))).all()
    assert mask.mean() == 0.5


def test_two_of_four_stay_in_every_group() -> None:
    own = engine(method="prune", schedule="one_shot", pattern={"kind": "n_of_m", "keep": 2, "group": 4})
    own.train_batch(batch(0), RATES)
    assert (own.parameters.mask[0].reshape(9, 3, 4).sum(axis=2) == 2).all()


def test_a_global_ranking_removes_the_smallest_weights_of_all_layers() -> None:
    own = engine(method="prune", sparsity=0.4, schedule="one_shot", scope="global")
    weights = np.concatenate([np.abs(w.astype(int)).ravel() for w in own.parameters.weights])
    own.train_batch(batch(0), UpdateRates(0, 0, 0))
    mask = np.concatenate([m.ravel() for m in own.parameters.mask])
    assert (~mask).sum() == 4 * 135 // 10
    assert weights[~mask].max() <= weights[mask].min()


def test_a_run_goes_on_from_its_state_to_the_same_bits() -> None:
    settings = {"method": "prune_and_grow", "sparsity": 0.6, "end_epoch": 2, "every_updates": 2}
    whole, first, second = (engine(**settings) for _ in range(3))
    for number in range(6):
        whole.train_batch(batch(number), RATES)
        (first if number < 3 else second).train_batch(batch(number), RATES)
        if number == 2:
            second.restore(first.state())
    for name, array in whole.state().items():
        assert (array == second.state()[name]).all(), name


def test_gradients_that_are_not_kept_cannot_rank() -> None:
    training = TrainingSpec(batch_size=1, update="in_place")
    with pytest.raises(
        ConfigError, match=r"training\.update 'in_place' keeps none; use update accumulate, or"
    ):
        engine(training, method="prune_and_grow", sparsity=0.5)


def test_layers_that_do_not_exist_cannot_stay_dense() -> None:
    with pytest.raises(
        ConfigError, match=r"structure.dense_layers: there is no layer 2; use numbers .*, 0..1"
    ):
        engine(method="prune", sparsity=0.5, dense_layers=(2,))
