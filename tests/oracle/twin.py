"""The slow, obvious twin of the fixed-point STOP engine: `run(description) -> record`, plain data in and out.

An independent statement of "Bit-accurate arithmetic: the normative specification", in plain Python integers
and nested loops: no NumPy and no import of the package under test. `twin_arithmetic.py` holds sections 1, 2
and 4 of the page, `twin_graph.py` shapes, synapses and pooling, `twin_layer.py` the rules of section 3, one
method each; this file the order in which they are applied.

Every tensor is a flat list of raw integers in C-order.

    description = {
      "time_steps": T, "seed": int,
      "nodes": [  # topological order, "inputs" index earlier nodes, the last node is the output layer
        {"kind": "input", "shape": [C, H, W] or [n], "format": "u8.8"},
        {"kind": "dense", "inputs": [i], "units": n, "theta_sharing": "neuron" | "channel" | "layer"},
        {"kind": "conv", "inputs": [i], "channels": C, "kernel": k, "stride": s, "padding": p,
         "theta_sharing": ...},
        {"kind": "avg_pool" | "sum_pool" | "max_pool", "inputs": [i], "window": p},  # averages of any window
        {"kind": "global_avg_pool" | "flatten", "inputs": [i]},
        {"kind": "add", "inputs": [i, j]}],
      "precision": [  # one per synaptic layer (dense, conv), in order; ? means optional
        {"w" | "w_use"? | "U" | "theta" | "alpha" | "w_trace" | "theta_trace" | "leak_trace" | "delta" |
         "e"? | "v"?: {"format": "s16.13", "rounding": "nearest", "overflow": "saturate"},
         "phi": {"format": "u8.8", "entries": 64, "range_log2": 3},
         "I" | "e_acc" | "dW" | "dTheta" | "dAlpha": {"format": "s32", "overflow": "saturate" (after every
           addition) | "saturate_end" (when the sum of a time step is complete) | "wrap"}}],
      "surrogate": "exponential" | "triangle" | "rectangle" | "rational",
      "loss": "cross_entropy" | "squared_error",
      "rule": "W" | "WT" | "WL" | "WTL",
      "training": {
        "batch_size": B, "division": "shift" | "folded", "in_place": bool,
        "accumulation": "default" | "factored", "momentum": raw u8.8 or 0, "centralized": bool?,
        "learning_rates": {"w" | "theta" | "alpha": [[mantissa, shift], ...]},  # per epoch, the last stays
        "updates_per_epoch": int or None,
        "theta_min": [raw per layer] or None, "alpha_max": [raw per layer] or None},
      "parameters": [{"w": [...], "theta": [...], "alpha": raw, "mask": [0 or 1, ...]?, "velocity": [...]?}],
      "start": {"samples": 0, "updates": 0}?,  # counters of a training that is resumed
      "structure": see `twin_structure.py`?,
      "inputs": [sample][time step, or one static row][...], "labels": [sample]}

    record = {
      "steps": [sample][time step][layer] -> {"x", "R", "leak_trace", "theta_trace", "w_trace", "I", "U", "s",
        "e", "phi", "delta", "e_acc" (if a layer below learns), and the accumulators after the step:
        "dW" (not in place), "dTheta", "dAlpha"},
      "updates": [update][layer] -> {"w", "theta", "alpha", "v" (with momentum)}, after each batch,
      "overflows": [layer] -> {name: count}, "spike_counts": [sample][class], "predictions": [sample],
      "phi_tables": [layer][entry], "softmax_table": [m][silent, spiking]}

Readings of the page where it is silent or can be read in two ways:

 1. "Layer" in random streams, precision and counts counts the synaptic (dense, convolution) layers only,
    from 0, in topological order.
 2. R and U are counted apart. They share stream 3 and n, but R never rounds (same fraction bits), so no
    draw of R matters.
 3. theta is requantized to its own format with its own rounding and overflow mode (fraction bits equal to
    U's; by default all is the membrane's). Its Q overflows are counted; the max with theta_min is not an
    overflow. The wrap, if any, comes before the max.
 4. e of a hidden layer is one Q to delta's format from the exact sum of all that consumers of the layer's
    spikes send down: each consumer's accumulator value, passed exactly (unrounded) through pooling, flatten
    and addition. e uses delta's format; by default also its rounding and overflow mode. Role 8, size and
    element index of the layer below.
 5. The error accumulator belongs to the layer whose weights and deltas it multiplies (counted there, F =
    delta.F + w_use.F), one element per input of that layer *after* pooling. It is not formed where no
    synaptic layer lies below. Order of a convolution's saturating error sum: (output channel, kernel row,
    kernel column) ascending.
 6. The output error is saturated to delta's format whatever the overflow mode, for both losses, uses no
    draw, and is counted under e. The output layer's delta needs F >= 0 (y*2^F has to be an integer).
 7. Overflow of table entries (phi, softmax) happens while the table is built and is not counted. Entries are
    the real values of e/(m*e + (C-m)), 1/(m*e + (C-m)) and phi((i+0.5)*(range/entries)), rounded once.
 8. Surrogates, x = |U - theta|: exponential exp(-x); triangle max(0, 1-x); rectangle 1 if x < 1/2 else 0;
    rational 1/(1+x)^2. `range` is any power of two, also below 1.
 9. One dTheta accumulator per *threshold* (not per neuron), to which the neurons that share it are added in
    row-major order within each time step; dAlpha is one accumulator, to which every neuron is a separate
    addition.
10. If th~.F < 0 the 1 in (th~ - 1) and s in (th~ - s) align th~ to F = 0, so that dTheta has F = delta.F.
11. Traces th~, a~ and sums dTheta, dAlpha are computed and their overflows counted in every variant; a
    variant without T or L differs from the full one only in not updating theta or alpha.
12. w_use is formed (and its overflows counted) once before the first sample of every batch, in place:
    before every time step; not after the last update. Its overflow mode is its own; without a w_use format
    it is w itself, no Q.
13. A static input is presented at every time step; I is formed, and its overflows counted, once a sample,
    in place (where weights change in between) at every time step.
14. Momentum applies to weights only (there is one role v per layer). mu is u8.8, so mu < 1. v has its own
    rounding and overflow mode. n of v is the number of updates done, as for w.
15. "folded" leaves out /B for w, theta and alpha alike; the /n of alpha always stays.
16. Learning rates: entry min(updates_done // updates_per_epoch, last). The number of samples is a multiple
    of B.
17. In place: the convolution's sum over positions and delta*w~ are exact (no accumulator, no overflow but
    that of w); no momentum; the rate is that of the running update; theta and alpha are updated after each
    sample, n = updates done, where every sample counts as one update.
18. Pruned synapses: their dW is not accumulated either (so it cannot overflow), their velocity stays.
19. Max pooling has stride = window, rows and columns that do not fill a window are dropped as for the
    average; any window. Addition is the exact sum of both branches, aligned if they have different fraction
    bits.
20. "channel" sharing in a dense layer is the same as "neuron".
21. The alpha update counts no overflow at all. Negative learning-rate shifts are exact left shifts.
22. Each wrapping I or e_acc element is counted at most once per time step; each wrapping gradient element
    once per batch. With "saturate_end" an element counts at most once per time step; what is centralized
    counts as one more complete sum.
"""

