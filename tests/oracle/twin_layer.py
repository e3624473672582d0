"""One synaptic layer of the fixed-point twin: parameters, state, and the rules of section 3 as methods."""

from collections import Counter
from fractions import Fraction
from math import floor
from typing import Any

from twin_arithmetic import (
    ROLE_ALPHA,
    ROLE_BIAS,
    ROLE_BIAS_V,
    ROLE_CONSTANT,
    ROLE_DELTA,
    ROLE_E,
    ROLE_LEAK_TRACE,
    ROLE_THETA,
    ROLE_THETA_TRACE,
    ROLE_U,
    ROLE_V,
    ROLE_W,
    ROLE_W_TRACE,
    Accumulator,
    Format,
    Quantizer,
    Stream,
    drop_bits,
    parse_accumulator,
    parse_format,
    requantize,
    saturate,
    surrogate_index,
    surrogate_table,
    total_of,
)
from twin_graph import Node, Synapses, Value, is_power_of_two, size_of

ACCUMULATORS = ("I", "e_acc", "dW", "dTheta", "dAlpha", "db", "g")
SETTINGS = ("phi", "static_trace", "trace_threshold")
MOMENTUM_FRACTION = 8  # the momentum factor is u8.8


def quantizer_of(entry: dict[str, str]) -> Quantizer:
    """A precision entry `{"format", "rounding", "overflow"}` as a Quantizer."""
    return Quantizer(parse_format(entry["format"]), entry["rounding"], entry["overflow"])


def ceil_log2(n: int) -> int:
    """Smallest k with 2^k >= n."""
    return (n - 1).bit_length()


