"""Search of a mapping: how layers are cut, spread and run, for an objective, deterministic and bounded (docs/machine.md)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

from nmsim.activity import Activity
from nmsim.capacity import shortage
from nmsim.contents import Content
from nmsim.cost.table import CostTable
from nmsim.errors import ConfigError, DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.dataflow import FLOWS, Flow
from nmsim.mapper.costing import Cost, Coster, Objective, Price, Step
from nmsim.mapping.automatic import finished, map_network
from nmsim.mapping.deployment import Deployment
from nmsim.mapping.flow import LayerFlow
from nmsim.mapping.mapping import Mapping
from nmsim.mapping.partition import LayerCut, Spread
from nmsim.mapping.stored_weights import Present
from nmsim.mapping.task import PresentSynapses, Task, following
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.census import ActivityCensus

Effort = Literal["quick", "full"]
MOST_SEARCHED = 16_384
"""Cores up to which a full search is made; on more of them each trial takes seconds, and policies and dataflows are left."""
BYTES_PER_CORE: dict[Effort, float] = {"quick": 50e3, "full": 150e3}
BYTES_PER_CORE_AND_SAMPLE = 2.5e3
"""Memory that mapping and simulating take, measured on meshes of 4,000 to 64,000 cores."""
NO_QUESTION_BYTES = 1e9
"""Below this nobody asks how much memory is free."""
POLICIES: tuple[Spread, ...] = ("balanced", "compact", "wide")
STEPS: tuple[Step, ...] = ("integrate", "error", "gradient")
PROFILE = 2
"""Samples that stand for the activity while mappings are compared."""
FEW_PLACES = 8192
"""Layers times cores times samples up to which a quick search takes all samples: evaluation then finds its work done."""
MOST_TRIED = 48
FEWER_TRIED = 20
"""Mappings that are costed, at most; fewer where many layers meet many cores, so that time stays bounded."""
MANY_PLACES = 128
FEW_CORES = 8
"""Up to so many cores, every number of them is tried for a layer; above, powers of two."""


@dataclass(frozen=True, eq=False)
class Searched:
    """The mapped job that was found, its cost, and the cost of every policy that fits: what it beat."""

    job: Deployment
    cost: Cost
    objective: Objective
    policies: dict[Spread, Cost]
    tried: int

    @property
    def mapping(self) -> Mapping:
        """Which core holds what."""
        return self.job.mapping

    def gain(self, policy: Spread) -> float:
        """How many times the objective of a policy is the one that was found, at least (see `Cost.bound`)."""
        return self.policies[policy].value(self.objective) / self.cost.value(self.objective)

    @property
    def sentence(self) -> str:
        """What was chosen and what it beat, for people."""
        beaten = ", ".join(
            f"{policy} {'at least ' * cost.bound}{self.gain(policy):.2f}x"
            for policy, cost in self.policies.items()
        )
        return (
            f"mapping searched for {self.objective.replace('_', ' ')}, {self.tried} tried: {self._chosen()};"
            f" {self.objective.replace('_', ' ')} of {beaten} of it"
        )

    def _chosen(self) -> str:
        cores = {p.layer: 0 for p in self.mapping.slices}
        for layer in cores:
            cores[layer] = len({piece.core for piece in self.mapping.slices_of(layer)})
        flows = {
            step: sorted({getattr(flow, step).replace("_stationary", "") for flow in self.mapping.flows})
            for step in STEPS
        }
        held = ", ".join(f"{step} holds {' or '.join(names)}" for step, names in flows.items())
        return f"cores by layer {' '.join(str(cores[layer]) for layer in sorted(cores))}; {held}"


def search_mapping(
    network: NetworkSpec, precision: Precision, needs: TrainingNeeds, activity: Activity, chip: ChipConfig,
    costs: CostTable, *, objective: Objective | None = None, effort: Effort = "full", census: ActivityCensus | None = None,
) -> Searched:  # fmt: skip
    """Find how the layers are cut, over how many cores they spread and which operands stay in place.

    `objective` (the chip's option if absent) is what is to be small. What the chip's options prescribe (`spread`,
    `dataflow`) stays as it is. `quick` compares the three policies and the dataflows, refuses those that cannot win by lower
    bounds, and looks for no remedies of a clock that is too fast; `full` also searches cores and rows of every layer. Never
    worse than any policy that fits, by the analytic model on the first samples; a quick search of few cores takes all of
    them. Machines of more than `MOST_SEARCHED` cores are searched quickly.

    Raises:
        DoesNotFitError, ConfigError, CostError, TooFastError: as mapping by a policy and `evaluate`; `ConfigError` too where
            cores and samples are more than memory holds.
    """
    bounded = effort == "quick"
    effort = effort if len(chip.cores()) <= MOST_SEARCHED else "quick"
    _check_memory(chip, activity, effort)
    chip = following(network, precision, needs, chip)
    places = len(network.synaptic_layers) * len(chip.cores()) * activity.samples
    samples = activity.samples if effort == "quick" and places <= FEW_PLACES else PROFILE
    few = ActivityCensus(network, activity.first(samples)) if census is None else census.first(samples)
    price = Coster(network, precision, needs, few.activity, chip, costs, few, remedies=effort == "full")
    task = Task.of(network, precision, needs, chip, _present(network, activity))
    search = _Search(task, price, objective or chip.options.objective, bounded=bounded)
    search.policies()
    search.dataflows()
    if effort == "full" and chip.options.spread == "searched":
        search.cuts()
        search.dataflows()
    job = Deployment(network, precision, search.task.needs, chip, search.best)
    found = Searched(job, search.cost, search.objective, search.by_policy, len(search.known))
    return replace(found, job=replace(job, mapping=replace(search.best, chosen=found.sentence)))


def _check_memory(chip: ChipConfig, activity: Activity, effort: Effort) -> None:
    """`ConfigError` if mapping and simulating all samples take more memory than is free."""
    cores, samples = len(chip.cores()), activity.samples
    need = cores * (BYTES_PER_CORE[effort] + samples * BYTES_PER_CORE_AND_SAMPLE)
    lack = shortage(need) if need > NO_QUESTION_BYTES else ""
    if lack:
        raise ConfigError(
            f"chip {chip.label}: {samples} samples on {cores:,} cores {lack}; use a smaller mesh, or record fewer samples"
            " (profile.samples)"
        )


def _present(network: NetworkSpec, activity: Activity) -> PresentSynapses:
    """Which synapses an activity was recorded with; nothing if all are there."""
    masks = [
        activity.layers[layer.index].synapse_mask(layer.weight_shape) for layer in network.synaptic_layers
    ]
    return (
        ()
        if all(mask is None for mask in masks)
        else tuple(mask if mask is None else Present(mask) for mask in masks)
    )


@dataclass(eq=False)
class _Search:
    """The best mapping so far, and every one that was costed."""

    task: Task
    price: Price
    objective: Objective
    bounded: bool = False
    """Whether what cannot be the best is refused by lower bounds."""
    known: dict[tuple[object, ...], Cost] = field(default_factory=dict)
    by_policy: dict[Spread, Cost] = field(default_factory=dict)
    best: Mapping = field(init=False)
    cost: Cost = field(init=False)

    def policies(self) -> None:
        """Start from the chip's policy, or the best of all three; refused if none fits."""
        task, chip = self.task, self.task.chip
        spread = chip.options.spread
        failed: DoesNotFitError | None = None
        for policy in POLICIES if spread == "searched" else (spread,):
            try:
                mapping = map_network(
                    task.network,
                    task.precision,
                    task.asked,
                    chip,
                    spread=policy,
                    remedies=False,
                    present=task.present,
                )
            except DoesNotFitError as error:
                failed = failed or error
                continue
            self.by_policy[policy] = self.consider(mapping)
        if not self.by_policy:
            assert failed is not None
            raise failed

    def consider(self, mapping: Mapping) -> Cost:
        """Cost a mapping, once; it becomes the best if it is."""
        flows = mapping.flows or (LayerFlow.of(self.task.chip.options.dataflow),) * len(self.task.plans)
        mapping = replace(mapping, flows=flows)
        key = (mapping.slices, mapping.residency, flows)
        if key not in self.known:
            self.known[key] = self.price(mapping, self._cannot_win if self.bounded else None)
        cost = self.known[key]
        if not hasattr(self, "cost") or cost.value(self.objective) < self.cost.value(self.objective):
            self.best, self.cost = mapping, cost
        return cost

    def _cannot_win(self, least: Cost) -> bool:
        """Of equally good mappings the first is kept, so that a bound as high as the best is enough."""
        return hasattr(self, "cost") and least.value(self.objective) >= self.cost.value(self.objective)

    def dataflows(self) -> None:
        """The dataflow of every layer and phase: each is tried everywhere at once, and the best of each place kept."""
        options, base, trains = self.task.chip.options.dataflow, self.best, self.task.needs.trains
        free = [step for step in STEPS if getattr(options, step) == "searched"]
        free = [step for step in free if trains or step == "integrate"]
        if not free or self._by_events():
            return
        seen = {base.flows: self.consider(base)}
        for flow in FLOWS if self._shares_weights() else FLOWS[:2]:
            flows = tuple(replace(own, **dict.fromkeys(free, flow)) for own in base.flows)
            seen[flows] = self.consider(replace(base, flows=flows))
        chosen = []
        for layer, own in enumerate(base.flows):
            choice: dict[str, Flow] = {
                step: getattr(min(seen, key=lambda f: self._score(seen[f], layer, step))[layer], step) for step in free
            }  # fmt: skip
            chosen.append(replace(own, **choice))
        self.consider(replace(base, flows=tuple(chosen)))

    def cuts(self) -> None:
        """Cores and full words for every layer: each is tried everywhere at once, the best combined, then one by one."""
        layers = len(self.task.plans)
        tables: dict[LayerCut, Cost] = {}
        for cut in self._cuts():
            if self.spent:
                break
            cost = self._cut((cut,) * layers)
            if cost is not None:
                tables[cut] = cost
        if not tables:
            return
        current = [
            min(tables, key=lambda cut: sum(self._score(tables[cut], layer, step) for step in STEPS))
            for layer in range(layers)
        ]
        best = self._cut(tuple(current))
        by_gain = sorted(
            range(layers), key=lambda layer: -sum(self._score(self.cost, layer, s) for s in STEPS)
        )
        for layer, cut in product(by_gain, tables):
            if self.spent:
                return
            tried = [*current[:layer], cut, *current[layer + 1 :]]
            cost = self._cut(tuple(tried))
            better = cost is not None and (
                best is None or cost.value(self.objective) < best.value(self.objective)
            )
            if better:
                current, best = tried, cost

    @property
    def spent(self) -> bool:
        """Whether as many mappings were costed as may be."""
        places = len(self.task.plans) * len(self.task.chip.cores())
        return len(self.known) >= (FEWER_TRIED if places > MANY_PLACES else MOST_TRIED)

    def _score(self, cost: Cost, layer: int, step: Step) -> float:
        part = cost.parts.get((layer, step), (0.0, 0.0))
        return self.cost.score(part, self.objective)

    def _cuts(self) -> Iterator[LayerCut]:
        """Numbers of cores, with pieces of any width or of whole words of weights."""
        cores = len(self.task.chip.cores())
        few = cores <= FEW_CORES
        counts = range(1, cores + 1) if few else [2**power for power in range(cores.bit_length())]
        widths = sorted({1, self._values_in_word()})
        for count in sorted({*counts, cores}, reverse=True):
            yield from (LayerCut(count, width) for width in widths)

    def _values_in_word(self) -> int:
        core = self.task.chip.core_types[0]
        bits = max(term.value_bits for term in self.task.plans[0].terms if term.kind is Content.WEIGHT)
        home = core.home(Content.WEIGHT)
        return max(1, core.memories[home].word_bits // bits) if home >= 0 else 1

    def _cut(self, cuts: Sequence[LayerCut]) -> Cost | None:
        """Cost of a way to cut; None if it finds no room."""
        found = self.task.solve(tuple(cuts))
        if found is None:
            return None
        mapping = finished(self.task, found, movable=True)
        return self.consider(replace(mapping, flows=self.best.flows))

    def _shares_weights(self) -> bool:
        return any(plan.layer.kind == "conv" for plan in self.task.plans)

    def _by_events(self) -> bool:
        return all(core.event_timing is not None for core in self.task.chip.core_types)
