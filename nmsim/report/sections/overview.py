"""First chapter: the figures that matter, and how to read the rest."""

from nmsim.evaluate import Estimate, Evaluation
from nmsim.report.markup import Markup, join, tag
from nmsim.report.result import RunResult
from nmsim.report.sections.section import MEANINGS, Evidence, Section, badge, bullets
from nmsim.report.tables import NOT_AVAILABLE
from nmsim.report.words import MODEL_WORDS, NO_TOTAL, how_many, rule_name, sample_kind, with_interval
from nmsim.rules import BASELINE
from nmsim.units import BITS_PER_BYTE, scaled


def overview(result: RunResult) -> Section:
    """Cards of key figures, each with its kind, its uncertainty and what it rests on."""
    subject = result.subject
    lead = (
        f"Figures are for {rule_name(subject.rule)} on chip {subject.chip_name}, {MODEL_WORDS[subject.model]}, replaying"
        f" {subject.samples} profiled samples. Everything else on this page explains them."
    )
    cards = [*_accuracy(result), *_costs(subject), *_inference(result), *_memory(result), *_trust(subject)]
    meanings = [part for kind, text in MEANINGS.items() for part in (tag("dt", badge(kind)), tag("dd", text))]
    body = join(
        [
            _diagnosis(result),
            tag("p", lead),
            tag("ul", *cards, class_="cards"),
            tag("h3", "How to read the figures"),
            tag("p", "Every figure says what it is:"),
            tag("dl", *meanings, class_="kinds"),
        ]
    )
    return Section("overview", "Key figures", body)


def _diagnosis(result: RunResult) -> Markup:
    """What the run says about itself, before any figure."""
    if not result.diagnosis.warnings:
        return Markup("")
    stamp = f"This network is {result.diagnosis.stamp}. " if result.diagnosis.meaningless else ""
    head = f"{stamp}The run found about itself:"
    return tag("div", tag("p", head), bullets(result.diagnosis.warnings), class_="verdict failed")


def _card(name: str, value: str, kind: Evidence, *notes: str) -> Markup:
    lines = [tag("span", note, class_="note") for note in notes if note]
    heading = tag("span", tag("span", name), badge(kind), class_="name")
    return tag("li", heading, tag("span", value, class_="value"), *lines, class_=f"card {kind.value}")


def _modelled(name: str, estimate: Estimate | None, unit: str) -> Markup:
    if estimate is None:
        return _card(name, NOT_AVAILABLE, Evidence.MODELLED, NO_TOTAL)
    band = ""
    if estimate.band_low != estimate.band_high:
        band = f"band {scaled(estimate.band_low, unit)} to {scaled(estimate.band_high, unit)}"
    return _card(name, scaled(estimate.mean, unit), Evidence.MODELLED, band, with_interval(estimate, unit))


def _accuracy(result: RunResult) -> list[Markup]:
    if result.history.test_accuracy is None:
        return []
    last, epochs = result.history.rows[-1], len(result.history.rows)
    note = f"in this run, on {last.test_samples:,} held-out samples, after {how_many(epochs, 'epoch')}"
    return [_card("Accuracy", f"{result.history.test_accuracy:.2%}", Evidence.MEASURED, note)]


def _costs(item: Evaluation) -> list[Markup]:
    each = sample_kind(item)
    return [
        _modelled(f"Energy per {each}", item.energy_j, "J"),
        _modelled(f"Latency per {each}", item.latency_s, "s"),
        _modelled("Mean power", item.power_w, "W"),
    ]


def _inference(result: RunResult) -> list[Markup]:
    item = result.inference
    if item is None or item is result.subject:
        return []
    return [
        _modelled("Energy per inference", item.energy_j, "J"),
        _modelled("Latency per inference", item.latency_s, "s"),
    ]


def _memory(result: RunResult) -> list[Markup]:
    by_rule = {entry.rule: entry for entry in result.memory}
    own, baseline = by_rule.get(str(result.workload.training.rule)), by_rule.get(BASELINE.name)
    if own is None or baseline is None or result.workload.recorded:
        return []
    cards = []
    for convention, words in (("state_only", "neuron state only"), ("everything", "everything counted")):
        bits, other = own.bits(convention), baseline.bits(convention)  # type: ignore[arg-type]
        note = f"STBP needs {scaled(other / BITS_PER_BYTE, 'B', 4)}, {other / bits:.2f}x"
        cards.append(_card(f"Memory, {words}", scaled(bits / BITS_PER_BYTE, "B", 4), Evidence.COUNTED, note))
    return cards if own is not baseline else []


def _trust(item: Evaluation) -> list[Markup]:
    passed = len(item.audit) - len(item.failed_checks)
    value = f"{passed} of {len(item.audit)} passed"
    return [
        _card(
            "Audit",
            value,
            Evidence.COUNTED,
            "sums that must come out, a chip that could exist; see the chapter Audit",
        )
    ]
