"""The run's result: everything a report needs, and nothing it has to compute on a chip."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nmsim.activity import Activity
from nmsim.diagnosis import Diagnosis, diagnose
from nmsim.evaluate import Evaluation
from nmsim.hardware.chip import ChipConfig
from nmsim.misfit import Misfit
from nmsim.network.memory_table import NetworkMemory, memory_by_rule
from nmsim.neurobench import NeuroBench
from nmsim.report.learning_energy import LearningEnergy
from nmsim.report.words import context, layer_names
from nmsim.rules import DEFAULT, INFERENCE
from nmsim.stop.history import TrainingHistory
from nmsim.workload import WorkloadSpec


@dataclass(frozen=True)
class RunResult:
    """One run.

    `provenance` is what the run folder knows about its origin: `versions` (package to version), `dataset` (name,
    source, hash, split, samples), `encoding`. `history` has no rows if nothing was trained. `activity` is the profile
    of the workload's own rule: what densities and the raster show. `evaluations` holds one `Evaluation` per chip, rule
    and model, the one the report is about first among those of the workload's rule; `chips` are their chips.
    `misfits` are the rules that a chip does not serve. `neurobench` are the network's metrics by that suite, None where
    there are no weights. `learning` is what the whole training costs, by chip and rule, where milestones were recorded and
    replayed.
    """

    workload: WorkloadSpec
    seed: int
    provenance: Mapping[str, Any]
    history: TrainingHistory
    activity: Activity
    evaluations: tuple[Evaluation, ...]
    chips: tuple[ChipConfig, ...]
    misfits: tuple[Misfit, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
    neurobench: NeuroBench | None = None
    learning: tuple[LearningEnergy, ...] = ()

    @cached_property
    def subject(self) -> Evaluation:
        """The evaluation the report is about: the first under the workload's own rule, else the first."""
        rule = str(self.workload.training.rule)
        return next((item for item in self.evaluations if item.rule == rule), self.evaluations[0])

    @property
    def subject_first(self) -> tuple[Evaluation, ...]:
        """All evaluations: the subject, then what is most like it (same chip, then same rule)."""
        own = self.subject
        return tuple(
            sorted(
                self.evaluations,
                key=lambda x: (x is not own, x.chip_hash != own.chip_hash, x.rule != own.rule),
            )
        )

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What the run says about itself."""
        return diagnose(self.workload, self.history, self.activity, self.provenance)

    @cached_property
    def own_learning(self) -> LearningEnergy | None:
        """The whole training under the workload's own rule, on the subject's chip if it was followed there."""
        own = [item for item in self.learning if item.rule == self.workload.training.rule.name]
        return next(
            (item for item in own if item.chip_hash == self.subject.chip_hash), own[0] if own else None
        )

    @cached_property
    def inference(self) -> Evaluation | None:
        """Inference on the subject's chip by the subject's model, if it was evaluated."""
        return self.counterpart(rule=INFERENCE.name)

    def counterpart(self, *, rule: str | None = None, model: str | None = None) -> Evaluation | None:
        """The evaluation that differs from the subject only in rule, or only in model."""
        wanted = (self.subject.chip_hash, rule or self.subject.rule, model or self.subject.model)
        found = (
            (item, (item.chip_hash, item.rule, item.model))
            for item in self.evaluations
            if item is not self.subject
        )
        return next((item for item, key in found if key == wanted), None)

    def chip_of(self, evaluation: Evaluation) -> ChipConfig:
        """The chip of an evaluation."""
        return next(chip for chip in self.chips if chip.content_hash() == evaluation.chip_hash)

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """A short name per synaptic layer."""
        return layer_names(self.workload.network)

    @cached_property
    def memory(self) -> tuple[NetworkMemory, ...]:
        """Memory of the network by learning rule, whatever the chip."""
        needs = self.workload.needs(
            DEFAULT.name,
            sample_bits=self.activity.layers[0].input_bits,
            static_input=self.activity.static_input,
        )
        return memory_by_rule(self.workload.network, self.workload.precision, needs)

    def about(self, evaluation: Evaluation) -> str:
        """One line under pictures of an evaluation."""
        return context(self.workload.name, evaluation)

    @property
    def described(self) -> str:
        """One line under pictures that no chip has a part in."""
        if self.workload.recorded:
            return f"{self.workload.name} · imported spikes · T = {self.workload.network.time_steps}"
        training = self.workload.training
        arithmetic = "fixed point" if training.arithmetic == "fixed" else training.arithmetic
        steps = self.workload.network.time_steps
        return f"{self.workload.name} · {training.rule} · {arithmetic} · T = {steps} · seed {self.seed}"
