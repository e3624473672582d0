"""What fixed point costs in accuracy: the same parameters on both engines, and short training runs from the same start."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from nmsim.stop.engines import create_engine, real_parameters
from nmsim.stop.fixed.engine import FixedEngine
from nmsim.stop.float.engine import FloatEngine
from nmsim.stop.protocol import Engine
from nmsim.stop.train import EVALUATION_CHUNK, Progress, Samples, train
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.numerics.measured import InferenceNumerics, SeedAccuracy
from nmsim.workload import Prepared

Listener = Callable[[str, Progress], None]
"""Called with the run in progress and how far it is."""


def compare_inference(chip: FixedSide, samples: Samples, count: int) -> InferenceNumerics:
    """Classify the first samples of a split on both engines, with the chip's parameters on both."""
    float64 = chip.training.model_copy(update={"arithmetic": "float64"})
    real = FloatEngine(chip.network, float64)
    real.parameters = chip.real_parameters
    fixed = FixedEngine(
        chip.network,
        chip.precision,
        chip.training,
        chip.input_format,
        chip.seed,
        raw_parameters=chip.parameters,
    )
    count = min(count, len(samples))
    totals = np.zeros(3, np.int64)
    for start in range(0, count, EVALUATION_CHUNK):
        batch = samples.batch(np.arange(start, min(start + EVALUATION_CHUNK, count)), start)
        own, other = (engine.infer(batch).argmax(axis=1) for engine in (fixed, real))
        totals += [(own == batch.labels).sum(), (other == batch.labels).sum(), (own == other).sum()]
    return InferenceNumerics(count, *(int(total) for total in totals))


def accuracy_by_seed(
    prepare: Callable[[int], Prepared], seeds: Sequence[int], listen: Listener = lambda _, __: None
) -> tuple[SeedAccuracy, ...]:
    """Train both engines to the last epoch for every seed; held-out accuracies.

    The float64 engine starts from the fixed engine's quantized parameters, sees the same samples in the same order, and
    has the exact surrogate derivative, softmax and learning rates.
    """
    return tuple(_one_seed(prepare(seed), seed, listen) for seed in seeds)


def _one_seed(prepared: Prepared, seed: int, listen: Listener) -> SeedAccuracy:
    workload = prepared.workload
    training = workload.training
    fixed = create_engine(
        workload.network,
        workload.precision,
        training.model_copy(update={"arithmetic": "fixed"}),
        prepared.input_format,
        seed,
    )
    real = FloatEngine(workload.network, training.model_copy(update={"arithmetic": "float64"}))
    start = real_parameters(fixed, workload.precision)
    velocity = [np.zeros_like(array) if training.momentum > 0 else None for array in start.weights]
    real.parameters = replace(start, velocity=velocity)
    fixed_accuracy = _trained(fixed, prepared, seed, f"fixed point, seed {seed}", listen)
    real_accuracy = _trained(real, prepared, seed, f"float64, seed {seed}", listen)
    return SeedAccuracy(seed, fixed_accuracy, real_accuracy, len(prepared.test))


def _trained(engine: Engine, prepared: Prepared, seed: int, name: str, listen: Listener) -> float:
    history = train(
        engine, prepared.train, prepared.test, seed=seed, run_hash="", listen=lambda step: listen(name, step)
    )
    return history.test_accuracy or 0.0
