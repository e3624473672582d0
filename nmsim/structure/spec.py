"""The structure section of a workload: what is removed or created, how much of it, when, and in which pattern."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from nmsim.config import Record


class Unstructured(Record):
    """Any synapse may go."""

    kind: Literal["unstructured"] = "unstructured"

    @property
    def text(self) -> str:
        """`unstructured`."""
        return self.kind


class NofM(Record):
    """At most `keep` synapses in every run of `group` neighbours of a neuron's (channel's) weights, C order.

    >>> NofM(kind="n_of_m", keep=2, group=4).sparsity
    Fraction(1, 2)
    """

    kind: Literal["n_of_m"]
    keep: int = Field(ge=1, le=256)
    group: int = Field(ge=2, le=256)

    @model_validator(mode="after")
    def _removes(self) -> "NofM":
        if self.keep >= self.group:
            raise ValueError(
                f"keep {self.keep} of a group of {self.group} removes nothing; use a smaller keep or a larger group"
            )
        return self

    @property
    def sparsity(self) -> Fraction:
        """The part of a group that goes."""
        return Fraction(self.group - self.keep, self.group)

    @property
    def text(self) -> str:
        """`2 of 4`."""
        return f"{self.keep} of {self.group}"


class Blocks(Record):
    """Blocks of `rows` neurons (channels) by `columns` neighbouring weights of each go and come as a whole."""

    kind: Literal["blocks"]
    rows: int = Field(ge=1, le=1024)
    columns: int = Field(ge=1, le=1024)

    @property
    def text(self) -> str:
        """`blocks of 4 x 4`."""
        return f"blocks of {self.rows} x {self.columns}"


Pattern = Annotated[Unstructured | NofM | Blocks, Field(discriminator="kind")]


class StructureSpec(Record):
    """How the synapses of a network change while it learns; to the bit in docs/arithmetic.md, "Structure".

    >>> spec = StructureSpec(method="prune", sparsity=0.9, begin_epoch=1, end_epoch=4, every_updates=125)
    >>> spec.target
    Fraction(9, 10)
    """

    method: Literal["prune", "grow", "prune_and_grow"]
    """`prune` from what is there; `grow` from a sparse start; or exchange synapses at a constant budget."""
    sparsity: float | None = Field(default=None, ge=0, lt=1)
    """Fraction of each layer's (`scope: global`: all) synapses that is absent in the end; n_of_m says it itself."""
    initial_sparsity: float | None = Field(default=None, gt=0, lt=1)
    """`grow` only: fraction absent at the start."""
    pattern: Pattern = Unstructured()
    """Which synapses go together."""
    scope: Literal["layer", "global"] = "layer"
    """Whether synapses are ranked within their layer, or raw integers of all layers in one list."""
    prune_by: Literal["magnitude", "gradient"] = "magnitude"
    """Smallest first: |w|, or |dW| of the batch before the step."""
    grow_by: Literal["gradient", "random"] = "gradient"
    """Largest |dW| of the batch before the step, which absent synapses gather too; or largest draw."""
    schedule: Literal["cubic", "linear", "one_shot"] = "cubic"
    """How far a step goes between the start and the end; cubic after Zhu and Gupta 2017. `one_shot`: one step, all of it."""
    begin_epoch: float = Field(default=0.0, ge=0)
    """Epochs before the first step; 0 with `prune` and magnitudes: before the first update."""
    end_epoch: float | None = Field(default=None, ge=0)
    """Epochs before the last step; `begin_epoch` if absent."""
    every_updates: int = Field(default=100, ge=1)
    """Updates between two steps."""
    exchange: float = Field(default=0.3, gt=0, le=0.5)
    """`prune_and_grow`: fraction of the present synapses that the first step exchanges; later ones less, by `schedule`."""
    dense_layers: tuple[int, ...] = ()
    """Layers that keep all their synapses."""

    @model_validator(mode="after")
    def _combinations(self) -> "StructureSpec":
        pattern, grouped = self.pattern, isinstance(self.pattern, NofM)
        if isinstance(pattern, NofM) and self.sparsity not in {None, float(pattern.sparsity)}:
            raise ValueError(
                f"sparsity {self.sparsity:g} contradicts pattern {pattern.text}, which says it itself; leave it out"
            )
        if not grouped and self.sparsity is None:
            raise ValueError(
                "the key 'sparsity' is missing; say which fraction of the synapses is to be absent"
            )
        if grouped and self.method != "prune":
            raise ValueError(
                f"pattern n_of_m goes with method prune, not {self.method}; use unstructured or blocks"
            )
        if grouped and self.scope == "global":
            raise ValueError(
                "pattern n_of_m ranks within its groups, so scope must be layer; change one of the two"
            )
        if (self.method == "grow") != (self.initial_sparsity is not None):
            raise ValueError(
                "initial_sparsity is where method grow starts, which needs it and no other does;"
                f" {'add' if self.method == 'grow' else 'remove'} it"
            )
        if self.initial_sparsity is not None and self.initial_sparsity < float(self.target):
            raise ValueError(
                f"initial_sparsity {self.initial_sparsity:g} is below sparsity {self.sparsity:g}, but growing lowers it;"
                " exchange the two"
            )
        if self.end_epoch is not None and self.end_epoch < self.begin_epoch:
            raise ValueError(
                f"end_epoch {self.end_epoch:g} is before begin_epoch {self.begin_epoch:g}; use a later end"
            )
        if self.schedule == "one_shot" and self.method == "prune_and_grow":
            raise ValueError(
                "schedule one_shot makes one step, and prune_and_grow exchanges by and by; use cubic or linear"
            )
        return self

    @property
    def target(self) -> Fraction:
        """Sparsity in the end, as the decimal number that is written."""
        if isinstance(self.pattern, NofM):
            return self.pattern.sparsity
        return Fraction(str(self.sparsity))

    @property
    def start(self) -> Fraction:
        """Sparsity at the start of the training."""
        if self.method == "prune":
            return Fraction(0)
        return self.target if self.initial_sparsity is None else Fraction(str(self.initial_sparsity))

    @property
    def needs_gradient(self) -> bool:
        """Whether a step looks at dW."""
        ranks = self.method != "grow" and self.prune_by == "gradient"
        return ranks or self.grows_by_gradient

    @property
    def grows_by_gradient(self) -> bool:
        """Whether absent synapses gather dW in the batch before a step."""
        return self.method != "prune" and self.grow_by == "gradient"
