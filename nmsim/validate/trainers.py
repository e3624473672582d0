"""Published trainers: their frame as a chip, their task as a network, and how far the model is off.

None of them runs STOP. What is assumed is in the frame's file and in the note of every row, and one published figure of
each sets the lanes where they are not published: it is marked `calibrated`.
"""

from collections.abc import Iterator
from typing import Any

from nmsim import config, units
from nmsim.evaluate import Evaluation
from nmsim.hardware.chip import ChipConfig
from nmsim.network.precision import Precision
from nmsim.validate.point import CALIBRATED, HELD_OUT, NOT_COMPARED, SiliconPoint
from nmsim.validate.synthetic import Densities
from nmsim.validate.trial import FOLDER, Trial, frame, network

VC707 = "Huang et al., ICTA 2023, doi 10.1109/icta60488.2023.10364297, abstract"
MORPHBUNGEE = "Wang et al., MorphBungee, TBioCAS 2024, abstract"
PARK = "Park et al., JSSC 55(1) 2020, abstract; network from Renner et al., Nat. Commun. 2024, Table 1"
RECKON = "Frenkel and Indiveri, ReckOn, ISSCC 2022"
MNIST_DENSE = Densities(inputs=0.21, spikes=0.23, deltas=0.8)
"""Of inputs, hidden spikes and deltas, as in a training run of workload `mnist-dense` (STOP-WTL, 784-256-10)."""
NEAREST = "the published speed sets the lanes: the power of two that comes nearest"
OTHER_RULE = (
    "it learns with surrogate gradients through time, for which STBP-W stands; hidden layer and time steps are assumed,"
    " so this is not the same network"
)


def trainers() -> Iterator[SiliconPoint]:
    """Every comparison with a published trainer.

    Raises:
        CostError: a shipped table that a comparison needs is missing.
    """
    yield from _vc707()
    yield from _morphbungee()
    yield from _park()
    yield from _reckon()


