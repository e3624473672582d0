"""Chapters that say how far to trust the rest: audit, prices, what is not modelled, provenance."""

from collections.abc import Mapping, Sequence

from nmsim.audit import PLAUSIBLE
from nmsim.cost.energy import CLOCK, CONTROL, STATIC
from nmsim.cost.price import Price
from nmsim.evaluate import Evaluation
from nmsim.report.markup import Markup, join, tag
from nmsim.report.result import RunResult
from nmsim.report.sections.section import Section, bullets
from nmsim.report.tables import Column, Table, for_people
from nmsim.report.words import NOT_MODELLED
from nmsim.units import J_PER_PJ, scaled

LARGE_SHARE = 0.005
"""Prices that carry less of the energy are folded away."""
AUDIT_COLUMNS = (
    Column("check", "Check"),
    Column("group", "Group"),
    Column("passed", "Passed"),
    Column("expected", "Expected"),
    Column("found", "Found"),
    Column("detail", "Remark"),
)


def audit(result: RunResult) -> Section:
    """The sums that must come out, for every evaluation."""
    failed = sum(not check.passed for item in result.evaluations for check in item.audit)
    total = sum(len(item.audit) for item in result.evaluations)
    words = f"All {total} checks of {len(result.evaluations)} evaluations came out." if not failed else (
        f"{failed} of {total} checks failed: do not use the figures of the evaluations concerned."
    )  # fmt: skip
    verdict = tag("p", words, class_="verdict" if not failed else "verdict failed")
    subject = audit_table(result.subject).html(f"Audit of {_name(result.subject)}")
    others = [item for item in result.evaluations if item is not result.subject]
    rest = [
        tag(
            "details",
            tag("summary", f"Audit of {_name(item)}"),
            audit_table(item).html(f"Audit of {_name(item)}"),
        )
        for item in others
    ]
    return Section("audit", "Audit", join([verdict, subject, *rest]))


def prices(result: RunResult) -> Section:
    """Every price that entered the subject's energy, with its kind, band and source, and what could not be priced."""
    item = result.subject
    shares = _shares(item)
    used = [price for price in sorted(shares, key=lambda price: -shares[price]) if shares[price] > 0]
    sources = list(dict.fromkeys(price.source for price in used))
    large = [price for price in used if shares[price] >= LARGE_SHARE]
    small = used[len(large) :]
    rest = price_table(small, shares, sources).html(f"Prices below {LARGE_SHARE:.1%} of the energy each")
    words = (
        ". A price is marginal, simulated, measured, fitted, derived or assumed; all-in averages of operating points never"
        " price an event. Bands inside one group of prices move together; different groups are taken as independent."
    )
    parts = [
        tag("p", f"Price table {item.costs_name}, hash ", tag("code", item.costs_hash), words),
        price_table(large, shares, sources).html(f"Prices that carry the energy of {_name(item)}"),
        tag("details", tag("summary", f"The other {len(small)} prices in use"), rest) if small else "",
        tag("h3", "Sources"),
        tag("ol", *(tag("li", source) for source in sources), class_="sources"),
    ]
    if item.unpriced:
        lines = [
            f"{u.component} {u.action}, {for_people(u.count_per_sample)} per sample: {u.reason}"
            for u in item.unpriced
        ]
        parts += [tag("h3", "Happened, but not priced"), bullets(lines)]
    if item.unavailable:
        lines = [f"{metric.replace('_', ' ')}: {reason}" for metric, reason in item.unavailable.items()]
        parts += [tag("h3", "Not available"), bullets(lines)]
    if item.notes:
        parts += [tag("h3", "Notes of the cost model"), bullets(item.notes)]
    return Section("prices", "Prices and their sources", join(parts))


