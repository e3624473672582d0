"""The first page: all data sets, rules and chips side by side, what the figures are, and where they come from."""

from nmsim.diagnosis import STAMP_RULE
from nmsim.evaluate import Evaluation
from nmsim.figures import ENERGY
from nmsim.report.extrapolate import ASSUMED_OF_SHORT_TRAINING
from nmsim.report.live.chart import choices, live
from nmsim.report.markup import Markup, join, tag
from nmsim.report.page import page
from nmsim.report.reference.for_people import band
from nmsim.report.reference.ratios import COMPARED, ratio_chart, ratio_overview, ratio_table, stbp_table
from nmsim.report.reference.result import CASES, STORED, SUBJECT, DatasetResult, Reference
from nmsim.report.reference.tables import DOES_NOT_FIT, chip_table, memory_table, selected, tables
from nmsim.report.reference.wording import FOOTER, accuracy, byline, mean_spike_rates
from nmsim.report.sections.section import MEANINGS, Evidence, Section, badge, bullets
from nmsim.report.tables import Cell, Column, Table, for_people
from nmsim.report.words import NOT_MODELLED
from nmsim.rules import BASELINE
from nmsim.storage import file_name
from nmsim.units import scaled

LEAD = (
    "What it costs to train and to run spiking networks with STOP, and with STBP (BPTT) for comparison: energy, time, area"
    " and memory for each data set, learning rule and chip, from bit-accurate activity on real samples."
)
BELOW_ONE = (
    "A ratio below 1 says that STBP costs less there. STOP buys memory, not operations: its gradient multiplies a delta by"
    " a trace of many bits that stays above zero after its spike, where STBP's adds the delta wherever there was a spike;"
    " and what STBP pays for its history (written and read once per time step, in DRAM where it does not fit) can be less"
    " than what STOP pays for traces read, changed and written at every step. Against that, STBP's deltas are denser,"
    " for errors also reach it through time. Which of them wins depends on spike rates, time steps and chip."
)
STREAMED = "\u2020"
"""Marks what was time-multiplexed."""


def index_page(reference: Reference) -> str:
    """The page as HTML."""
    sections = [
        _reading(reference),
        _energy(reference),
        _against_stbp(reference),
        _measured(reference),
        _memory(reference),
        _chips(reference),
        _limits(),
        _provenance(reference),
    ]
    return page(f"Reference report: {reference.name}", LEAD, byline(reference), sections, FOOTER)


def _reading(reference: Reference) -> Section:
    stand_ins = [(dataset.title, dataset.stand_in) for dataset in reference.datasets if dataset.stand_in]
    missing = [(entry.title, f"Not made here: {entry.reason}.") for entry in reference.absent]
    warnings = join(
        tag("p", tag("strong", f"{title}. "), text, class_="verdict failed")
        for title, text in stand_ins + missing
    )
    links = join(
        tag(
            "li",
            tag("a", dataset.title, href=f"{file_name(dataset.name)}.html"),
            f": {dataset.workload.description}{' (stand-in)' if dataset.stand_in else ''}",
        )
        for dataset in reference.datasets
    )
    meanings = [part for kind, text in MEANINGS.items() for part in (tag("dt", badge(kind)), tag("dd", text))]
    body = join(
        [
            tag("p", reference.description),
            warnings,
            tag("p", "Each data set has a page of its own:"),
            tag("ul", links, class_="plain"),
            tag("p", "Every figure says what it is:"),
            tag("dl", *meanings, class_="kinds"),
        ]
    )
    return Section("reading", "What this is", body)


def _energy(reference: Reference) -> Section:
    parts: list[Markup] = [
        tag(
            "p",
            "Energy and time per training sample, and per inference. A band is what the prices' uncertainty allows. ",
            badge(Evidence.MODELLED),
        ),
    ]
    parts += [_matrix(reference, dataset) for dataset in reference.datasets]
    return Section("energy", "Energy and time per sample", join(parts))