def trainer(name: str, lanes: int) -> ChipConfig:
    """The frame of a trainer with as many lanes, and memories of the same size as wide as these take per cycle."""
    document = config.load(config.find(FOLDER, name))
    core = "core_types.0"
    values: dict[str, Any] = {f"{core}.{kind}_lanes": lanes for kind in ("accumulate", "mac", "update")}
    original = config.build(ChipConfig, document).core_types[0]
    for index, memory in enumerate(original.memories[:-1]):
        width = (memory.word_bits // original.accumulate_lanes) * lanes
        words = round(memory.words * memory.word_bits / width)
        values |= {
            f"{core}.memories.{index}.word_bits": width,
            f"{core}.memories.{index}.words": words,
        }
    return config.build(ChipConfig, document.with_values(values, f"{name} of {lanes} lanes"))


def _vc707() -> Iterator[SiliconPoint]:
    """Lanes are set by the inference speed; what is tested is how much longer training takes."""
    for time_steps, lanes in ((4, 8), (8, 16)):
        net, chip = network(784, 256, 10, time_steps=time_steps), trainer("vc707", lanes)
        assumed = f"784-256-10, T = {time_steps}, {lanes} lanes: assumed; 115 MHz"
        inference_s = Trial(chip, net, "inference", MNIST_DENSE).latency_s()
        yield SiliconPoint(
            f"VC707 inference, T = {time_steps}", assumed, 4163, 1 / inference_s, "frame/s", CALIBRATED, VC707, NEAREST,
            frame_published=False,
        )  # fmt: skip
        training_s = Trial(chip, net, "stbp-w", MNIST_DENSE).latency_s()
        yield SiliconPoint(
            f"VC707 train/infer, T = {time_steps}", f"{assumed}; STBP-W", 4163 / 1183,
            training_s / inference_s, "ratio", HELD_OUT, VC707, OTHER_RULE, frame_published=False,
        )  # fmt: skip
    yield SiliconPoint(
        "VC707 energy per trained image", "115 MHz, 798 mW", 0.67, None, "mJ", NOT_COMPARED, VC707,
        "apples and oranges: the board is an FPGA, and nmsim prices silicon cells", frame_published=False,
    )  # fmt: skip


def _morphbungee() -> Iterator[SiliconPoint]:
    """Lanes are set by the speed of inference; what is tested is the speed of learning, and power."""
    chip, net = frame("morphbungee-65nm"), network(256, 256, 256, 256, 200, time_steps=8)
    densities = Densities(inputs=1 / 8, spikes=1 / 8, deltas=0.5)
    runs = {rule: Trial(chip, net, rule, densities).evaluation() for rule in ("inference", "stop-w")}
    condition = "256-256-256-256-200 on 16 x 16 MNIST, 100 MHz, 1.0 V"
    assumed = "assumed: eight time steps in which a neuron spikes once, 16-bit weights, lanes, words"
    speeds = {rule: 1 / found.latency_s.mean for rule, found in runs.items()}
    rows = (
        ("inference speed", 2270, speeds["inference"], "frame/s", CALIBRATED, f"{NEAREST}; {assumed}"),
        (
            "learning speed",
            802,
            speeds["stop-w"],
            "frame/s",
            HELD_OUT,
            f"STOP-W in place stands for its rule; {assumed}",
        ),
        (
            "learning power",
            61,
            _mw(runs["stop-w"]),
            "mW",
            HELD_OUT,
            f"61 mW is one figure for both; {assumed}",
        ),
        (
            "inference energy",
            26.9,
            _uj(runs["inference"]),
            "uJ",
            HELD_OUT,
            f"61 mW over 2,270 frames/s; {assumed}",
        ),
    )
    for what, published, model, unit, role, note in rows:
        yield SiliconPoint(
            f"MorphBungee {what}",
            condition,
            published,
            model,
            unit,
            role,
            MORPHBUNGEE,
            note,
            frame_published=False,
        )


def _park() -> Iterator[SiliconPoint]:
    """Lanes are as many as the published speed needs; what is tested is energy."""
    chip, net = frame("park-65nm"), network(784, 200, 200, 10, time_steps=1)
    precision = Precision.model_validate({"weight": "s8.6", "current": "s16"})
    found = Trial(
        chip, net, "inference", Densities(inputs=0.2, spikes=0.2, deltas=0.5), precision
    ).evaluation()
    condition = "784-200-200-10, 20 MHz, 0.8 V"
    note = "assumed: a fifth of pixels and neurons active, 8-bit weights, lanes, words"
    rows = (
        ("inference energy", 0.236, _uj(found), "uJ", HELD_OUT, note),
        (
            "time per sample",
            10.6,
            found.latency_s.mean * units.US_PER_S,
            "us",
            CALIBRATED,
            f"784 pixels at 73.9 Mpixel/s, which set the lanes; {note}",
        ),
    )
    for what, published, model, unit, role, text in rows:
        yield SiliconPoint(
            f"Park {what}", condition, published, model, unit, role, PARK, text, frame_published=False
        )
    yield SiliconPoint(
        "Park energy per trained image", condition, 0.2537, None, "uJ", NOT_COMPARED, PARK,
        "its rule sends spikes back directly and adds 7.5 % to inference; no rule of nmsim is like it",
        frame_published=False,
    )  # fmt: skip


def _reckon() -> Iterator[SiliconPoint]:
    """Its frame is that of its RTL, the prices are those of all 28 nm chips; what its figure contains is not stated."""
    chip, net = frame("reckon-28nm"), network(256, 256, 16, time_steps=20)
    # half a word of its memory is one neuron, whatever the width of our sums
    precision = Precision.model_validate({"weight": "s8.6", "current": "s64"})
    found = Trial(chip, net, "inference", MNIST_DENSE, precision).evaluation()
    incremental, all_in = found.energy_per_sop_incremental_j or 0.0, found.energy_per_sop_all_in_j or 0.0
    yield SiliconPoint(
        "ReckOn energy per SOP, all-in", "256-256-16 forward, an operation a cycle, 0.5 V, 13 MHz", 5.3,
        all_in * units.PJ_PER_J, "pJ", HELD_OUT, RECKON,
        "of which kind its figure is, and whether learning is in it, is not stated: ours is"
        f" {incremental * units.PJ_PER_J:.2f} pJ incremental;"
        " it serves an input spike and a recurrent one at once, which halves clock and leakage for each",
        frame_published=False,
    )  # fmt: skip


def _uj(found: Evaluation) -> float | None:
    return None if found.energy_j is None else found.energy_j.mean * units.UJ_PER_J


def _mw(found: Evaluation) -> float | None:
    return None if found.power_w is None else found.power_w.mean / units.W_PER_MW
