"""A slow twin of the memory accesses: walks the loop nest of docs/timing.md word by word."""

from collections import Counter
from collections.abc import Iterator
from itertools import product

import numpy as np
from work_twin import Place, place_of

from nmsim.mapping.mapping import Slice
from nmsim.network.precision import Precision
from nmsim.network.spec import SynapticLayer
from nmsim.validate.designs import DrawnDesign


def words_of(first: int, stop: int, value_bits: int, word_bits: int) -> list[range]:
    """Words that hold values `first..stop`, packed from `first` on, as the ranges of values in each."""
    if value_bits > word_bits:
        return [range(v, v + 1) for v in range(first, stop) for _ in range(-(-value_bits // word_bits))]
    size = word_bits // value_bits
    return [range(v, min(v + size, stop)) for v in range(first, stop, size)]


class WordTwin:
    """Words by (part, memory, action), summed over samples, steps and cores; memories are named by their content."""

    def __init__(self, design: DrawnDesign, word_bits: dict[str, int]) -> None:
        self.design, self.word_bits = design, word_bits
        self.words: Counter[tuple[str, str, str]] = Counter()
        for layer in design.job.network.synaptic_layers:
            precision = Precision().resolve(layer.index)
            self.bits = {
                "weight": precision.weight.format.total_bits,
                "current": precision.current.format.total_bits,
                "error": precision.error.format.total_bits,
                "gradient": precision.weight_gradient.format.total_bits,
            }
            for piece in design.job.mapping.slices_of(layer.index):
                self._integrate(layer, piece)
                if design.job.needs.trains:
                    self._propagate(layer, piece)
                    self._gradient(layer, piece)

    def _mask(self, layer: SynapticLayer, name: str, *, skip: bool) -> np.ndarray:
        mask = self.design.activity.layers[layer.index].mask(name)
        shape = layer.in_shape if name in {"inputs", "traces"} else layer.out_shape
        maps = shape if len(shape) == 3 else (*shape, 1, 1)
        return (mask if skip else np.ones_like(mask)).reshape(*mask.shape[:2], *maps)

    def _steps(self, layer: SynapticLayer) -> int:
        only_input = self.design.job.network.source_layers(layer.index) == (-1,)
        once = (
            self.design.activity.static_input
            and only_input
            and self.design.job.chip.options.static_input_once
        )
        return 1 if once else self.design.activity.time_steps

    def _taps(self, layer: SynapticLayer, piece: Slice, y: int, x: int) -> list[tuple[Place, Place]]:
        """(position, kernel position) pairs through which an input position reaches a slice."""
        if layer.kind == "dense":
            return [((0, 0, 0), (0, 0, 0))]
        kernel = layer.weight_shape[2]
        found = []
        for oy, ox in product(range(piece.row_start, piece.row_stop), range(layer.out_shape[2])):
            ky, kx = y - oy * layer.stride + layer.padding, x - ox * layer.stride + layer.padding
            if 0 <= ky < kernel and 0 <= kx < kernel:
                found.append(((0, oy, ox), (0, ky, kx)))
        return found

    def _needed(self, layer: SynapticLayer, piece: Slice, mask: np.ndarray) -> Iterator[Place]:
        """Ones of an input mask `(C, H, W)` in the part of the input that a slice needs."""
        start, stop = piece.input_rows(layer)
        for c, y, x in zip(*np.nonzero(mask), strict=True):
            if piece.input_start <= c < piece.input_stop and start <= y < stop:
                yield int(c), int(y), int(x)

    def _integrate(self, layer: SynapticLayer, piece: Slice) -> None:
        options, kernels = self.design.job.chip.options, int(np.prod(layer.weight_shape[2:]))
        reuse = options.dataflow.integrate
        mask = self._mask(layer, "inputs", skip=options.skip.inputs != "none")
        weights = words_of(
            piece.channel_start, piece.channel_stop, self.bits["weight"], self.word_bits["weight"]
        )
        sums = words_of(
            piece.channel_start, piece.channel_stop, self.bits["current"], self.word_bits["input_sum"]
        )
        for s, t in product(range(mask.shape[0]), range(self._steps(layer))):
            active = list(self._needed(layer, piece, mask[s, t]))
            taps = sum(len(self._taps(layer, piece, y, x)) for _, y, x in active)
            if reuse == "weight_stationary" and layer.positions > 1:
                reads = len({c for c, _, _ in active}) * kernels * len(weights)
            elif reuse == "output_stationary":
                reads = taps * sum(
                    len(words_of(start, stop, self.bits["weight"], self.word_bits["weight"]))
                    for start, stop in self._turns(layer, piece)
                )
            else:
                reads = taps * len(weights)
            self.words["integrate", "weight", "read"] += reads
            if reuse == "output_stationary":
                width = layer.out_shape[2] if layer.kind == "conv" else 1
                positions = (piece.row_stop - piece.row_start) * width
                self.words["integrate", "input_sum", "write"] += positions * len(sums) * (taps > 0)
            else:
                for action in ("read", "write"):
                    self.words["integrate", "input_sum", action] += taps * len(sums)

    def _turns(self, layer: SynapticLayer, piece: Slice) -> list[tuple[int, int]]:
        """Channels whose sums the lanes hold in turn."""
        core = self.design.job.chip.cores()[piece.core].type
        one_bit = self.design.activity.layers[layer.index].input_bits == 1
        lanes = core.accumulate_lanes if one_bit else core.mac_lanes
        turns = -(-piece.channels // lanes)
        size = -(-piece.channels // turns)
        starts = range(piece.channel_start, piece.channel_stop, size)
        return [(start, min(start + size, piece.channel_stop)) for start in starts]

    def _positions(self, piece: Slice, hot: np.ndarray) -> Iterator[tuple[list[int], int, int]]:
        """Channels of a slice with a non-zero delta, by position."""
        for y, x in product(range(piece.row_start, piece.row_stop), range(hot.shape[2])):
            yield [c for c in range(piece.channel_start, piece.channel_stop) if hot[c, y, x]], y, x

    def _under(self, layer: SynapticLayer, oy: int, ox: int) -> list[Place]:
        """Input positions under the kernel of a position, with the kernel position in front flattened."""
        if layer.kind == "dense":
            return [(0, 0, 0)]
        kernel, (_, height, width) = layer.weight_shape[2], layer.in_shape
        found = []
        for ky, kx in product(range(kernel), repeat=2):
            y, x = oy * layer.stride - layer.padding + ky, ox * layer.stride - layer.padding + kx
            if 0 <= y < height and 0 <= x < width:
                found.append((ky * kernel + kx, y, x))
        return found

    def _propagate(self, layer: SynapticLayer, piece: Slice) -> None:
        if all(source < 0 for source in self.design.job.network.source_layers(layer.index)):
            return
        options, kernels = self.design.job.chip.options, int(np.prod(layer.weight_shape[2:]))
        reuse = options.dataflow.error
        mask = self._mask(layer, "deltas", skip=options.skip.deltas != "none")
        weights = words_of(
            piece.channel_start, piece.channel_stop, self.bits["weight"], self.word_bits["weight"]
        )
        inputs = piece.input_stop - piece.input_start
        row = len(words_of(0, inputs, self.bits["error"], self.word_bits["error_sum"]))
        whole = len(words_of(0, piece.inputs(layer), self.bits["error"], self.word_bits["error_sum"]))
        for s, t in product(range(mask.shape[0]), range(mask.shape[1])):
            touched, held, groups = 0, set(), 0
            for channels, y, x in self._positions(piece, mask[s, t]):
                hit = [i for i, word in enumerate(weights) if set(word) & set(channels)]
                distinct = len({tuple(weights[i]) for i in hit})
                touched += len(hit) * len(self._under(layer, y, x))
                groups += distinct * len(self._under(layer, y, x))
                held |= set(hit)
            shares = reuse == "weight_stationary" and layer.positions > 1
            stationary = len(held) * kernels if shares else touched
            self.words["propagate", "weight", "read"] += stationary * inputs
            if reuse == "output_stationary":
                self.words["propagate", "error_sum", "write"] += whole * (groups > 0)
            else:
                for action in ("read", "write"):
                    self.words["propagate", "error_sum", action] += groups * row

    def _gradient(self, layer: SynapticLayer, piece: Slice) -> None:
        options, kernels = self.design.job.chip.options, int(np.prod(layer.weight_shape[2:]))
        kind = options.weight_gradient
        if kind == "factored" and layer.positions == 1:
            return
        content, width = ("weight", "weight") if kind == "in_place" else ("weight_gradient", "gradient")
        deltas = self._mask(layer, "deltas", skip=options.skip.deltas != "none")
        operand = "inputs" if self.design.job.needs.carries == "history" else "traces"
        traces = self._mask(layer, operand, skip=options.skip.traces != "none")
        values = words_of(piece.channel_start, piece.channel_stop, self.bits[width], self.word_bits[content])
        for s, t in product(range(deltas.shape[0]), range(deltas.shape[1])):
            met, held = 0, set()
            for channels, oy, ox in self._positions(piece, deltas[s, t]):
                hit = [i for i, word in enumerate(values) if set(word) & set(channels)]
                held |= set(hit)
                under = [(y, x) for _, y, x in self._under(layer, oy, ox)]
                seen = sum(
                    int(traces[s, t, piece.input_start : piece.input_stop, y, x].sum()) for y, x in under
                )
                met += len(hit) * seen
            if layer.positions > 1 and options.dataflow.gradient != "input_stationary":
                active = len({c for c, _, _ in self._needed(layer, piece, traces[s, t])})
                met = len(held) * active * kernels
            for action in ("read", "write"):
                self.words["gradient", content, action] += met


__all__ = ["WordTwin", "place_of"]