from typing import Any

from twin_arithmetic import Format, parse_format, softmax_table
from twin_graph import (
    SYNAPTIC,
    Node,
    Value,
    add_values,
    is_power_of_two,
    output_shape,
    pass_back,
    pass_forward,
    synapses_of,
)
from twin_layer import Layer
from twin_structure import due, gathers
from twin_structure import step as structure_step

# Biases ("bias": true on a node): parameters "b", precision "c" and "db", step tensor "c", sum "db", counts "c", "db", "b"
# (velocities of biases count under "v", used biases under "w_use"); the velocity "vb" has the width of db and v's modes.
# Scalar traces ("static_trace": "scalar" in a layer's precision, with "c" and "g"): no w_trace, step tensor "c", sum "g" of
# the sample, which dW takes with x after the last step; "trace_threshold": raw, lesser traces count as 0 in gradients.
STEP_TENSORS = ("x", "R", "leak_trace", "theta_trace", "w_trace", "I", "U", "s", "e", "phi", "delta", "e_acc")


class Network:
    """The graph, its layers, and what flows through it."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.nodes: list[Node] = description["nodes"]
        self.shapes: list[list[int]] = []
        self.layers: dict[int, Layer] = {}  # node index -> layer
        self.learns_below: list[bool] = []  # does a synaptic layer lie at or below this node?
        self.input_format = parse_format(self.nodes[0]["format"])
        self.signed: list[bool] = []
        self.made_of_input: list[
            bool
        ] = []  # by layer: what it reads comes from the input through pools alone
        for index, node in enumerate(self.nodes):
            below = node.get("inputs", [])
            shapes = [self.shapes[i] for i in below]
            self.shapes.append(output_shape(node, shapes))
            self.learns_below.append(node["kind"] in SYNAPTIC or any(self.learns_below[i] for i in below))
            self.signed.append(any(self.signed[i] for i in below))
            if node["kind"] == "input":
                self.signed[index] = self.input_format.signed
            if node["kind"] in SYNAPTIC:
                synapses = synapses_of(node, shapes[0], self.shapes[index])
                layer = Layer(len(self.layers), node, self.shapes[index], synapses, description)
                if self.signed[index] and not layer.format("w_trace").signed:
                    raise ValueError(f"layer {layer.index}: a signed input needs a signed weight trace")
                self.signed[index] = False
                self.layers[index] = layer
                self.made_of_input.append(self.reads_input(below[0]))
        self.check_graph()
        self.output = self.layers[len(self.nodes) - 1]
        if self.output.format("delta").fraction < 0:
            raise ValueError("the output layer's delta needs at least 0 fraction bits")
        self.loss: str = description["loss"]
        self.probabilities = softmax_table(self.output.neurons, self.output.format("delta"))

    def reads_input(self, index: int) -> bool:
        """Whether a node is the input, or made of it without a synaptic layer between."""
        node = self.nodes[index]
        below = node.get("inputs", [])
        return node["kind"] not in SYNAPTIC and all(self.reads_input(i) for i in below)

    def check_graph(self) -> None:
        """The last node is a layer, and every other node is read by somebody."""
        read = {i for node in self.nodes for i in node.get("inputs", [])}
        if self.nodes[-1]["kind"] not in SYNAPTIC or len(read) != len(self.nodes) - 1:
            raise ValueError("the last node must be dense or conv, and every other node must be read")

    def forward(self, x: list[int], n: int, *, first: bool) -> list[Value]:
        """One time step from the first layer to the last; the output of every node. `first`: of its sample."""
        outputs: list[Value] = []
        for index, node in enumerate(self.nodes):
            below = node.get("inputs", [])
            if node["kind"] == "input":
                outputs.append((x, self.input_format.fraction))
            elif index in self.layers:
                layer = self.layers[index]
                layer.forward(outputs[below[0]], n, first=first)
                outputs.append((layer.s, 0))
            else:
                shapes, values = [self.shapes[i] for i in below], [outputs[i] for i in below]
                outputs.append(pass_forward(node, shapes, values))
        return outputs

    def backward(self, outputs: list[Value], label: int, n: int) -> None:
        """The errors of one time step, from the last layer to the first."""
        errors: list[list[Value]] = [[] for _ in self.nodes]
        for index in reversed(range(len(self.nodes))):
            node = self.nodes[index]
            if not self.learns_below[index]:
                continue
            source = node["inputs"][0]
            if index in self.layers:
                layer = self.layers[index]
                if layer is self.output:
                    layer.take_output_error(self.loss, label, self.probabilities)
                else:
                    layer.take_error(add_values(errors[index]), n)
                layer.delta_rule(n)
                if self.learns_below[source]:
                    errors[source].append(layer.error_below())
            else:
                error = add_values(errors[index])
                for i in node["inputs"]:
                    errors[i].append(pass_back(node, self.shapes[i], outputs[i], error))


class Training:
    """Counters and settings of one training run."""

    def __init__(self, description: dict[str, Any]) -> None:
        settings = description["training"]
        start = description.get("start") or {"samples": 0, "updates": 0}
        self.samples_done: int = start["samples"]
        self.updates_done: int = start["updates"]
        self.batch_size: int = settings["batch_size"]
        self.in_place: bool = settings["in_place"]
        self.momentum: int = settings["momentum"]
        self.centralized: bool = settings.get("centralized", False)
        self.rates: dict[str, list[list[int]]] = settings["learning_rates"]
        self.updates_per_epoch: int | None = settings["updates_per_epoch"]
        self.rule: str = description["rule"]
        self.division = 0
        if settings["division"] == "shift":
            if not is_power_of_two(self.batch_size):
                raise ValueError(f"batch size {self.batch_size} is neither a power of two nor folded")
            self.division = self.batch_size.bit_length() - 1
        if self.in_place and (self.batch_size != 1 or self.momentum):
            raise ValueError("in-place updates need batch size 1 and no momentum")
        if settings["accumulation"] == "factored" and self.batch_size != 1:
            raise ValueError("factored accumulation needs batch size 1")
        if not Format(signed=False, total=8, fraction=8).holds(self.momentum):
            raise ValueError("momentum is not a u8.8 number")

    def rate(self, kind: str) -> tuple[int, int]:
        """Mantissa and shift for the update to come."""
        rates = self.rates[kind]
        epoch = self.updates_done // self.updates_per_epoch if self.updates_per_epoch else 0
        mantissa, shift = rates[min(epoch, len(rates) - 1)]
        if not Format(signed=False, total=8, fraction=0).holds(mantissa):
            raise ValueError(f"learning-rate mantissa {mantissa} is not a u8 number")
        return mantissa, shift

    def update(self, layer: Layer) -> None:
        """The update of one layer after the last sample of a batch."""
        layer.settle_gradients()
        if not self.in_place:
            layer.update_weights(
                self.rate("w"), self.division, self.momentum, self.updates_done, centralized=self.centralized
            )
            if layer.has_bias:
                layer.update_biases(self.rate("w"), self.division, self.momentum, self.updates_done)
        if "T" in self.rule:
            layer.update_thresholds(self.rate("theta"), self.division, self.updates_done)
        if "L" in self.rule:
            layer.update_leak(self.rate("alpha"), self.division, self.updates_done)


def snapshot(layer: Layer, *, in_place: bool) -> dict[str, list[int]]:
    """Every raw tensor of a layer after a time step."""
    tensors = {name: list(getattr(layer, name)) for name in STEP_TENSORS if hasattr(layer, name)}
    sums = ("dTheta", "dAlpha") if in_place else ("dW", "dTheta", "dAlpha")
    if layer.scalar:
        del tensors["w_trace"]
        sums = (*sums, "g")
    if layer.has_bias or layer.scalar:
        tensors["c"] = list(layer.c)
    if layer.has_bias:
        sums = sums if in_place else (*sums, "db")
    return tensors | {name: [a.value for a in getattr(layer, name)] for name in sums}


def parameters_of(layer: Layer, *, momentum: bool) -> dict[str, Any]:
    """The raw parameters of a layer."""
    parameters: dict[str, Any] = {"w": list(layer.w), "theta": list(layer.theta), "alpha": layer.alpha}
    if layer.has_bias:
        parameters |= {"b": list(layer.b)} | ({"vb": list(layer.bias_velocity)} if momentum else {})
    return parameters | ({"v": list(layer.velocity)} if momentum else {})


def run(description: dict[str, Any]) -> dict[str, Any]:
    """Train on all samples in order; everything that can be seen on the way (see the module's docstring)."""
    network, training = Network(description), Training(description)
    layers = list(network.layers.values())
    time_steps = description["time_steps"]
    samples = list(zip(description["inputs"], description["labels"], strict=True))
    if len(samples) % training.batch_size:
        raise ValueError("the number of samples is not a multiple of the batch size")
    record: dict[str, Any] = {"steps": [], "updates": [], "spike_counts": [], "predictions": []}

    structure = description.get("structure")
    if structure and due(structure, 0):
        structure_step(structure, layers, 0)
    for position, (rows, label) in enumerate(samples):
        for layer in layers:
            layer.gathers_all = gathers(structure, training.updates_done + 1)
        first, last = position % training.batch_size == 0, (position + 1) % training.batch_size == 0
        for layer, made_of_input in zip(layers, network.made_of_input, strict=True):
            layer.start_sample()
            if layer.scalar and (training.in_place or not made_of_input or len(rows) > 1):
                raise ValueError(
                    "a scalar trace needs the same input at every time step, and no updates in place"
                )
            layer.keeps_current = made_of_input and len(rows) == 1 and not training.in_place
            if first:
                layer.start_batch()
                if not training.in_place:
                    layer.form_w_use()
        steps, spikes = [], [0] * network.output.neurons
        for t in range(time_steps):
            n = training.samples_done * time_steps + t
            x = rows[t] if len(rows) > 1 else rows[0]
            if not all(network.input_format.holds(raw) for raw in x):
                raise ValueError(f"an input of sample {position} is outside its format")
            for layer in layers:
                if training.in_place:
                    layer.form_w_use()
            outputs = network.forward(x, n, first=t == 0)
            network.backward(outputs, label, n)
            for layer in layers:
                if training.in_place:
                    layer.update_weights_in_place(training.rate("w"), n)
                    if layer.has_bias:
                        layer.update_biases_in_place(training.rate("w"), n)
                else:
                    layer.accumulate_weights(last=t == time_steps - 1)
                layer.accumulate_thresholds_and_leak()
                if layer.has_bias and not training.in_place:
                    layer.accumulate_biases()
            steps.append([snapshot(layer, in_place=training.in_place) for layer in layers])
            spikes = [count + s for count, s in zip(spikes, network.output.s, strict=True)]
        record["steps"].append(steps)
        record["spike_counts"].append(spikes)
        record["predictions"].append(spikes.index(max(spikes)))
        training.samples_done += 1
        if last:
            for layer in layers:
                training.update(layer)
            momentum = training.momentum > 0
            training.updates_done += 1
            if structure and due(structure, training.updates_done):
                structure_step(structure, layers, training.updates_done)
            record["updates"].append([parameters_of(layer, momentum=momentum) for layer in layers])
            if structure:
                for own, layer in zip(record["updates"][-1], layers, strict=True):
                    own["mask"] = list(layer.mask)

    record["overflows"] = [dict(layer.counts) for layer in layers]
    record["phi_tables"] = [layer.table for layer in layers]
    record["softmax_table"] = [list(row) for row in network.probabilities]
    return record
