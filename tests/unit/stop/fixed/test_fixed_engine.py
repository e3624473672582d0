"""The engine's interface: state, parameters, masks, records, inference, and its sentences for bad input."""

import io
from typing import Any

import numpy as np
import pytest
from small_runs import DENSE, MAPS, PIXELS, RATES, batches, engine, outcome, train

from nmsim.errors import ConfigError, DataError, FormatError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.protocol import Batch, UpdateRates
from nmsim.stop.raw import run_raw
from nmsim.stop.spec import TrainingSpec

STILL = UpdateRates(0.0, 0.0, 0.0)


@pytest.mark.parametrize("storage", [None, object])
def test_stop_and_resume_give_the_same_integers(storage: Any) -> None:
    given = batches(MAPS, 4, 8)
    options: dict[str, Any] = {"momentum": 0.9, "engine": {"workers": 1, "storage": storage}}
    straight = engine(MAPS, **options)
    train(straight, given)
    first = engine(MAPS, **options)
    train(first, given[:2])
    file = io.BytesIO()
    np.savez(file, **first.state())
    file.seek(0)
    resumed = engine(MAPS, **options)
    resumed.restore(dict(np.load(file, allow_pickle=False)))
    train(resumed, given[2:])
    assert outcome(resumed) == outcome(straight)


def test_a_state_of_another_network_is_refused() -> None:
    with pytest.raises(
        ConfigError,
        match=r"checkpoint: 'weights' is \(945,\) but the network has \(.*\); resume with the same",
    ):
        engine(MAPS).restore(engine(DENSE).state())


def test_thresholds_and_leaks_follow_the_rule() -> None:
    given = batches(DENSE, 3, 8)
    start = engine(DENSE).parameters
    for rule, moves in (("stop-w", (0, 0)), ("stop-wt", (1, 0)), ("stop-wl", (0, 1)), ("stop-wtl", (1, 1))):
        trained = engine(DENSE, rule=rule)
        train(trained, given)
        assert (
            any((a != b).any() for a, b in zip(trained.parameters.thresholds, start.thresholds, strict=True))
            == moves[0]
        )
        assert (trained.parameters.leak != start.leak) == moves[1]


def test_variants_without_rates_keep_the_weights_of_stop_w() -> None:
    given = batches(DENSE, 3, 8)
    weights_only = UpdateRates(RATES.weight, 0.0, 0.0)
    plain = train(engine(DENSE, rule="stop-w"), given, weights_only)[0]
    assert train(engine(DENSE, rule="stop-wtl"), given, weights_only)[0]["weights"] == plain["weights"]


def test_inference_equals_the_forward_pass_of_training() -> None:
    for network in (DENSE, MAPS):
        trained = engine(network, {"rounding": "stochastic"})
        batch = batches(network, 1, 8)[0]
        spikes = trained.infer(batch)
        assert np.array_equal(spikes, trained.train_batch(batch, STILL).spike_counts)
        assert spikes.any()


def test_inference_and_records_change_nothing() -> None:
    given = batches(MAPS, 2, 8)
    trained = engine(MAPS)
    before = outcome(trained)
    trained.infer(given[0])
    trained.record(given[0])
    assert outcome(trained) == before
    assert train(trained, given) == train(engine(MAPS), given)


@pytest.mark.parametrize("static", [True, False])
def test_records_are_the_masks_of_a_raw_run(static: bool) -> None:
    batch = batches(MAPS, 1, 8, static=static)[0]
    trained = engine(MAPS, engine={"workers": 1, "max_samples_in_flight": 3})
    raw = run_raw(
        MAPS,
        Precision(),
        TrainingSpec(batch_size=8),
        trained.parameters,
        batch.inputs,
        PIXELS,
        batch.labels,
        3,
        [STILL],
    )
    for record, layer in zip(trained.record(batch), raw.layers, strict=True):
        assert np.array_equal(record.input_nonzero, layer.inputs != 0)
        assert np.array_equal(record.spikes, layer.spikes != 0)
        assert np.array_equal(record.trace_nonzero, layer.weight_trace != 0)
        assert np.array_equal(record.delta_nonzero, layer.delta != 0)
        assert record.delta_nonzero.any()


