"""Samples per second of the bit-accurate engine beside SpikingJelly (PyTorch, float32, BPTT) on the same networks.

Run as `python benchmarks/engine_throughput.py [case ...]` with the extra `bench` installed (torch and spikingjelly); without
it only nmsim is measured. Both train from the same number of time steps and batch, and see real-valued static inputs of a
density near MNIST's. SpikingJelly runs on one thread and on all of them, and its better setting counts: small layers gain
nothing from threads, and on a busy machine they wait for each other. Everything is measured in turn, round after round:
speeds are medians over the rounds, a ratio is the median of the ratios within a round. The load of the machine is printed.

On a busy machine, `--processor-time` gives each side one thread and counts the processor time it used, which others
disturb least.
"""

import argparse
import gc
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from typing import Any

import numpy as np

from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.stop.engines import create_engine
from nmsim.stop.protocol import Batch, UpdateRates
from nmsim.stop.spec import TrainingSpec

INPUT = QFormat.parse("u8.8")
RATES = UpdateRates(weight=0.001, threshold=0.0001, leak=0.0001)
CLASSES = 10
ROUNDS = 5


def conv(channels: int, kernel: int, padding: int, scale: float) -> dict[str, Any]:
    """A convolution whose outputs spike at about 10-20 %."""
    return {
        "kind": "conv",
        "channels": channels,
        "kernel": kernel,
        "padding": padding,
        "weight_scale": scale,
    }


def dense(units: int, scale: float) -> dict[str, Any]:
    """A dense layer whose outputs spike at about 10-20 %."""
    return {"kind": "dense", "units": units, "weight_scale": scale}


