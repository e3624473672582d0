"""Made `spikingjelly_784_32_10.npz`: SpikingJelly 2.0, PyTorch 2.13; `python train_in_spikingjelly.py IMAGES.npz`.

IMAGES.npz holds the images that come with nmsim: `x (4000, 784)`, `y`, and the held-out `xt`, `yt`, from
`nmsim.datasets.load("mnist-subset")`.
"""

import sys

import numpy as np
import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate

STEPS, EPOCHS, BATCH = 6, 6, 64

torch.manual_seed(1)
held = np.load(sys.argv[1])
x, xt = (torch.tensor(held[name] / 256.0, dtype=torch.float32) for name in ("x", "xt"))
y, yt = (torch.tensor(held[name]) for name in ("y", "yt"))


def lif() -> torch.nn.Module:
    """U = 0.5 (U - s) + I."""
    return neuron.LIFNode(tau=2.0, decay_input=False, v_reset=None, surrogate_function=surrogate.ATan())


net = torch.nn.Sequential(layer.Linear(784, 32, bias=False), lif(), layer.Linear(32, 10, bias=False), lif())
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)


def spikes(batch: torch.Tensor) -> torch.Tensor:
    """Output spikes over all time steps."""
    functional.reset_net(net)
    return sum(net(batch) for _ in range(STEPS))


for epoch in range(EPOCHS):
    order = torch.randperm(len(x))
    for first in range(0, len(x), BATCH):
        chosen = order[first : first + BATCH]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(spikes(x[chosen]), y[chosen]).backward()
        optimizer.step()
    with torch.no_grad():
        print(epoch, (spikes(xt).argmax(1) == yt).float().mean().item())
np.savez_compressed(
    "spikingjelly_784_32_10.npz",
    weights0=net[0].weight.detach().numpy(),
    weights1=net[2].weight.detach().numpy(),
)
