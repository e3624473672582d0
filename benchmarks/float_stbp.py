"""STBP in float at its usual best: what a network of the same size learns in the same time, beside a float start and STOP.

    python benchmarks/float_stbp.py --data cifar100.npz --layers c64,p,c128,p,c128,c128,p,c256,p --steps 6 --minutes 15 \
        --flip --cutout 8

Leaky integrate-and-fire neurons (leak factor 0.5, reset by subtraction, triangular surrogate), errors back through all
layers and time steps, batch normalisation over samples and steps (Zheng et al., "Going deeper with directly-trained larger
spiking neural networks", AAAI 2021), cross-entropy of the mean current of the output neurons: what a chip that sees one
sample at a time cannot do. It trains for as many epochs as fit in the processor time that is given: the first epoch is
timed, and the learning rate falls to nothing at the end of the last. PyTorch is needed for this script only.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from float_start import changed, images
from torch import Tensor, nn
from torch.nn import functional

LEAK_FACTOR = 0.5


class Spike(torch.autograd.Function):
    """A spike at the threshold 1, with a triangle of width 2 as the derivative."""

    @staticmethod
    def forward(ctx: Any, membrane: Tensor) -> Tensor:
        """1 where the membrane has reached the threshold."""
        ctx.save_for_backward(membrane)
        return (membrane >= 1).to(membrane.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Passes near the threshold."""
        (membrane,) = ctx.saved_tensors
        return gradient * (1 - (membrane - 1).abs()).clamp_(min=0)


class Layer(nn.Module):
    """Synapses, normalisation and spiking neurons; samples of all steps lie one after the other, `(T * B, ...)`."""

    def __init__(self, inputs: int, outputs: int, kernel: int, steps: int, *, first: bool) -> None:
        super().__init__()
        self.synapses = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.norm, self.steps, self.first = nn.BatchNorm2d(outputs), steps, first

    def forward(self, x: Tensor) -> Tensor:
        """Spikes of the layer; the first one's input is an image `(B, ...)`, the same at every step."""
        current = self.norm(self.synapses(x))
        by_step = [current] * self.steps if self.first else current.chunk(self.steps)
        membrane, spikes, found = torch.zeros_like(by_step[0]), torch.zeros_like(by_step[0]), []
        for one in by_step:
            membrane = LEAK_FACTOR * membrane + one - spikes
            spikes = Spike.apply(membrane)
            found.append(spikes)
        return torch.cat(found)


def network_of(text: str, kernel: int, shape: tuple[int, int, int], classes: int, steps: int) -> nn.Module:
    """Layers as `c32,p,c64`: convolutions and average pools of 2; the classes follow."""
    channels, size, parts = shape[0], shape[1], []
    for part in text.split(","):
        if part == "p":
            parts.append(nn.AvgPool2d(2))
            size //= 2
        else:
            parts.append(Layer(channels, int(part[1:]), kernel, steps, first=not parts))
            channels = int(part[1:])
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(channels * size * size, classes))


def scores(network: nn.Module, x: Tensor, steps: int) -> Tensor:
    """Mean current of the output neurons, `(B, classes)`."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        currents = network(x.contiguous(memory_format=torch.channels_last))
    return currents.float().view(steps, len(x), -1).mean(0)


def accuracy(network: nn.Module, x: Tensor, y: Tensor, steps: int) -> float:
    """Fraction of images that the network classifies."""
    network.eval()
    with torch.no_grad():
        correct = sum(
            int((scores(network, part.float() / 256, steps).argmax(1) == labels).sum())
            for part, labels in zip(x.split(250), y.split(250), strict=True)
        )
    network.train()
    return correct / len(x)


def train(options: argparse.Namespace) -> None:
    """Train for the time that is given, then measure."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    with np.load(options.data) as file:
        x, test_x = images(file["x_train"]), images(file["x_test"])
        y, test_y = (torch.from_numpy(file[name].astype(np.int64)) for name in ("y_train", "y_test"))
    network = network_of(options.layers, 3, tuple(x.shape[1:]), int(y.max()) + 1, options.steps)
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        network.parameters(), options.rate, 0.9, weight_decay=options.weight_decay, nesterov=True
    )
    epochs, epoch, began = 1, 0, time.process_time()
    while epoch < epochs:
        order, correct = torch.randperm(len(x)), 0
        batches = len(x) // options.batch
        for number, chosen in enumerate(order[: batches * options.batch].split(options.batch)):
            progress = (epoch + number / batches) / max(epochs, 2)
            optimizer.param_groups[0]["lr"] = options.rate * (1 + np.cos(np.pi * progress)) / 2
            found = scores(network, changed(x[chosen], options), options.steps)
            loss = functional.cross_entropy(found, y[chosen], label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            correct += int((found.argmax(1) == y[chosen]).sum())
        epoch += 1
        used_s = time.process_time() - began
        epochs = epochs if epoch > 1 else max(1, int(options.minutes * 60 / used_s))
        print(
            f"epoch {epoch}/{epochs}: while learning {correct / len(x):.2%}, {used_s:.0f} s of processor time",
            flush=True,
        )
    print(f"{accuracy(network, test_x, test_y, options.steps):.2%} of {len(test_x):,} held-out images")


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help=".npz with x_train, y_train, x_test, y_test")
    parser.add_argument("--layers", required=True, help="such as c32,p,c64,p")
    parser.add_argument("--minutes", type=float, required=True, help="of processor time")
    parser.add_argument("--steps", type=int, default=6, help="time steps T")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument("--shift", type=int, default=4)
    parser.add_argument("--flip", action="store_true")
    parser.add_argument("--cutout", type=int, default=0)
    parser.set_defaults(rotation=0.0, scaling=0.0)
    parser.add_argument("--seed", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
