"""RTL of a core for a workload or a run: write it, simulate it, compare it with the engine and with the models."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmsim.errors import ConfigError
from nmsim.hardware.chip import ChipConfig
from nmsim.pipeline.folder import package_versions
from nmsim.pipeline.rtl_cycles import CycleComparison, compare_cycles
from nmsim.pipeline.subject import Subject, read_subject
from nmsim.pipeline.train import train
from nmsim.rtl.agreement import Agreement, compare_trace, read_cycles
from nmsim.rtl.bench import build, run
from nmsim.rtl.design import Design
from nmsim.rtl.golden import Golden, final_parameters
from nmsim.rtl.input_events import event_lines
from nmsim.rtl.memory_fit import check_fit
from nmsim.rtl.quantizers import counted
from nmsim.rtl.write_core import write_core, write_events
from nmsim.stop.protocol import Batch
from nmsim.stop.train import epoch_order
from nmsim.storage import write_text
from nmsim.validate.vectors.vector_files import raw_run, training_of


@dataclass(frozen=True)
class Verified:
    """A core that was simulated: what was compared, overflow counts that differ, cycles by (sample, stage, layer).

    `timing` sets the cycles beside the models'; None where they were not asked.
    """

    comparison: Agreement
    counters: int
    wrong_counts: dict[str, tuple[int, int]]
    cycles: dict[tuple[int, int, int], int]
    timing: CycleComparison | None = None

    @property
    def passed(self) -> bool:
        """Whether everything agrees."""
        return not self.comparison.differences and not self.wrong_counts


def design_core(subject: Subject, chip: ChipConfig, samples: int, batch_size: int) -> Design:
    """The core that a chip gives for a workload.

    Raises:
        ConfigError: it has several cores, its memories are too small, or the network is one that RTL is not built for.
    """
    cores = chip.cores()
    if len(cores) != 1:
        raise ConfigError(
            f"chip '{chip.name}' has {len(cores)} cores, and RTL is built of one; give a chip with one core, such as"
            " stop-core-28nm"
        )
    training = training_of(subject.chip, samples, batch_size)
    design = Design(subject.chip, training, cores[0].type, subject.prepared.encoded.static)
    check_fit(design, chip)
    return design


def write(subject: Subject, chip: ChipConfig, design: Design, batch: Batch, out: Path) -> None:
    """Write the core, and the samples of a batch for its bench."""
    about = {
        "versions": package_versions(), "workload": subject.workload.name,
        "workload_hash": subject.workload.content_hash(), "parameters": subject.source, "chip": chip.name,
    }  # fmt: skip
    write_core(design, chip, out, about)
    inputs = batch.inputs.reshape(*batch.inputs.shape[:2], -1)
    write_events(event_lines(design, inputs, batch.labels, design.training.batch_size), out)


def first_samples(subject: Subject, split: str, samples: Sequence[int] | int) -> Batch:
    """Samples of a split as the core receives them."""
    own = subject.split(split)
    chosen = np.arange(samples) if isinstance(samples, int) else np.array(samples, np.int64)
    if not len(chosen) or chosen.max() >= len(own):
        raise ConfigError(
            f"--verify {len(chosen)}: the split has {len(own):,} samples; ask for 1 to {len(own)}"
        )
    return own.batch(chosen, 0)


def verify(design: Design, chip: ChipConfig, batch: Batch, out: Path) -> Verified:
    """Build and run the bench of a written core and compare every word with the engine's.

    Raises:
        ConfigError: Verilator is not installed.
        CheckFailedError: the bench does not build or run.
        RunError: the core took another course than the engine.
    """
    expected = raw_run(design.side, design.training, batch)
    golden = Golden(design, expected)
    lines: list[str] = []
    for section in golden.sections():
        lines += [section.title, *section.memory.pack(section.values)]
    write_text(out / "expected.hex", "\n".join(lines) + "\n")
    build(out)
    run(out)
    comparison = compare_trace(out / "trace.hex", golden.sections())
    cycles, counts = read_cycles(out / "cycles.txt")
    timing = compare_cycles(design, chip, expected, cycles)
    write_text(out / "cycles.json", json.dumps(timing.record(), indent=1) + "\n")
    wrong = wrong_counts(design, expected.overflows, counts)
    return Verified(comparison, len(counts), wrong, cycles, timing)


def verify_epoch(
    subject: Subject, chip: ChipConfig, out: Path, say: Callable[[str], None] = lambda _: None
) -> Verified:
    """Train one whole epoch in the RTL, from the initial parameters, and compare what it leaves with `nmsim train`.

    Compared are weights, thresholds and leak factors after the last update, and the overflow counters of the epoch. The
    run of the engine is kept in `out/trained`.

    Raises:
        ConfigError: Verilator is not installed, or the workload's rates change within the epoch.
        CheckFailedError: the bench does not build or run.
    """
    workload = subject.workload.model_copy(
        update={"training": subject.workload.training.model_copy(update={"epochs": 1})}
    )
    history = train(workload, out / "trained", seed=subject.seed, overwrite=True)
    trained = read_subject(str(out / "trained"))
    own, size = subject.prepared.train, workload.training.batch_size
    order = epoch_order(len(own), subject.seed, 0)[: len(own) // size * size]
    say(f"the engine has trained {len(order):,} samples; the RTL follows")
    design = design_core(subject, chip, len(order), size)
    write(subject, chip, design, own.batch(order, 0), out)
    build(out)
    run(out, only_final=True, samples=len(order))
    sections = final_parameters(design, trained.chip.parameters, len(order) - 1)
    comparison = compare_trace(out / "trace.hex", sections, only="threshold")
    cycles, counts = read_cycles(out / "cycles.txt")
    return Verified(comparison, len(counts), wrong_counts(design, history.overflow_counts, counts), cycles)


def wrong_counts(
    design: Design, expected: Mapping[str, int], counts: dict[tuple[str, int], int]
) -> dict[str, tuple[int, int]]:
    """Overflow counts (RTL, engine) that differ, where hardware can count."""
    found: dict[str, tuple[int, int]] = {}
    for (tensor, layer), count in counts.items():
        name = f"layer{layer}.{tensor}"
        wanted = expected.get(name, 0)
        if counted(design, tensor.upper(), layer) and count != wanted:
            found[name] = (count, wanted)
    return found
