"""nmsim beside SANA-FE on the convolutional DVS gesture network that SANA-FE ships, 18,678 neurons on its Loihi.

    python -m venv sanafe && sanafe/bin/pip install sanafe numpy pyyaml
    python benchmarks/against_sanafe.py --sanafe-python sanafe/bin/python

SANA-FE simulates the network, neuron by neuron where our mapping puts it, and its spikes are imported and replayed on
the profile `loihi-board`. One thread each. Processor time: `chip.sim()` there, `evaluate()` here (counts, time, energy and
audit, from the activity in memory); building the network and the mapping is left out on both sides, as is recording.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import yaml
from numpy.typing import NDArray

from nmsim.activity import Activity
from nmsim.cost.table import load_table
from nmsim.counts import Action, Component, Phase
from nmsim.evaluate import Evaluation, Model, evaluate
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.deployment import Deployment
from nmsim.mapping.manual import ManualMapping, ManualSlice, map_manually
from nmsim.mapping.mapping import Mapping
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.event.chip import EventModel
from nmsim.perf.geometry import LayerGeometry
from nmsim.perf.machine import Lane
from nmsim.perf.work import StepWork, build_work
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.imported import import_activity
from nmsim.pipeline.simulate import read_chip
from nmsim.units import S_PER_NS
from nmsim.validate.designs import random_design

LAYERS = ("input", "conv1", "conv2", "conv3", "conv4", "dense1")
CORES = (1, 4, 16, 16, 4, 1)
"""Cores of each layer in SANA-FE's tutorial."""
ROWS, CORES_PER_TILE, COLUMNS = 4, 4, 8
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")
MAX_MB = 300
RUNS = {"run": 1, "run-skewed": 0}
"""Delay per layer that is taken out of the recording: SANA-FE's own; none, to show what that does to the steps."""


def network(steps: int) -> dict[str, Any]:
    """The network section. SANA-FE's input neurons are neurons with a bias: a 1 x 1 convolution that nothing reaches."""
    conv = {"kind": "conv", "kernel": 3}
    layers = [
        {"kind": "conv", "channels": 1, "kernel": 1},
        {**conv, "channels": 16, "stride": 2},
        *({**conv, "channels": channels} for channels in (32, 64, 11)),
        {"kind": "dense", "units": 11},
    ]
    return {"name": "dvs-gesture-sanafe", "input_shape": [1, 32, 32], "time_steps": steps, "layers": layers}


