"""The bit-accurate engine: STOP in fixed-point arithmetic, to the bit of docs/arithmetic.md."""

from contextlib import nullcontext
from math import e, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import ConfigError, DataError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.network.values import node_ranges
from nmsim.stop.device.device_worker import DeviceWorker
from nmsim.stop.fixed.accumulate import Accumulator, Observer
from nmsim.stop.fixed.layer_formats import layer_formats
from nmsim.stop.fixed.layout import build
from nmsim.stop.fixed.parameters import RawParameters, quantized_parameters
from nmsim.stop.fixed.pass_kernels import Loss, Pass
from nmsim.stop.fixed.pass_results import COUNT_CORRECT
from nmsim.stop.fixed.pools import TAKE_INPUTS
from nmsim.stop.fixed.samples import BatchSums, RawBatch
from nmsim.stop.fixed.sizing import (
    WIDTH,
    available_workers,
    narrowest_storage,
    samples_at_a_time,
    steps_together,
)
from nmsim.stop.fixed.structure import Structure, check_structure
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.fixed.threads import Threads
from nmsim.stop.fixed.updater import Updater
from nmsim.stop.fixed.view import MemoryView, Recorder
from nmsim.stop.fixed.worker import Worker
from nmsim.stop.fixed.workspace import make_weight_sums
from nmsim.stop.initial import initial_parameters
from nmsim.stop.protocol import Batch, BatchResult, IntArray, LayerRecord, Parameters, UpdateRates
from nmsim.stop.spec import TrainingSpec, check_network
from nmsim.structure.update_schedule import StructureSchedule


def loss_table(loss: str, classes: int) -> NDArray[np.float64]:
    """Loss of one time step by `[spike of the label's output, number of spikes]`, `(2, C + 1)`."""
    spike, spiking = np.arange(2)[:, None], np.arange(classes + 1)
    if loss == "squared_error":
        return np.asarray(0.5 * (spiking - spike + 1 - spike), np.float64)
    return np.array([log(number * e + classes - number) for number in range(classes + 1)]) - spike


