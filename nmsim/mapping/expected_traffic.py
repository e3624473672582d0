"""Expected traffic between the pieces of a network, before anything has run."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.mapping.mapping import Slice
from nmsim.mapping.room import LayerPlan
from nmsim.network.spec import NetworkSpec

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
SPIKE_RATE_PERCENT = 15
"""Expected spikes per hundred neurons and time step; assumed, and only relative traffic matters."""


def traffic_matrix(
    network: NetworkSpec, plans: Sequence[LayerPlan], pieces: Sequence[Slice], *, trains: bool
) -> IntArray:
    """Expected bits per hundred time steps between every two pieces, symmetric, `(pieces, pieces)`.

    Spikes travel from the owners of a neuron to every piece that sums it; when training, errors travel back, one
    multi-bit word from each of those pieces. Pieces of a split fan-in send partial sums to their owner.
    """
    flow = np.zeros((len(pieces), len(pieces)), np.int64)
    members = [np.flatnonzero([piece.layer == plan.layer.index for piece in pieces]) for plan in plans]
    address_bits = max(plan.layer.neurons for plan in plans).bit_length()
    for target, plan in enumerate(plans):
        bits = SPIKE_RATE_PERCENT * address_bits
        if trains:
            bits += 100 * (address_bits + _value_bits(plan, Content.DELTA))
        for source in network.source_layers(target):
            if source >= 0:
                shared = overlap(plans[source], plan, pieces, members[source], members[target])
                flow[np.ix_(members[source], members[target])] += shared * bits
        _add_partial_sums(flow, plan, pieces, members[target])
    return flow + flow.T


def overlap(
    source: LayerPlan, target: LayerPlan, pieces: Sequence[Slice], senders: IntArray, receivers: IntArray
) -> IntArray:
    """Neurons that each sending piece owns and each receiving piece sums, `(senders, receivers)`.

    Positions are compared as fractions of the map, which is exact up to the border rows of pools and strides.
    """
    owned = np.array([_owned(source, pieces[i]) for i in senders])
    wanted = np.array([_wanted(target, pieces[i]) for i in receivers])
    share = _common(owned[:, :2], wanted[:, :2]) * _common(owned[:, 2:], wanted[:, 2:])
    count: IntArray = np.rint(share * source.layer.neurons).astype(np.int64)
    return count


def _owned(plan: LayerPlan, piece: Slice) -> tuple[float, float, float, float]:
    """Channels and rows whose neurons a piece owns, as fractions of the layer; empty for a helper."""
    if not piece.owner:
        return 0.0, 0.0, 0.0, 0.0
    channels, rows = plan.layer.out_shape[0], plan.rows
    return (
        piece.channel_start / channels,
        piece.channel_stop / channels,
        piece.row_start / rows,
        piece.row_stop / rows,
    )


def _wanted(plan: LayerPlan, piece: Slice) -> tuple[float, float, float, float]:
    """Channels and rows of its input that a piece sums, as fractions of the input."""
    units = plan.layer.weight_shape[1]
    first, last = piece.input_rows(plan.layer)
    rows = plan.layer.in_shape[1] if plan.layer.kind == "conv" else 1
    return piece.input_start / units, piece.input_stop / units, first / rows, last / rows


def _common(left: FloatArray, right: FloatArray) -> FloatArray:
    low = np.maximum(left[:, None, 0], right[None, :, 0])
    high = np.minimum(left[:, None, 1], right[None, :, 1])
    common: FloatArray = np.maximum(high - low, 0.0)
    return common


def _add_partial_sums(flow: IntArray, plan: LayerPlan, pieces: Sequence[Slice], members: IntArray) -> None:
    owners = {(pieces[i].channel_start, pieces[i].row_start): i for i in members if pieces[i].owner}
    for i in members:
        piece = pieces[i]
        if not piece.owner:
            bits = 100 * piece.neurons(plan.layer) * _value_bits(plan, Content.INPUT_SUM)
            flow[i, owners[piece.channel_start, piece.row_start]] += bits


def _value_bits(plan: LayerPlan, kind: Content) -> int:
    return max(term.value_bits for term in plan.terms if term.kind is kind)
