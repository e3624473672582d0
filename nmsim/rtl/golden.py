"""What the core's memories must hold as each stage ends, from a raw run of the engine, in the order of the bench's trace."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.errors import CheckFailedError
from nmsim.rtl.design import Design
from nmsim.rtl.images import by_rows, by_words
from nmsim.rtl.memories import Memory, Part, layout, memories
from nmsim.stop.protocol import Parameters
from nmsim.stop.raw import RawLayer, RawRun

RawArray = NDArray[Any]


@dataclass(frozen=True)
class TraceSection:
    """Words of one memory after one stage: `values` one array `(words, lanes)` per part, `count` integers in them.

    `name`, `sample`, `step`, `layer` are the title in the trace.
    """

    name: str
    sample: int
    step: int
    layer: int
    memory: Memory
    values: tuple[RawArray, ...]
    count: int

    @property
    def title(self) -> str:
        """The line that begins the section."""
        return f"# {self.name} {self.sample} {self.step} {self.layer}"


class Golden:
    """Sections of a run on raw inputs, sample by sample."""

    def __init__(self, design: Design, run: RawRun) -> None:
        self.design, self.run = design, run
        self._memory = {memory.name: memory for memory in memories(design)}
        self._wide = {
            "factors": design.field("leak_factor"),
            "leak_gradients": design.accumulator("leak_gradient"),
        }

    def sections(self) -> Iterator[TraceSection]:
        """Every section of a full trace."""
        for sample in range(len(self.run.predictions)):
            for step in range(self.design.side.network.time_steps):
                yield from self._forward(sample, step)
                yield from self._back(sample, step)
                if self.design.in_place:
                    yield self._weights(sample, step, self._weights_after(sample, step))
            yield from self._gradients(sample)
            if (sample + 1) % self.design.training.batch_size == 0:
                yield from self.parameters(sample)

    def parameters(self, sample: int) -> Iterator[TraceSection]:
        """Parameters after the update that follows a sample."""
        design, last, top = self.design, self.design.side.network.time_steps - 1, self.design.layers - 1
        # the counter of time steps is back at zero, unless no stage follows the last one
        step = last if design.in_place and not (design.learns_thresholds or design.learns_leak) else 0
        after = self.run.updates[sample // design.training.batch_size]
        yield self._weights(sample, step, after.weights, top)
        neurons = [
            self._neurons(layer, sample, last, np.asarray(after.thresholds[layer]))
            for layer in range(design.layers)
        ]
        joined = tuple(np.concatenate(parts) for parts in zip(*neurons, strict=True))
        yield TraceSection(
            "thresholds", sample, step, top, self._memory["neurons"], joined, sum(design.neurons)
        )
        yield self._registers("factors", sample, step, top, np.array(after.leak, object))

    def _before(self, sample: int) -> Parameters:
        """Parameters that a sample's batch uses."""
        batch = sample // self.design.training.batch_size
        return self.design.side.parameters if batch == 0 else self.run.updates[batch - 1]

    def _section(
        self, name: str, sample: int, step: int, layer: int, memory: str, values: RawArray, count: int
    ) -> TraceSection:
        return TraceSection(name, sample, step, layer, self._memory[memory], (values,), count)

    def _forward(self, sample: int, step: int) -> Iterator[TraceSection]:
        d = self.design
        for layer, own in enumerate(self.run.layers):
            if not (d.once and layer == 0 and step):
                current = self._exact_current(
                    layer, sample, step, own.inputs[sample, step], own.current[sample, step]
                )
                words = by_words(current, d.lanes)
                yield self._section("sums", sample, step, layer, "sums", words, d.neurons[layer])
            thresholds = np.asarray(self._before(sample).thresholds[layer])
            neurons = self._neurons(layer, sample, step, thresholds)
            count = d.neurons[layer] * (len(neurons) - 1)
            yield TraceSection("neurons", sample, step, layer, self._memory["neurons"], neurons, count)
            assert own.weight_trace is not None  # scalar traces are refused
            words = by_words(own.weight_trace[sample, step], d.neuron_lanes)
            yield self._section("traces", sample, step, layer, "traces", words, d.inputs[layer])

    def _neurons(self, layer: int, sample: int, step: int, thresholds: RawArray) -> tuple[RawArray, ...]:
        own: RawLayer = self.run.layers[layer]
        names = {
            "membrane": own.membrane,
            "spike": own.spikes,
            "threshold_trace": own.threshold_trace,
            "leak_trace": own.leak_trace,
        }
        found = []
        for part in self._memory["neurons"].parts:
            values = thresholds if part.name == "threshold" else names[part.name]
            if part.name != "threshold":
                assert values is not None
                values = values[sample, step]
            found.append(by_words(np.asarray(values), self.design.neuron_lanes))
        return tuple(found)

    def _back(self, sample: int, step: int) -> Iterator[TraceSection]:
        d = self.design
        for layer in reversed(range(d.layers)):
            own = self.run.layers[layer]
            delta = own.delta[sample, step]
            yield self._section(
                "deltas", sample, step, layer, "deltas", by_words(delta, d.lanes), d.neurons[layer]
            )
            if layer:
                assert own.error_sum is not None
                exact = self._exact_error(layer, sample, step, delta, own.error_sum[sample, step])
                words = by_words(exact, d.neuron_lanes)
                yield self._section("errors", sample, step, layer, "errors", words, d.inputs[layer])

    def _exact_current(
        self, layer: int, sample: int, step: int, inputs: RawArray, held: RawArray
    ) -> RawArray:
        """The sum before it saturates at its end, which is what the memory holds; else the accumulator's value."""
        if str(self.design.precision[layer].current.overflow) != "saturate_end":
            return held
        weights = self._used(layer, sample, step)
        return _checked(
            weights.astype(object) @ inputs.astype(object), held, self.design.precision[layer].current.format
        )

    def _exact_error(self, layer: int, sample: int, step: int, delta: RawArray, held: RawArray) -> RawArray:
        if str(self.design.precision[layer].error.overflow) != "saturate_end":
            return held
        weights = self._used(layer, sample, step)
        return _checked(
            delta.astype(object) @ weights.astype(object), held, self.design.precision[layer].error.format
        )

    def _used(self, layer: int, sample: int, step: int) -> RawArray:
        own = self.run.layers[layer]
        if own.weight_before is not None:
            weights = own.weight_before[sample, step].reshape(self.design.neurons[layer], -1)
        else:
            weights = np.asarray(self._before(sample).weights[layer])
        return self.design.side.used_raw(layer, weights)

    def _weights_after(self, sample: int, step: int) -> list[RawArray]:
        """In place: the weights after a time step, which are those before the next."""
        found = []
        for layer, own in enumerate(self.run.layers):
            assert own.weight_before is not None
            if step + 1 < self.design.side.network.time_steps:
                flat = own.weight_before[sample, step + 1]
            else:
                flat = np.asarray(self.run.updates[sample].weights[layer])
            found.append(flat.reshape(self.design.neurons[layer], -1))
        return found

    def _weights(
        self, sample: int, step: int, weights: list[RawArray], layer: int | None = None
    ) -> TraceSection:
        words = np.concatenate([by_rows(np.asarray(own), self.design.lanes) for own in weights])
        count = sum(n * m for n, m in zip(self.design.neurons, self.design.inputs, strict=True))
        at = self.design.layers - 1 if layer is None else layer
        return self._section("weights", sample, step, at, "weights", words, count)

    def _gradients(self, sample: int) -> Iterator[TraceSection]:
        d, step, top = self.design, self.design.side.network.time_steps - 1, self.design.layers - 1
        layers = self.run.layers
        if not d.in_place:
            shaped = [
                own.weight_gradient[sample].reshape(n, m)  # type: ignore[index]
                for own, n, m in zip(layers, d.neurons, d.inputs, strict=True)
            ]
            words = np.concatenate([by_rows(own, d.lanes) for own in shaped])
            yield self._section(
                "gradients", sample, step, top, "gradients", words, sum(own.size for own in shaped)
            )
        if d.learns_thresholds:
            found = [by_words(own.threshold_gradient[sample], d.neuron_lanes) for own in layers]  # type: ignore[index]
            yield self._section(
                "threshold_gradients",
                sample,
                step,
                top,
                "threshold_gradients",
                np.concatenate(found),
                sum(d.neurons),
            )
        if d.learns_leak:
            values: RawArray = np.array([own.leak_gradient[sample] for own in layers])  # type: ignore[index]
            yield self._registers("leak_gradients", sample, step, top, values)

    def _registers(self, name: str, sample: int, step: int, layer: int, values: RawArray) -> TraceSection:
        field = self._wide[name]
        parts: tuple[Part, ...] = layout([(name, field)])
        memory = Memory(name, name, -1, "registers", (), len(values), 1, parts, zeroed=False)
        return TraceSection(name, sample, step, layer, memory, (values.reshape(-1, 1),), len(values))