def _matrix(reference: Reference, dataset: DatasetResult) -> Markup:
    """Rules down, chips across."""
    columns = (
        Column("rule", "Rule"),
        *(Column(chip.name, chip.name) for chip in reference.chips),
    )
    rows = []
    for case in CASES:
        cells: list[Cell] = [case.name]
        for chip in reference.chips:
            outcome = next(item for item in dataset.on_chip(chip.name) if item.case == case.name)
            item = outcome.evaluation
            if item is None:
                cells.append(DOES_NOT_FIT)
                continue
            streamed = STREAMED if outcome.time_multiplexed else ""
            found = f"{for_people(ENERGY.of(item), ENERGY.unit)} ({band(item.energy_j, 'J')})"
            latency = f"{scaled(item.latency_s.mean, 's')}{streamed}"
            cells.append(f"{found}, {latency}".replace(" ", "\u00a0").replace(",\u00a0", ", "))
        rows.append(tuple(cells))
    what = f"{dataset.title} ({dataset.network_text}), {dataset.workload.network.name}"
    caption = f"{what}: energy (band) and time per sample; {STREAMED} time-multiplexed, what does not fit lives in DRAM"
    return Table(dataset.name, columns, tuple(rows)).html(caption)


def _against_stbp(reference: Reference) -> Section:
    text = (
        "How many times the energy and time of STOP-WTL does STBP, which learns the same parameters, need for a training"
        " sample? Ratios on one chip are safer than the figures themselves. In brackets the 95 % confidence interval over"
        " the profiled samples, which both rules share; ratios.csv has the bands of the prices too. Chips that hold neither"
        " are left out. Choose data set, chip and rule; hover for figures; a click on a heading sorts. "
    )
    body = join(
        [
            tag("p", text, badge(Evidence.MODELLED)),
            choices(
                {
                    "dataset": ("Data set", [dataset.title for dataset in reference.datasets]),
                    "chip": ("Chip", [chip.name for chip in reference.chips]),
                    "rule": ("Rule", COMPARED),
                }
            ),
            live(ratio_overview(reference), ratio_chart(reference)),
            stbp_table(reference).html("STBP over STOP-WTL, per training sample", live=True),
            _decided_table(reference).html("Where STBP, history stored, and STOP-WTL differ most"),
            tag("p", BELOW_ONE),
        ]
    )
    return Section(BASELINE.name, "STOP against STBP", body)


def _decided_table(reference: Reference) -> Table:
    """The phase whose energy differs most, by data set and chip."""
    rows = []
    for dataset in reference.datasets:
        for chip in reference.chips:
            found = {outcome.case: outcome.evaluation for outcome in dataset.on_chip(chip.name)}
            own, stored = found[SUBJECT], found[STORED]
            if own is not None and stored is not None:
                rows.append((dataset.title, chip.name, _decided(stored, own), dataset.network_text))
    columns = (
        Column("dataset", "Data set"),
        Column("chip", "Chip"),
        Column("phase", "Phase that differs most"),
        Column("network", "Network"),
    )
    return Table("decided", columns, tuple(rows))


def _decided(stbp: Evaluation, stop: Evaluation) -> str:
    """`gradient: STBP 26 mJ, STOP 62 mJ`: the phase whose energy differs most."""
    both = [
        {str(phase): part.mean_j for (phase,), part in item.energy.by("phase").items()}
        for item in (stbp, stop)
    ]
    phase = max(
        sorted({*both[0], *both[1]}), key=lambda name: abs(both[0].get(name, 0) - both[1].get(name, 0))
    )
    return f"{phase}: STBP {scaled(both[0].get(phase, 0), 'J')}, STOP {scaled(both[1].get(phase, 0), 'J')}"


