"""Prices across nodes and supply voltages: interpolation inside published points, never beyond them."""

from bisect import bisect_left
from math import exp, log
from typing import Annotated, Any

from pydantic import Field, model_validator

from nmsim.config import Record
from nmsim.cost.constant import Band, Constant, Kind, check_unit
from nmsim.errors import CostError

LEAKAGE_REFERENCE_V = 0.8
LEAKAGE_EXPONENT = 3
"""Of the supply: TrueNorth's static power follows 3.2 from 0.70 to 0.80 V; device models within 1.5x from 0.5 to 0.9 V."""
DYNAMIC_EXPONENT = 2


class NodeValue(Record):
    """The value of a constant at one node; what is left out is as in the constant."""

    value: float = Field(ge=0)
    kind: Kind | None = None
    source: str | None = None
    band: Band | None = None
    confidence: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return {"value": value} if is_number else value


class NodeConstant(Record):
    """A constant with one value per technology node.

    `scaled_by` tells the supply law: `dynamic` V^2 against the node's nominal supply, `leakage` V^3 against
    0.8 V, `none`. `formula` says what it multiplies.
    """

    unit: str
    kind: Kind
    source: str | None = None
    band: Band = (1.0, 1.0)
    confidence: str = ""
    formula: str = ""
    scaled_by: str = Field(default="dynamic", pattern="^(dynamic|leakage|none)$")
    at: dict[Annotated[int, Field(ge=1, le=10_000)], NodeValue] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_physical(self) -> "NodeConstant":
        for point in self.at.values():
            check_unit(self.unit, point.value)
        return self

    def at_node(self, node_nm: float, name: str) -> Constant:
        """The constant at a node and its nominal supply.

        Between two nodes of the table: geometric interpolation over log(node) (linear where a value is 0),
        the wider of the two bands, kind `derived`.

        Raises:
            CostError: the node lies outside the table.
        """
        if node_nm in self.at:
            return self._published(int(node_nm))
        nodes = sorted(self.at)
        if not nodes[0] < node_nm < nodes[-1]:
            raise CostError(
                f"{name}: published from {nodes[0]} to {nodes[-1]} nm, not at {node_nm:g} nm; nmsim does"
                " not extrapolate"
                " a price, so choose a node inside or give a table of your own"
            )
        index = bisect_left(nodes, node_nm)
        low, high = self._published(nodes[index - 1]), self._published(nodes[index])
        part = log(node_nm / nodes[index - 1]) / log(nodes[index] / nodes[index - 1])
        return Constant(
            value=between(low.value, high.value, part),
            unit=self.unit,
            kind=Kind.DERIVED,
            source=None if low.source is None or high.source is None else _joined(low.source, high.source),
            band=(min(low.band[0], high.band[0]), max(low.band[1], high.band[1])),
            node_nm=node_nm,
            confidence=f"interpolated between {nodes[index - 1]} and {nodes[index]} nm",
        )

    def _published(self, node_nm: int) -> Constant:
        point = self.at[node_nm]
        return Constant(
            value=point.value,
            unit=self.unit,
            kind=point.kind or self.kind,
            source=point.source or self.source,
            band=point.band or self.band,
            node_nm=node_nm,
            confidence=self.confidence if point.confidence is None else point.confidence,
        )


class Supply(Record):
    """Nominal supply of a node in volts, and the range in which prices may be scaled to another.

    >>> Supply(nominal_v=0.9, min_v=0.6, max_v=1.0, source="data sheet").check(0.8, "a table")
    """

    nominal_v: float = Field(gt=0)
    min_v: float = Field(gt=0)
    max_v: float = Field(gt=0)
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> "Supply":
        if not self.min_v <= self.nominal_v <= self.max_v:
            raise ValueError(
                f"nominal {self.nominal_v} V is outside {self.min_v} to {self.max_v} V; widen the range or"
                " mend the nominal supply"
            )
        return self

    def check(self, voltage_v: float, table: str) -> None:
        """See that a chip runs inside the range; `table` is named in the sentence if it does not.

        Raises:
            CostError: it does not.
        """
        if not self.min_v <= voltage_v <= self.max_v:
            raise CostError(
                f"{table}: prices hold from {self.min_v:g} to {self.max_v:g} V ({self.source}), not at"
                f" {voltage_v:g} V; nmsim does not extrapolate a price, so set voltage_v inside the range or"
                " give a table of your own"
            )


def supply_at(supplies: dict[int, Supply], node_nm: float) -> Supply:
    """The supply of a node; between two nodes the nominal is interpolated, the range is what both allow."""
    if node_nm in supplies:
        return supplies[int(node_nm)]
    nodes = sorted(supplies)
    if not nodes[0] < node_nm < nodes[-1]:
        raise CostError(
            f"supply: published from {nodes[0]} to {nodes[-1]} nm, not at {node_nm:g} nm; nmsim does not"
            " extrapolate a"
            " price, so choose a node inside or give a table of your own"
        )
    index = bisect_left(nodes, node_nm)
    low, high = supplies[nodes[index - 1]], supplies[nodes[index]]
    part = log(node_nm / nodes[index - 1]) / log(nodes[index] / nodes[index - 1])
    nominal_v = between(low.nominal_v, high.nominal_v, part)
    return Supply(
        nominal_v=nominal_v,
        min_v=min(max(low.min_v, high.min_v), nominal_v),
        max_v=max(min(low.max_v, high.max_v), nominal_v),
        source=_joined(low.source, high.source),
    )


def between(low: float, high: float, part: float) -> float:
    """Geometric interpolation, linear where an end is 0; `part` runs from 0 at `low` to 1 at `high`."""
    if low > 0 and high > 0:
        return exp(log(low) + part * (log(high) - log(low)))
    return low + part * (high - low)


def at_supply(constant: Constant, law: str, voltage_v: float, nominal_v: float) -> Constant:
    """The constant at another supply: dynamic energy goes with V^2; leakage power with V^3, for components from 0.8 V.

    `law` is `dynamic`, `leakage` or `none`. Dynamic energy is C V^2 of the same switched capacitance; docs/energy.md says
    where the exponent of leakage comes from.
    """
    if law == "none":
        return constant
    reference_v = LEAKAGE_REFERENCE_V if law == "leakage" else nominal_v
    return scaled(
        constant, LEAKAGE_EXPONENT if law == "leakage" else DYNAMIC_EXPONENT, voltage_v, reference_v
    )


def scaled(constant: Constant, exponent: int, voltage_v: float, reference_v: float) -> Constant:
    """The constant times a power of the supply over the one at which it holds."""
    factor = (voltage_v / reference_v) ** exponent
    return constant.model_copy(update={"value": constant.value * factor, "voltage_v": voltage_v})


def _joined(one: str, other: str) -> str:
    return one if one == other else f"{one}; {other}"
