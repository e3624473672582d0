"""Random dense networks with wild formats, and the cores that train them."""

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from nmsim import config
from nmsim.fixedpoint.format import Overflow, QFormat, Rounding
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.core import Core
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.rtl.agreement import Agreement, compare_trace, read_cycles
from nmsim.rtl.bench import build, run
from nmsim.rtl.design import Design
from nmsim.rtl.golden import Golden
from nmsim.rtl.input_events import event_lines
from nmsim.rtl.write_core import write_core, write_events
from nmsim.stop.protocol import Batch, Parameters
from nmsim.stop.raw import RawRun
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.vectors.vector_files import raw_run

LIBRARY: dict[str, bytes] = {}
FEW_LANES = 12
"""Seeds of the fast tests have at most eight lanes: cores of sixteen compile for long."""
OVERFLOWS = [str(mode) for mode in Overflow]
CHIP = config.read(ChipConfig, config.find("arch_configs/chips", "stop-core-28nm"))
ROUNDINGS = [str(mode) for mode in Rounding]


@dataclass(frozen=True)
class Case:
    """A core and the samples it trains on."""

    design: Design
    batch: Batch

    @property
    def run(self) -> RawRun:
        """What the engine computes."""
        return raw_run(self.design.side, self.design.training, self.batch)

    def write(self, folder: Path) -> None:
        """Write core and events."""
        write_core(self.design, CHIP, folder)
        inputs = self.batch.inputs.reshape(*self.batch.inputs.shape[:2], -1)
        write_events(
            event_lines(self.design, inputs, self.batch.labels, self.design.training.batch_size), folder
        )

    def simulate(self, folder: Path) -> tuple[Agreement, dict[tuple[str, int], int], RawRun]:
        """Write, build and run; what differs, and the overflow counts of core and engine."""
        self.write(folder)
        build_quickly(folder)
        run(folder)
        expected = self.run
        return (
            compare_trace(folder / "trace.hex", Golden(self.design, expected).sections()),
            read_cycles(folder / "cycles.txt")[1],
            expected,
        )


def build_quickly(folder: Path) -> None:
    """Build a core's bench, with Verilator's own library compiled once per session rather than once per core."""
    (folder / "obj_dir").mkdir(exist_ok=True)
    for name, content in LIBRARY.items():
        (folder / "obj_dir" / name).write_bytes(content)
    build(folder, quick=True)
    if not LIBRARY:
        LIBRARY.update({path.name: path.read_bytes() for path in (folder / "obj_dir").glob("verilated*.o")})