def _measured(reference: Reference) -> Section:
    columns = (
        Column("dataset", "Data set"), Column("network", "Network"), Column("samples", "Training samples seen"),
        Column("accuracy", "Accuracy after them"), Column("stamp", "Stamp"), Column("profile", "Profiled samples"),
        Column("rates", "Spike rates by layer"),
    )  # fmt: skip
    rows = tuple(
        (
            dataset.title, dataset.workload.network.name, dataset.prepared_samples, accuracy(dataset),
            dataset.network_cells[0], dataset.profile.samples, mean_spike_rates(dataset),
        )
        for dataset in reference.datasets
    )  # fmt: skip
    text = (
        "The activity that the chips replay. A stamp says how far a network has learned when it was recorded. Energy per"
        " sample changes while a network learns, so figures of an untrained one stand for the beginning of its training."
        " Spike rates are per neuron and time step. "
    )
    body = join(
        [
            tag("p", text, badge(Evidence.MEASURED)),
            Table("measured", columns, rows).html("Preparation and profile"),
        ]
    )
    return Section("measured", "What was measured", body)


def _memory(reference: Reference) -> Section:
    text = (
        "In two conventions that must not be mixed: neuron state only, as the STOP paper counts, and everything, which adds"
        " weights, gradient accumulators, velocities and buffers. "
    )
    table = memory_table(reference).html("Memory of each network by rule, one sample in flight")
    return Section("memory", "Memory", join([tag("p", text, badge(Evidence.COUNTED)), table]))


def _chips(reference: Reference) -> Section:
    text = (
        "None of these chips exists: their structure is assumed, each key with its reason in the chip file, and the prices"
        " come from the table named here, with sources. "
    )
    shown = selected(
        chip_table(reference), "chip", "cores", "tech_node_nm", "voltage_v", "clock_hz", "memory_bits", "dram", "area_mm2",
        "area_band_low_mm2", "area_band_high_mm2", "prices",
    )  # fmt: skip
    described = bullets(f"{chip.name}: {chip.description}" for chip in reference.chips)
    body = join([tag("p", text, badge(Evidence.ASSUMED)), described, shown.html("Chips; areas are modelled")])
    return Section("chips", "Chips", body)


def _limits() -> Section:
    assumed = (
        "Samples are processed one after the other; a batch shares the cost of its update.",
        "All rules are compared on the same trained parameters, so that they differ in work, not in spikes.",
        "The chip model is the analytic one; `nmsim simulate --model event` checks a single case event by event.",
        ASSUMED_OF_SHORT_TRAINING,
        f"The stamp of a network, with its accuracy: {STAMP_RULE}.",
    )
    body = join(
        [
            tag("h3", "Assumed"),
            bullets(assumed),
            tag("h3", "Not modelled"),
            bullets(NOT_MODELLED),
        ]
    )
    return Section("limits", "What is assumed, and what is not modelled", body)


def _provenance(reference: Reference) -> Section:
    files = join(
        tag("li", tag("a", f"{table.name}.csv", href=f"{table.name}.csv"))
        for table in (*tables(reference), ratio_table(reference))
    )
    rows: list[tuple[Cell, ...]] = [
        ("Command", reference.command), ("Plan", f"{reference.name} {reference.plan_hash}"), ("Seed", reference.seed),
    ]  # fmt: skip
    rows += [(f"Chip {chip.name}", chip.content_hash()) for chip in reference.chips]
    rows += [(f"Data of {dataset.title}", _data(dataset)) for dataset in reference.datasets]
    rows += [(f"Version of {name}", version) for name, version in reference.versions.items()]
    table = Table("provenance", (Column("what", "What"), Column("value", "Value")), tuple(rows))
    body = join(
        [
            tag(
                "p", "The same plan, data and versions give the same figures. Beside this page, in SI units:"
            ),
            tag("ul", files, tag("li", tag("a", "reference.json", href="reference.json")), class_="plain"),
            table.html("What would have to be the same"),
        ]
    )
    return Section("provenance", "Provenance and files", body)


def _data(dataset: DatasetResult) -> str:
    data = dataset.provenance["dataset"]
    return f"{data['source']}, SHA-256 {data['sha256']}"