def price_table(used: Sequence[Price], shares: Mapping[Price, float], sources: Sequence[str]) -> Table:
    """Prices with band, kind, share of the energy, and the number of their source, from 1."""
    columns = (
        Column("price", "Price"),
        Column("pj", "One costs"),
        Column("band", "Band"),
        Column("kind", "Kind"),
        Column("share", "Share of energy", "fraction"),
        Column("source", "Source"),
        Column("formula", "How it is formed"),
    )
    rows = tuple(
        (
            price.name,
            _price(price, price.pj),
            f"{_price(price, price.low_pj)}\nto {_price(price, price.high_pj)}",
            price.kind.value,
            shares[price],
            f"[{sources.index(price.source) + 1}]",
            price.formula,
        )
        for price in used
    )
    return Table("prices", columns, rows)


def not_modelled(result: RunResult) -> Section:
    """The short list, and the notes of this run."""
    parts = [tag("p", "The figures above leave out:"), bullets(NOT_MODELLED)]
    if result.notes:
        parts += [tag("h3", "Notes on this run"), bullets(result.notes)]
    return Section("not-modelled", "What is not modelled", join(parts))


def provenance(result: RunResult) -> Section:
    """What would have to be the same for the same figures."""
    workload, item = result.workload, result.subject
    rows: list[tuple[str, Markup]] = [
        ("Seed", Markup(str(result.seed))),
        ("Run", tag("code", workload.run_hash(result.seed))),
        ("Workload", tag("code", workload.content_hash())),
        ("Network", tag("code", item.network_hash)),
        ("Activity", tag("code", item.activity_hash)),
        ("Chip", join([item.chip_name + " ", tag("code", item.chip_hash)])),
        ("Mapping", tag("code", item.mapping_hash)),
        ("Price table", join([item.costs_name + " ", tag("code", item.costs_hash)])),
    ]
    data = result.provenance.get("dataset", {})
    if "sha256" in data:
        rows.append(("Data, SHA-256", tag("code", str(data["sha256"]))))
    versions = result.provenance.get("versions", {})
    rows += [(f"Version of {name}", Markup(tag("code", str(version)))) for name, version in versions.items()]
    body = join(tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in rows)
    table = tag("table", tag("caption", "Identity of this run; hashes are of contents"), tag("tbody", body))
    words = (
        "A run with the same workload, seed and data gives the same integers on any computer; with the same chip, price"
        " table and versions it gives the same figures. summary.json and the CSV files beside this page hold every figure"
        " in SI units."
    )
    return Section("provenance", "Provenance", join([tag("p", words), tag("div", table, class_="scroll")]))


def audit_table(item: Evaluation) -> Table:
    """The checks of one evaluation."""
    rows = []
    for check in item.audit:
        limit = "at most " if check.unit == "share" or check.group == PLAUSIBLE else ""
        expected, found = _figure(check.expected, check.unit), _figure(check.found, check.unit)
        rows.append(
            (check.name, check.group, "yes" if check.passed else "NO", limit + expected, found, check.detail)
        )
    return Table("audit", AUDIT_COLUMNS, tuple(rows))


def _figure(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value:.1%}"
    return scaled(value, unit, 6) if unit in {"J", "s", "W"} else f"{for_people(value)} {unit}".rstrip()


def _price(price: Price, pj: float) -> str:
    """Energy of one action; power of what is always on; energy per energy for control overhead."""
    if price.group == CONTROL:
        return f"{pj:.3g} J/J"
    return scaled(pj * J_PER_PJ, "W" if price.group in {STATIC, CLOCK} else "J")


def _name(item: Evaluation) -> str:
    return f"{item.rule} on {item.chip_name}, {item.model} model"


def _shares(item: Evaluation) -> dict[Price, float]:
    """Share of the mean energy that each price carries."""
    means = item.energy.energy_pj.mean(axis=1)
    whole = float(means.sum())
    shares = dict.fromkeys(item.energy.prices, 0.0)
    for index, price in enumerate(item.energy.prices):
        shares[price] += float(means[item.energy.price == index].sum()) / whole if whole > 0 else 0.0
    return shares
