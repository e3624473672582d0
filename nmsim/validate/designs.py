"""Random designs: small networks on random chips with every option, to compare models and test what always holds."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from nmsim.activity import Activity
from nmsim.contents import STORED
from nmsim.errors import ConfigError, DoesNotFitError
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.dataflow import FLOWS
from nmsim.mapping.automatic import deploy_network
from nmsim.mapping.deployment import Deployment
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec
from nmsim.perf.work import StepWork, build_work
from nmsim.rules import INFERENCE, STBP, STOP_W, STOP_WL, STOP_WTL
from nmsim.validate.synthetic import Densities, synthetic_activity

DRAWN = tuple(rule.name for rule in (INFERENCE, STOP_W, STOP_WTL, STOP_WL, STBP))
"""Rules of random designs; their order decides which a seed draws."""
Random = np.random.Generator


@dataclass(frozen=True)
class DrawnDesign:
    """One network with its activity on one mapped chip."""

    job: Deployment
    activity: Activity

    def work(self) -> StepWork:
        """Its work, in default precision."""
        return build_work(self.job, self.activity)


def random_design(seed: int) -> DrawnDesign:
    """A design that fits its chip; the same for the same seed. Draws that do not fit are drawn again."""
    random = np.random.default_rng(seed)
    while True:
        network, chip = _network(random), _chip(random)
        rule = str(random.choice(DRAWN))
        needs = TrainingNeeds.for_rule(
            rule, batch_size=int(random.choice([1, 8])), stbp_history=chip.options.stbp_history
        )
        densities = Densities(*random.uniform(0.05, 0.7, 3).tolist())
        activity = synthetic_activity(
            network, 2, densities, seed=seed, static_input=bool(random.integers(2)), rule=rule,
            input_bits=_pick(random, 1, 8),
        )  # fmt: skip
        spread = _pick(random, "balanced", "compact", "wide")
        try:
            design = DrawnDesign(deploy_network(network, Precision(), needs, chip, spread=spread), activity)
            design.work()
        except (DoesNotFitError, ConfigError):
            continue
        return design


def _pick(random: Random, *choices: Any) -> Any:
    return choices[int(random.integers(len(choices)))]


def _network(random: Random) -> NetworkSpec:
    steps = int(random.integers(1, 5))
    units = [int(n) for n in random.integers(4, 60, int(random.integers(1, 4)))]
    dense = [{"kind": "dense", "units": n} for n in units]
    if random.random() < 0.4:
        shape, layers = [int(random.integers(8, 90))], dense
    else:
        shape, layers = (
            [int(random.integers(1, 4)), *[_pick(random, 6, 8, 9)] * 2],
            _convolutions(random) + dense[:1],
        )
    return NetworkSpec.model_validate(
        {"name": "random", "input_shape": shape, "time_steps": steps, "layers": layers}
    )


def _convolutions(random: Random) -> list[dict[str, Any]]:
    first = _convolution(random)
    layers = [first]
    if random.random() < 0.3:
        same = {"kind": "conv", "channels": first["channels"], "kernel": 3, "padding": 1}
        layers.append({"kind": "residual", "body": [same], "shortcut": _pick(random, [], [dict(same)])})
    if random.random() < 0.5:
        layers.append({"kind": _pick(random, "avg_pool", "max_pool"), "size": 2})
        kernel = _pick(random, 1, 3)
        layers.append(
            {"kind": "conv", "channels": int(random.integers(2, 9)), "kernel": kernel, "padding": kernel // 2}
        )
    return layers


def _convolution(random: Random) -> dict[str, Any]:
    kernel = _pick(random, 1, 3, 4)
    return {
        "kind": "conv", "channels": int(random.integers(2, 12)), "kernel": kernel,
        "stride": _pick(random, 1, 1, 2), "padding": _pick(random, 0, kernel // 2),
    }  # fmt: skip


def _chip(random: Random) -> ChipConfig:
    mesh = {"columns": int(random.integers(1, 5)), "rows": int(random.integers(1, 5))}
    cores = [_core(random) | {"name": "first"}]
    if random.random() < 0.25:
        tiles = [[x, y] for x in range(mesh["columns"]) for y in range(mesh["rows"])]
        mine = tiles[: int(random.integers(1, len(tiles) + 1))]
        cores.append(_core(random) | {"name": "second", "tiles": mine})
    chips = {"columns": 2, "link": {"bits_per_cycle": _pick(random, 4, 32), "latency_cycles": 20}}
    return ChipConfig.model_validate(
        {
            "name": "random", "tech_node_nm": 28, "voltage_v": 0.9, "clock_hz": 2e8, "technology": "none",
            "mesh": mesh, "chips": chips if random.random() < 0.2 else {},
            "core_types": cores, "noc": _noc(random), "options": _options(random),
            "dram": {"kind": "LPDDR4", "bandwidth_bits_per_s": 2.56e10, "latency_ns": 60},
            "barrier": {"base_cycles": int(random.integers(0, 40)), "per_phase": bool(random.integers(2))},
        }
    )  # fmt: skip


def _core(random: Random) -> dict[str, Any]:
    contents = [content.value for content in STORED]
    random.shuffle(contents)
    cuts = sorted({0, len(contents), *random.integers(1, len(contents), 3).tolist()})
    words = 1 << (16 if random.random() < 0.8 else 9)
    memories = [
        {
            "name": f"memory{i}", "holds": contents[start:stop], "words": words,
            "word_bits": _pick(random, 16, 32, 64, 128), "banks": _pick(random, 1, 2, 4),
            "kind": _pick(random, "1rw", "1r1w", "2rw"),
        }
        for i, (start, stop) in enumerate(pairwise(cuts))
    ]  # fmt: skip
    if random.random() < 0.5:
        memories.append(_near_level(random))
    core = {
        "neuron_slots": _pick(random, 16, 64, 1024),
        "per_tile": _pick(random, 1, 1, 2),
        "memories": memories,
    }
    core |= {f"{lane}_lanes": _pick(random, 1, 4, 16) for lane in ("accumulate", "mac", "neuron", "update")}
    if random.random() < 0.25:
        core["max_fan_in"] = int(random.integers(9, 60))
    core |= {f"{stage}_row_cycles": int(random.integers(0, 8)) for stage in ("propagate", "gradient")}
    return core | {"pipeline_depth_cycles": int(random.integers(0, 8))}


def _near_level(random: Random) -> dict[str, Any]:
    """Registers or a small memory for sums, which may hold all of a layer's or few."""
    holds = _pick(random, ["accumulator"], ["input_sum"], ["error_sum"])
    kind = _pick(random, "registers", "1r1w")
    return {
        "name": "sums", "holds": holds, "words": _pick(random, 4, 16, 64), "word_bits": 32, "kind": kind,
        "banks": 16 if kind == "registers" else 1,
    }  # fmt: skip


