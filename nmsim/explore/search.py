"""Search: designs proposed by a multi-objective sampler of Optuna, in batches, deterministic by seed."""

import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Literal, get_args

import numpy as np

from nmsim.errors import ConfigError
from nmsim.explore.result import Result, costs, feasible, violations
from nmsim.explore.sample import sample
from nmsim.explore.space import DesignSpace, Values, design_key

Sampler = Literal["tpe", "nsga2"]
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)
FIRST_POINTS = 256
UNUSABLE = 1e3
"""Violation of a design without figures, far beyond that of any design with figures."""
SPREAD_SHARE = 8
"""One of so many designs of a batch comes from a Sobol sequence, and the whole first batch, so that no corner of the
space stays unseen: a genetic population of a few dozen may lose one for good."""
ASKS_PER_DESIGN = 20
"""Proposals without a new design after which unseen designs are drawn at random."""


class Searcher:
    """Proposes batches of designs that were not evaluated before, and learns from their results.

    `nsga2`: non-dominated sorting genetic algorithm II (Deb et al., IEEE TEC 6(2), 2002); `tpe`: tree-structured
    Parzen estimator with several objectives (Ozaki et al., GECCO 2020), the Bayesian one. Both handle constraints
    by their violation. What is proposed depends on the space, the seed, the batch size, the warm start and the
    results told, and on nothing else: telling the results of an earlier run again resumes it.

    Raises:
        ConfigError: the extra `search` is not installed.
    """

    def __init__(
        self, space: DesignSpace, sampler: Sampler, seed: int, batch: int, warm_start: Sequence[Values] = ()
    ) -> None:
        try:
            import optuna
        except ImportError as error:
            raise ConfigError("nmsim search: Optuna is not installed; run `pip install optuna`") from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna: Any = optuna
        self.space, self.batch = space, batch
        self._random = np.random.default_rng([seed, 1])
        self._spread = _sobol(space, seed)
        self._study = self._create(sampler, seed)
        self._axes = {axis.label: _distribution(optuna, axis) for axis in space.axes}
        self._known: dict[str, Result] = {}
        self._asked: list[tuple[Any, str]] = []
        self._worst = np.zeros(len(space.objectives))
        for values in warm_start:
            self._enqueue(values)
        self._enqueue_spread(batch)

    def _create(self, sampler: Sampler, seed: int) -> Any:
        samplers = self._optuna.samplers
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self._optuna.exceptions.ExperimentalWarning)
            chosen = (
                samplers.NSGAIISampler(population_size=max(2, self.batch), seed=seed)
                if sampler == "nsga2"
                else samplers.TPESampler(n_startup_trials=self.batch, multivariate=True, seed=seed)
            )
        directions = ["minimize"] * len(self.space.objectives)
        return self._optuna.create_study(directions=directions, sampler=chosen)

    def ask(self, limit: int) -> list[Values]:
        """At most `limit` and at most a batch of designs that were never proposed before; none if all were."""
        wanted = min(limit, self.batch)
        if self._known and not self._asked:
            self._enqueue_spread(self.batch // SPREAD_SHARE)
        found: dict[str, Values] = {}
        tries = 0
        while len(found) < wanted and len(self._known) + len(found) < self.space.size:
            if tries >= wanted * ASKS_PER_DESIGN:
                self._enqueue(self._unseen(found))
            tries += 1
            trial = self._study.ask(self._axes)
            values = self._values(trial.params)
            key = design_key(values)
            if key in self._known:
                self._tell(trial, self._known[key])
                continue
            self._asked.append((trial, key))
            found.setdefault(key, values)
        return list(found.values())

    def tell(self, results: Sequence[Result]) -> None:
        """The results of what was asked last."""
        for result in results:
            self._known[design_key(result.values)] = result
        for trial, key in self._asked:
            self._tell(trial, self._known[key])
        self._asked.clear()

    def _tell(self, trial: Any, result: Result) -> None:
        usable = result.ok and all(result.metrics.get(o.metric) is not None for o in self.space.objectives)
        if usable:
            row = costs([result], self.space.objectives)[0]
            self._worst = np.maximum(self._worst, row)
        beyond = violations(result, self.space.demands) if usable else ()
        trial.set_constraint("usable", 0.0 if usable else UNUSABLE)
        for demand, value in zip(self.space.demands, beyond, strict=False):
            trial.set_constraint(demand.text, value if np.isfinite(value) else UNUSABLE)
        self._study.tell(trial, list(row if usable else self._worst))

    def _unseen(self, found: dict[str, Values]) -> Values:
        """A design drawn at random that was not proposed before."""
        while True:
            fractions = self._random.random(len(self.space.axes))
            values = tuple(axis.at(float(u)) for axis, u in zip(self.space.axes, fractions, strict=True))
            if design_key(values) not in self._known and design_key(values) not in found:
                return values

    def _enqueue_spread(self, designs: int) -> None:
        """Have the next new designs of the Sobol sequence proposed next."""
        fresh = (values for values in self._spread if design_key(values) not in self._known)
        for values in islice(fresh, designs):
            self._enqueue(values)

    def _enqueue(self, values: Values) -> None:
        """Have a design proposed next."""
        self._study.enqueue_trial(
            {axis.label: _parameter(axis, value) for axis, value in zip(self.space.axes, values, strict=True)}
        )

    def _values(self, parameters: dict[str, Any]) -> Values:
        return tuple(
            axis.at(parameters[axis.label])
            if axis.kind == "continuous"
            else axis.levels()[parameters[axis.label]]
            for axis in self.space.axes
        )


def _sobol(space: DesignSpace, seed: int) -> Iterator[Values]:
    """The designs of a Sobol sequence, without end unless the space has one."""
    designs, given = FIRST_POINTS, 0
    while given < space.size:
        found = sample(space, "sobol", designs, seed)
        yield from found[given:]
        if len(found) < designs:
            return
        designs, given = 2 * designs, designs


def _distribution(optuna: Any, axis: Any) -> Any:
    """Ordered axes are whole numbers or the unit interval, unordered ones are categories of level numbers."""
    if axis.kind == "continuous":
        return optuna.distributions.FloatDistribution(0.0, 1.0)
    if axis.kind in {"integer", "power_of_two"}:
        return optuna.distributions.IntDistribution(0, len(axis.levels()) - 1)
    return optuna.distributions.CategoricalDistribution(tuple(range(len(axis.levels()))))


def _parameter(axis: Any, value: Any) -> float | int:
    return float(axis.position(value)) if axis.kind == "continuous" else axis.levels().index(value)


def warm_designs(space: DesignSpace, results: Sequence[Result], most: int) -> list[Values]:
    """The best designs of earlier results: the feasible ones by rank of non-domination, at most so many."""
    from nmsim.explore.pareto import distance_to_ideal, ranks

    good = [result for result in results if feasible(result, space)]
    if not good:
        return []
    table = costs(good, space.objectives)
    order = np.lexsort((distance_to_ideal(table), ranks(table)))
    return [good[index].values for index in order[:most]]
