"""Activity: what happened in a profile of samples, independent of any chip; the contract from function to time."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from nmsim.errors import RunError
from nmsim.fixedpoint.version import KEY, NUMERICS, check_numerics
from nmsim.network.memory import activation_bits
from nmsim.network.spec import NetworkSpec
from nmsim.rules import ANN
from nmsim.storage import DAMAGED, read_arrays, typed, write_arrays

BitArray = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]
CountArray = NDArray[np.uint16]
COUNTS = ("input_counts", "spike_counts")
MASKS = ("inputs", "spikes", "traces", "deltas")
UPDATES = "updates"
SYNAPSES = "synapses"
SCHEMA = "nmsim/activity-1"


Size = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class _LayerHeader:
    """Shapes of one layer, as a file has them."""

    inputs_shape: tuple[Size, ...]
    neurons_shape: tuple[Size, ...]
    input_bits: Size


@dataclass(frozen=True)
class _ActivityHeader:
    """What a file says of an activity, besides its arrays."""

    network_hash: str
    rule: str
    origin: str
    time_steps: Size
    static_input: bool
    meta: dict[str, Any]
    layers: tuple[_LayerHeader, ...]


@dataclass(frozen=True)
class LayerActivity:
    """Bit-packed masks of one synaptic layer, packed along the last axis (`numpy.packbits`, big-endian).

    With S samples, T time steps, M inputs (after pooling) and N neurons, unpacked shapes are:
    `inputs (S, T, M)` non-zero inputs, `spikes (S, T, N)` output spikes, `traces (S, T, M)` non-zero weight traces,
    `deltas (S, T, N)` non-zero deltas. An inference profile has no traces and deltas: all zero.
    `input_bits` is the width of one non-zero input value: 1 for spikes, more for intensities and pooled sums.
    `updates (S, T, N)`, if known, are the neurons whose state changed in the step; if absent, chips that tell active
    from inactive neurons take those that receive an input or spike.
    `input_counts (S, T, M)` and `spike_counts (S, T, N)`, if known, tell how many spikes stand where the mask has a one:
    every one of them is a packet and is served by every synapse. Without them it is one.
    `synapses (P,)`, packed too, tells which of its P weights (C order) are there; if absent, all are.
    """

    inputs_shape: tuple[int, ...]
    neurons_shape: tuple[int, ...]
    input_bits: int
    inputs: BitArray
    spikes: BitArray
    traces: BitArray
    deltas: BitArray
    updates: BitArray | None = None
    input_counts: CountArray | None = None
    spike_counts: CountArray | None = None
    synapses: BitArray | None = None

    @classmethod
    def from_masks(
        cls,
        inputs_shape: tuple[int, ...],
        neurons_shape: tuple[int, ...],
        input_bits: int,
        masks: Mapping[str, BoolArray],
    ) -> "LayerActivity":
        """Pack boolean masks named as in `MASKS`, and `updates` and `synapses` (of any shape) if they are there."""
        if SYNAPSES in masks:
            masks = {**masks, SYNAPSES: masks[SYNAPSES].reshape(-1)}
        packed = {name: np.packbits(mask, axis=-1) for name, mask in masks.items()}
        return cls(inputs_shape, neurons_shape, input_bits, **packed)  # type: ignore[arg-type]

    @property
    def masks(self) -> dict[str, BitArray]:
        """The packed masks it has, by name."""
        return {name: getattr(self, name) for name in (*MASKS, UPDATES) if getattr(self, name) is not None}

    @property
    def counts(self) -> dict[str, CountArray]:
        """Numbers of spikes where there may be several per time step, by name."""
        return {name: getattr(self, name) for name in COUNTS if getattr(self, name) is not None}

    @property
    def structure(self) -> dict[str, BitArray]:
        """Which synapses are there, by name; empty where all are."""
        return {} if self.synapses is None else {SYNAPSES: self.synapses}

    def synapse_mask(self, shape: tuple[int, ...]) -> BoolArray | None:
        """Which weights are there, in the shape of the weights; None: all."""
        if self.synapses is None:
            return None
        return np.unpackbits(self.synapses, count=int(np.prod(shape))).view(np.bool_).reshape(shape)

    def first(self, samples: int) -> "LayerActivity":
        """The same of the first samples."""
        masks = {name: array[:samples] for name, array in self.masks.items()}
        counts = {name: array[:samples] for name, array in self.counts.items()}
        return replace(self, **masks, **counts)  # type: ignore[arg-type]

    def mask(self, name: str) -> BoolArray:
        """Unpacked boolean mask, `(S, T, M)` for inputs and traces, `(S, T, N)` for spikes and deltas."""
        shape = self.inputs_shape if name in {"inputs", "traces"} else self.neurons_shape
        size, packed = int(np.prod(shape)), getattr(self, name)
        if not packed.any():  # an inference has no deltas or traces: they take no memory
            return np.broadcast_to(np.False_, (*packed.shape[:-1], size))
        return np.unpackbits(packed, axis=-1, count=size).view(np.bool_)

    def density(self, name: str) -> float:
        """Fraction of ones of a mask."""
        return float(self.mask(name).mean())


@dataclass(frozen=True)
class Activity:
    """A profile of S samples over T time steps, one `LayerActivity` per synaptic layer in topological order.

    `origin` tells where it came from (`fixed`, `float64`, `imported`, ...), `rule` which learning rule produced the
    deltas. `network_hash` is `NetworkSpec.content_hash()`. `static_input`: the input is the same at every time step.
    `sample_index (S,)` indices in the data split, `labels (S,)`, `spike_counts (S, C)` output spikes over T.

    It knows no chip: one activity is replayed on any number of machines. A training records one (`run.activity`),
    `nmsim.import_activity` makes one from another tool's spikes.
    """

    network_hash: str
    rule: str
    origin: str
    time_steps: int
    static_input: bool
    layers: tuple[LayerActivity, ...]
    sample_index: NDArray[np.int64]
    labels: NDArray[np.int64]
    spike_counts: NDArray[np.int64]
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """Number of samples S."""
        return len(self.sample_index)

    def first(self, samples: int) -> "Activity":
        """The activity of the first samples."""
        return replace(
            self, layers=tuple(layer.first(samples) for layer in self.layers),
            sample_index=self.sample_index[:samples], labels=self.labels[:samples],
            spike_counts=self.spike_counts[:samples],
        )  # fmt: skip

    def as_artificial(self, network: NetworkSpec) -> "Activity":
        """What the same samples are to the network as a dense artificial one: every value there, once.

        Values of a layer have the width of a count of spikes over T (`activation_bits`), those of the sample their own, or
        that of their sum over the time steps.
        """
        bits, steps = activation_bits(network.time_steps), self.time_steps
        layers = []
        for layer, own in zip(network.synaptic_layers, self.layers, strict=True):
            width = bits
            if network.source_layers(layer.index) == (-1,):
                largest = (1 << own.input_bits) - 1
                width = own.input_bits if self.static_input else (largest * steps).bit_length()
            every = {
                "inputs": np.ones((self.samples, 1, layer.inputs), np.bool_),
                "spikes": np.ones((self.samples, 1, layer.neurons), np.bool_),
            }
            none = {"traces": np.zeros_like(every["inputs"]), "deltas": np.zeros_like(every["spikes"])}
            layers.append(LayerActivity.from_masks(own.inputs_shape, own.neurons_shape, width, every | none))
        return replace(self, rule=ANN.name, time_steps=1, static_input=False, layers=tuple(layers))

    @cached_property
    def content_hash(self) -> str:
        """First 16 hex digits of a SHA-256 over every mask and the descriptive fields."""
        digest = hashlib.sha256(json.dumps(self._header(), sort_keys=True).encode())
        for layer in self.layers:
            for mask in (layer.masks | layer.counts | layer.structure).values():
                digest.update(np.ascontiguousarray(mask).tobytes())
        return digest.hexdigest()[:16]

    def _header(self) -> dict[str, Any]:
        return {
            "network_hash": self.network_hash,
            "rule": self.rule,
            "origin": self.origin,
            "time_steps": self.time_steps,
            "static_input": self.static_input,
            "meta": dict(self.meta),
            "layers": [
                {
                    "inputs_shape": layer.inputs_shape,
                    "neurons_shape": layer.neurons_shape,
                    "input_bits": layer.input_bits,
                }
                for layer in self.layers
            ],
        }

    def save(self, path: Path, run_hash: str = "") -> None:
        """Write as one `.npz`, atomically, with the hash of the run that it belongs to (no part of its own)."""
        arrays: dict[str, NDArray[Any]] = {
            "sample_index": self.sample_index, "labels": self.labels, "spike_counts": self.spike_counts,
        }  # fmt: skip
        for index, layer in enumerate(self.layers):
            found = layer.masks | layer.counts | layer.structure
            arrays |= {f"layer{index}_{name}": mask for name, mask in found.items()}
        write_arrays(path, SCHEMA, {KEY: NUMERICS, "run_hash": run_hash, **self._header()}, arrays)

    @classmethod
    def load(cls, path: Path, run_hash: str | None = None) -> "Activity":
        """Read back.

        Raises:
            RunError: it is missing, truncated, no activity record, of another version of the arithmetic, or, where
                `run_hash` is given, of another run.
        """
        content, arrays = read_arrays(path, SCHEMA, "make it with `nmsim train`")
        check_numerics(content, path, "run again what made it")
        if run_hash is not None and content.get("run_hash") != run_hash:
            raise RunError(
                f"{path}: belongs to run {content.get('run_hash') or 'unknown'}, the folder holds {run_hash}: it was copied"
                " here; put the right file back, or run again with --overwrite or another --out"
            )
        try:
            header = typed(_ActivityHeader, content)
            layers = tuple(
                LayerActivity(
                    inputs_shape=shape.inputs_shape,
                    neurons_shape=shape.neurons_shape,
                    input_bits=shape.input_bits,
                    updates=arrays.get(f"layer{index}_{UPDATES}"),
                    input_counts=arrays.get(f"layer{index}_{COUNTS[0]}"),
                    spike_counts=arrays.get(f"layer{index}_{COUNTS[1]}"),
                    synapses=arrays.get(f"layer{index}_{SYNAPSES}"),
                    **{name: arrays[f"layer{index}_{name}"] for name in MASKS},
                )
                for index, shape in enumerate(header.layers)
            )
            found = cls(
                header.network_hash, header.rule, header.origin, header.time_steps, header.static_input,
                layers, arrays["sample_index"], arrays["labels"], arrays["spike_counts"], header.meta,
            )  # fmt: skip
            found.check_arrays()
        except KeyError as error:
            raise RunError(f"{path}: {error} is missing; make it with `nmsim train`") from error
        except DAMAGED as error:
            raise RunError(f"{path}: not an activity ({error}); make it with `nmsim train`") from error
        return found

    def check_arrays(self) -> None:
        """Refuse arrays that are not of the shapes and types of this page.

        Raises:
            ValueError: names the first of them.
        """
        samples, steps = np.size(self.sample_index), self.time_steps
        last = self.layers[-1].neurons_shape if self.layers else ()
        wanted: dict[str, tuple[NDArray[Any], str, tuple[int, ...]]] = {
            "sample_index": (self.sample_index, "iu", (samples,)),
            "labels": (self.labels, "iu", (samples,)),
            "spike_counts": (self.spike_counts, "iu", (samples, int(np.prod(last)))),
        }
        for index, layer in enumerate(self.layers):
            inputs, neurons = int(np.prod(layer.inputs_shape)), int(np.prod(layer.neurons_shape))
            sizes = {"inputs": inputs, "traces": inputs, COUNTS[0]: inputs}
            for name, array in (layer.masks | layer.counts).items():
                size = sizes.get(name, neurons)
                packed = name not in COUNTS
                shape = (samples, steps, -(-size // 8) if packed else size)
                wanted[f"layer{index}_{name}"] = (array, "B" if packed else "iu", shape)
            for name, array in layer.structure.items():
                wanted[f"layer{index}_{name}"] = (array, "B", (np.size(array),))
        for name, (array, kinds, expected) in wanted.items():
            kind = array.dtype.char if kinds == "B" else array.dtype.kind
            if array.shape != expected or kind not in kinds:
                raise ValueError(
                    f"{name} is {array.dtype} {array.shape}, and not {'uint8' if kinds == 'B' else 'integers'} {expected}"
                )
