"""Shared metrics of a small network by nmsim and by the package neurobench: must be equal to the last digit.

Two environments, because neurobench brings PyTorch and snnTorch:

    python benchmarks/neurobench_agreement.py write case.npz       # with nmsim
    python benchmarks/neurobench_agreement.py measure case.npz     # with neurobench 2.3
    python benchmarks/neurobench_agreement.py measure case.npz --json tests/unit/neurobench_2_3.json

The network has a strided, padded convolution, a sum pool and a dense layer, pruned weights, and drawn spikes as its input.
Weights, thresholds and leak are dyadic, so that both tools compute the same membranes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

LAYERS: list[dict[str, Any]] = [
    {"kind": "conv", "channels": 4, "kernel": 3, "stride": 2, "padding": 1},
    {"kind": "conv", "channels": 5, "kernel": 3},
    {"kind": "sum_pool", "size": 2},
    {"kind": "dense", "units": 7},
]
SHAPE, STEPS, SAMPLES = (2, 13, 13), 4, 6


def arrays() -> dict[str, np.ndarray]:
    """Inputs (S, T, C, H, W) and weights by layer, drawn once and for all."""
    random = np.random.default_rng(7)
    found: dict[str, np.ndarray] = {
        "inputs": (random.random((SAMPLES, STEPS, *SHAPE)) < 0.2).astype(np.int64)
    }
    for index, shape in enumerate(((4, 2, 3, 3), (5, 4, 3, 3), (7, 20))):
        kept = random.random(shape) < 0.7
        found[f"weights{index}"] = random.integers(-16, 24, shape) * kept / 32.0
    return found


def case() -> tuple[Any, Any, Any]:
    """Network, weights and recorded activity by nmsim."""
    from nmsim.fixedpoint.format import QFormat
    from nmsim.network.precision import Precision
    from nmsim.network.spec import NetworkSpec
    from nmsim.stop.engines import create_engine
    from nmsim.stop.protocol import Batch, Parameters
    from nmsim.stop.record_activity import record_activity
    from nmsim.stop.spec import TrainingSpec

    held, spikes = arrays(), QFormat.parse("u1.0")
    described = {
        "input_shape": SHAPE,
        "time_steps": STEPS,
        "neuron": {"threshold": 1.0, "leak_factor": 0.5},
        "layers": LAYERS,
    }
    network = NetworkSpec.model_validate(described)
    own = network.synaptic_layers
    weights = [held[f"weights{index}"] for index in range(len(own))]
    thresholds = [np.ones(layer.threshold_count) for layer in own]
    start = Parameters(weights, thresholds, [0.5] * 3, [None] * 3, [None] * 3)
    engine = create_engine(network, Precision(), TrainingSpec(arithmetic="float64"), spikes, 1, start=start)
    batch = Batch(held["inputs"], spikes, np.zeros(SAMPLES, np.int64))
    activity = record_activity(
        engine, batch, np.arange(SAMPLES), spikes, rule="stop-wtl", origin="float64", meta={}
    )
    return network, weights, activity


def ours() -> dict[str, float]:
    """The metrics by nmsim, parameters at 32 bits."""
    from dataclasses import asdict

    from nmsim.network.precision import Precision
    from nmsim.neurobench import neurobench_of

    network, weights, activity = case()
    return asdict(neurobench_of(network, weights, activity, Precision(), 32))


def theirs(file: Path) -> dict[str, float]:
    """The metrics by neurobench on the same network in PyTorch."""
    import torch
    from neurobench.metrics.static import ConnectionSparsity, Footprint, ParameterCount
    from neurobench.metrics.workload import ActivationSparsity, SynapticOperations
    from neurobench.models import TorchModel
    from torch import nn

    class Spiking(nn.Module):
        """U = 0.5 (U - theta s) + I; s = U >= theta; theta per channel and the leak factor are buffers."""

        def __init__(self, thresholds: int) -> None:
            super().__init__()
            self.register_buffer("theta", torch.ones(thresholds))
            self.register_buffer("alpha", torch.tensor(0.5))
            self.membrane = self.spikes = None

        def forward(self, current: Any) -> Any:
            theta = self.theta.reshape(-1, *[1] * (current.ndim - 2))
            if self.membrane is None:
                self.membrane = self.spikes = torch.zeros_like(current)
            self.membrane = self.alpha * (self.membrane - theta * self.spikes) + current
            self.spikes = (self.membrane >= theta).to(current.dtype)
            return self.spikes

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv0, self.conv1 = nn.Conv2d(2, 4, 3, 2, 1, bias=False), nn.Conv2d(4, 5, 3, bias=False)
            self.dense = nn.Linear(20, 7, bias=False)
            self.lif0, self.lif1, self.lif2 = Spiking(4), Spiking(5), Spiking(7)

        def forward(self, x: Any) -> Any:
            """(B, T, C, H, W) to spikes (B, T, 7)."""
            out = []
            for t in range(x.shape[1]):
                hidden = self.lif1(self.conv1(self.lif0(self.conv0(x[:, t]))))
                pooled = nn.functional.avg_pool2d(hidden, 2, divisor_override=1)
                out.append(self.lif2(self.dense(pooled.flatten(1))))
            return torch.stack(out, 1)

    held = np.load(file)
    net = Net()
    for index, layer in enumerate((net.conv0, net.conv1, net.dense)):
        layer.weight.data = torch.tensor(held[f"weights{index}"], dtype=torch.float32)
    model = TorchModel(net)
    model.add_activation_module(Spiking)
    found = {
        "footprint_bytes": Footprint()(model),
        "parameter_count": ParameterCount()(model),
        "connection_sparsity": ConnectionSparsity()(model),
    }
    model.register_hooks()
    x = torch.tensor(held["inputs"], dtype=torch.float32)
    model(x)
    data = (x, torch.zeros(len(x)))
    operations = SynapticOperations()(model, None, data)
    found["activation_sparsity"] = ActivationSparsity()(model, None, data)
    found |= {
        "effective_macs": operations["Effective_MACs"],
        "effective_acs": operations["Effective_ACs"],
        "dense": operations["Dense"],
    }
    return found


def main() -> None:
    """The command line above."""
    verb, file = sys.argv[1], Path(sys.argv[2])
    if verb == "write":
        np.savez(file, **arrays())
        print(json.dumps(ours(), indent=1))
        return
    found = theirs(file)
    print(json.dumps(found, indent=1))
    if "--json" in sys.argv:
        Path(sys.argv[-1]).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