class FixedEngine:
    """STOP in fixed-point arithmetic; the same integers for any split of a batch, any number of workers, any storage.

    Args:
        network, precision, training: what is computed, in which formats, and how it learns.
        input_format: format of the raw inputs of every batch.
        seed: of the initial parameters and of the random draws.
        parameters: real initial parameters, `initial_parameters(...)` if absent.
        raw_parameters: raw initial parameters instead of real ones.
        max_samples_in_flight: samples whose states are held at a time, as many as reasonable if absent; changes memory and
            speed, never results.
        workers: threads; changes speed, never results.
        storage: NumPy type of stored integers, int16, int32 or object (Python integers); the narrowest that is exact if
            absent. Changes memory and speed, never results.
        structure: how synapses go and come while it learns; none if absent.
        watch_sums: keep currents and error sums for an observer; one sample and one time step at a time.
        device: device of PyTorch on which passes over whole samples run, such as cuda; compiled kernels if absent. Changes
            speed, never results.

    Raises:
        FormatError: a format cannot hold the initial parameters or the input.
        ConfigError: a scalar trace is to be learned from in place; the device is not there, or its integers are too short.
    """

    def __init__(
        self,
        network: NetworkSpec,
        precision: Precision,
        training: TrainingSpec,
        input_format: QFormat,
        seed: int,
        parameters: Parameters | None = None,
        *,
        raw_parameters: Parameters | None = None,
        max_samples_in_flight: int | None = None,
        workers: int | None = None,
        storage: type | None = None,
        watch_sums: bool = False,
        structure: StructureSchedule | None = None,
        device: str | None = None,
    ) -> None:
        check_network(network, training.rule, learns=False)
        self._may_learn = False
        self.network, self.precision, self.training = network, precision, training
        self.input_format, self.seed = input_format, seed
        self.formats = layer_formats(network, precision, input_format, seed)
        self._scalar = any(own.scalar for own in self.formats)
        if self._scalar and training.update == "in_place":
            raise ConfigError(
                "precision.static_trace: 'scalar' gives weight gradients at the end of a sample, but update 'in_place' needs"
                " them at every time step; use per_input or update accumulate"
            )
        ranges = node_ranges(network, input_format)
        narrowest = narrowest_storage(network, self.formats, ranges, training)
        chosen = narrowest if storage is None or WIDTH[storage] < WIDTH[narrowest] else storage
        group = (
            1
            if watch_sums
            else steps_together(network, min(training.batch_size, max_samples_in_flight or 64), training)
        )
        in_flight = 1 if watch_sums else max_samples_in_flight or samples_at_a_time(network, group, chosen)
        if device is not None and chosen is object:
            raise ConfigError(
                f"device {device}: some sums of these formats need more than 64 bits, which devices lack; use narrower"
                " accumulators, or leave the device out"
            )
        alone = chosen is object or device is not None
        workers = 1 if alone else max(1, min(workers or available_workers(), in_flight))
        each = -(-in_flight // workers)
        factored = (
            training.batch_size == 1
            and training.update != "in_place"
            and training.momentum == 0
            and not training.gradient_centralization
            and group == network.time_steps
            and not watch_sums
            and device is None
            and (structure is None or not structure.spec.needs_gradient)
        )
        self.layout = build(network, self.formats, ranges, training, chosen, each, group, factored=factored)
        self.raw = RawParameters(self.layout, self.formats, training)
        loss = Loss(training.loss == "squared_error", 1 << self.formats[-1].delta.fraction_bits)
        held, crew, threads = self.raw.held, list[Worker](), Threads(workers)
        weight_sums = make_weight_sums(self.layout, workers)
        if device is not None and not watch_sums:
            crew = [DeviceWorker(self.layout, held, weight_sums[0], each, loss, device)]
        else:
            crew = [Worker(self.layout, held, own, each, loss, logs=watch_sums) for own in weight_sums]
        self._accumulator = Accumulator(self.layout, crew, weight_sums, threads)
        self._input_range = input_format.min_raw, input_format.max_raw
        self._take_inputs = TAKE_INPUTS.form(interpreted=chosen is object)
        self._updater = Updater(self.raw, training, seed, self._accumulator.counts, threads)
        self._counts_used = any(
            own.layer.bias or own.used != own.precision.weight.format for own in self.formats
        )
        self.view = MemoryView(network, self.layout, self.formats)
        self._classes = network.classes
        self.updates, self._losses = 0, loss_table(training.loss, self._classes)
        self._structure = None
        if structure is not None:
            check_structure(structure, self.formats, training)
            self._structure = Structure(structure, self.raw, seed)
        if raw_parameters is None:
            real = parameters or initial_parameters(network, training, seed)
            real = real if self._structure is None else self._structure.sparse_start(real)
            raw_parameters = quantized_parameters(real, self.formats, training)
        self.raw.load(raw_parameters)

    @property
    def parameters(self) -> Parameters:
        """The raw parameters; change them through `load_parameters` only."""
        return self.raw.parameters()

    def load_parameters(self, raw: Parameters) -> None:
        """Take over raw parameters and pruning masks (False where pruned); pruned weights become raw 0."""
        self.raw.load(raw)

    def train_batch(self, batch: Batch, rates: UpdateRates) -> BatchResult:
        """One update from one batch of `training.batch_size` samples.

        Raises:
            DataError: inputs or labels do not match the network, the input format or the batch size.
        """
        return self.train_observed(batch, rates, None)

    def train_observed(self, batch: Batch, rates: UpdateRates, observer: Observer | None) -> BatchResult:
        """`train_batch` with an observer of every time step of every sample."""
        if not self._may_learn and (rates.weight > 0 or rates.threshold > 0 or rates.leak > 0):
            check_network(self.network, self.training.rule, learns=True)
            self._may_learn = True
        samples = self.samples(batch)
        if len(samples) != self.training.batch_size:
            raise DataError(
                f"the batch holds {len(samples)} samples but batch_size is {self.training.batch_size};"
                " leave out incomplete batches"
            )
        structure, after, gradients = self._structure, self.updates + 1, None
        if structure is not None and self.updates == 0 and structure.plan.due(0):
            structure.step(0, None)
        try:
            if self.training.update == "in_place":
                sums, spikes = self._train_in_place(samples, rates, observer)
            else:
                self._count_used()
                with nullcontext() if structure is None else structure.gathering(after):
                    sums, spikes = self._accumulator.gradients(samples, observer)
                if structure is not None and structure.listens(after):
                    gradients = structure.gradients(sums, self._accumulator.counts, after)
                self._updater.update_weights(sums, rates, self.updates)
        except BaseException:
            self._accumulator.discard()
            raise
        self._updater.update_neurons(sums, rates, self.updates)
        self.updates = after
        if structure is not None and structure.plan.due(after):
            structure.step(after, gradients)
        return self._result(samples, spikes)

    def _train_in_place(
        self, sample: RawBatch, rates: UpdateRates, observer: Observer | None
    ) -> tuple[BatchSums, NDArray[np.int64]]:
        """One sample, weights updated after every time step."""
        for step in range(self.network.time_steps):
            self._count_used()
            sums, spikes = self._accumulator.in_place_step(sample, step)
            if observer is not None:
                observer.steps(0, step, 1, self._accumulator.workers[0].work)
            self._updater.update_weights(sums, rates, sample.first * self.network.time_steps + step)
        if observer is not None:
            observer.sample(0, sums)
        return sums, spikes

    def _count_used(self) -> None:
        """Overflows of used weights and biases, which are formed before the first sample (in place: the step)."""
        if self._counts_used:
            self._accumulator.counts[:, Tensor.WEIGHT_USED] += (
                self.raw.used.overflows + self.raw.used_bias_overflows
            )

    def _result(self, samples: RawBatch, spikes: NDArray[np.int64]) -> BatchResult:
        spikes, tally = self.view.outputs_in_order(spikes), self._accumulator.tally
        loss = float(np.add.reduce(tally * self._losses, axis=None))
        tally.fill(0)
        return BatchResult(COUNT_CORRECT.machine(spikes, samples.labels), loss, spikes)

    def infer(self, batch: Batch) -> IntArray:
        """Output spikes over all time steps, `(B, C)`; overflows are not counted."""
        return self.view.outputs_in_order(self._accumulator.infer(self.samples(batch)))

    def record(self, batch: Batch) -> list[LayerRecord]:
        """Activity of a training pass with parameters left as they are; overflows are not counted."""
        samples = self.samples(batch)
        records = [self.view.empty_record(len(samples), index) for index in range(len(self.formats))]

        self._accumulator.observe(samples, Pass.ACTIVITY, Recorder(self.view, records))
        return records

    def samples(self, batch: Batch) -> RawBatch:
        """A batch, checked, as kernels read it."""
        inputs, network = np.asarray(batch.inputs), self.network
        count, steps = inputs.shape[0], inputs.shape[1] if inputs.ndim > 1 else 0
        if inputs.shape[2:] != network.input_shape or steps not in {1, network.time_steps}:
            raise DataError(
                f"inputs of shape {inputs.shape} do not fit (samples, {network.time_steps} or 1, *{network.input_shape});"
                " encode the data set for this network"
            )
        if self._scalar and steps != 1:
            raise DataError(
                "precision.static_trace: 'scalar' needs inputs that are the same at every time step, of shape"
                f" (samples, 1, *{network.input_shape}), not {inputs.shape}; encode them directly, or use per_input"
            )
        if batch.format is not self.input_format and batch.format != self.input_format:
            raise DataError(
                f"inputs in {batch.format} reach an engine built for {self.input_format}; use one format"
            )
        labels = np.ascontiguousarray(batch.labels, np.int64)
        storage = self.layout.storage
        if storage is object or inputs.dtype == bool:
            inputs = inputs.astype(object if storage is object else np.uint8)
        flat = np.empty(inputs.size, storage)
        low, high, least, most = self._take_inputs(flat, inputs.ravel(), labels.ravel())
        if labels.shape != (count,) or not 0 <= least <= most < self._classes:
            raise DataError(
                f"labels must be {count} numbers below {self._classes};"
                " check the data set against the network's last layer"
            )
        if low < self._input_range[0] or high > self._input_range[1]:
            worst = low if low < self._input_range[0] else high
            raise DataError(
                f"the raw input {worst} is outside {self.input_format}; encode the data set in that format"
            )
        return RawBatch(flat.reshape(count, steps, -1), labels, batch.first_sample)

    def state(self) -> dict[str, NDArray[Any]]:
        """Parameters, masks, updates done and overflow counts, as named arrays without Python objects."""
        found: dict[str, NDArray[Any]] = {
            "weights": _portable(np.concatenate([self.raw.in_order(index).ravel() for index in range(len(self.formats))])),
            "velocity": _portable(self.raw.velocity),
            "thresholds": _portable(self.raw.thresholds), "leak": _portable(self.raw.held.alpha),
            "synapses": self.raw.held.synapses.copy(), "updates": np.array(self.updates),
            "overflows": self._accumulator.counts.copy(),
        }  # fmt: skip
        if any(layer.biased for layer in self.layout.layers):
            found["bias"] = _portable(self.raw.bias)
            found["bias_velocity"] = _portable(self.raw.bias_velocity)
        return found

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Continue from `state()` of an engine built from the same records.

        Raises:
            ConfigError: the state belongs to another network.
        """
        own = self.state()
        for name, array in own.items():
            if name not in state or np.shape(state[name]) != array.shape:
                shape = np.shape(state[name]) if name in state else "missing"
                raise ConfigError(
                    f"checkpoint: '{name}' is {shape} but the network has {array.shape}; resume with the same workload"
                )
            if (state[name].dtype.kind in "iub") != (array.dtype.kind in "iub"):
                raise ConfigError(
                    f"checkpoint: '{name}' holds {state[name].dtype}, and the network {array.dtype}; train again"
                )
        raw, held = self.raw, self.raw.held
        held.synapses[:] = state["synapses"]
        for target, name in (
            (raw.velocity, "velocity"),
            (raw.thresholds, "thresholds"),
            (held.alpha, "leak"),
            (raw.bias, "bias"),
            (raw.bias_velocity, "bias_velocity"),
        ):
            if name not in own:
                continue
            target[:] = _native(state[name], target.dtype)
        weights = _native(state["weights"], raw.thresholds.dtype)
        for index, at in enumerate(raw.slices):
            target = raw.in_order(index)
            target[:] = weights[at.weights].reshape(target.shape)
            held.masked[index] = int(not held.synapses[at.weights].all())
            raw.used.arrange(index)
            raw.use_biases(index)
            raw.spread_thresholds(index)
        self.updates = int(state["updates"])
        self._accumulator.counts[:] = state["overflows"]

    def overflow_counts(self) -> dict[str, int]:
        """Overflows of training since construction by `layer<i>.<tensor>`, every tensor listed."""
        counts = self._accumulator.counts
        return {
            f"layer{index}.{tensor.label}": int(counts[index, tensor])
            for index in range(len(self.formats))
            for tensor in Tensor
            if self.formats[index].has(tensor)
        }


def _portable(array: NDArray[Any]) -> NDArray[Any]:
    """A copy without Python objects: integers too large for int64 become decimal text."""
    if array.dtype != object:
        return array.copy()
    return np.array([str(value) for value in array], dtype=np.str_) if array.size else np.zeros(0, np.int64)


def _native(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """The inverse of `_portable`."""
    if dtype == np.dtype(object):
        return np.array([int(value) for value in array], object)
    return np.asarray(array).astype(dtype)
