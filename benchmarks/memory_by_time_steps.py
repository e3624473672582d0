"""Peak memory of training against the number of time steps: bit-accurate STOP beside float32 STOP and STBP.

Run as `python benchmarks/memory_by_time_steps.py [--out FOLDER]` on Linux. Every point is a process of its own, which
compiles on two time steps, then builds an engine and trains on two batches of random pixels. Two peaks are counted from
there: of what was allocated (tracemalloc sees all arrays; kernels allocate nothing), which is drawn, and of resident
memory, which is less where pages are never touched or were left over. The samples in flight are the same for all, a
batch. Writes memory-by-time-steps.csv and .svg; prints bytes per neuron and sample in flight.
"""

import argparse
import csv
import ctypes
import gc
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np

from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.network.published import lenet5
from nmsim.network.spec import NetworkSpec
from nmsim.report.plots.canvas import MARKERS, PALETTE, grid, legend_right, look, new_figure, svg_of
from nmsim.stop.engines import create_engine
from nmsim.stop.protocol import Batch, UpdateRates
from nmsim.stop.spec import TrainingSpec
from nmsim.storage import write_text
from nmsim.units import BYTES_PER_MB

STEPS = (2, 4, 8, 16, 32, 64, 128)
ENGINES = {
    "STOP-WTL, bit-accurate": {"rule": "stop-wtl", "arithmetic": "fixed"},
    "STOP-WTL, float32": {"rule": "stop-wtl", "arithmetic": "float32"},
    "STBP, float32": {"rule": "stbp", "arithmetic": "float32"},
}
SAMPLES, BATCHES = 16, 2
PIXELS = QFormat.parse("u8.8")
RATES = UpdateRates(0.01, 0.001, 0.0001)


def network(time_steps: int) -> NetworkSpec:
    """LeNet-5 of docs/memory.md with another number of time steps."""
    return lenet5().model_copy(update={"time_steps": time_steps})


def resident(field: str) -> int:
    """A line of /proc/self/status in bytes: VmRSS now, VmHWM at its peak."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) * 1024


def learn(name: str, time_steps: int) -> None:
    """Build an engine and train on two batches of static inputs."""
    spec, random = network(time_steps), np.random.default_rng(0)
    training = TrainingSpec.model_validate({"batch_size": SAMPLES, **ENGINES[name]})
    engine = create_engine(spec, Precision(), training, PIXELS, 0)
    for number in range(BATCHES):
        pixels = random.integers(0, 256, (SAMPLES, 1, *spec.input_shape), np.int16)
        labels = random.integers(0, spec.classes, SAMPLES)
        engine.train_batch(Batch(pixels, PIXELS, labels, number * SAMPLES), RATES)


def measure(name: str, time_steps: int) -> tuple[int, int]:
    """Peak bytes allocated, and peak bytes resident, above what there was before."""
    learn(name, STEPS[0])
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = resident("VmRSS")
    tracemalloc.start()
    learn(name, time_steps)
    return tracemalloc.get_traced_memory()[1], resident("VmHWM") - before


def main() -> None:
    """Measure every point in a process of its own; table, CSV and picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--one", nargs=2, metavar=("ENGINE", "T"))
    given = parser.parse_args()
    if given.one:
        print(*measure(given.one[0], int(given.one[1])))
        return
    neurons = sum(layer.neurons for layer in network(1).synaptic_layers)
    peaks: dict[str, list[tuple[int, int]]] = {}
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    for name in ENGINES:
        for steps in STEPS:
            command = [sys.executable, __file__, "--one", name, str(steps)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            allocated, held = map(int, done.stdout.split())
            peaks.setdefault(name, []).append((allocated, held))
            each = allocated / (SAMPLES * neurons)
            print(
                f"{name:24} T {steps:4}: allocated {allocated / BYTES_PER_MB:8.2f} MB, resident"
                f" {held / BYTES_PER_MB:8.2f} MB, {each:8.1f} bytes per neuron and sample",
                flush=True,
            )
    write(peaks, neurons, given.out)


def write(peaks: dict[str, list[tuple[int, int]]], neurons: int, folder: Path) -> None:
    """CSV and picture."""
    rows: list[list[Any]] = [
        ["engine", "time_steps", "allocated_bytes", "resident_bytes", "neurons", "samples"]
    ]
    rows += [
        [name, steps, *peak, neurons, SAMPLES]
        for name, own in peaks.items()
        for steps, peak in zip(STEPS, own, strict=True)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "memory-by-time-steps.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    with look():
        about = f"LeNet-5, {neurons:,} neurons, {SAMPLES} samples in flight; allocated by engine and training"
        figure = new_figure("Peak memory of training", about, height=3.2)
        axes = figure.add_subplot()
        for place, (name, own) in enumerate(peaks.items()):
            values = [allocated / BYTES_PER_MB for allocated, _ in own]
            axes.plot(STEPS, values, marker=MARKERS[place], color=PALETTE[place], label=name)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(STEPS, [str(steps) for steps in STEPS])
        axes.set_xlabel("time steps")
        axes.set_ylabel("peak memory (MB)")
        grid(axes, "both")
        legend_right(axes)
        write_text(folder / "memory-by-time-steps.svg", svg_of(figure).decode())


if __name__ == "__main__":
    main()
