"""Stage two: replay the recorded activity of a run on chips."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

from nmsim import config
from nmsim.activity import Activity
from nmsim.cost.chip_file import CHIPS, build_chip, load_chip
from nmsim.cost.table import load_table
from nmsim.datasets.encoding import encoded_format
from nmsim.errors import ConfigError, DoesNotFitError
from nmsim.evaluate import Evaluation, Model, evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.variant import variant_of
from nmsim.mapper.mapping_search import search_mapping
from nmsim.mapping.automatic import deploy_network
from nmsim.mapping.deployment import Deployment
from nmsim.misfit import ERRORS, Misfit
from nmsim.network.memory import TrainingNeeds
from nmsim.network.values import input_formats
from nmsim.perf.census import ActivityCensus
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.simulations import Simulations
from nmsim.rules import ANN, BASELINE, INFERENCE, RULES, rule_named
from nmsim.sharing import Share, in_turn
from nmsim.workload import WorkloadSpec

DEFAULT_CHIP = "edge-28nm"
Recorded = tuple[Activity, ActivityCensus]
"""An activity, and the census that all evaluations which replay it share."""


def read_chip(name: str, assignments: Iterable[str] = ()) -> ChipConfig:
    """A chip by shipped name or path, with overrides; its label says in what it differs from the chip of its name.

    That is the shipped chip of the name, so an edited copy of a shipped file is told apart too, or else the file before
    the overrides.

    >>> read_chip("edge-28nm", ["clock_hz=1e8"]).clock_hz
    100000000.0
    """
    document = load_chip(name)
    changed = document
    for assignment in assignments:
        changed = changed.with_value(assignment, "chip")
    chip = build_chip(changed)
    base = build_chip(load_chip(chip.name) if chip.name in config.shipped(CHIPS) else document)
    return chip if chip.variant else chip.model_copy(update={"variant": variant_of(chip, base)})


@dataclass(frozen=True)
class Simulated:
    """What became of every chip, rule and model that was asked for."""

    evaluations: tuple[Evaluation, ...]
    misfits: tuple[Misfit, ...]

    def __iter__(self) -> Iterator[Evaluation]:
        return iter(self.evaluations)

    def __len__(self) -> int:
        return len(self.evaluations)


def simulate(
    out: Path | str,
    chips: Iterable[ChipConfig],
    *,
    rules: Iterable[str] = (),
    models: Iterable[Model] = ("analytic",),
    say: Callable[[str], None] = lambda _: None,
    share: Share = in_turn,
) -> Simulated:
    """Evaluate a trained run on every chip under every rule with every model; each result is written as it is made.

    Without `rules`: inference, the rule that was trained, and the baseline (STBP). `event` simulates the trained rule
    only, unless rules are given. Of spikes that were imported: inference only. A rule that a chip does not serve is a
    result too. `share` makes the evaluations, a call for each chip and rule.

    Raises:
        RunError: there is no trained run in `out`, or another command is at work in it.
        ConfigError: an unknown rule, or one that the run cannot serve.
    """
    folder = RunFolder(Path(out))
    workload = folder.workload()
    folder.history()
    given = tuple(rules)
    trained = _trained(workload)
    chosen = chosen_rules(workload, given)
    store, evaluations, misfits = Simulations(folder), list[Evaluation](), list[Misfit]()
    asked = [
        (chip, rule, tuple(model for model in models if model != "event" or given or rule == trained))
        for chip, rule in product(chips, chosen)
    ]
    with folder.locked():
        replay = _Replay(folder.path)
        found = iter(share([partial(replay.outcomes, *one) for one in asked]))
        for chip, rule, own in asked:
            for model in own:
                say(f"{chip.label}: {rule}, {model} model")
            for model, result in zip(own, next(found), strict=False):
                if isinstance(result, Misfit):
                    misfits.append(result)
                else:
                    evaluations.append(result)
                store.save(chip, model, result)
    return Simulated(tuple(evaluations), tuple(misfits))


class _Replay:
    """A run as rules replay it on chips; what they replay is kept for the next that does, and does not travel."""

    def __init__(self, out: Path) -> None:
        self._folder, self._recorded = RunFolder(out), dict[tuple[str, bool], Recorded]()
        self._workload = self._folder.workload()

    def __reduce__(self) -> tuple[type["_Replay"], tuple[Path]]:
        return type(self), (self._folder.path,)

    def outcomes(self, chip: ChipConfig, rule: str, models: Iterable[Model]) -> list[Evaluation | Misfit]:
        """What becomes of a rule on a chip, by model; a misfit is the last, for the models after it would say the same."""
        source = rule_named(rule).profile, rule_named(rule).artificial
        if source not in self._recorded:
            self._recorded = {source: recorded_for(self._workload, self._folder, rule)}
        recorded, found = self._recorded[source], list[Evaluation | Misfit]()
        for model in models:
            try:
                found.append(evaluate_rule(self._workload, self._folder, chip, rule, model, recorded))
            except ERRORS as error:
                return [*found, Misfit.of(chip, rule, error)]
        return found


def misfits_of(
    workload: WorkloadSpec, chips: Iterable[ChipConfig], rules: Iterable[str] = ()
) -> list[Misfit]:
    """Rules for which a chip has no room, found from the workload alone: to be asked before hours of training.

    Raises:
        ConfigError: an unknown rule, or a workload that does not fit its data set.
    """
    fmt, same_steps = encoded_format(workload.sample_encoding)
    first = workload.network.synaptic_layers[0].index
    bits = input_formats(workload.network, fmt)[first].total_bits
    static = same_steps and workload.network.time_steps > 1
    found = []
    for chip, rule in product(chips, chosen_rules(workload, rules)):
        try:
            needs = workload.needs(rule, sample_bits=bits, static_input=static)
            deploy_network(workload.network, workload.precision, needs, chip)
        except ERRORS as error:
            found.append(Misfit.of(chip, rule, error))
    return found


def chosen_rules(workload: WorkloadSpec, given: Iterable[str] = ()) -> tuple[str, ...]:
    """The rules given, or inference, the rule that is trained, and BASELINE.

    Raises:
        ConfigError: an unknown rule, or one that the run cannot serve.
    """
    possible, trained = _possible(workload), _trained(workload)
    usual = (name for name in (INFERENCE.name, trained, BASELINE.name) if name in possible)
    chosen = tuple(given) or tuple(dict.fromkeys(usual))
    for rule in chosen:
        if rule not in (*RULES, ANN.name):
            raise ConfigError(f"rule '{rule}' is not known; use one of {', '.join((*RULES, ANN.name))}")
        if rule not in possible and not workload.recorded:
            raise ConfigError(
                f"rule '{rule}': the neurons of {workload.name} have no leak to learn, or reset to zero, which training does"
                f" not follow; use {', '.join(possible)}"
            )
        if rule not in possible:
            raise ConfigError(
                f"rule '{rule}': the run {workload.name} holds imported spikes, which tell no traces and deltas; use"
                f" {' or '.join(possible)}, or train the network with nmsim"
            )
    return chosen


def rules_of(out: Path) -> tuple[str, ...]:
    """Rules that a run can be evaluated under."""
    return _possible(RunFolder(out).workload())


def _possible(workload: WorkloadSpec) -> tuple[str, ...]:
    """No learning if the spikes were imported or nothing could learn them; a neuron without a leak has none to learn.

    The baseline stays, for comparison.
    """
    neuron = workload.network.neuron
    if workload.recorded or neuron.reset == "zero":
        return (INFERENCE.name, ANN.name)
    learning = (
        name
        for name, rule in RULES.items()
        if not (neuron.integrates and rule.learns_leak) or name == BASELINE.name
    )
    return (*learning, ANN.name)


def _trained(workload: WorkloadSpec) -> str:
    """The rule that the run learned by, or inference where it did not learn here."""
    rule = workload.training.rule
    return (rule if any(rule_named(name).trains for name in _possible(workload)) else INFERENCE).name


def needs_of(workload: WorkloadSpec, rule: str, activity: Activity) -> TrainingNeeds:
    """What a rule asks of any chip for this workload and its recorded inputs."""
    return workload.needs(rule, sample_bits=activity.layers[0].input_bits, static_input=activity.static_input)


def mapped(
    workload: WorkloadSpec, rule: str, activity: Activity, chip: ChipConfig, *, census: ActivityCensus | None = None
) -> Deployment:  # fmt: skip
    """The workload on a chip under a rule, its mapping searched: what every evaluation of a run starts from.

    Raises:
        DoesNotFitError: no mapping has room, and nothing says what would make it fit; ask `deploy_network` for that.
        CostError, TooFastError: as `search_mapping`.
    """
    needs, costs = needs_of(workload, rule, activity), load_table(chip.technology)
    found = search_mapping(workload.network, workload.precision, needs, activity, chip, costs, census=census)
    return found.job


def evaluate_rule(
    workload: WorkloadSpec, folder: RunFolder, chip: ChipConfig, rule: str, model: Model, recorded: Recorded | None = None
) -> Evaluation:  # fmt: skip
    """One evaluation: map, replay, price. `recorded` is what `recorded_for` reads, where it is at hand.

    It bears the hash of the chip that was asked for: what the search of a mapping chose for this rule (where layers spread,
    how wide words are) is part of the mapping's hash, and does not make two machines of one.
    """
    activity, census = recorded_for(workload, folder, rule) if recorded is None else recorded
    try:
        job = mapped(workload, rule, activity, chip, census=census)
    except DoesNotFitError:
        needs = needs_of(workload, rule, activity)
        # its report says what would make it fit
        deploy_network(workload.network, workload.precision, needs, chip)
        raise
    found = evaluate(job, activity, model=model, detail=True, census=census)
    return replace(found, chip_hash=chip.content_hash())


def recorded_for(workload: WorkloadSpec, folder: RunFolder, rule: str) -> Recorded:
    """What a rule replays of a run."""
    activity = folder.activity(rule_named(rule).profile)
    if rule_named(rule).artificial:
        activity = activity.as_artificial(workload.network)
    return activity, ActivityCensus(workload.network, activity)