def final_parameters(design: Design, parameters: Parameters, sample: int) -> Iterator[TraceSection]:
    """What the memories hold after the last update: parameters alone, the state of neurons is given as zero."""
    last, top = design.side.network.time_steps - 1, design.layers - 1
    step = last if design.in_place and not (design.learns_thresholds or design.learns_leak) else 0
    memory = {own.name: own for own in memories(design)}
    weights = np.concatenate([by_rows(np.asarray(own), design.lanes) for own in parameters.weights])
    count = sum(n * m for n, m in zip(design.neurons, design.inputs, strict=True))
    yield TraceSection("weights", sample, step, top, memory["weights"], (weights,), count)
    words = [by_words(np.asarray(own), design.neuron_lanes) for own in parameters.thresholds]
    thresholds = np.concatenate(words)
    values = tuple(
        thresholds if part.name == "threshold" else np.zeros_like(thresholds)
        for part in memory["neurons"].parts
    )
    yield TraceSection("thresholds", sample, step, top, memory["neurons"], values, sum(design.neurons))
    field = design.field("leak_factor")
    registers = Memory(
        "factors",
        "factors",
        -1,
        "registers",
        (),
        design.layers,
        1,
        layout([("factors", field)]),
        zeroed=False,
    )
    factors = np.array([int(value) for value in parameters.leak]).reshape(-1, 1)
    yield TraceSection("factors", sample, step, top, registers, (factors,), design.layers)


def _checked(exact: RawArray, held: RawArray, fmt: Any) -> RawArray:
    full = fmt.with_fraction(0)
    if (np.clip(exact, full.min_raw, full.max_raw) != held).any():
        raise CheckFailedError(
            "nmsim rtl: the engine's sums are not the saturated exact sums; report this as a fault of nmsim"
        )
    return exact