def slices(spec: NetworkSpec) -> ManualMapping:
    """Layers on cores one after the other, cut by channels; SANA-FE counts tiles down the columns, nmsim along the rows."""
    found, number = [], 0
    for layer, cores in zip(spec.synaptic_layers, CORES, strict=True):
        channels = layer.out_shape[0]
        size = -(-channels // cores)
        for start in range(0, channels, size):
            tile, place = divmod(number, CORES_PER_TILE)
            column, row = divmod(tile, ROWS)
            core = (row * COLUMNS + column) * CORES_PER_TILE + place
            found.append(
                ManualSlice(layer=layer.index, core=core, channels=(start, min(start + size, channels)))
            )
            number += 1
    return ManualMapping(slices=tuple(found))


def sanafe_cores(spec: NetworkSpec, mapping: Mapping) -> dict[str, NDArray[np.int64]]:
    """Core of every neuron in SANA-FE's numbers."""
    found = {}
    for name, layer in zip(LAYERS, spec.synaptic_layers, strict=True):
        tile, place = np.divmod(mapping.neuron_core(layer.index, layer.out_shape).reshape(-1), CORES_PER_TILE)
        row, column = np.divmod(tile, COLUMNS)
        found[name] = ((column * ROWS + row) * CORES_PER_TILE + place).astype(np.int64)
    return found


def rasters(spec: NetworkSpec, recorded: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Spikes and updated neurons in the format of docs/activity.md.

    SANA-FE updates a neuron that has a bias, a potential, or received a spike in the step before.
    """
    steps = spec.time_steps
    found: dict[str, NDArray[Any]] = {"input": np.zeros((steps, *spec.input_shape), np.bool_)}
    for layer in spec.synaptic_layers:
        name = LAYERS[layer.index]
        updates = np.zeros((steps, layer.neurons), np.bool_)
        updates[1:] = recorded[f"charged_{name}"][:-1]
        if layer.index == 0:
            updates |= recorded["biases"] != 0
        else:
            geometry = LayerGeometry.of(layer)
            below = recorded[f"spikes_{LAYERS[layer.index - 1]}"].reshape(steps, *geometry.in_shape)
            seen = geometry.row_links @ below.sum(axis=1) @ geometry.column_links.T > 0
            updates[1:] |= np.repeat(seen[:, None], layer.out_shape[0], axis=1).reshape(steps, -1)[:-1]
        found[f"layer{layer.index}"] = recorded[f"spikes_{name}"]
        found[f"updates{layer.index}"] = updates
    return found


def replay(out: Path, name: str) -> dict[str, Any]:
    """Evaluate the imported run once by one model and schedule, e.g. `event pipelined`."""
    EventModel().run(random_design(0).work())  # load compiled code first
    found = _evaluated(out / "run", name)
    return {**found, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def replays(given: argparse.Namespace) -> dict[str, Any]:
    """Every evaluation in a process of its own, the quickest of some repeats; the run that is skewed in time; their rule."""
    found: dict[str, Any] = {}
    for name in ("analytic sequential", "analytic pipelined", "event pipelined"):
        command = [sys.executable, __file__, "--replay-only", name, "--out", given.out]
        runs = []
        for _ in range(given.repeats):
            done = subprocess.run(
                command, check=True, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE
            )
            runs.append(json.loads(done.stdout))
        found[name] = min(runs, key=lambda run: float(run["cpu_s"]))
    found["skewed"] = _evaluated(given.out / "run-skewed", "analytic pipelined")
    job, activity = _replayed(given.out / "run-skewed", "pipelined")
    # their steps are those of the recording: what is on the chip at once there stands in one step of the skewed run
    found["by_their_rule_s"] = latency_by_their_rule(build_work(job, activity))
    return found


def _replayed(run: Path, schedule: str) -> tuple[Deployment, Activity]:
    """What is replayed: a run on the chip under one schedule, and what was recorded."""
    folder = RunFolder(run)
    workload, activity = folder.workload(), folder.activity("stop")
    chip = read_chip("loihi-board", [f"options.schedule={schedule}"])
    needs = TrainingNeeds.for_rule("inference")
    mapping = map_manually(workload.network, workload.precision, needs, chip, slices(workload.network))
    return Deployment(workload.network, workload.precision, needs, chip, mapping), activity


def _evaluated(run: Path, name: str) -> dict[str, Any]:
    """Figures of one model under one schedule, and its processor time."""
    model, schedule = name.split()
    job, activity = _replayed(run, schedule)
    costs, start = load_table(job.chip.technology), time.process_time()
    evaluation = evaluate(job, activity, costs, model=cast("Model", model))
    spent = time.process_time() - start
    slots_s = (evaluation.perf.slot_cycles[0] / evaluation.perf.clock_hz).tolist()
    return {"cpu_s": spent, "slots_s": slots_s, **figures(evaluation)}


def latency_by_their_rule(work: StepWork) -> float:
    """Latency of our work by the rule of SANA-FE's level `simple`, seconds.

    A time step lasts as long as the busiest core takes to receive, or to update and send, whichever is longer: the two
    never wait for each other. Its barrier table has steps where nmsim's has lines.
    """
    machine = work.machine
    received, sent = (np.zeros((len(machine.tile), work.time_steps)) for _ in range(2))
    for stage in work.stages:
        busy = stage.uses.lanes[:, Lane.SERVICE, 0]
        if stage.phase is Phase.NEURON:
            np.add.at(sent, stage.cores, busy)
            continue
        np.add.at(received, stage.cores, busy)
        if stage.traffic is not None:
            cores, packets = stage.traffic.sent
            taken = packets[:, 0] * machine.service_ns(cores, Action.AXON_OUT)[:, None]
            np.add.at(sent, cores, taken)
            np.add.at(received, cores, -taken)
    barrier_ns = max(point for point in work.chip.barrier.points if point[0] <= work.tiles_used)[1]
    longest_ns = np.maximum(received.max(axis=0), sent.max(axis=0)) + barrier_ns
    return float(longest_ns.sum()) * S_PER_NS


def figures(found: Evaluation) -> dict[str, Any]:
    """Latency, and counts and dynamic energies by event."""
    events = found.perf.counts.select(component=Component.EVENT.value)
    counts = {}
    kinds = zip(events.columns["action"].tolist(), events.columns["unit"].tolist(), strict=True)
    for action, kind in sorted(set(kinds)):
        counts[f"{action}/{kind}".rstrip("/")] = int(events.total(action=action, unit=kind))
    for axis in (
        Action.HOP_EAST_WEST,
        Action.HOP_NORTH_SOUTH,
    ):  # both directions of an axis cost the same there
        counts[axis] = int(events.total(action=axis))
    priced = found.energy.select(component=(str(Component.EVENT),))
    static = found.static_energy_j
    return {
        "latency_s": found.latency_s.mean, "counts": counts, "dynamic_j": priced.mean_j,
        "static_j": 0.0 if static is None else static.mean, "audit": found.audit_passed,
    }  # fmt: skip


def closed_form(counts: dict[str, int], architecture: dict[str, Any]) -> dict[str, float]:
    """Sum of event counts times SANA-FE's own energies per event, by its categories, joules."""
    tile = architecture["tile"][0]["attributes"]
    core = architecture["tile"][0]["core"][0]
    units = {
        unit["name"]: unit["attributes"] for part in ("soma", "synapse", "axon_out") for unit in core[part]
    }
    soma = units["loihi_lif"]
    updated, idle = counts[Action.NEURON_UPDATE_ACTIVE], counts[Action.NEURON_UPDATE_INACTIVE]
    parts = {
        "synapse": counts[f"{Action.SYNAPTIC_OP}/conv"] * units["loihi_conv_synapse"]["energy_process_spike"]
        + counts[f"{Action.SYNAPTIC_OP}/dense"] * units["loihi_dense_synapse"]["energy_process_spike"],
        "soma": (updated + idle) * soma["energy_access_neuron"] + updated * soma["energy_update_neuron"]
        + counts[Action.SPIKE_OUT] * soma["energy_spike_out"],
        "network": counts[Action.AXON_OUT] * units["loihi_out"]["energy_message_out"]
        + counts[Action.HOP_EAST_WEST] * tile["energy_east_hop"] + counts[Action.HOP_NORTH_SOUTH] * tile["energy_north_hop"],
    }  # fmt: skip
    return {**parts, "total": sum(parts.values())}


def report(
    steps: int, theirs: dict[str, Any], recorded: dict[str, NDArray[Any]], ours: dict[str, Any]
) -> None:
    """Print everything."""
    spikes = int(recorded["perf_fired"].sum())
    print(f"SANA-FE {theirs['version']}, {steps} time steps, {spikes:,} spikes; one thread each\n")
    print(f"{'model':34}{'steps/s':>10}{'latency':>13}{'peak':>10}")
    speed: dict[str, float] = {}
    for level in ("simple", "detailed"):
        speed[level] = _line(f"SANA-FE {level}", steps, theirs[level], theirs["peak_mb"])
    for name in ("analytic pipelined", "event pipelined", "analytic sequential"):
        speed[name] = _line(f"nmsim {name}", steps, ours[name], ours[name]["peak_mb"])
    _ratios(speed, theirs, ours)
    _steps(recorded, ours)
    _counts(recorded, theirs, ours["event pipelined"]["counts"])
    _energies(theirs, ours["event pipelined"])


def _line(name: str, steps: int, found: dict[str, Any], peak_mb: float) -> float:
    """Print a model's speed, which is returned."""
    speed = steps / found["cpu_s"]
    print(f"{name:34}{speed:10.1f}{found['latency_s'] * 1e3:10.3f} ms{peak_mb:7.0f} MB")
    return float(speed)


def _ratios(speed: dict[str, float], theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    print()
    for name, level, wanted in (("analytic", "simple", 5), ("event", "detailed", 3)):
        own = f"{name} pipelined"
        ratio = speed[own] / speed[level]
        latency = ours[own]["latency_s"] / theirs[level]["latency_s"] - 1
        verdict = "met" if ratio >= wanted else "NOT MET"
        print(f"{name} / {level}: {ratio:.2f}x steps/s (wanted {wanted}x: {verdict}); latency {latency:+.1%}")
    simple, own = theirs["simple"]["latency_s"], ours["by_their_rule_s"]
    print(
        f"our work by the rule of `simple`: {own * 1e3:.6f} ms, SANA-FE {simple * 1e3:.6f} ms: {own / simple - 1:+.1e}"
    )
    peak_mb = ours["event pipelined"]["peak_mb"]
    verdict = "met" if peak_mb < MAX_MB else "NOT MET"
    print(f"peak memory {peak_mb:.0f} MB (wanted under {MAX_MB}: {verdict})")


def _steps(recorded: dict[str, NDArray[Any]], ours: dict[str, Any]) -> None:
    """Time step by time step: a total can agree by chance, steps cannot.

    Packets of a step are received within it there; here they arrive with the layer that they go to, one slot later. So
    our slot t + 1 is compared with their step t.
    """
    pairs = (
        ("analytic / simple", ours["analytic pipelined"], "perf_sim_time", 1),
        ("event / detailed", ours["event pipelined"], "detailed_sim_time", 1),
        ("analytic / simple, delay left in", ours["skewed"], "perf_sim_time", 0),
    )
    print(
        f"\n{'latency of the steps':34}{'correlation':>12}{'total':>9}{'median':>9}{'5 % to 95 % of steps':>24}"
    )
    for name, own, other, lag in pairs:
        theirs = np.asarray(recorded[other], np.float64)
        mine = np.asarray(own["slots_s"][lag : len(theirs) + lag])
        ratio = mine / theirs - 1
        low, high = np.percentile(ratio, [5, 95])
        correlation = np.corrcoef(mine, theirs)[0, 1]
        total = mine.sum() / theirs.sum() - 1
        print(f"{name:34}{correlation:12.3f}{total:+9.1%}{np.median(ratio):+9.1%}{low:+14.1%}{high:+10.1%}")


def _counts(recorded: dict[str, NDArray[Any]], theirs: dict[str, Any], counts: dict[str, int]) -> None:
    synapses = counts[f"{Action.SYNAPTIC_OP}/conv"] + counts[f"{Action.SYNAPTIC_OP}/dense"]
    hops = counts[Action.HOP_EAST_WEST] + counts[Action.HOP_NORTH_SOUTH]
    pairs = {
        "synaptic operations": (theirs["detailed"]["spikes"], synapses),
        "neurons updated": (theirs["detailed"]["updated"], counts[Action.NEURON_UPDATE_ACTIVE]),
        "spikes": (theirs["detailed"]["fired"], counts[Action.SPIKE_OUT]),
        "packets": (theirs["detailed"]["packets"], counts[Action.AXON_OUT]),
        "hops": (int(recorded["perf_hops"].sum()), hops),
    }
    print(f"\n{'counts':24}{'SANA-FE':>16}{'nmsim':>16}{'difference':>14}")
    for name, (other, own) in pairs.items():
        print(f"{name:24}{other:16,}{own:16,}{own - other:14,}")


def _energies(theirs: dict[str, Any], own: dict[str, Any]) -> None:
    closed, energy = closed_form(own["counts"], theirs["architecture"]), theirs["detailed"]["energy_j"]
    print(f"\n{'energy, uJ':24}{'SANA-FE':>16}{'closed form':>16}{'difference':>14}")
    for name, value in closed.items():
        print(f"{name:24}{energy[name] * 1e6:16.6f}{value * 1e6:16.6f}{value / energy[name] - 1:14.1e}")
    print(
        f"nmsim's report: {own['dynamic_j'] * 1e6:.6f} uJ for the events ({own['dynamic_j'] / energy['total'] - 1:+.1e} of"
        f" SANA-FE's total) and {own['static_j'] * 1e6:.3f} uJ of static power, which SANA-FE leaves out; audit"
        f" {'passed' if own['audit'] else 'FAILED'}"
    )


def record(given: argparse.Namespace) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Let SANA-FE record and measure, then import what it recorded."""
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    section = network(given.steps)
    (out / "network.yaml").write_text(yaml.safe_dump({"network": section}, sort_keys=False), encoding="utf-8")
    spec = NetworkSpec(**section)
    chip: ChipConfig = read_chip("loihi-board")
    needs = TrainingNeeds.for_rule("inference")
    mapping = map_manually(spec, Precision(), needs, chip, slices(spec))
    np.savez(out / "cores.npz", **sanafe_cores(spec, mapping))
    script = Path(__file__).with_name("sanafe_run.py")
    for what in ("timed", "record"):
        options = ["--steps", str(given.steps), "--repeats", str(given.repeats)]
        command = [given.sanafe_python, script, what, out, *options]
        subprocess.run(command, check=True, env={**os.environ, **ONE_THREAD}, stdout=subprocess.DEVNULL)
    recorded = dict(np.load(out / "recorded.npz"))
    np.savez_compressed(out / "rasters.npz", **rasters(spec, recorded))
    for run, delay_steps in RUNS.items():
        import_activity(
            out / "rasters.npz", out / "network.yaml", out / run, delay_steps=delay_steps, overwrite=True
        )
    return json.loads((out / "timed.json").read_text(encoding="utf-8")), recorded


def main() -> None:
    """Run both, print the comparison."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--sanafe-python", default="python", help="Python with sanafe, numpy and pyyaml")
    parser.add_argument("--out", type=Path, default=Path("runs/against-sanafe"))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--replay-only", metavar="NAME", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.replay_only:
        print(json.dumps(replay(given.out, given.replay_only)))
        return
    theirs, recorded = record(given)
    report(given.steps, theirs, recorded, replays(given))


if __name__ == "__main__":
    main()
