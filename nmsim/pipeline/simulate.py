"""Stage two: replay the recorded activity of a run on chips."""

from collections.abc import Callable, Iterable
from pathlib import Path

from nmsim import config
from nmsim.activity import Activity
from nmsim.cost.table import load_table
from nmsim.errors import ConfigError, DoesNotFitError
from nmsim.evaluate import Evaluation, Model, evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.mapper.search import search_mapping
from nmsim.mapping.automatic import deploy_network
from nmsim.network.memory import TrainingNeeds
from nmsim.pipeline.folder import RunFolder
from nmsim.rules import BASELINE, INFERENCE, RULES, rule_named
from nmsim.workload import WorkloadSpec

CHIPS = "arch_configs/chips"
DEFAULT_CHIP = "edge-28nm"


def read_chip(name: str, assignments: Iterable[str] = ()) -> ChipConfig:
    """A chip by shipped name or path, with overrides."""
    return config.read(ChipConfig, config.find(CHIPS, name), tuple(assignments))


def simulate(
    out: Path,
    chips: Iterable[ChipConfig],
    *,
    rules: Iterable[str] = (),
    models: Iterable[Model] = ("analytic",),
    say: Callable[[str], None] = lambda _: None,
) -> list[Evaluation]:
    """Evaluate a trained run on every chip under every rule with every model, and write the results.

    Without `rules`: inference, the rule that was trained, and the baseline (STBP). `event` simulates the trained rule
    only, unless rules are given. Of spikes that were imported: inference only.

    Raises:
        RunError: there is no trained run in `out`.
        DoesNotFitError: the network does not fit a chip.
        CostError: an action has no usable price.
        ConfigError: an unknown rule, or one that the run cannot serve.
    """
    folder = RunFolder(out)
    workload = folder.workload()
    folder.history()
    given = tuple(rules)
    trained = (INFERENCE if workload.recorded else workload.training.rule).name
    possible = rules_of(out)
    chosen = given or tuple(rule for rule in possible if rule in {INFERENCE.name, trained, BASELINE.name})
    for rule in chosen:
        if rule not in RULES:
            raise ConfigError(f"rule '{rule}' is not known; use one of {', '.join(RULES)}")
        if rule not in possible:
            raise ConfigError(
                f"rule '{rule}': {out} holds imported spikes, which tell no traces and deltas; use inference, or train"
                " the network with nmsim"
            )
    evaluations: list[Evaluation] = []
    chips = tuple(chips)
    for chip in chips:
        for rule in chosen:
            for model in models:
                if model == "event" and not given and rule != trained:
                    continue
                say(f"{chip.name}: {rule}, {model} model")
                evaluations.append(evaluate_rule(workload, folder, chip, rule, model))
    folder.save_chips(chips)
    folder.save_evaluations(evaluations)
    return evaluations


def rules_of(out: Path) -> tuple[str, ...]:
    """Rules that a run can be evaluated under: all, or inference only if its spikes were imported."""
    return (INFERENCE.name,) if RunFolder(out).workload().recorded else tuple(RULES)


def needs_of(workload: WorkloadSpec, rule: str, activity: Activity) -> TrainingNeeds:
    """What a rule asks of any chip for this workload and its recorded inputs."""
    return workload.needs(rule, sample_bits=activity.layers[0].input_bits, static_input=activity.static_input)


def evaluate_rule(
    workload: WorkloadSpec, folder: RunFolder, chip: ChipConfig, rule: str, model: Model
) -> Evaluation:
    """One evaluation: map, replay, price."""
    activity = Activity.load(folder.activity(rule_named(rule).profile))
    needs, costs = needs_of(workload, rule, activity), load_table(chip.technology)
    try:
        job = search_mapping(workload.network, workload.precision, needs, activity, chip, costs).job
    except DoesNotFitError:
        deploy_network(
            workload.network, workload.precision, needs, chip
        )  # its report says what would make it fit
        raise
    return evaluate(job, activity, costs, model=model, detail=True)