class Layer:
    """Layer `index` (counted over the synaptic layers); all its attributes hold plain integers."""

    def __init__(
        self, index: int, node: Node, shape: list[int], synapses: Synapses, description: dict[str, Any]
    ) -> None:
        precision = description["precision"][index]
        parameters = description["parameters"][index]
        training = description["training"]
        self.index = index
        self.synapses = synapses
        self.seed: int = description["seed"]
        self.shape = shape
        self.neurons = size_of(shape)
        self.inputs = len(synapses.by_input)
        self.counts: Counter[str] = Counter()

        stored = set(precision) - {*ACCUMULATORS, *SETTINGS}
        self.q = {name: quantizer_of(precision[name]) for name in stored}
        self.q["R"] = self.q["U"]
        self.q["e"] = self.q.get("e", self.q["delta"])
        self.accumulator = {name: precision[name] for name in ACCUMULATORS if name in precision}
        self.scalar: bool = (
            precision.get("static_trace") == "scalar"
        )  # one trace of a sample that stays as it is
        self.trace_threshold: int = precision.get("trace_threshold", 0)
        self.entries: int = precision["phi"]["entries"]
        self.range_log2: int = precision["phi"]["range_log2"]
        if not is_power_of_two(self.entries):
            raise ValueError("the number of surrogate table entries must be a power of two")
        self.phi_format = parse_format(precision["phi"]["format"])
        self.table = surrogate_table(description["surrogate"], self.entries, self.range_log2, self.phi_format)

        self.w: list[int] = list(parameters["w"])
        self.theta: list[int] = list(parameters["theta"])
        self.alpha: int = parameters["alpha"]
        self.gathers_all = False  # absent synapses gather dW too: the batch before a growth step
        self.mask: list[int] = list(parameters.get("mask") or [1] * synapses.count)
        self.velocity: list[int] = list(parameters.get("velocity") or [0] * synapses.count)
        self.has_bias: bool = node.get(
            "bias", False
        )  # the weight of one more input, which is 1 at every time step
        if self.has_bias:
            self.b: list[int] = list(parameters["b"])
            self.bias_velocity: list[int] = list(parameters.get("vb") or [0] * len(self.b))
            text = f"{precision['db']['format']}.{self.bias_fraction}"
            self.q["vb"] = Quantizer(parse_format(text), self.q["v"].rounding, self.q["v"].overflow)
        self.sharing: str = node["theta_sharing"]
        self.theta_min: int = 1 if training.get("theta_min") is None else training["theta_min"][index]
        self.alpha_max: int = self.format("alpha").highest
        self.integrates: bool = description.get("integrates", False)  # a leak of one: alpha is 2^F
        self.reset: str = description.get("reset", "subtract")
        if self.integrates:
            self.alpha = 1 << self.format("alpha").fraction
            self.alpha_max = self.alpha
        elif training.get("alpha_max") is not None:
            self.alpha_max = training["alpha_max"][index]
        self.check()
        self.w_use: list[int] = []
        self.keeps_current = (
            False  # the network's input is static, and reaches this layer through pools alone
        )
        self.start_sample()
        self.start_batch()

    def check(self) -> None:
        """Refuse parameters that do not fit."""
        if self.format("theta").fraction != self.format("U").fraction:
            raise ValueError("threshold and membrane need the same fraction bits")
        thresholds = {"neuron": self.neurons, "channel": self.shape[0], "layer": 1}[self.sharing]
        if (len(self.w), len(self.theta)) != (self.synapses.count, thresholds):
            raise ValueError(f"layer {self.index}: wrong number of weights or thresholds")
        held = [("w", self.w), ("theta", self.theta)]
        if not self.integrates:
            held.append(("alpha", [self.alpha]))
        if "v" in self.q:
            own_trace = self.format("w_trace").fraction
            if not self.scalar and self.format("v").fraction != self.format("delta").fraction + own_trace:
                raise ValueError("the velocity has the fraction bits of its accumulator")
            held.append(("v", self.velocity))
        for name, values in held:
            if not all(self.format(name).holds(raw) for raw in values):
                raise ValueError(f"layer {self.index}: a raw {name} is outside its format")
        if any(w != 0 and not present for w, present in zip(self.w, self.mask, strict=True)):
            raise ValueError(f"layer {self.index}: a pruned synapse must hold 0")
        if self.format("e") != self.format("delta"):
            raise ValueError("error and delta of a layer share one format")

    def format(self, name: str) -> Format:
        """Format of a tensor."""
        return self.q[name].format

    def requantized(self, name: str, role: int, n: int, values: list[tuple[int, int]]) -> list[int]:
        """`Q` of every (exact integer, fraction bits) of the `n`-th value of a tensor, overflows counted."""
        stream = Stream(self.seed, self.index, role)
        stored = []
        for e, (raw, fraction) in enumerate(values):
            value, overflowed = requantize(raw, fraction, self.q[name], stream.draw(n, len(values), e))
            self.counts[name] += overflowed
            stored.append(value)
        return stored

    def new_accumulators(self, name: str, number: int) -> list[Accumulator]:
        """Empty accumulators."""
        fmt, overflow = (
            parse_accumulator(self.accumulator[name]["format"]),
            self.accumulator[name]["overflow"],
        )
        return [Accumulator(fmt, overflow) for _ in range(number)]

    def settle(self, name: str, accumulators: list[Accumulator]) -> list[int]:
        """What finished accumulators hold; their overflows are counted."""
        for accumulator in accumulators:
            accumulator.complete()
        self.counts[name] += sum(a.overflows for a in accumulators)
        return [a.value for a in accumulators]

    def threshold_of(self, neuron: int) -> int:
        """Index of the threshold that a neuron uses."""
        if self.sharing == "layer":
            return 0
        return neuron if self.sharing == "neuron" else neuron // (self.neurons // self.shape[0])

    def start_sample(self) -> None:
        """All states are zero at the start of every sample."""
        self.U, self.s = [0] * self.neurons, [0] * self.neurons
        self.leak_trace, self.theta_trace = [0] * self.neurons, [0] * self.neurons
        self.w_trace = [0] * self.inputs
        self.c = [0]
        self.g = self.new_accumulators("g", self.neurons) if self.scalar else []

    def start_batch(self) -> None:
        """Empty gradient accumulators."""
        self.dW = self.new_accumulators("dW", self.synapses.count)
        self.dTheta = self.new_accumulators("dTheta", len(self.theta))
        self.dAlpha = self.new_accumulators("dAlpha", 1)
        if self.has_bias:
            self.db = self.new_accumulators("db", self.shape[0])

    def form_w_use(self) -> None:
        """`w_use = Q(w)` with mode floor; without a format of its own it is the stored weight. Biases alike."""
        if "w_use" not in self.q:
            self.w_use = list(self.w)
            self.b_use = list(self.b) if self.has_bias else []
            return
        q = Quantizer(self.format("w_use"), "floor", self.q["w_use"].overflow)
        pairs = [requantize(w, self.format("w").fraction, q) for w in self.w]
        self.w_use = [raw for raw, _ in pairs]
        self.counts["w_use"] += sum(overflowed for _, overflowed in pairs)
        if self.has_bias:
            pairs = [requantize(b, self.format("w").fraction, q) for b in self.b]
            self.b_use = [raw for raw, _ in pairs]
            self.counts["w_use"] += sum(overflowed for _, overflowed in pairs)

    @property
    def w_use_fraction(self) -> int:
        """Fraction bits of the weight in use."""
        return self.format("w_use" if "w_use" in self.q else "w").fraction

    @property
    def bias_fraction(self) -> int:
        """Fraction bits of db."""
        return self.format("delta").fraction + self.format("c").fraction

    def channel_of(self, neuron: int) -> int:
        """Index of the bias that a neuron uses."""
        return neuron // (self.neurons // self.shape[0])

    def leaked(self, raw: int, fraction: int) -> tuple[int, int]:
        """alpha times a value, exact; with a leak of one the value itself, which nothing multiplies."""
        if self.integrates:
            return raw, fraction
        return self.alpha * raw, self.format("alpha").fraction + fraction

    # ---- forward --------------------------------------------------------------------------------

    def forward(self, x: Value, n: int, *, first: bool) -> None:
        """One time step, in the order of the page: R, a~, th~, w~, I, U, s."""
        self.x, x_fraction = x
        self.residual(n)
        self.leak_trace_rule(n)
        self.theta_trace_rule(n)
        if not self.scalar:
            self.w_trace_rule(x_fraction, n)
        self.x_fraction = x_fraction
        if self.has_bias or self.scalar:
            self.constant_trace_rule(n)
        self.current_rule(x_fraction, first=first)
        self.membrane_rule(x_fraction, n)
        self.s = [int(self.U[i] >= self.theta[self.threshold_of(i)]) for i in range(self.neurons)]

    def residual(self, n: int) -> None:
        """R = Q_U(U - theta*s): the membrane's format, so nothing is rounded; overflows counted apart."""
        fraction = self.format("U").fraction
        thetas = [self.theta[self.threshold_of(i)] for i in range(self.neurons)]
        if self.reset == "zero":
            self.R = [0 if s else u for u, s in zip(self.U, self.s, strict=True)]
            return
        reset = [(u - theta * s, fraction) for u, theta, s in zip(self.U, thetas, self.s, strict=True)]
        self.R = self.requantized("R", ROLE_U, n, reset)

    def leak_trace_rule(self, n: int) -> None:
        """a~ = Q_a(alpha*a~ + R)."""
        values = [
            total_of(self.leaked(a, self.format("leak_trace").fraction), (r, self.format("U").fraction))
            for a, r in zip(self.leak_trace, self.R, strict=True)
        ]
        self.leak_trace = self.requantized("leak_trace", ROLE_LEAK_TRACE, n, values)

    def theta_trace_rule(self, n: int) -> None:
        """th~ = Q_th(alpha*(th~ - s)) with the spikes of the step before."""
        values = []
        for trace, spike in zip(self.theta_trace, self.s, strict=True):
            difference, fraction = total_of((trace, self.format("theta_trace").fraction), (-spike, 0))
            values.append(self.leaked(difference, fraction))
        self.theta_trace = self.requantized("theta_trace", ROLE_THETA_TRACE, n, values)

    def w_trace_rule(self, x_fraction: int, n: int) -> None:
        """w~ = Q_w~(alpha*w~ + x), one per input."""
        values = [
            total_of(self.leaked(trace, self.format("w_trace").fraction), (x, x_fraction))
            for trace, x in zip(self.w_trace, self.x, strict=True)
        ]
        self.w_trace = self.requantized("w_trace", ROLE_W_TRACE, n, values)

    def constant_trace_rule(self, n: int) -> None:
        """c = Q_c(alpha*c + 1), one per layer: the trace of an input that is always 1."""
        value = total_of(self.leaked(self.c[0], self.format("c").fraction), (1, 0))
        self.c = self.requantized("c", ROLE_CONSTANT, n, [value])

    def current_rule(self, x_fraction: int, *, first: bool) -> None:
        """I = acc_I(sum_i w_use[i]*x[i]) in ascending input order; that of a static input is formed once a sample."""
        if self.keeps_current and not first:
            return
        currents = self.new_accumulators("I", self.neurons)
        for accumulator, terms in zip(currents, self.synapses.by_output, strict=True):
            for weight, source in terms:
                if self.mask[weight]:
                    accumulator.add(self.w_use[weight] * self.x[source])
        if self.has_bias:  # one, in the fraction bits of the inputs, is the last input
            for neuron, accumulator in enumerate(currents):
                accumulator.add(self.b_use[self.channel_of(neuron)] << x_fraction)
        self.I = self.settle("I", currents)

    def membrane_rule(self, x_fraction: int, n: int) -> None:
        """U = Q_U(alpha*R + I)."""
        f_current = x_fraction + self.w_use_fraction
        values = [
            total_of(self.leaked(r, self.format("U").fraction), (current, f_current))
            for r, current in zip(self.R, self.I, strict=True)
        ]
        self.U = self.requantized("U", ROLE_U, n, values)

    # ---- backward -------------------------------------------------------------------------------

    def take_error(self, error: Value, n: int) -> None:
        """e = Q_delta(exact error), the error of a hidden layer."""
        raw, fraction = error
        self.e = self.requantized("e", ROLE_E, n, [(value, fraction) for value in raw])

    def take_output_error(self, loss: str, label: int, probabilities: list[tuple[int, int]]) -> None:
        """e = p - y*2^F (cross-entropy) or (s - y)*2^F (squared error), always saturated."""
        fmt = self.format("e")
        one = 1 << fmt.fraction
        row = probabilities[sum(self.s)]
        self.e = []
        for i, spike in enumerate(self.s):
            target = one if i == label else 0
            exact = row[spike] - target if loss == "cross_entropy" else spike * one - target
            self.e.append(saturate(exact, fmt))
            self.counts["e"] += not fmt.holds(exact)

    def delta_rule(self, n: int) -> None:
        """phi = table[index(|U - theta|)], delta = Q_delta(e*phi)."""
        fraction = self.format("U").fraction
        distances = [abs(self.U[i] - self.theta[self.threshold_of(i)]) for i in range(self.neurons)]
        indices = [surrogate_index(d, fraction, self.entries, self.range_log2) for d in distances]
        self.phi = [self.table[index] for index in indices]
        f_product = self.format("e").fraction + self.phi_format.fraction
        products = [(e * phi, f_product) for e, phi in zip(self.e, self.phi, strict=True)]
        self.delta = self.requantized("delta", ROLE_DELTA, n, products)

    def error_below(self) -> Value:
        """acc(sum_k w_use[k]*delta[k]) for every input, ascending (output channel, row, column)."""
        sums = self.new_accumulators("e_acc", self.inputs)
        for accumulator, terms in zip(sums, self.synapses.by_input, strict=True):
            for weight, output in terms:
                if self.mask[weight]:
                    accumulator.add(self.w_use[weight] * self.delta[output])
        self.e_acc = self.settle("e_acc", sums)
        return self.e_acc, self.format("delta").fraction + self.w_use_fraction

    def counted_trace(self, source: int) -> int:
        """w~ as gradients see it: 0 below the trace threshold."""
        trace = self.w_trace[source]
        return 0 if abs(trace) < self.trace_threshold else trace

    def accumulate_weights(self, *, last: bool) -> None:
        """dW += delta*w~; of a scalar trace g += delta*c, and after the sample's `last` step dW += g*x."""
        if self.scalar:
            for accumulator, delta in zip(self.g, self.delta, strict=True):
                accumulator.add(delta * self.c[0])
                accumulator.complete()
            if not last:
                return
            summed = self.settle("g", self.g)
            operands: list[int] = self.x
        else:
            summed, operands = self.delta, [self.counted_trace(i) for i in range(self.inputs)]
        for weight, terms in enumerate(self.synapses.by_weight):
            for output, source in terms:
                if self.mask[weight] or self.gathers_all:
                    self.dW[weight].add(summed[output] * operands[source])
            self.dW[weight].complete()

    @property
    def weight_fraction(self) -> int:
        """Fraction bits of dW and of the velocity."""
        if self.scalar:
            return self.format("delta").fraction + self.format("c").fraction + self.x_fraction
        return self.format("delta").fraction + self.format("w_trace").fraction

    def accumulate_thresholds_and_leak(self) -> None:
        """dTheta += delta*(th~ - 1), one accumulator per threshold; dAlpha += delta*a~ over the neurons."""
        for i in range(self.neurons):
            difference, _ = total_of((self.theta_trace[i], self.format("theta_trace").fraction), (-1, 0))
            self.dTheta[self.threshold_of(i)].add(self.delta[i] * difference)
            self.dAlpha[0].add(self.delta[i] * self.leak_trace[i])
        for accumulator in (*self.dTheta, *self.dAlpha):
            accumulator.complete()

    def accumulate_biases(self) -> None:
        """db += delta*c, positions of a channel in row-major order."""
        for i in range(self.neurons):
            self.db[self.channel_of(i)].add(self.delta[i] * self.c[0])
        for accumulator in self.db:
            accumulator.complete()

    def settle_gradients(self) -> None:
        """The batch is over: count the overflows of its sums (which stay readable)."""
        self.settle("dW", self.dW)
        self.settle("dTheta", self.dTheta)
        self.settle("dAlpha", self.dAlpha)
        if self.has_bias:
            self.settle("db", self.db)

    # ---- update ---------------------------------------------------------------------------------

    def centred(self) -> list[int]:
        """dW less the mean of its neuron or channel over present synapses (halves up), in dW's own arithmetic."""
        values, fan_in = [a.value for a in self.dW], len(self.dW) // self.shape[0]
        for start in range(0, len(values), fan_in):
            present = [i for i in range(start, start + fan_in) if self.mask[i]]
            if not present:
                continue
            mean = floor(Fraction(sum(values[i] for i in present), len(present)) + Fraction(1, 2))
            for i in present:
                (accumulator,) = self.new_accumulators("dW", 1)
                accumulator.add(values[i])
                accumulator.add(-mean)
                (values[i],) = self.settle("dW", [accumulator])
        return values

    def update_weights(
        self, rate: tuple[int, int], division: int, mu: int, n: int, *, centralized: bool
    ) -> None:
        """w = Q_w(w - lr*dW/B); with momentum v = Q_v(mu*v + dW), then v in place of dW."""
        f_sum = self.weight_fraction
        step = self.centred() if centralized else [a.value for a in self.dW]
        step = [d if present else 0 for d, present in zip(step, self.mask, strict=True)]  # unseen if gathered
        if mu > 0:
            values = [
                total_of((mu * v, MOMENTUM_FRACTION + f_sum), (d, f_sum))
                for v, d in zip(self.velocity, step, strict=True)
            ]
            self.velocity = self.requantized("v", ROLE_V, n, values)
            step = self.velocity
        self.write_weights(step, f_sum, rate, division, n)

    def update_weights_in_place(self, rate: tuple[int, int], n: int) -> None:
        """w = Q_w(w - lr*delta*w~) after a time step; a convolution's sum over positions is exact."""
        step = [
            sum(self.delta[output] * self.counted_trace(source) for output, source in terms)
            for terms in self.synapses.by_weight
        ]
        self.write_weights(step, self.format("delta").fraction + self.format("w_trace").fraction, rate, 0, n)

    def write_weights(
        self, step: list[int], f_step: int, rate: tuple[int, int], division: int, n: int
    ) -> None:
        """w = Q_w(w - mantissa*step*2^-(shift + division)); pruned synapses keep their 0."""
        mantissa, shift = rate
        values = [
            total_of(
                (w, self.format("w").fraction), (-mantissa * d if present else 0, f_step + shift + division)
            )
            for w, d, present in zip(self.w, step, self.mask, strict=True)
        ]
        self.w = self.requantized("w", ROLE_W, n, values)

    def update_biases(self, rate: tuple[int, int], division: int, mu: int, n: int) -> None:
        """b = Q_w(b - lr*db/B), with momentum as for weights."""
        step = [a.value for a in self.db]
        if mu > 0:
            values = [
                total_of((mu * v, MOMENTUM_FRACTION + self.bias_fraction), (d, self.bias_fraction))
                for v, d in zip(self.bias_velocity, step, strict=True)
            ]
            self.bias_velocity = self.requantized("vb", ROLE_BIAS_V, n, values)
            self.counts["v"] += self.counts.pop("vb")
            step = self.bias_velocity
        self.write_biases(step, rate, division, n)

    def update_biases_in_place(self, rate: tuple[int, int], n: int) -> None:
        """The same after a time step, with the exact sum over positions."""
        step = [0] * self.shape[0]
        for i in range(self.neurons):
            step[self.channel_of(i)] += self.delta[i] * self.c[0]
        self.write_biases(step, rate, 0, n)

    def write_biases(self, step: list[int], rate: tuple[int, int], division: int, n: int) -> None:
        """b = Q_w(b - mantissa*step*2^-(shift + division)): the format and modes of weights, draws of their own."""
        mantissa, shift = rate
        values = [
            total_of((b, self.format("w").fraction), (-mantissa * d, self.bias_fraction + shift + division))
            for b, d in zip(self.b, step, strict=True)
        ]
        stream = Stream(self.seed, self.index, ROLE_BIAS)
        pairs = [
            requantize(raw, fraction, self.q["w"], stream.draw(n, len(values), e))
            for e, (raw, fraction) in enumerate(values)
        ]
        self.b = [raw for raw, _ in pairs]
        self.counts["b"] += sum(overflowed for _, overflowed in pairs)

    def update_thresholds(self, rate: tuple[int, int], division: int, n: int) -> None:
        """theta = max(Q_U(theta - lr_t*dTheta/B), theta_min); the lower limit is not an overflow."""
        mantissa, shift = rate
        f_sum = self.format("delta").fraction + max(self.format("theta_trace").fraction, 0)
        values = [
            total_of((theta, self.format("theta").fraction), (-mantissa * a.value, f_sum + shift + division))
            for theta, a in zip(self.theta, self.dTheta, strict=True)
        ]
        self.theta = [max(raw, self.theta_min) for raw in self.requantized("theta", ROLE_THETA, n, values)]

    def update_leak(self, rate: tuple[int, int], division: int, n: int) -> None:
        """alpha = min(max(Q_alpha(alpha - lr_a*dAlpha/(B*n)), 0), alpha_max): Q rounds only."""
        mantissa, shift = rate
        q = self.q["alpha"]
        f_sum = self.format("delta").fraction + self.format("leak_trace").fraction
        exact, fraction = total_of(
            (self.alpha, q.format.fraction),
            (-mantissa * self.dAlpha[0].value, f_sum + shift + division + ceil_log2(self.neurons)),
        )
        lfsr = Stream(self.seed, self.index, ROLE_ALPHA).draw(n, 1, 0)
        rounded = drop_bits(exact, fraction - q.format.fraction, q.rounding, lfsr)
        self.alpha = min(max(rounded, 0), self.alpha_max)
