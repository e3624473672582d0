"""Stage two along the training: every milestone of a run replayed on chips, so that energy is known while it learns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from nmsim.errors import ConfigError
from nmsim.evaluate import evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.deployment import Deployment
from nmsim.misfit import ERRORS, Misfit
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.milestones import read_milestones
from nmsim.pipeline.simulate import chosen_rules, mapped
from nmsim.pipeline.simulations import Simulations
from nmsim.report.learning_energy import LearningEnergy, learning_point
from nmsim.rules import rule_named
from nmsim.workload import WorkloadSpec


@dataclass(frozen=True)
class Along:
    """What became of every chip and rule that was asked for."""

    found: tuple[LearningEnergy, ...]
    misfits: tuple[Misfit, ...]


def simulate_along(
    out: Path | str,
    chips: Iterable[ChipConfig],
    *,
    rules: Iterable[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Along:
    """Energy and time of a whole training on every chip under every rule; each result is written as it is made.

    Without `rules`: the one that was trained, and the baseline (STBP). The network is mapped once, for its profile, and
    every milestone is replayed on that mapping by the analytic model.

    Raises:
        RunError: there is no trained run in `out`, it has no milestones or lacks one, or another command is at work.
        ConfigError: an unknown rule, one that the run cannot serve, or only rules that train nothing.
    """
    folder = RunFolder(Path(out))
    workload, rules = folder.workload(), tuple(rules)
    served = chosen_rules(workload, rules)
    chosen = [rule for rule in served if rule_named(rule).trains]
    if not chosen:
        raise ConfigError(
            f"rule '{', '.join(served)}': trains nothing, so there is no training to follow; give a rule that"
            " trains, or none"
        )
    store, found, misfits = Simulations(folder), list[LearningEnergy](), list[Misfit]()
    with folder.locked():
        for chip, rule in product(chips, chosen):
            say(f"{chip.label}: {rule}, along the training")
            try:
                job = mapped(workload, rule, folder.activity(rule_named(rule).profile), chip)
                found.append(_learning_energy(folder, workload, job, chip, rule))
                store.save_learning(chip, found[-1])
            except ERRORS as error:
                misfits.append(Misfit.of(chip, rule, error))
    return Along(tuple(found), tuple(misfits))


def can_be_followed(out: Path | str, rules: Iterable[str] = ()) -> bool:
    """Whether a run has milestones, and a rule that trains is among those given (or none is given)."""
    given = tuple(rules)
    trains = not given or any(rule_named(rule).trains for rule in given)
    return trains and bool(RunFolder(Path(out)).workload().profile.milestones)


def _learning_energy(
    folder: RunFolder, workload: WorkloadSpec, job: Deployment, chip: ChipConfig, rule: str
) -> LearningEnergy:
    rows = folder.history().rows
    items = [
        (evaluate(job, milestone), milestone)
        for milestone in read_milestones(folder, rule_named(rule).profile)
    ]
    return LearningEnergy(
        chip.label,
        chip.content_hash(),
        items[0][0].costs_hash,
        rule,
        items[0][0].model,
        rows[0].train_samples,
        workload.training.epochs,
        tuple(learning_point(item, milestone) for item, milestone in items),
    )
