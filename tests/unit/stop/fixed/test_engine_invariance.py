"""The same integers, however a batch is executed."""

from typing import Any

import numpy as np
import pytest
from small_runs import DENSE, MAPS, RATES, batches, engine, outcome, train

from nmsim.network.spec import NetworkSpec
from nmsim.stop.fixed import accumulate, rates, shapes, updater
from nmsim.stop.fixed.accumulate import Accumulator

EXECUTIONS: list[dict[str, Any]] = [
    {"workers": 1, "max_samples_in_flight": 1},
    {"workers": 1, "max_samples_in_flight": 3},
    {"workers": 2, "max_samples_in_flight": 2},
    {"workers": 3},
    {"workers": 1, "storage": np.int32},
    {"workers": 1, "storage": object, "max_samples_in_flight": 5},
]
NOISY = {"rounding": "stochastic", "update_rounding": "stochastic"}
TIGHT = NOISY | {"weight_gradient": "s19", "threshold_gradient": "s18", "leak_gradient": "s19"}
WRAPPING = NOISY | {"overflow": "wrap", "weight_gradient": "s17", "current": "s20", "error": "s20"}
SHADOW = {"weight": "s16.13", "weight_used": "s6.4", "membrane": "s12.8", "delta": "s10.9"}


@pytest.mark.parametrize("execution", EXECUTIONS, ids=str)
@pytest.mark.parametrize(
    "precision", [{}, NOISY, TIGHT, WRAPPING, SHADOW], ids=["usual", "noisy", "tight", "wrap", "shadow"]
)
@pytest.mark.parametrize("network", [DENSE, MAPS], ids=["dense", "maps"])
def test_execution_changes_no_bit(
    network: NetworkSpec,
    precision: dict[str, Any],
    execution: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accumulate, "MINIMUM_MACS", 1)
    given = batches(network, 2, 8)
    plain = train(engine(network, precision, momentum=0.5), given)
    assert train(engine(network, precision, momentum=0.5, engine=execution), given) == plain


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("precision", [{}, NOISY, TIGHT, WRAPPING], ids=["usual", "noisy", "tight", "wrap"])
@pytest.mark.parametrize("network", [DENSE, MAPS], ids=["dense", "maps"])
def test_threads_that_share_an_update_change_no_bit(
    network: NetworkSpec, precision: dict[str, Any], momentum: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = batches(network, 2, 8)
    plain = train(engine(network, precision, momentum=momentum, engine={"workers": 1}), given)
    monkeypatch.setattr(accumulate, "MINIMUM_MACS", 1)
    monkeypatch.setattr(updater, "MINIMUM_WEIGHTS", 1)
    shared = engine(network, precision, momentum=momentum, engine={"workers": 3})
    assert train(shared, given) == plain
    assert len(shared._updater._shares) == 3


@pytest.mark.parametrize("execution", [EXECUTIONS[0], EXECUTIONS[3], EXECUTIONS[5]], ids=str)
@pytest.mark.parametrize("precision", [NOISY, TIGHT, WRAPPING], ids=["noisy", "tight", "wrap"])
@pytest.mark.parametrize("network", [DENSE, MAPS], ids=["dense", "maps"])
def test_execution_changes_no_bit_of_centralized_gradients(
    network: NetworkSpec, precision: dict[str, Any], execution: dict[str, Any]
) -> None:
    given = batches(network, 2, 8)
    plain = train(engine(network, precision, gradient_centralization=True), given)
    assert train(engine(network, precision, gradient_centralization=True, engine=execution), given) == plain
    assert train(engine(network, precision), given) != plain


@pytest.mark.parametrize("network", [DENSE, MAPS], ids=["dense", "maps"])
def test_panels_may_be_multiplied_at_any_time(network: NetworkSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    given = batches(network, 2, 8, static=False)
    plain = train(engine(network, NOISY), given)
    monkeypatch.setattr(shapes, "PANEL_ROWS", 64)
    assert train(engine(network, NOISY), given) == plain


def test_sums_that_may_overflow_are_repeated_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    ordered: list[int] = []
    own = Accumulator._ordered
    monkeypatch.setattr(Accumulator, "_ordered", lambda self, *rest: (ordered.append(1), own(self, *rest))[1])
    trained = engine(DENSE, TIGHT)
    train(trained, batches(DENSE, 2, 8))
    assert ordered
    assert trained.overflow_counts()["layer0.weight_gradient"] > 0
    ordered.clear()
    train(engine(DENSE, NOISY), batches(DENSE, 2, 8))
    assert not ordered


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(
    "precision", [{}, NOISY, TIGHT, WRAPPING, SHADOW], ids=["usual", "noisy", "tight", "wrap", "shadow"]
)
@pytest.mark.parametrize("network", [DENSE, MAPS], ids=["dense", "maps"])
def test_factored_updates_equal_the_default(
    network: NetworkSpec, precision: dict[str, Any], momentum: float
) -> None:
    given = batches(network, 6, 1)
    factored = engine(network, precision, batch_size=1, momentum=momentum)
    assert any(layer.factored for layer in factored.layout.layers) == (momentum == 0)
    plain = engine(
        network, precision, batch_size=1, momentum=momentum, engine={"workers": 1, "watch_sums": True}
    )
    assert not any(layer.factored for layer in plain.layout.layers)
    assert train(factored, given) == train(plain, given)


def test_update_named_factored_is_the_same_arithmetic() -> None:
    given = batches(DENSE, 5, 1)
    assert train(engine(DENSE, batch_size=1, update="factored"), given) == train(
        engine(DENSE, batch_size=1), given
    )


def test_a_moving_input_that_does_not_move_equals_a_static_one() -> None:
    still = batches(MAPS, 2, 8)
    moving = [
        type(batch)(np.repeat(batch.inputs, 3, axis=1), batch.format, batch.labels, batch.first_sample)
        for batch in still
    ]
    assert train(engine(MAPS, NOISY), moving) == train(engine(MAPS, NOISY), still)


def test_sample_index_drives_the_draws() -> None:
    first, second = batches(DENSE, 2, 8)
    shifted = type(first)(first.inputs, first.format, first.labels, first_sample=second.first_sample)
    assert train(engine(DENSE, NOISY), [first])[0] != train(engine(DENSE, NOISY), [shifted])[0]


@pytest.mark.parametrize("network", [DENSE, MAPS], ids=["dense", "maps"])
def test_a_learning_rate_too_small_for_64_bits_is_still_exact(network: NetworkSpec) -> None:
    rates = type(RATES)(1e-13, 1e-13, 1e-13)
    for size in (1, 8):
        given = batches(network, 2, size)
        exact = {"workers": 1, "storage": object}
        assert train(engine(network, batch_size=size), given, rates) == train(
            engine(network, batch_size=size, engine=exact), given, rates
        )


def test_memory_of_a_pass_does_not_grow_with_time_steps() -> None:
    def held(steps: int) -> int:
        network = DENSE.model_copy(update={"time_steps": steps})
        work = (
            engine(NetworkSpec.model_validate(network.model_dump()), batch_size=64)
            ._accumulator.workers[0]
            .work
        )
        return sum(array.nbytes for array in work)

    assert held(1024) == held(64)


def test_an_interrupted_batch_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    given = batches(DENSE, 2, 8)
    trained = engine(DENSE, NOISY)
    worker = trained._accumulator.workers[0]
    own = worker.run

    def interrupted(*given: Any) -> None:
        own(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(worker, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained.train_batch(given[0], RATES)
    monkeypatch.undo()
    assert train(trained, given) == train(engine(DENSE, NOISY), given)
    assert outcome(trained)["weights"] != outcome(engine(DENSE, NOISY))["weights"]


@pytest.mark.parametrize("precision", [{}, SHADOW], ids=["usual", "shadow"])
@pytest.mark.parametrize("network", [DENSE, MAPS], ids=["dense", "maps"])
@pytest.mark.parametrize("size", [1, 8])
def test_updates_in_exact_integers_move_weights_alike(
    network: NetworkSpec, precision: dict[str, Any], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = batches(network, 3, size)
    usual = train(engine(network, precision, batch_size=size), given)
    monkeypatch.setattr(rates, "_too_large", lambda *_: True)
    assert train(engine(network, precision, batch_size=size), given) == usual