POOL = {"kind": "avg_pool", "size": 2}
DENSE: dict[str, Any] = {
    "name": "784-256-10",
    "input_shape": [784],
    "layers": [dense(256, 3), dense(CLASSES, 1.2)],
}
LENET: dict[str, Any] = {
    "name": "LeNet-5-like 6C5-AP2-16C5-AP2-120-84-10",
    "input_shape": [1, 28, 28],
    "layers": [
        conv(6, 5, 2, 3), POOL, conv(16, 5, 0, 1.8), POOL, dense(120, 1.8), dense(84, 1.6), dense(CLASSES, 1.2)
    ],
}  # fmt: skip
VGG: dict[str, Any] = {
    "name": "VGG-11 (pooled list)",
    "input_shape": [3, 32, 32],
    "layers": [
        conv(64, 3, 1, 1.4), POOL, conv(128, 3, 1, 1.8), POOL, conv(256, 3, 1, 1.9), conv(256, 3, 1, 1.6), POOL,
        conv(512, 3, 1, 2.5), conv(512, 3, 1, 1.8), POOL, conv(512, 3, 1, 3), conv(512, 3, 1, 2.5), POOL,
        {"kind": "global_avg_pool"}, dense(CLASSES, 3),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One network and batch size, and how long to measure it."""

    network: dict[str, Any]
    batch: int
    training: bool
    seconds: float
    wanted: float
    """Ratio of speeds that the project has set itself."""


CASES = {
    "dense-b1": Case(DENSE, 1, training=True, seconds=2.0, wanted=30.0),
    "dense-b64": Case(DENSE, 64, training=True, seconds=2.0, wanted=3.0),
    "lenet-b64": Case(LENET, 64, training=True, seconds=4.0, wanted=2.0),
    "vgg-b16": Case(VGG, 16, training=True, seconds=20.0, wanted=1.5),
    "dense-b1-inference": Case(DENSE, 1, training=False, seconds=2.0, wanted=2.0),
    "dense-b64-inference": Case(DENSE, 64, training=False, seconds=2.0, wanted=2.0),
    "lenet-b64-inference": Case(LENET, 64, training=False, seconds=3.0, wanted=2.0),
    "vgg-b16-inference": Case(VGG, 16, training=False, seconds=8.0, wanted=3.0),
}


def images(case: Case, batches: int) -> tuple[np.ndarray, np.ndarray]:
    """Raw intensities `(batches, B, *input_shape)`, a fifth of them not zero as in MNIST (all in colour), and labels."""
    rng = np.random.default_rng(1)
    shape = (batches, case.batch, *case.network["input_shape"])
    raw = rng.integers(0, 256, shape, np.int32)  # as the data sets of nmsim hold them
    if shape[2] != 3:
        raw *= rng.random(shape) < 0.2
    return raw, rng.integers(0, CLASSES, shape[:2])


def ours(case: Case) -> Callable[[int], None]:
    """Batch i through the bit-accurate engine, STOP-WTL in 16-bit formats."""
    network = NetworkSpec.model_validate(case.network)
    training = TrainingSpec.model_validate(
        {"rule": "stop-wtl", "arithmetic": "fixed", "batch_size": case.batch}
    )
    engine = create_engine(network, Precision(), training, INPUT, seed=1)
    raw, labels = images(case, 4)

    def step(number: int) -> None:
        index = number % len(raw)
        batch = Batch(raw[index][:, None], INPUT, labels[index], first_sample=number * case.batch)
        if case.training:
            engine.train_batch(batch, RATES)
        else:
            engine.infer(batch)

    return step


def on_threads(threads: int, step: Callable[[int], None]) -> Callable[[int], None]:
    """A step of PyTorch on so many threads."""
    import torch

    def threaded(number: int) -> None:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        step(number)

    return threaded


def peer(case: Case) -> Callable[[int], None]:
    """Batch i through SpikingJelly's multi-step modules, BPTT with SGD in float32."""
    import torch
    from spikingjelly.activation_based import functional, layer, neuron, surrogate

    shape, modules = list(case.network["input_shape"]), []
    for one in case.network["layers"]:
        if one["kind"] == "conv":
            kernel, padding = one["kernel"], one["padding"]
            modules.append(layer.Conv2d(shape[0], one["channels"], kernel, padding=padding, bias=False))
            shape = [
                one["channels"],
                shape[1] + 2 * padding - kernel + 1,
                shape[2] + 2 * padding - kernel + 1,
            ]
        elif one["kind"] == "avg_pool":
            modules.append(layer.AvgPool2d(one["size"]))
            shape = [shape[0], shape[1] // one["size"], shape[2] // one["size"]]
            continue
        elif one["kind"] == "global_avg_pool":
            modules.append(layer.AdaptiveAvgPool2d(1))
            shape = [shape[0], 1, 1]
            continue
        else:
            if len(shape) > 1:
                modules.append(layer.Flatten())
                shape = [int(np.prod(shape))]
            modules.append(layer.Linear(shape[0], one["units"], bias=False))
            shape = [one["units"]]
        torch.manual_seed(len(modules))
        bound = one["weight_scale"] * (3 / modules[-1].weight[0].numel()) ** 0.5
        torch.nn.init.uniform_(modules[-1].weight, -bound, bound)
        modules.append(
            neuron.LIFNode(tau=2.0, decay_input=False, detach_reset=True, surrogate_function=surrogate.ATan())
        )
    net = torch.nn.Sequential(*modules)
    functional.set_step_mode(net, "m")
    steps = NetworkSpec.model_validate(case.network).time_steps
    raw, labels = images(case, 4)
    inputs, targets = torch.from_numpy(raw / 256).float(), torch.from_numpy(labels)
    optimizer = torch.optim.SGD(net.parameters(), lr=RATES.weight)

    def step(number: int) -> None:
        index = number % len(inputs)
        sequence = inputs[index].expand(steps, *inputs[index].shape)
        functional.reset_net(net)
        if not case.training:
            with torch.inference_mode():
                net(sequence).sum(0)
            return
        spikes = net(sequence)
        loss = torch.nn.functional.cross_entropy(spikes.flatten(0, 1), targets[index].repeat(steps))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def samples_per_second(
    step: Callable[[int], None], batch: int, seconds: float, clock: Callable[[], float]
) -> float:
    """Rate over at least `seconds` and two steps, by a clock."""
    start, number = clock(), 0
    while number < 2 or clock() - start < seconds:
        step(number)
        number += 1
    return number * batch / (clock() - start)


def has_peer() -> bool:
    """Whether the peer is installed."""
    try:
        import spikingjelly.activation_based  # noqa: F401
    except ImportError:
        return False
    return True


@dataclass(frozen=True)
class Measured:
    """Samples per second of one case, round by round; `peers` by number of threads, empty without the peer."""

    ours: list[float]
    peers: dict[int, list[float]]

    @property
    def threads(self) -> int:
        """Better setting of the peer."""
        return max(self.peers, key=lambda threads: median(self.peers[threads]))

    @property
    def ratio(self) -> float:
        """Median of the ratios within a round, against the peer's better setting."""
        return median(a / b for a, b in zip(self.ours, self.peers[self.threads], strict=True))

    def text(self, wanted: float) -> str:
        """For people."""
        line = f"nmsim {median(self.ours):,.1f} samples/s"
        if not self.peers:
            return line
        settings = ", ".join(f"{median(rates):,.1f} on {n}" for n, rates in self.peers.items())
        return f"{line}; SpikingJelly {settings} thread(s); ratio to its better setting {self.ratio:.2f} (wanted {wanted:g})"


def measure(case: Case, *, processor_time: bool = False) -> Measured:
    """Every contender in turn, round after round, warm; `processor_time`: on one thread each, by the time it worked."""
    if processor_time:
        os.environ["OMP_NUM_THREADS"] = "1"  # what an engine looks at when it is made
    steps = [ours(case)]
    threads = sorted({1, 1 if processor_time else os.cpu_count() or 1}) if has_peer() else []
    clock = time.process_time if processor_time else time.perf_counter
    if threads:
        step = peer(case)
        steps += [on_threads(count, step) for count in threads]
    for step in steps:
        for number in range(3):
            step(number)
    rates: list[list[float]] = [[] for _ in steps]
    for _ in range(ROUNDS):
        for found, step in zip(rates, steps, strict=True):
            gc.collect()
            found.append(samples_per_second(step, case.batch, case.seconds / ROUNDS, clock))
    return Measured(rates[0], dict(zip(threads, rates[1:], strict=True)))


def load() -> str:
    """Processes that want to run, on average of the last minute, beside the cores there are."""
    if not hasattr(os, "getloadavg"):
        return "load unknown"
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def main() -> None:
    """One line per case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], help="all if none is named")
    parser.add_argument("--processor-time", action="store_true", help="one thread each, by processor time")
    given = parser.parse_args()
    names = given.cases or list(CASES)
    versions = [f"python {platform.python_version()}", f"numpy {np.__version__}"]
    if has_peer():
        versions += [f"{name} {version(name)}" for name in ("torch", "spikingjelly")]
    print(", ".join([*versions, load()]))
    for name in names:
        case = CASES[name]
        what = "training" if case.training else "inference"
        found = measure(case, processor_time=given.processor_time).text(case.wanted)
        print(f"{case.network['name']}, batch {case.batch}, {what}: {found}; {load()}", flush=True)


if __name__ == "__main__":
    main()
