"""What SANA-FE counts on the small chip of the tests, for `tests/unit/exchange/test_sanafe_chip.py`.

    python -m venv sanafe && sanafe/bin/pip install sanafe numpy
    sanafe/bin/python benchmarks/sanafe_small.py tests/unit/exchange/sanafe

Two dense layers behind ten neurons with a bias, on cores in every corner of the mesh, so that messages go in all four
directions. Writes the spikes (SANA-FE's own `spike_trace` file, and as arrays with the updated neurons) and its energies.
"""

import argparse
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import sanafe

SIZES = {"layer0": 10, "layer1": 8, "layer2": 6}
CORES = {
    "layer0": (0, 0, 0, 0, 0, 6, 6, 6, 6, 6),
    "layer1": (2, 2, 2, 2, 5, 5, 5, 5),
    "layer2": (7, 7, 7, 1, 1, 1),
}
"""SANA-FE's numbers of the cores of the neurons: two a tile, tiles up the columns."""
STEPS = 40


def main() -> None:
    """Run it with every trace on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    draw = np.random.default_rng(5)
    arch = sanafe.load_arch(folder / "mesh.yaml")
    cores, net = arch.cores(), sanafe.Network()
    groups = {}
    for name, size in SIZES.items():
        group = net.create_neuron_group(
            name,
            size,
            {"threshold": 1.0, "reset": 0.0, "leak_decay": 0.9},
            log_spikes=True,
            log_potential=True,
        )
        for neuron, core in zip(group, CORES[name], strict=True):
            neuron.map_to_core(cores[core])
            neuron.set_attributes(soma_hw_name="lif", default_synapse_hw_name="table", dendrite_hw_name="sum")
        groups[name] = group
    for neuron in groups["layer0"]:
        neuron.set_attributes(model_attributes={"bias": float(draw.uniform(0.15, 0.6))})
    for below, above in (("layer0", "layer1"), ("layer1", "layer2")):
        for source in groups[below]:
            for target in groups[above]:
                source.connect_to_neuron(target, {"weight": float(draw.uniform(-0.2, 0.5))})
    chip = sanafe.SpikingChip(arch)
    chip.load(net)
    found = chip.sim(
        STEPS,
        timing_model="simple",
        spike_trace=str(folder / "spikes.csv"),
        potential_trace=True,
        perf_trace=True,
    )
    lines = [line.split(",") for line in (folder / "spikes.csv").read_text().split()[1:]]
    spikes = {name: np.zeros((STEPS, size), np.bool_) for name, size in SIZES.items()}
    for neuron, step in lines:
        name, _, index = neuron.rpartition(".")
        spikes[name][int(step) - 1, int(index)] = True
    potentials = np.array(found["potential_trace"])
    updates, first = {}, 0
    for (
        name,
        size,
    ) in SIZES.items():  # a neuron with a bias, a potential, or a spike that reached it in the step before
        own = np.zeros((STEPS, size), np.bool_)
        own[1:] = potentials[:-1, first : first + size] != 0
        below = {"layer1": "layer0", "layer2": "layer1"}.get(name)
        own[1:] |= spikes[below][:-1].any(axis=1)[:, None] if below else True
        own[0] = below is None
        updates[f"updates{name.removeprefix('layer')}"] = own
        first += size
    np.savez_compressed(folder / "spikes.npz", input=np.zeros((STEPS, 10), np.bool_), **spikes, **updates)
    counts = {key: int(found[key]) for key in ("spikes", "packets_sent", "neurons_fired", "neurons_updated")}
    told = {"version": version("sanafe"), "energy_j": dict(found["energy"]), **counts}
    told["updates_recorded"] = int(sum(mask.sum() for mask in updates.values()))
    (folder / "sanafe.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
