"""The side of `against_sanafe.py` that SANA-FE's own Python runs: its DVS gesture network on its Loihi.

Reads from OUT the core of every neuron (`cores.npz`, one array per layer), writes there the spikes, the updated neurons and
the performance of every time step (`recorded.npz`) and the processor seconds without any recording (`timed.json`).
"""

import argparse
import json
import resource
import time
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np
import sanafe
import yaml
from sanafe import layers as kinds

LAYERS = ("input", "conv1", "conv2", "conv3", "conv4", "dense1")
SYNAPSES = {"dense1": "loihi_dense_synapse"}
CHUNK = 50
"""Time steps simulated at a time while potentials are recorded: they come as Python lists."""


def network() -> tuple[sanafe.Network, list[kinds.Layer], np.ndarray]:
    """The network that the package ships: weights, thresholds and one input, as its tutorial puts them together."""
    with files("sanafe.examples").joinpath("dvs_challenge.npz").open("rb") as stream:
        given = dict(np.load(stream))
    net, thresholds = sanafe.Network(), [int(value) for value in given["thresholds"]]
    built = [kinds.Input2D(net, 32, 32, threshold=thresholds[0])]
    for name, threshold in zip(LAYERS[1:5], thresholds[1:5], strict=True):
        stride = 2 if name == "conv1" else 1
        built.append(
            kinds.Conv2D(
                net, built[-1], given[name], stride_width=stride, stride_height=stride, threshold=threshold
            )
        )
    built.append(kinds.Dense(net, built[-1], 11, given["dense1"], threshold=thresholds[5]))
    for neuron, bias in zip(built[0], given["inputs"], strict=True):
        neuron.set_attributes(model_attributes={"bias": float(bias)})
    return net, built, given["inputs"]


def mapped(
    cores: dict[str, np.ndarray], *, record: bool
) -> tuple[sanafe.SpikingChip, list[kinds.Layer], np.ndarray, float]:
    """The network on the chip, every neuron where `cores` puts it; the input's biases, and seconds taken."""
    start = time.process_time()
    arch = sanafe.load_arch(files("sanafe.examples").joinpath("loihi.yaml"))
    net, built, biases = network()
    places = arch.cores()
    for name, layer in zip(LAYERS, built, strict=True):
        for neuron, core in zip(layer, cores[name].tolist(), strict=True):
            neuron.map_to_core(places[core])
            neuron.set_attributes(
                soma_hw_name="loihi_lif",
                default_synapse_hw_name=SYNAPSES.get(name, "loihi_conv_synapse"),
                dendrite_hw_name="loihi_dendrites",
                log_spikes=record,
                log_potential=record,
            )
    chip = sanafe.SpikingChip(arch)
    chip.load(net)
    return chip, built, biases, time.process_time() - start


def record(out: Path, cores: dict[str, np.ndarray], steps: int) -> None:
    """Run once with every trace on and keep what a replay needs."""
    chip, built, biases, _ = mapped(cores, record=True)
    names = [group.get_name() for group in (layer.group for layer in built)]
    sizes = {name: len(layer) for name, layer in zip(names, built, strict=True)}
    order = sorted(names)
    spikes = {name: np.zeros((steps, size), np.bool_) for name, size in sizes.items()}
    charged = {name: np.zeros((steps, size), np.bool_) for name, size in sizes.items()}
    perf: dict[str, list[float]] = {}
    for start in range(0, steps, CHUNK):
        count = min(CHUNK, steps - start)
        result = chip.sim(
            count, timing_model="simple", processing_threads=1,
            spike_trace=True, potential_trace=True, perf_trace=True, write_trace_headers=start == 0,
        )  # fmt: skip
        for t, fired in enumerate(result["spike_trace"]):
            for address in fired:
                spikes[address.group_name][start + t, address.neuron_offset] = True
        potentials = np.array(result["potential_trace"])
        edges = np.cumsum([0] + [sizes[name] for name in order])
        for name, first, last in zip(order, edges, edges[1:], strict=False):
            charged[name][start : start + count] = potentials[:, first:last] != 0
        for key, values in result["perf_trace"].items():
            perf.setdefault(key, []).extend(values)
    arrays = {f"spikes_{label}": spikes[name] for label, name in zip(LAYERS, names, strict=True)}
    arrays |= {f"charged_{label}": charged[name] for label, name in zip(LAYERS, names, strict=True)}
    arrays |= {f"perf_{key}": np.array(values) for key, values in perf.items()}
    chip.reset()
    detailed = chip.sim(steps, timing_model="detailed", processing_threads=1, perf_trace=True)
    arrays["detailed_sim_time"] = np.array(detailed["perf_trace"]["sim_time"])
    np.savez_compressed(out / "recorded.npz", biases=biases, **arrays)


def timed(out: Path, cores: dict[str, np.ndarray], steps: int, repeats: int) -> None:
    """Processor time of both timing levels, without any trace; the best of some repeats."""
    chip, _, _, load_s = mapped(cores, record=False)
    found: dict[str, object] = {"load_s": load_s}
    for level in ("simple", "detailed"):
        spent = []
        for _ in range(repeats):
            chip.reset()
            start = time.process_time()
            result = chip.sim(steps, timing_model=level, processing_threads=1)
            spent.append(time.process_time() - start)
        found[level] = {
            "cpu_s": min(spent), "all_cpu_s": spent, "latency_s": result["sim_time"], "energy_j": result["energy"],
            "spikes": result["spikes"], "packets": result["packets_sent"], "fired": result["neurons_fired"],
            "updated": result["neurons_updated"],
        }  # fmt: skip
    with files("sanafe.examples").joinpath("loihi.yaml").open(encoding="utf-8") as stream:
        found["architecture"] = yaml.safe_load(stream)["architecture"]
    found["version"] = version("sanafe")
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (out / "timed.json").write_text(json.dumps(found, indent=2), encoding="utf-8")


def main() -> None:
    """Record, or measure time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("record", "timed"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    cores = dict(np.load(given.out / "cores.npz"))
    if given.what == "record":
        record(given.out, cores, given.steps)
    else:
        timed(given.out, cores, given.steps, given.repeats)


if __name__ == "__main__":
    main()