def case(seed: int) -> Case:
    """The random case of a seed; rules, losses and kinds of update take turns."""
    rng = Random(seed)
    static = rng.random() < 0.5
    steps, depth = rng.randint(1, 5), rng.choice((1, 2, 2, 3))
    sizes = [rng.randint(3, 40) for _ in range(depth)]
    signed_input = rng.random() < 0.2
    input_format = (
        rng.choice(("s6.4", "s3.1")) if signed_input else rng.choice(("u8.8", "u1.0", "u4.3", "u4.-1"))
    )
    network = NetworkSpec.model_validate(
        {
            "input_shape": [rng.randint(3, 40)],
            "time_steps": steps,
            "neuron": {"surrogate": rng.choice(("exponential", "triangle", "rectangle", "rational"))},
            "layers": [{"kind": "dense", "units": n} for n in sizes],
        }
    )
    in_place = seed % 4 == 3
    batch_size = 1 if in_place else rng.choice((1, 2, 3, 4))
    training = TrainingSpec.model_validate(
        {
            "rule": ("stop-wtl", "stop-w", "stop-wt", "stop-wl")[seed % 5 % 4],
            "loss": ("cross_entropy", "squared_error")[seed // 2 % 2],
            "batch_size": batch_size,
            "batch_division": "folded" if batch_size == 3 else "shift",
            "update": "in_place" if in_place else "accumulate",
            "learning_rates": {
                "weight": rng.choice((0.5, 0.05, 3.0)), "threshold": rng.choice((0.3, 0.02)),
                "leak": rng.choice((0.5, 0.01)),
            },
            "theta_min": None,
        }
    )  # fmt: skip
    layers = {
        index: _precision(rng, signed=signed_input and index == 0, in_place=in_place)
        for index in range(depth)
    }
    precision = Precision.model_validate({"layers": layers})
    fmt = QFormat.parse(input_format)
    parameters = _parameters(rng, network, precision)
    chip = FixedSide(network, precision, training, parameters, fmt, rng.choice((0, 1, rng.randrange(2**20))))
    samples = batch_size * rng.choice((2, 3))
    shape = (samples, 1 if static else steps, network.input_shape[0])
    raw = np.random.default_rng(seed).integers(fmt.min_raw, fmt.max_raw + 1, shape)
    raw[np.random.default_rng(seed + 1).random(shape) < 0.5] = 0
    labels = np.array([rng.randrange(sizes[-1]) for _ in range(samples)])
    lanes = rng.choice((1, 2, 4, 4, 8)) if seed < FEW_LANES or seed % 6 else 16
    core = Core.model_validate(
        {
            "accumulate_lanes": lanes, "mac_lanes": lanes, "neuron_slots": 512,
            "neuron_lanes": rng.choice([n for n in (1, 2, 4, 8) if n <= lanes]),
            "update_lanes": rng.choice([n for n in (1, 2, 4, 8, 16) if n <= lanes]),
            "memories": [{"name": "all", "holds": ["weight"], "words": 1, "word_bits": 8}],
        }
    )  # fmt: skip
    return Case(Design(chip, training, core, static), Batch(raw, fmt, labels, 0))


def _format(rng: Random, *, signed: bool, bits: tuple[int, int], whole: tuple[int, int]) -> str:
    total = rng.randint(*bits)
    return f"{'s' if signed else 'u'}{total}.{total - signed - rng.randint(*whole)}"


def _precision(rng: Random, *, signed: bool, in_place: bool) -> dict[str, Any]:
    def tensor(text: str) -> dict[str, str]:
        return {
            "format": text,
            "rounding": rng.choice(ROUNDINGS),
            "overflow": rng.choice(("saturate", "saturate", "wrap")),
        }

    def accumulator(low: int, high: int) -> dict[str, str]:
        return {"format": f"s{rng.randint(low, high)}", "overflow": rng.choice(OVERFLOWS)}

    narrow = rng.random() < 0.4
    found: dict[str, Any] = {
        "weight": tensor(_format(rng, signed=True, bits=(4, 16), whole=(0, 2))),
        "membrane": tensor(_format(rng, signed=True, bits=(6, 16), whole=(2, 6))),
        "threshold_rounding": rng.choice(ROUNDINGS),
        "leak_factor": tensor(_format(rng, signed=False, bits=(4, 16), whole=(0, 1))),
        "weight_trace": tensor(_format(rng, signed=signed, bits=(4, 14), whole=(0, 5))),
        "threshold_trace": tensor(_format(rng, signed=True, bits=(4, 12), whole=(1, 4))),
        "leak_trace": tensor(_format(rng, signed=True, bits=(6, 16), whole=(2, 6))),
        "delta": tensor(_format(rng, signed=True, bits=(5, 16), whole=(0, 2))),
        "current": accumulator(10, 16) if narrow else accumulator(24, 32),
        "error": accumulator(8, 16) if narrow else accumulator(24, 32),
        "weight_gradient": accumulator(10, 16) if narrow else accumulator(24, 36),
        "threshold_gradient": accumulator(8, 16) if narrow else accumulator(28, 48),
        "leak_gradient": accumulator(8, 16) if narrow else accumulator(28, 48),
        "surrogate": {
            "format": rng.choice(("u8.8", "u4.4", "u6.5")), "entries": rng.choice((8, 32, 64)),
            "range": rng.choice((1, 4, 8)),
        },
    }  # fmt: skip
    if rng.random() < 0.3 and not in_place:
        found["weight_used"] = _format(rng, signed=True, bits=(3, 8), whole=(0, 1))
    return found


def _parameters(rng: Random, network: NetworkSpec, precision: Precision) -> Parameters:
    numbers = np.random.default_rng(rng.randrange(2**32))
    weights, thresholds, leak = [], [], []
    for layer in network.synaptic_layers:
        own = precision.resolve(layer.index)
        fmt = own.weight.format
        weights.append(numbers.integers(fmt.min_raw, fmt.max_raw + 1, layer.weight_shape))
        thresholds.append(numbers.integers(1, own.membrane.format.max_raw // 2 + 1, layer.threshold_count))
        leak.append(int(numbers.integers(0, own.leak_factor.format.max_raw + 1)))
    return Parameters(weights, thresholds, leak, [None] * len(leak))
