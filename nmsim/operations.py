"""Operations: accumulations and multiply-accumulations that a chip served, next to those of a dense machine.

What the field's tables quote. An accumulation (AC) is one synapse served for one spike, a multiply-accumulation (MAC) one
synapse served for a value: an intensity, an error, a trace. Neuron arithmetic is not counted, as is usual.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from nmsim import units
from nmsim.counts import Action, Component, Phase
from nmsim.evaluate import Evaluation
from nmsim.network.spec import NetworkSpec

Kind = Literal["AC", "MAC"]

AC_45NM_PJ = 0.9
MAC_45NM_PJ = 4.6
CONVENTION_SOURCE = (
    "M. Horowitz, 'Computing's energy problem (and what we can do about it)', ISSCC 2014, 45 nm, 0.9 V: 32-bit"
    " floating-point addition 0.9 pJ, multiplication 3.7 pJ; an AC is the addition, a MAC both"
)
"""The usual convention: arithmetic alone, whatever its width; no memory, no traffic, no static power."""

_KINDS: dict[str, Kind] = {
    Action.SOP: "AC",
    Action.MAC: "MAC",
    Action.SYNAPTIC_OP: "AC",
    Action.SYNAPTIC_UPDATE: "AC",
}
_ONCE_PER_SYNAPSE_AND_STEP = (Phase.INTEGRATE, Phase.ERROR, Phase.GRADIENT)


@dataclass(frozen=True)
class Operations:
    """Operations of one kind and width in one phase of one layer, means per sample.

    `widths` in bits: of an AC the accumulator's; of a MAC both operands' and the accumulator's. `dense`: every synapse of
    the layer at every time step, padding counted, in phases that pass over the synapses; None in others. `modelled_j`:
    energy that the chip's prices give to the arithmetic of these operations, without memories and control.
    """

    phase: str
    layer: int
    kind: Kind
    widths: tuple[int, int, int]
    served: float
    dense: float | None
    modelled_j: float

    @property
    def convention_j(self) -> float:
        """What the 45 nm convention gives for the operations that were served."""
        return self.served * (AC_45NM_PJ if self.kind == "AC" else MAC_45NM_PJ) * units.J_PER_PJ


def operations_of(evaluation: Evaluation, network: NetworkSpec) -> list[Operations]:
    """Operations of an evaluation by phase, layer, kind and width, in the order of its counts.

    Chips that are priced by whole events count synaptic events; the others what their lanes did.
    """
    counts = evaluation.perf.counts
    whole = len(evaluation.energy.select(component=Component.EVENT.value)) > 0
    component = Component.EVENT if whole else Component.ALU
    used = counts.select(component=component.value)
    served: dict[tuple[str, str, int, int, int, int], float] = defaultdict(float)
    columns = ("action", "phase", "layer", "bits_a", "bits_b", "bits_c")
    mean = used.counts.mean(axis=1)
    for row in range(len(used)):
        action, phase, layer, *widths = (used.columns[name][row].item() for name in columns)
        if action in _KINDS:
            batch = evaluation.batch_size if used.per_batch[row] else 1
            served[action, phase, layer, widths[0], widths[1], widths[2]] += float(mean[row]) / batch
    energy = _energy_j(evaluation, component)
    together: dict[tuple[str, str, int], float] = defaultdict(float)
    for (action, phase, layer, *_), count in served.items():
        together[action, phase, layer] += count
    return [
        Operations(
            phase,
            layer,
            _KINDS[action],
            (a, b, c),
            count,
            _dense(network, phase, layer, evaluation.time_steps),
            energy.get((action, phase, layer), 0.0) * count / together[action, phase, layer],
        )
        for (action, phase, layer, a, b, c), count in served.items()
        if count
    ]


def _energy_j(evaluation: Evaluation, component: Component) -> dict[tuple[str, str, int], float]:
    priced = evaluation.energy.select(component=component.value)
    parts = priced.by("action", "phase", "layer") if len(priced) else {}
    return {
        (str(action), str(phase), int(layer)): part.mean_j for (action, phase, layer), part in parts.items()
    }


def _dense(network: NetworkSpec, phase: str, layer: int, time_steps: int) -> float | None:
    if phase not in _ONCE_PER_SYNAPSE_AND_STEP or layer < 0:
        return None
    return float(network.synaptic_layers[layer].dense_macs * time_steps)
