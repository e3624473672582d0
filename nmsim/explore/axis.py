"""Axes of a design space: which keys move, and through which values."""

import json
from math import exp, floor, log
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from nmsim.config import Record

SIGNIFICANT_DIGITS = 6
"""Digits kept of a value of a continuous axis, so that tables and commands reproduce it exactly."""


MOST_LEVELS = 1_000_000


class _Axis(Record):
    """What all axes share: the key paths they set, and a short name for tables and plots."""

    key: str | None = None
    """Key path, written as for `--set`: `chip.mesh.columns`, `technology.sram...`, or a key of the workload."""
    keys: tuple[str, ...] = ()
    """Several key paths that take the same value."""
    name: str | None = None
    """Column of the results; the last part of the key path if absent."""

    @model_validator(mode="after")
    def _some_key(self) -> Self:
        if (self.key is None) == (not self.keys):
            raise ValueError("an axis needs 'key' or 'keys', one of the two; name the key path it moves")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """Every key path it moves."""
        return self.keys or (self.key or "",)

    @property
    def label(self) -> str:
        """Its column in the results."""
        return self.name or self.paths[0].rpartition(".")[2]

    def assignments(self, value: Any) -> dict[str, Any]:
        """Key paths and what to write there for one value of the axis."""
        return dict.fromkeys(self.paths, value)


class _Discrete(_Axis):
    """An axis of finitely many levels, in order."""

    def levels(self) -> tuple[Any, ...]:
        """All values, in order."""
        raise NotImplementedError

    def at(self, fraction: float) -> Any:
        """The value at a place in [0, 1): levels share it equally."""
        levels = self.levels()
        return levels[min(floor(fraction * len(levels)), len(levels) - 1)]

    def holds(self, value: Any) -> bool:
        """Whether a value is one of the levels."""
        return self._index(value) is not None

    def position(self, value: Any) -> float:
        """Place of a value in [0, 1]: the first level at 0, the last at 1."""
        index = self._index(value)
        if index is None:
            raise ValueError(f"{value!r} is no level of axis {self.label}")
        return index / max(len(self.levels()) - 1, 1)

    def _index(self, value: Any) -> int | None:
        """Index of the level that a value is; `False` is not 0, though Python finds them equal."""
        is_bool = isinstance(value, bool)
        same = (
            i
            for i, level in enumerate(self.levels())
            if level == value and isinstance(level, bool) == is_bool
        )
        return next(same, None)


class Categorical(_Discrete):
    """A list of values, written out."""

    kind: Literal["categorical"]
    values: tuple[Any, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        texts = [json.dumps(value, sort_keys=True) for value in self.values]
        twice = sorted({text for text in texts if texts.count(text) > 1})
        if twice:
            raise ValueError(f"value {twice[0]} is listed twice; keep one")
        return self

    def levels(self) -> tuple[Any, ...]:
        """All values, in the order of the file."""
        return self.values


class Integer(_Discrete):
    """Whole numbers from `low` to `high`, both included."""

    kind: Literal["integer"]
    low: int
    high: int
    step: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}; exchange them")
        levels = (self.high - self.low) // self.step + 1
        if levels > MOST_LEVELS:
            raise ValueError(
                f"low, high and step make {levels:,} levels, and {MOST_LEVELS:,} are possible; use a larger step, or an axis"
                " of kind continuous"
            )
        return self

    def levels(self) -> tuple[Any, ...]:
        """`low`, `low + step`, and so on up to `high`."""
        return tuple(range(self.low, self.high + 1, self.step))


class PowerOfTwo(_Discrete):
    """Powers of two from `low` to `high`, both included."""

    kind: Literal["power_of_two"]
    low: int = Field(ge=1)
    high: int = Field(ge=1)

    @model_validator(mode="after")
    def _powers(self) -> Self:
        for end in ("low", "high"):
            value = getattr(self, end)
            if value & (value - 1):
                raise ValueError(f"{end} {value} is not a power of two; use {1 << value.bit_length() - 1}")
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}; exchange them")
        return self

    def levels(self) -> tuple[Any, ...]:
        """Every power of two in the range."""
        return tuple(1 << i for i in range(self.low.bit_length() - 1, self.high.bit_length()))


class Continuous(_Axis):
    """Real numbers from `low` to `high`, kept to six significant digits."""

    kind: Literal["continuous"]
    low: float
    high: float
    log: bool = False
    """Equal steps are equal factors."""
    points: int = Field(default=5, ge=2)
    """Values of this axis in a grid, ends included."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}; give a range")
        if self.log and self.low <= 0:
            raise ValueError(f"low {self.low} has no logarithm; use a positive one, or log: false")
        return self

    def levels(self) -> tuple[Any, ...]:
        """The values of a grid."""
        return tuple(self.at(i / (self.points - 1)) for i in range(self.points))

    def at(self, fraction: float) -> float:
        """The value at a place in [0, 1]."""
        if self.log:
            value = exp(log(self.low) + fraction * (log(self.high) - log(self.low)))
        else:
            value = self.low + fraction * (self.high - self.low)
        return min(max(float(f"{value:.{SIGNIFICANT_DIGITS}g}"), self.low), self.high)

    def holds(self, value: Any) -> bool:
        """Whether a value is a number of the range."""
        return isinstance(value, int | float) and self.low <= value <= self.high

    def position(self, value: Any) -> float:
        """Place of a value in [0, 1]."""
        if self.log:
            return (log(float(value)) - log(self.low)) / (log(self.high) - log(self.low))
        return (float(value) - self.low) / (self.high - self.low)


class Linked(_Discrete):
    """Named choices, each setting several keys: a node with its voltage, a mesh shape with its buffers."""

    kind: Literal["linked"]
    name: str
    key: None = None
    keys: tuple[()] = ()
    choices: dict[str, dict[str, Any]] = Field(min_length=1)
    """Name of a choice to its key paths and values."""

    @model_validator(mode="after")
    def _some_key(self) -> Self:
        for name, values in self.choices.items():
            if not values:
                raise ValueError(f"choice '{name}' sets no key; write KEY.PATH: VALUE under it")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """Every key path that some choice sets."""
        return tuple(dict.fromkeys(path for values in self.choices.values() for path in values))

    def levels(self) -> tuple[Any, ...]:
        """Names of the choices, in the order of the file."""
        return tuple(self.choices)

    def assignments(self, value: Any) -> dict[str, Any]:
        """Key paths and values of one choice."""
        return dict(self.choices[value])


Axis = Annotated[Categorical | Integer | PowerOfTwo | Continuous | Linked, Field(discriminator="kind")]