def test_pruned_synapses_stay_zero_and_still_count_for_the_draws() -> None:
    trained = engine(DENSE)
    own = trained.parameters
    mask = np.random.default_rng(1).random(own.weights[0].shape) < 0.5
    own.mask[0] = mask
    trained.load_parameters(own)
    assert not trained.parameters.weights[0][~mask].any()
    train(trained, batches(DENSE, 2, 8))
    assert not trained.parameters.weights[0][~mask].any()
    assert trained.parameters.weights[0][mask].any()
    assert np.array_equal(trained.parameters.mask[0], mask)


def test_loss_and_correct_count_by_hand() -> None:
    trained = engine(DENSE, loss="squared_error")
    batch = batches(DENSE, 1, 8)[0]
    raw = run_raw(
        DENSE, Precision(), TrainingSpec(batch_size=8, loss="squared_error"), trained.parameters, batch.inputs, PIXELS,
        batch.labels, 3, [STILL],
    )  # fmt: skip
    targets = np.eye(5)[batch.labels][:, None]
    result = trained.train_batch(batch, STILL)
    assert result.loss_sum == 0.5 * ((raw.layers[-1].spikes - targets) ** 2).sum()
    assert result.correct == (raw.predictions == batch.labels).sum()


def bad(**options: Any) -> FixedEngine:
    return FixedEngine(DENSE, Precision.model_validate(options), TrainingSpec(), PIXELS, 0)


def test_a_format_that_cannot_hold_the_weights() -> None:
    with pytest.raises(FormatError) as caught:
        bad(weight="s8.9")
    assert "layer 0, weight: s8.9 reaches from -0.25 to 0.248047 and cannot hold the initial value" in str(
        caught.value
    )
    narrowest = str(caught.value).rsplit("use ", 1)[1].split(" or")[0]
    bad(weight=narrowest)
    fewer = QFormat.parse(narrowest)
    with pytest.raises(FormatError):
        bad(weight=f"s{fewer.total_bits - 1}.{fewer.fraction_bits}")


def test_a_format_that_cannot_hold_the_threshold() -> None:
    with pytest.raises(
        FormatError,
        match=r"layer 0, membrane: threshold: s8.7 reaches .* cannot hold the initial value 1; use s9.7",
    ):
        bad(membrane="s8.7")
    with pytest.raises(
        FormatError,
        match=r"layer 0, membrane: the threshold 1 is below one LSB, 4, of s8.-2; use more fraction bits",
    ):
        bad(membrane="s8.-2")


def test_a_format_that_cannot_hold_the_leak_factor() -> None:
    with pytest.raises(
        FormatError,
        match=r"layer 0, leak_factor: u8.9 reaches from 0 to 0.498047 and cannot hold .* 0.5; use u9.9",
    ):
        bad(leak_factor="u8.9")


def test_a_signed_input_needs_a_signed_trace() -> None:
    with pytest.raises(FormatError) as caught:
        FixedEngine(DENSE, Precision(), TrainingSpec(), QFormat.parse("s8.7"), 0)
    assert str(caught.value) == (
        "layer 0, weight_trace: the unsigned format u12.8 cannot follow a signed input; use s13.8"
    )
    FixedEngine(
        DENSE, Precision.model_validate({"weight_trace": "s13.8"}), TrainingSpec(), QFormat.parse("s8.7"), 0
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"inputs": np.zeros((8, 1, 39), int)},
            "inputs of shape (8, 1, 39) do not fit (samples, 4 or 1, *(40,))",
        ),
        ({"inputs": np.zeros((8, 3, 40), int)}, "inputs of shape (8, 3, 40) do not fit"),
        ({"inputs": np.full((8, 1, 40), 256)}, "the raw input 256 is outside u8.8"),
        ({"labels": np.full(8, 5)}, "labels must be 8 numbers below 5"),
        ({"format": QFormat.parse("u8.7")}, "inputs in u8.7 reach an engine built for u8.8"),
    ],
)
def test_bad_batches(change: dict[str, Any], sentence: str) -> None:
    good = batches(DENSE, 1, 8)[0]
    fields = {"inputs": good.inputs, "format": good.format, "labels": good.labels} | change
    with pytest.raises(DataError) as caught:
        engine(DENSE).train_batch(Batch(**fields), RATES)
    assert sentence in str(caught.value)


def test_a_batch_of_another_size_is_refused() -> None:
    with pytest.raises(DataError, match="the batch holds 4 samples but batch_size is 8"):
        engine(DENSE).train_batch(batches(DENSE, 1, 4)[0], RATES)
