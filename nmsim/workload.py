"""The workload: network, data set, encoding, training and precision; what one YAML file in workloads/ describes."""

from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from nmsim.capacity import shortage
from nmsim.config import Record
from nmsim.datasets.augmentation import augmented
from nmsim.datasets.dataset import Dataset, Split
from nmsim.datasets.encoding import EncodedInput, check_encoding, encode, encoded_input
from nmsim.datasets.load import load_described
from nmsim.datasets.spec import AnyDataset, Augmentation, EncodingSpec, RecordedEncoding, SampleEncoding
from nmsim.errors import ConfigError, DataError
from nmsim.fixedpoint.format import QFormat
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.rules import rule_named
from nmsim.stop.protocol import Batch
from nmsim.stop.spec import TrainingSpec
from nmsim.structure.spec import StructureSpec
from nmsim.structure.update_schedule import StructureSchedule

BYTES_PER_VALUE = 8
"""Of a stored integer in the engine."""
VALUES_PER_WEIGHT = 6
"""What a training holds of each weight at its measured peak: after learning, the float engine records STBP beside it."""


class Profile(Record):
    """Samples whose activity is recorded for replay on chips: of every class of a split its share.

    Training samples unless asked otherwise: what a training costs is asked of what it sees, and a network is busier
    with samples it has not learned.
    """

    samples: int = Field(default=16, ge=1)
    split: Literal["train", "test"] = "train"
    milestones: int | tuple[float, ...] = 0
    """Points of the training at which training samples are recorded too, so that energy can be followed while a network
    learns: how many (the start, the end, and between them each at twice the samples of the one before), or at which
    epochs (`[0.5, 1, 4]`; start and end are added); 0 for none."""
    milestone_samples: int | None = Field(default=None, ge=2)
    """Samples recorded at every milestone; absent: 256 where samples are small, two dozen where they are large."""

    @model_validator(mode="after")
    def _milestones_rise(self) -> "Profile":
        found = self.milestones
        if isinstance(found, int) and (found < 0 or found == 1):
            raise ValueError(
                f"milestones {found}: the start and the end of a training are two; give 0 or at least 2"
            )
        if isinstance(found, tuple) and (min(found, default=0) < 0 or list(found) != sorted(set(found))):
            raise ValueError(
                f"milestones {list(found)}: must be epochs from 0 on, each later than the one before"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_milestones(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without settings of milestones where there are none, so that runs without them keep their identity."""
        written: dict[str, Any] = handler(self)
        return {key: value for key, value in written.items() if not key.startswith("milestone") or value}


class WorkloadSpec(Record):
    """One job: which network learns what, from which data, in which arithmetic.

    Shipped workloads are in `workloads` (`nmsim list workloads`); `nmsim.read_workload` takes one and changes single
    keys. All that decides the bits of a training is here, and `run_hash` is its identity.

    Raises (also through `config.build`):
        ConfigError: sections that do not go together, such as formats of a layer that the network does not have.

    >>> from nmsim import read_workload
    >>> workload = read_workload("mnist-dense", "training.batch_size=8")
    >>> str(workload.training.rule), workload.network.classes, workload.training.batch_size
    ('stop-wtl', 10, 8)
    """

    name: str
    description: str = ""
    dataset: AnyDataset
    """A name, or `name` and `path`."""
    encoding: EncodingSpec
    augmentation: Augmentation | None = None
    """Random changes of the training samples, none if absent."""
    network: NetworkSpec
    training: TrainingSpec = TrainingSpec()
    precision: Precision = Precision()
    structure: StructureSpec | None = None
    """How synapses go and come while the network learns; they stay as they are if absent."""
    profile: Profile = Profile()
    start: str | None = None
    """SHA-256 of the parameters that training starts from, kept in the run folder; random ones if absent.

    Written by `nmsim import-network` and `nmsim train --from`, never by hand.
    """

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, dict):
            value = dict(value)
            if isinstance(value.get("dataset"), str):
                value["dataset"] = {"name": value["dataset"]}
            if isinstance(value.get("encoding"), str):
                value["encoding"] = {"kind": value["encoding"]}
        return value

    @model_validator(mode="after")
    def _layers_exist(self) -> "WorkloadSpec":
        layers = len(self.network.synaptic_layers)
        unknown = [index for index in self.precision.layers if not 0 <= index < layers]
        if unknown:
            raise ValueError(
                f"precision.layers names layer {unknown[0]}, but the network has synaptic layers 0..{layers - 1};"
                " use one of them"
            )
        return self

    @model_validator(mode="after")
    def _structure_is_for_fixed_point(self) -> "WorkloadSpec":
        if self.structure is not None and self.training.arithmetic != "fixed":
            raise ValueError(
                f"structure is for bit-accurate training, not training.arithmetic {self.training.arithmetic}; set that to"
                " fixed or remove the section"
            )
        return self

    @model_validator(mode="after")
    def _bounds_hold_the_start(self) -> "WorkloadSpec":
        neuron, training = self.network.neuron, self.training
        if training.theta_min is not None and training.theta_min > neuron.threshold:
            raise ValueError(
                f"training.theta_min {training.theta_min:g} is above the initial threshold {neuron.threshold:g}, which it"
                " bounds from below; lower it, or raise network.neuron.threshold"
            )
        if training.alpha_max is not None and training.alpha_max < neuron.leak_factor < 1:
            raise ValueError(
                f"training.alpha_max {training.alpha_max:g} is below the initial leak factor {neuron.leak_factor:g}, which"
                " it bounds from above; raise it, or lower network.neuron.leak_factor"
            )
        return self

    @model_validator(mode="after")
    def _scalar_traces_have_a_static_input(self) -> "WorkloadSpec":
        layers = self.network.synaptic_layers
        if all(self.precision.resolve(layer.index).static_trace == "per_input" for layer in layers):
            return self
        if self.encoding.kind != "direct":
            raise ValueError(
                "precision.static_trace: 'scalar' needs a sample that is the same at every time step, and encoding"
                f" '{self.encoding.kind}' has none; use encoding direct, or static_trace: per_input"
            )
        if self.training.update == "in_place":
            raise ValueError(
                "precision.static_trace: 'scalar' gives weight gradients at the end of a sample, but training.update"
                " 'in_place' needs them at every time step; change one of the two"
            )
        return self

    @model_validator(mode="after")
    def _milestones_are_reached(self) -> "WorkloadSpec":
        found, epochs = self.profile.milestones, self.training.epochs
        if isinstance(found, tuple) and max(found, default=0) > epochs:
            raise ValueError(
                f"profile.milestones names epoch {max(found):g}, but training has {epochs}; leave it out, or raise"
                " training.epochs"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_absent_sections(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `structure` where there is none, so that runs without it keep their identity."""
        written: dict[str, Any] = handler(self)
        return {key: value for key, value in written.items() if key != "structure" or value is not None}

    def structure_schedule(self, train_samples: int) -> StructureSchedule | None:
        """The structure section counted in updates of a training on so many samples."""
        if self.structure is None:
            return None
        return StructureSchedule(self.structure, train_samples // self.training.batch_size)

    @property
    def recorded(self) -> bool:
        """Whether it stands for spikes that another tool recorded: nothing is trained."""
        return self.dataset.name == "recorded"

    @property
    def sample_encoding(self) -> SampleEncoding:
        """How samples are encoded; `DataError` if there are none because it is a recording."""
        if self.recorded or isinstance(self.encoding, RecordedEncoding):
            raise DataError(
                f"workload {self.name}: it is a recording of spikes, which can be replayed on chips but has no samples to"
                " train on; name a data set and its encoding"
            )
        return self.encoding

    def needs(self, rule: str, **options: bool | int | str) -> TrainingNeeds:
        """What a rule asks of a chip for this training; `options` are further fields of the needs."""
        training = self.training
        asked: dict[str, bool | int | str] = {"batch_size": training.batch_size}
        if rule_named(rule).trains:
            asked |= {
                "momentum": training.momentum > 0,
                "centralized": training.gradient_centralization,
                "update": training.update,
            }
        if rule_named(rule).artificial:  # there is one step, so nothing is the same at every step
            options["static_input"] = False
        return TrainingNeeds.for_rule(rule, **asked, **options)

    def identity(self) -> "WorkloadSpec":
        """The same workload wherever its data are: a run folder holds their SHA-256 besides.

        The path of a recording stays in it: it is the bare name of the file that the spikes came from.
        """
        return self if self.recorded else self.with_data(None)

    def run_hash(self, seed: int) -> str:
        """Identity of everything that decides the bits of a training run."""
        return f"{self.content_hash()}-{seed}"

    def with_data(self, path: str | None = None) -> "WorkloadSpec":
        """The same workload with its data set read from another path."""
        return self.model_copy(update={"dataset": self.dataset.model_copy(update={"path": path})})


@dataclass(frozen=True)
class EncodedSplit:
    """The samples of a split as engines take them; encoding happens when a batch is asked for."""

    split: Split
    workload: WorkloadSpec
    encoded: EncodedInput
    seed: int
    augmentation: Augmentation | None = None

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, indices: NDArray[np.int64], first_sample: int) -> Batch:
        """The samples of these indices; random draws go by the count of samples seen, from `first_sample` on."""
        draws = np.arange(first_sample, first_sample + len(indices))
        network = self.workload.network
        encoded = encode(
            self.split,
            indices,
            self.workload.sample_encoding,
            network.time_steps,
            self.seed,
            draw_index=draws,
        )
        raw = encoded.raw
        if self.augmentation is not None:
            raw = augmented(raw, self.augmentation, draws, self.seed)
        inputs = raw.reshape(*raw.shape[:2], *network.input_shape)
        return Batch(inputs, QFormat.parse(encoded.format), encoded.labels, first_sample)


@dataclass(frozen=True)
class Prepared:
    """A workload with its data at hand."""

    workload: WorkloadSpec
    dataset: Dataset
    encoded: EncodedInput
    train: EncodedSplit
    test: EncodedSplit

    @property
    def training_samples(self) -> EncodedSplit:
        """The training split with its augmentation: what training sees."""
        return replace(self.train, augmentation=self.workload.augmentation)

    @property
    def input_format(self) -> QFormat:
        """Format of the network's input."""
        return QFormat.parse(self.encoded.format)


def _check_memory(workload: WorkloadSpec) -> None:
    """`ConfigError` if what is kept of every weight, and the states of a batch, are more than memory holds."""
    layers, samples = workload.network.synaptic_layers, workload.training.batch_size
    values = sum(
        VALUES_PER_WEIGHT * layer.weights + 2 * samples * (layer.inputs + layer.neurons) for layer in layers
    )
    values += samples * workload.network.time_steps * prod(workload.network.input_shape) // BYTES_PER_VALUE
    lack = shortage(values * BYTES_PER_VALUE)
    if lack:
        raise ConfigError(
            f"workload {workload.name}: training at batch size {samples} {lack}; use fewer units or channels, less padding,"
            " fewer time steps or a smaller batch"
        )


def prepare(
    workload: WorkloadSpec, seed: int, on_progress: Any = None, data: Dataset | None = None
) -> Prepared:
    """Load the data set, or take `data` in its place, and check that it fits the network.

    Raises:
        DataError: the data set cannot be read, or the workload is a recording.
        ConfigError: encoded shape or number of classes differ from the network's.
    """
    spec = workload.dataset
    _check_memory(workload)
    encoding = workload.sample_encoding
    dataset = data or load_described(spec, on_progress)
    check_encoding(dataset.train, encoding, workload.network.time_steps)
    encoded = encoded_input(encoding, dataset.input_shape)
    network = workload.network
    flat_match = len(network.input_shape) == 1 and network.input_shape[0] == prod(encoded.shape)
    if encoded.shape != network.input_shape and not flat_match:
        raise ConfigError(
            f"workload {workload.name}: network.input_shape {list(network.input_shape)} does not match the encoded samples"
            f" of '{spec.name}', which are {list(encoded.shape)}; set network.input_shape to that"
        )
    if network.classes < dataset.classes:
        raise ConfigError(
            f"workload {workload.name}: the last layer has {network.classes} neurons, but '{spec.name}' has"
            f" {dataset.classes} classes; give the last layer {dataset.classes} units"
        )
    splits = (EncodedSplit(split, workload, encoded, seed) for split in (dataset.train, dataset.test))
    return Prepared(workload, dataset, encoded, *splits)
