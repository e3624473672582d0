"""Mean energy: what counted blocks cost by phase and layer, without the table that a report is made of."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from nmsim.cost.accounting import control_price
from nmsim.cost.clock import mean_open_periods, period_price
from nmsim.cost.energy import OVERHEAD_GROUPS
from nmsim.cost.outline import without_bandwidth
from nmsim.cost.price import Price
from nmsim.cost.pricing import PriceList
from nmsim.cost.table import ComponentTable, CostTable
from nmsim.cost.technology import technology_at
from nmsim.counts import Block, Blocks, CoreActivity, Phase
from nmsim.hardware.chip import ChipConfig

Place = tuple[Phase, int]
"""A phase, and a layer or -1."""


def action_energy_pj(
    parts: Iterable[Blocks], chip: ChipConfig, table: CostTable, *, batch_size: int
) -> dict[Place, float]:
    """Mean energy per sample of counted actions with their control, picojoules; kept for every part, such as a stage.

    Call it where many ways to do the same are compared, as the search of a mapping does: it gives what the rows of
    `energy_of` add up to, but for the order of additions.

    Raises:
        CostError: an action that happened has no usable price, as in `price_counts`.
    """
    prices, on_chip = PriceList.of(chip, table), PriceList.of(without_bandwidth(chip), table)
    found = defaultdict[Place, float](float)
    factor = 1.0
    if isinstance(table, ComponentTable) and chip.power.control_overhead_factor > 1:
        factor += control_price(chip, table).pj
    for part in parts:
        own = prices if part.off_chip else on_chip
        for place, pj in part.keep(
            (own, factor, batch_size), partial(_energy, part, own, factor, batch_size)
        ).items():
            found[place] += pj
    return dict(found)


def _energy(blocks: Blocks, prices: PriceList, factor: float, batch_size: int) -> dict[Place, float]:
    """Energies of blocks at the prices of a list; on-chip energy times a factor for its control."""
    found = defaultdict[Place, float](float)
    one_type = len(prices.chip.core_types) == 1
    for block in blocks:
        samples = block.counts.shape[1] * (batch_size if block.per_batch else 1)
        for core, total in _by_type(block, prices.first_alike, one_type=one_type):
            price = prices.price(core, block.key[:-2])
            if isinstance(price, Price):
                pj = price.pj * (factor if price.group in OVERHEAD_GROUPS else 1.0)
                found[block.key[-2:]] += total / samples * pj
    return dict(found)


def _by_type(block: Block, first_alike: Sequence[int], *, one_type: bool) -> Iterator[tuple[int, int]]:
    """Counts by type of core, named by the first in the block, as far as there are any."""
    if one_type:
        totals = {int(block.cores[0]): block.total} if len(block.cores) else {}
    else:
        of_type: dict[int, int] = {}
        totals = {}
        for core, count in block.by_core.items():
            first = of_type.setdefault(first_alike[core], core)
            totals[first] = totals.get(first, 0) + count
    return ((core, total) for core, total in totals.items() if total)


def clock_energy_pj(
    activities: Iterable[CoreActivity], chip: ChipConfig, table: CostTable
) -> dict[Place, float]:
    """Mean energy per sample of the clock of flip-flops that open for work, picojoules, as `energy_of` has it in rows."""
    if not isinstance(table, ComponentTable) or chip.power.clock_power_w_per_hz is not None:
        return {}
    technology, found = (
        technology_at(table, chip.tech_node_nm, chip.voltage_v),
        defaultdict[Place, float](float),
    )
    if technology.clocked:
        pj = period_price(technology).pj
        for activity, periods in mean_open_periods(chip, technology, activities):
            found[activity.phase, activity.layer] += periods * pj
    return dict(found)