def _noc(random: Random) -> dict[str, Any]:
    return {
        "topology": _pick(random, "mesh", "torus"), "flit_bits": _pick(random, 8, 32, 64),
        "casting": _pick(random, "multicast", "unicast"), "buffer_flits": _pick(random, 1, 4, 16),
        "router_cycles": int(random.integers(1, 4)), "link_cycles": _pick(random, 1, 1, 2),
    }  # fmt: skip


def _options(random: Random) -> dict[str, Any]:
    options = {
        "schedule": _pick(random, "sequential", "overlapped", "pipelined"),
        "weight_gradient": _pick(random, "on_chip", "on_chip", "off_chip", "factored", "in_place"),
        "trace_decay": _pick(random, "eager", "lazy"),
        "dataflow": {phase: _pick(random, *FLOWS) for phase in ("integrate", "error", "gradient")},
        "clear_state": _pick(random, "free", "sweep"),
        "stbp_history": _pick(random, "stored", "recompute", "spill"),
        "static_input_once": bool(random.integers(2)),
    }
    kinds = ("none", "scan", "word_list", "value_list")
    skip = {what: _pick(random, *kinds) for what in ("inputs", "deltas", "traces")}
    return options | {"skip": skip | {"gradients": _pick(random, *kinds[:3])}}
