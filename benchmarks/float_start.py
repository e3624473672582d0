"""A float start for STOP: an artificial network whose activations are the rates that spikes can have, trained in PyTorch.

    python benchmarks/float_start.py --data cifar10.npz --layers c64,p,c128,p,c128,c128,p,c192,p --kernel 3 --steps 4 \
        --epochs 24 --flip --cutout 8 --out start.npz

Every neuron's activation is rounded to 0, 1/T, ..., 1: what an integrate-and-fire neuron that gets the same current at every
one of T time steps and resets by subtraction puts out (Bu et al., "Optimal ANN-SNN conversion for high-accuracy and
ultra-low-latency spiking neural networks", ICLR 2022; the gradient is theirs too, that of the clipped identity). Batch
normalisation is there while it trains, and is folded into weights and biases at the end, with the half level of the
rounding. The file has the arrays that `nmsim import-network` reads; what a bit-accurate network makes of them, and what
STOP then learns on top, is measured there and not here. PyTorch is needed for this script only.
"""

import argparse
import copy
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

RISE_SHARE = 0.2
"""Part of the training in which the learning rate rises."""


class Rate(torch.autograd.Function):
    """Rounding to the rates of T steps, with the gradient of the clipped identity."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, steps: int) -> Tensor:
        """The rate of a neuron whose current is `x` thresholds at every step."""
        ctx.save_for_backward(x)
        ctx.reach = 0.5 / steps
        return torch.floor(x * steps + 0.5).clamp_(0, steps) / steps

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Passes where the rounding could still move."""
        (x,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(gradient, x, -ctx.reach, 1 + ctx.reach), None


class Layer(nn.Module):
    """Synapses, normalisation and neurons of a layer; `kernel` 0 is a dense one."""

    def __init__(self, inputs: int, outputs: int, kernel: int, padding: int, steps: int) -> None:
        super().__init__()
        shape = (outputs, inputs, kernel, kernel) if kernel else (outputs, inputs)
        self.weight = nn.Parameter(torch.randn(shape) * (2 / np.prod(shape[1:])) ** 0.5)
        self.norm = nn.BatchNorm2d(outputs) if kernel else nn.BatchNorm1d(outputs)
        self.norm.weight.data.fill_(
            0.5
        )  # currents about a rate of 0.2: few neurons start silent, few saturated
        self.norm.bias.data.fill_(0.2)
        self.convolves, self.padding, self.steps = kernel > 0, padding, steps

    def forward(self, x: Tensor) -> Tensor:
        """Rates of the layer's neurons."""
        return Rate.apply(self.norm(self.current(x)), self.steps)

    def current(self, x: Tensor) -> Tensor:
        """Sums of weighted inputs, before normalisation."""
        if self.convolves:
            return functional.conv2d(x, self.weight, padding=self.padding)
        return functional.linear(x, self.weight)

    def unfold(self, weight: Tensor, bias: Tensor, half: float, x: Tensor) -> Tensor:
        """Take folded weights and biases, with a normalisation that changes nothing for inputs `x`; the layer's output."""
        self.weight.data.copy_(weight)
        current = self.current(x)
        variance, mean = torch.var_mean(current, dim=[0, *range(2, current.dim())])
        norm = self.norm
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.data.copy_(torch.sqrt(variance + norm.eps))
        norm.bias.data.copy_(mean + bias - half)
        return Rate.apply(norm.eval()(current), self.steps)

    def folded(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights and biases without the normalisation; half a level makes the neuron's floor a rounding."""
        norm = self.norm
        scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach()
        weight = self.weight.detach() * scale.view(-1, *[1] * (self.weight.dim() - 1))
        bias = norm.bias.detach() - norm.running_mean * scale
        return weight.contiguous().numpy(), bias.numpy() + 0.5 / self.steps


class Network(nn.Module):
    """Layers as `c32,p,d128`: convolutions, average pools of 2, dense layers; the classes follow."""

    def __init__(
        self, text: str, kernel: int, shape: tuple[int, int, int], classes: int, steps: int, valid: int
    ) -> None:
        super().__init__()
        self.layers, self.plan = nn.ModuleList(), []
        channels, size, flat = shape[0], shape[1], False
        for part in [*text.split(","), f"d{classes}"]:
            if part == "p":
                self.plan.append("pool")
                size //= 2
                continue
            units = int(part[1:])
            if part[0] == "c":
                padding = 0 if len(self.layers) + 1 == valid else kernel // 2
                size -= kernel - 1 - 2 * padding
                self.layers.append(Layer(channels, units, kernel, padding, steps))
            else:
                if not flat:
                    self.plan.append("flatten")
                    channels, flat = channels * size * size, True
                self.layers.append(Layer(channels, units, 0, 0, steps))
            channels = units
            self.plan.append(len(self.layers) - 1)

    def forward(self, x: Tensor) -> Tensor:
        """Rates of the output neurons, `(samples, classes)`."""
        for part in self.plan:
            if part == "pool":
                x = functional.avg_pool2d(x, 2)
            else:
                x = x.flatten(1) if part == "flatten" else self.layers[part](x)
        return x

    @torch.no_grad()
    def start_from(self, path: Path, steps: int, x: Tensor) -> None:
        """Go on from arrays that were written for `steps` time steps; normalisations are set by inputs `x`."""
        with np.load(path) as file:
            arrays = {name: torch.from_numpy(file[name]) for name in file.files}
        for part in self.plan:
            if part == "pool":
                x = functional.avg_pool2d(x, 2)
            elif part == "flatten":
                x = x.flatten(1)
            else:
                x = self.layers[part].unfold(arrays[f"weights{part}"], arrays[f"bias{part}"], 0.5 / steps, x)

    @torch.no_grad()
    def follow(self, other: "Network", share: float) -> None:
        """Move every parameter and running statistic by `share` of the way to another network's."""
        mine, theirs = self.state_dict(), other.state_dict()
        for name, own in mine.items():
            if own.dtype.is_floating_point:
                own.lerp_(theirs[name], share)

    def save(self, path: Path) -> None:
        """Write `weights<i>` and `bias<i>`."""
        arrays = {}
        for index, layer in enumerate(self.layers):
            arrays[f"weights{index}"], arrays[f"bias{index}"] = layer.folded()
        np.savez_compressed(path, **arrays)


def changed(x: Tensor, options: argparse.Namespace) -> Tensor:
    """Training images as real numbers in 0 .. 1, shifted, mirrored, turned, scaled, with a square cut out, as asked."""
    x, size, count = x.float() / 256, x.shape[-1], len(x)
    if options.rotation or options.scaling:
        angle = (torch.rand(count) * 2 - 1) * options.rotation * np.pi / 180
        scale = 1 + (torch.rand(count) * 2 - 1) * options.scaling
        affine = torch.zeros(count, 2, 3)
        affine[:, 0, 0], affine[:, 0, 1] = angle.cos() * scale, -angle.sin() * scale
        affine[:, 1, 0], affine[:, 1, 1] = angle.sin() * scale, angle.cos() * scale
        affine[:, :, 2] = (torch.rand(count, 2) * 2 - 1) * 2 * options.shift / size
        grid = functional.affine_grid(affine, x.shape, align_corners=False)
        return functional.grid_sample(x, grid, align_corners=False)
    pixels, images = torch.arange(size), torch.arange(count)[:, None, None]
    down, right = (torch.randint(0, 2 * options.shift + 1, (count, 1)) + pixels for _ in range(2))
    padded = functional.pad(x, (options.shift,) * 4).permute(0, 2, 3, 1)
    x = padded[images, down[:, :, None], right[:, None, :]].permute(0, 3, 1, 2)
    if options.flip:
        x = torch.where((torch.rand(count) < 0.5)[:, None, None, None], x.flip(3), x)
    if options.cutout:
        row, column = torch.randint(0, size, (2, count, 1, 1))
        inside = (pixels.view(1, size, 1) - row).abs() <= options.cutout // 2
        inside = inside & ((pixels.view(1, 1, size) - column).abs() <= options.cutout // 2)
        x = torch.where(inside[:, None], x.mean().expand_as(x), x)
    return x


def images(array: np.ndarray) -> Tensor:
    """Images `(samples, channels, height, width)` of a file that has channels last, or none."""
    x = torch.from_numpy(array)
    return (x.permute(0, 3, 1, 2) if x.dim() == 4 else x.unsqueeze(1)).contiguous()


def blended(x: Tensor, targets: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Every image laid over another one, and their targets with it, in shares that a beta distribution draws (mixup)."""
    share = float(np.random.default_rng(int(torch.randint(2**31, ()))).beta(alpha, alpha))
    other = torch.randperm(len(x))
    return torch.lerp(x[other], x, share), torch.lerp(targets[other], targets, share)


def loss_of(rates: Tensor, targets: Tensor, kind: str) -> Tensor:
    """Cross-entropy of rates, or the squared error that STOP goes on with: a rate of 1 for the right class, else 0."""
    if kind == "squared_error":
        return 2 * ((rates - targets) ** 2).sum(1).mean()
    # Rates reach 1: eight times as much separates ten classes.
    return functional.cross_entropy(rates * 8, targets, label_smoothing=0.05)


def accuracy(network: Network, x: Tensor, y: Tensor) -> float:
    """Fraction of images that the artificial network classifies."""
    network.eval()
    correct = 0
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start in range(0, len(x), 500):
            batch = (x[start : start + 500].float() / 256).contiguous(memory_format=torch.channels_last)
            correct += int((network(batch).argmax(1) == y[start : start + 500]).sum())
    network.train()
    return correct / len(x)


def train(options: argparse.Namespace) -> None:
    """Train and write after every epoch."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    with np.load(options.data) as file:
        x, test_x = images(file["x_train"]), images(file["x_test"])
        y, test_y = (torch.from_numpy(file[name].astype(np.int64)) for name in ("y_train", "y_test"))
    if options.held_out:  # settings are chosen on a part of the training images, not on the test images
        x, test_x, y, test_y = (
            x[: -options.held_out],
            x[-options.held_out :],
            y[: -options.held_out],
            y[-options.held_out :],
        )
    classes = int(y.max()) + 1
    network = Network(
        options.layers, options.kernel, tuple(x.shape[1:]), classes, options.steps, options.valid
    )
    network = network.to(memory_format=torch.channels_last)
    if options.start:
        network.start_from(
            options.start,
            options.start_steps or options.steps,
            x[torch.randperm(len(x))[:1500]].float() / 256,
        )
    weights = [p for name, p in network.named_parameters() if name.endswith("weight") and "norm" not in name]
    rest = [p for name, p in network.named_parameters() if not name.endswith("weight") or "norm" in name]
    groups = [{"params": weights, "weight_decay": options.weight_decay}, {"params": rest, "weight_decay": 0}]
    optimizer = torch.optim.SGD(groups, lr=options.rate, momentum=0.9, nesterov=True)
    total = options.epochs * (len(x) // options.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, options.rate, total_steps=total, pct_start=RISE_SHARE
    )
    average = copy.deepcopy(network) if options.average else network
    began = time.time()
    for epoch in range(options.epochs):
        order, loss_sum, correct = torch.randperm(len(x)), 0.0, 0
        for start in range(0, len(x) - options.batch + 1, options.batch):
            chosen = order[start : start + options.batch]
            batch, targets = changed(x[chosen], options), functional.one_hot(y[chosen], classes).float()
            if options.mixup:
                batch, targets = blended(batch, targets, options.mixup)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                rates = network(batch.contiguous(memory_format=torch.channels_last))
            loss = loss_of(rates.float(), targets, options.loss)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            if options.average:
                average.follow(network, 1 / options.average)
            loss_sum += loss.item()
            correct += int((rates.argmax(1) == y[chosen]).sum())
        average.save(options.out)
        print(
            f"epoch {epoch + 1}/{options.epochs}: loss {loss_sum / (len(x) // options.batch):.4f}, while learning"
            f" {correct / len(x):.2%}, {accuracy(average, test_x, test_y):.2%} of {len(test_x):,} held-out images,"
            f" {time.time() - began:.0f} s",
            flush=True,
        )


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help=".npz with x_train, y_train, x_test, y_test")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layers", required=True, help="such as c32,p,c64,p,d128")
    parser.add_argument("--kernel", type=int, default=3)
    parser.add_argument(
        "--valid", type=int, default=0, help="number, from 1, of a convolution without padding"
    )
    parser.add_argument("--steps", type=int, default=4, help="time steps T of the spiking network")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument(
        "--average",
        type=int,
        default=0,
        help="write the exponential average of the parameters over so many updates",
    )
    parser.add_argument("--shift", type=int, default=4)
    parser.add_argument("--flip", action="store_true")
    parser.add_argument("--cutout", type=int, default=0)
    parser.add_argument(
        "--mixup",
        type=float,
        default=0.0,
        help="lay images over each other; the parameter of the beta distribution of their shares",
    )
    parser.add_argument("--rotation", type=float, default=0.0, help="largest angle in degrees")
    parser.add_argument(
        "--scaling", type=float, default=0.0, help="largest change of size, 0.1 is ten per cent"
    )
    parser.add_argument(
        "--held-out", type=int, default=0, help="measure on the last so many training images instead"
    )
    parser.add_argument("--loss", choices=("cross_entropy", "squared_error"), default="cross_entropy")
    parser.add_argument("--start", type=Path, help="go on from arrays that this script wrote")
    parser.add_argument(
        "--start-steps", type=int, help="time steps that they were made for; --steps if absent"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
