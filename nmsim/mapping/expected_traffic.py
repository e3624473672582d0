"""Expected traffic between the pieces of a network, before anything has run."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmsim.contents import Content
from nmsim.mapping.mapping import Slice
from nmsim.mapping.room import LayerPlan
from nmsim.network.memory_terms import Term
from nmsim.network.spec import NetworkSpec

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
SPIKE_RATE_PERCENT = 15
"""Expected spikes per hundred neurons and time step; assumed, and only relative traffic matters."""


_Box = tuple[float, float, float, float]
"""Channels and rows, as fractions of a map."""


def traffic_matrix(
    network: NetworkSpec,
    plans: Sequence[LayerPlan],
    pieces: Sequence[Slice],
    places: Sequence[int],
    *,
    trains: bool,
) -> IntArray:
    """Expected bits per hundred time steps between every two places, symmetric, `(places, places)`.

    `places` says where each piece is, as a number from 0 on. Spikes travel from the owners of a neuron to every piece that
    sums it; when training, errors travel back, one multi-bit word from each of those pieces. Pieces of a split fan-in
    send partial sums to their owner.
    """
    count = max(places) + 1
    flow = np.zeros((count, count), np.int64)
    own: list[list[tuple[Slice, int]]] = [[] for _ in plans]
    for piece, place in zip(pieces, places, strict=True):
        own[piece.layer].append((piece, place))
    address_bits = max(plan.layer.neurons for plan in plans).bit_length()
    owned = [
        _at([(_owned(plan, piece), place) for piece, place in own[plan.layer.index] if piece.owner], count)
        for plan in plans
    ]
    for target, plan in enumerate(plans):
        bits = SPIKE_RATE_PERCENT * address_bits
        if trains:
            bits += 100 * (address_bits + _value_bits(plan, Content.DELTA))
        wanted, takers = _at([(_wanted(plan, piece), place) for piece, place in own[target]], count)
        for source in network.source_layers(target):
            if source >= 0:
                boxes, senders = owned[source]
                met = _met(plans[source], boxes, wanted)
                flow += bits * (senders @ met @ takers.T).astype(np.int64)
        _add_partial_sums(flow, plan, own[target])
    return flow + flow.T


def _at(boxes: Sequence[tuple[_Box, int]], places: int) -> tuple[FloatArray, FloatArray]:
    """The different ones of some boxes, `(boxes, 4)`, and how often each is at each place, `(places, boxes)`.

    Pieces of a layer that want the same are many; floats hold their sums exactly, and are multiplied by a library.
    """
    numbers: dict[_Box, int] = {}
    pairs = [(place, numbers.setdefault(box, len(numbers))) for box, place in boxes]
    counts = np.zeros((places, len(numbers)))
    np.add.at(counts, tuple(np.array(pairs).T), 1.0)
    return np.array(list(numbers)), counts


def overlap(
    source: LayerPlan, target: LayerPlan, pieces: Sequence[Slice], senders: IntArray, receivers: IntArray
) -> IntArray:
    """Neurons that each sending piece owns and each receiving piece sums, `(senders, receivers)`."""
    owned = np.array([_owned(source, pieces[i]) if pieces[i].owner else _NOTHING for i in senders])
    wanted = np.array([_wanted(target, pieces[i]) for i in receivers])
    return _met(source, owned, wanted).astype(np.int64)


def _met(source: LayerPlan, owned: FloatArray, wanted: FloatArray) -> FloatArray:
    """Neurons of a layer that lie in each box owned and in each wanted, whole numbers `(owned, wanted)`.

    Positions are compared as fractions of the map, which is exact up to the border rows of pools and strides.
    """
    share = _common(owned[:, :2], wanted[:, :2]) * _common(owned[:, 2:], wanted[:, 2:])
    return np.rint(share * source.layer.neurons)


_NOTHING: _Box = (0.0, 0.0, 0.0, 0.0)


def _owned(plan: LayerPlan, piece: Slice) -> _Box:
    """Channels and rows of its neurons, as fractions of the layer."""
    channels, rows = plan.layer.out_shape[0], plan.rows
    return (
        piece.channel_start / channels,
        piece.channel_stop / channels,
        piece.row_start / rows,
        piece.row_stop / rows,
    )


def _wanted(plan: LayerPlan, piece: Slice) -> _Box:
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


def _add_partial_sums(flow: IntArray, plan: LayerPlan, own: Sequence[tuple[Slice, int]]) -> None:
    """From every piece that is no owner to the one of its neurons."""
    owners = {(piece.channel_start, piece.row_start): place for piece, place in own if piece.owner}
    for piece, place in own:
        if not piece.owner:
            bits = 100 * piece.neurons(plan.layer) * _value_bits(plan, Content.INPUT_SUM)
            flow[place, owners[piece.channel_start, piece.row_start]] += bits


def as_seen_by_traffic(plan: LayerPlan) -> LayerPlan:
    """A layer with the widths of what travels, and nothing else that it keeps: an equal one has equal traffic."""
    widths = {
        kind: max((term.value_bits for term in plan.terms if term.kind is kind), default=0)
        for kind in (Content.DELTA, Content.INPUT_SUM)
    }
    return LayerPlan(plan.layer, tuple(Term(kind, 0, 1, bits) for kind, bits in widths.items()))


def _value_bits(plan: LayerPlan, kind: Content) -> int:
    return max(term.value_bits for term in plan.terms if term.kind is kind)
