"""Whole chips through their files: TrueNorth at its tick, ODIN at its rate, ODIN by its parts, areas of six."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nmsim import units
from nmsim.activity import Activity, LayerActivity
from nmsim.config import build, parse_text
from nmsim.cost.area import area_of
from nmsim.cost.clock import FlipFlops
from nmsim.cost.table import ComponentTable, load_table
from nmsim.evaluate import Evaluation, assess
from nmsim.mapping.automatic import deploy_network
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.analytic import AnalyticModel
from nmsim.perf.work import build_work
from nmsim.validate.point import CALIBRATED, HELD_OUT, SiliconPoint
from nmsim.validate.synthetic import Densities, synthetic_activity
from nmsim.validate.trial import CHIPS, Trial, frame, network

TRUENORTH = "Akopyan et al., TCAD 34(10) 2015"
MEROLLA = "Merolla et al., Science 345:668 (2014) and supplement"
ODIN = "Frenkel et al., TBioCAS 13(1) 2019, Fig. 8b"
TICKS = 2
TICK_HZ = 1000
TRUENORTH_NETWORK = (
    "{name: truenorth, input_shape: [128, 4096, 1], time_steps: %d, "
    "layers: [{kind: conv, channels: 256, kernel: 1}]}"
)
"""2^20 neurons of 128 synapses: each of 4,096 positions is a core of 256 neurons and 128 axons."""
RATES_HZ = (11.58, 95.93, 20.0, 0.0, 400.0, 58e9 / 2**20 / 128)
"""The fifth is 200 Hz with 256 synapses a neuron, as many synaptic events; the last makes 58 GSOP/s."""


def truenorth() -> Iterator[SiliconPoint]:
    """2^20 neurons on 4,096 cores, two ticks of 1 ms, through mapping, traffic, tick and price; takes half a minute."""
    table = load_table("truenorth")
    chip, precision = frame("truenorth-28nm", CHIPS), Precision()
    net = build(NetworkSpec, parse_text(TRUENORTH_NETWORK % TICKS, "truenorth"))
    needs = TrainingNeeds.for_rule("inference", sample_bits=1)
    job = deploy_network(net, precision, needs, chip)
    activity = joined([_activity(net, rate_hz / TICK_HZ) for rate_hz in RATES_HZ])
    perf = AnalyticModel().run(build_work(job, activity))

    def power_mw(sample: int, voltage_v: float) -> float:
        at = replace(job, chip=chip.model_copy(update={"voltage_v": voltage_v}))
        found = assess(at, activity, table, perf)
        joules = float(found.energy.total_pj[sample]) * units.J_PER_PJ
        return joules / float(perf.latency_s[sample]) / units.W_PER_MW

    ends = "an end of the fitted line"
    scaled = "prices brought from 0.8 V by V^2 and V^3"
    rows = (
        ("11.58 Hz, 0.80 V", 0, 0.8, 68.0, CALIBRATED, TRUENORTH, ends),
        ("95.93 Hz, 0.80 V", 1, 0.8, 94.0, CALIBRATED, TRUENORTH, ends),
        ("20 Hz, 0.775 V", 2, 0.775, 72.0, HELD_OUT, MEROLLA, scaled),
        ("0 Hz, 0.70 V", 3, 0.7, 42.0, HELD_OUT, TRUENORTH, scaled),
        ("200 Hz x 256, 1.05 V", 4, 1.05, 323.0, HELD_OUT, TRUENORTH, scaled),
    )
    for text, sample, voltage_v, published, role, source, note in rows:
        condition = f"2^20 neurons of 128 synapses, tick of 1 ms, {text}"
        model = power_mw(sample, voltage_v)
        yield SiliconPoint(f"TrueNorth power, {text}", condition, published, model, "mW", role, source, note)
    peak_mw = power_mw(5, 0.75)
    yield SiliconPoint(
        "TrueNorth efficiency, peak, 0.75 V", "58 GSOP/s, tick of 1 ms", 400.0,
        58.0 / (peak_mw * units.W_PER_MW), "GSOP/J", HELD_OUT, TRUENORTH, scaled,
    )  # fmt: skip
    tick_ms = float(perf.latency_s[1]) / TICKS * units.MS_PER_S
    yield SiliconPoint(
        "TrueNorth tick", "95.93 Hz", 1.0, tick_ms, "ms", CALIBRATED, TRUENORTH,
        "put in; shown is that its work is shorter",
    )  # fmt: skip


def _activity(net: NetworkSpec, density: float) -> Activity:
    return synthetic_activity(
        net, 1, Densities(density, density, 0), rule="inference", static_input=False, input_bits=1
    )


def joined(activities: list[Activity]) -> Activity:
    """Samples of several activities of one network, one after the other."""
    layers = []
    for index, layer in enumerate(activities[0].layers):
        same = [activity.layers[index].masks for activity in activities]
        masks = {name: np.concatenate([part[name] for part in same]) for name in layer.masks}
        layers.append(LayerActivity(layer.inputs_shape, layer.neurons_shape, layer.input_bits, **masks))
    first = activities[0]
    return Activity(
        first.network_hash, first.rule, first.origin, first.time_steps, first.static_input, tuple(layers),
        np.concatenate([activity.sample_index for activity in activities]),
        np.concatenate([activity.labels for activity in activities]),
        np.concatenate([activity.spike_counts for activity in activities]),
    )  # fmt: skip


def odin() -> Iterator[SiliconPoint]:
    """ODIN taking synapses as fast as it can, by its measured events and by its parts."""
    precision = Precision.model_validate({"weight": "s4.2"})
    net, busy = network(256, 256, time_steps=20), Densities(0.9, 0.1, 0)
    events = Trial(frame("odin-like-28nm", CHIPS), net, "inference", busy, precision).evaluation()
    condition = "256 x 256 synapses, 75 MHz, 0.55 V, as fast as it takes them"
    own = "prices and total are of one measurement series: this shows the accounting, not a prediction"
    rate = events.sops_per_sample / events.latency_s.mean / units.HZ_PER_MHZ
    yield SiliconPoint(
        "ODIN rate", condition, 37.5, rate, "MSOP/s", CALIBRATED, ODIN, "two cycles per operation"
    )
    yield SiliconPoint("ODIN power, by events", condition, 477.0, _uw(events), "uW", CALIBRATED, ODIN, own)
    # one neuron is one word of its memory, whatever the width of our sums
    whole_words = Precision.model_validate({"weight": "s4.2", "current": "s128"})
    parts = Trial(frame("odin-parts-28nm"), net, "inference", busy, whole_words).evaluation()
    note = "memories and datapath at component prices; control factor and gated clock were fitted on ODIN among others"
    for what, published, model, unit in (
        ("ODIN power, by parts", 477.0, _uw(parts), "uW"),
        (
            "ODIN pJ/SOP, incremental, by parts",
            8.43,
            (parts.energy_per_sop_incremental_j or 0) * units.PJ_PER_J,
            "pJ",
        ),
        ("ODIN pJ/SOP, all-in, by parts", 12.7, (parts.energy_per_sop_all_in_j or 0) * units.PJ_PER_J, "pJ"),
    ):
        yield SiliconPoint(what, condition, published, model, unit, CALIBRATED, ODIN, note)


def _uw(found: Evaluation) -> float | None:
    return None if found.power_w is None else found.power_w.mean / units.W_PER_UW


def areas(table: ComponentTable) -> Iterator[SiliconPoint]:
    """Areas of cores, each with its share of the routers, and of chips; `control_and_wiring` was fitted on the first two."""
    asynchronous = "asynchronous: handshakes and their delays take what no clocked factor knows"
    rows = (
        ("ODIN core", frame("odin-parts-28nm"), 0.086, False, CALIBRATED, ODIN, "", True),
        ("ReckOn core", frame("reckon-28nm"), 0.45, False, CALIBRATED,
         "Frenkel and Indiveri, ReckOn, ISSCC 2022", "memories, words and lanes as in its published RTL", True),
        ("SENECA core", frame("seneca-core-22nm"), 0.47, False, HELD_OUT, "Tang et al., Front. Neurosci. 17 (2023)",
         "sizes of its memories remembered, not read", False),
        ("MorphBungee chip", frame("morphbungee-65nm"), 7.2, True, HELD_OUT, "Wang et al., TBioCAS 2024",
         "word widths assumed", False),
        ("TrueNorth core", frame("truenorth-core-28nm"), 0.0936, False, HELD_OUT, MEROLLA, asynchronous, True),
        ("Loihi chip", frame("loihi-chip-14nm"), 60.0, True, HELD_OUT, "Davies et al., IEEE Micro 38(1) 2018",
         asynchronous, False),
    )  # fmt: skip
    for what, chip, published, whole, role, source, note, known in rows:
        found = area_of(chip, table)
        cores = found.total_mm2 - found.by_component_mm2["periphery"]
        model = found.total_mm2 if whole else cores / len(chip.cores())
        condition = f"{chip.tech_node_nm} nm, {'pads included' if whole else 'without pads'}"
        yield SiliconPoint(
            f"{what} area", condition, published, model, "mm2", role, source, note, frame_published=known
        )
    flip_flops = FlipFlops.of(frame("odin-parts-28nm").core_types[0]).total
    yield SiliconPoint(
        "ODIN flip-flops", "fifos and configuration registers included", 4581, float(flip_flops), "", HELD_OUT,
        "ChFrenkel/ODIN, published RTL", "its state machines, bus interfaces and holding registers are not modelled",
    )  # fmt: skip
