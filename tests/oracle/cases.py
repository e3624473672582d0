"""Random descriptions for the fixed-point twin: `case(seed)` is plain data, the same on every machine.

Formats are wild on purpose: narrow ones that saturate and wrap, more fraction bits than bits, negative
fraction bits, and some whose products need far more than 64 bits. The generator stays inside what an
engine is asked to support: the threshold has the membrane's format and overflow mode, e has delta's
modes, w_use has the stored weight's overflow mode, threshold traces and deltas have at least 0 fraction
bits, tables range over 1 or more.
"""

from fractions import Fraction
from random import Random
from typing import Any

from twin_arithmetic import ACCUMULATOR_OVERFLOWS, OVERFLOWS, ROUNDINGS, Format, parse_format
from twin_graph import (
    SYNAPTIC,
    Node,
    averaged,
    is_power_of_two,
    output_shape,
    size_of,
    synapses_of,
    value_fraction,
)

KINDS = ("dense", "conv", "pool", "residual")
PROFILES = ("narrow", "narrow", "narrow", "usual", "usual", "wide")
SURROGATES = ("exponential", "exponential", "rational", "rational", "triangle", "rectangle")
SHARINGS = ("neuron", "channel", "layer")
RULES = ("W", "WT", "WL", "WTL", "WTL")

# By profile: smallest T, largest T, smallest and largest number of integer bits (negative: F > T).
WIDTHS = {
    "w": {"narrow": (2, 8, -2, 2), "usual": (8, 16, 0, 2), "wide": (24, 48, 1, 8)},
    "w_use": {"narrow": (2, 6, -2, 2), "usual": (4, 10, 0, 2), "wide": (12, 40, 1, 4)},
    "U": {"narrow": (4, 10, 0, 5), "usual": (10, 16, 2, 6), "wide": (24, 56, 6, 12)},
    "alpha": {"narrow": (2, 8, 0, 1), "usual": (8, 16, 0, 0), "wide": (16, 40, 0, 1)},
    "w_trace": {"narrow": (2, 8, -1, 3), "usual": (8, 14, 1, 5), "wide": (24, 48, 6, 12)},
    "theta_trace": {"narrow": (3, 8, -2, 2), "usual": (8, 14, 1, 4), "wide": (24, 48, 2, 6)},
    "leak_trace": {"narrow": (3, 9, -1, 5), "usual": (10, 16, 2, 6), "wide": (24, 56, 6, 12)},
    "delta": {"narrow": (3, 10, -2, 2), "usual": (8, 18, 0, 3), "wide": (24, 48, 2, 6)},
    "phi": {"narrow": (1, 6, -1, 1), "usual": (4, 12, 0, 1), "wide": (16, 40, 1, 2)},
    "I": {"narrow": (4, 14, 0, 0), "usual": (16, 32, 0, 0), "wide": (90, 120, 0, 0)},
    "e_acc": {"narrow": (5, 12, 0, 0), "usual": (16, 32, 0, 0), "wide": (90, 120, 0, 0)},
    "dW": {"narrow": (4, 16, 0, 0), "usual": (16, 40, 0, 0), "wide": (90, 120, 0, 0)},
    "dTheta": {"narrow": (4, 16, 0, 0), "usual": (24, 48, 0, 0), "wide": (90, 120, 0, 0)},
    "dAlpha": {"narrow": (4, 16, 0, 0), "usual": (24, 48, 0, 0), "wide": (90, 120, 0, 0)},
    "v": {"narrow": (4, 16, 0, 0), "usual": (16, 40, 0, 0), "wide": (90, 120, 0, 0)},
}
SIGNED = ("w", "w_use", "U", "theta_trace", "leak_trace", "delta")
MOST_CLASSES = 64
MUST_BE_FRACTIONAL = ("theta_trace", "delta")


def case(seed: int) -> dict[str, Any]:
    """The description of random case `seed`; the network's kind cycles through KINDS."""
    rng = Random(seed)
    kind = KINDS[seed % len(KINDS)]
    profile = rng.choice(PROFILES)
    signed_input = rng.random() < 0.25
    nodes, shapes = random_graph(rng, kind, signed_input=signed_input)
    time_steps = rng.choice((1, 2, 3, 4, 5, 6) if kind == "dense" else (1, 2, 3, 3, 4, 4))
    training = random_training(rng, kind)
    precision = []
    parameters = []
    for index, node in enumerate(nodes):
        if node["kind"] in SYNAPTIC:
            below = node["inputs"][0]
            own = rng.choice((profile, profile, profile, *PROFILES))
            signed = signed_input and reads_input(nodes, below)
            precision.append(random_precision(rng, own, signed_trace=signed))
            parameters.append(random_parameters(rng, node, shapes[below], shapes[index], precision[-1]))
    training["theta_min"] = random_limit(rng, precision, "theta", 1)
    training["alpha_max"] = random_limit(rng, precision, "alpha", 0)
    for index, own_parameters in enumerate(parameters):
        if training["theta_min"] is not None:
            least = training["theta_min"][index]
            own_parameters["theta"] = [max(raw, least) for raw in own_parameters["theta"]]
        if training["alpha_max"] is not None:
            own_parameters["alpha"] = min(own_parameters["alpha"], training["alpha_max"][index])
    classes = size_of(shapes[-1])
    samples = training["batch_size"] * rng.randint(1, 3 if training["batch_size"] <= 2 else 2)
    description = {
        "time_steps": time_steps,
        "seed": rng.choice((0, 1, rng.randrange(2**16), rng.randrange(2**31))),
        "nodes": nodes,
        "precision": precision,
        "surrogate": rng.choice(SURROGATES),
        "loss": rng.choice(("cross_entropy", "squared_error")),
        "rule": rng.choice(RULES),
        "training": training,
        "parameters": parameters,
        "inputs": random_inputs(rng, nodes[0], samples, time_steps),
        "labels": [rng.randrange(classes) for _ in range(samples)],
    }
    add_options(rng, description)
    centralizes = not training["in_place"] and training["accumulation"] == "default"
    training["centralized"] = centralizes and rng.random() < 0.3
    return description


BIAS_WIDTHS = {
    "c": {"narrow": (2, 8, -1, 2), "usual": (8, 16, 1, 3), "wide": (24, 48, 2, 6)},
    "db": {"narrow": (4, 16, 0, 0), "usual": (20, 48, 0, 0), "wide": (90, 120, 0, 0)},
}


def add_biases(rng: Random, description: dict[str, Any]) -> None:
    """Biases on some layers whose input has an integer for 1, from small to the ends of the weight's format."""
    fractional = parse_format(description["nodes"][0]["format"]).fraction >= 0
    synaptic = [node for node in description["nodes"] if node["kind"] in SYNAPTIC]
    rows = zip(synaptic, description["precision"], description["parameters"], strict=True)
    for node, precision, parameters in rows:
        below = node["inputs"][0]
        if rng.random() < 0.3 or not (fractional or not reads_input(description["nodes"], below)):
            continue
        node["bias"] = True
        profile = rng.choice(PROFILES)
        precision["c"] = random_constant_trace(rng, precision, profile)
        total = rng.randint(*BIAS_WIDTHS["db"][profile][:2])
        precision["db"] = {"format": f"s{total}", "overflow": rng.choice(ACCUMULATOR_OVERFLOWS)}
        fmt, count = parse_format(precision["w"]["format"]), node.get("units") or node["channels"]
        biases = [raw_near(fmt, rng.gauss(0.1, 0.3)) for _ in range(count)]
        parameters["b"] = with_extremes(rng, biases, fmt)


def random_constant_trace(rng: Random, precision: dict[str, Any], profile: str) -> dict[str, str]:
    """Format of c, with the modes of w~ or its own."""
    low, high, least, most = BIAS_WIDTHS["c"][profile]
    total, sign = rng.randint(low, high), rng.choice("uuus")
    own = precision["w_trace"] | {"format": f"{sign}{total}.{total - rng.randint(least, most)}"}
    if rng.random() < 0.5:
        own |= {"rounding": rng.choice(ROUNDINGS), "overflow": rng.choice(OVERFLOWS)}
    return own


def add_scalar_traces(rng: Random, description: dict[str, Any]) -> None:
    """Scalar traces on the layers that read the sample, with and without biases."""
    nodes = description["nodes"]
    synaptic = [node for node in nodes if node["kind"] in SYNAPTIC]
    shapes: list[list[int]] = []
    for node in nodes:
        shapes.append(output_shape(node, [shapes[i] for i in node.get("inputs", [])]))
    for node, precision in zip(synaptic, description["precision"], strict=True):
        below = node["inputs"][0]
        if not made_of_input(nodes, below):
            continue
        precision["static_trace"] = "scalar"
        profile = rng.choice(PROFILES)
        precision.setdefault("c", random_constant_trace(rng, precision, profile))
        total = rng.randint(*BIAS_WIDTHS["db"][profile][:2])
        precision["g"] = {"format": f"s{total}", "overflow": rng.choice(ACCUMULATOR_OVERFLOWS)}
        fraction = value_fraction(nodes, shapes, below, parse_format(nodes[0]["format"]).fraction)
        fraction += (
            parse_format(precision["c"]["format"]).fraction
            + parse_format(precision["delta"]["format"]).fraction
        )
        precision["v"]["format"] = f"{precision['v']['format'].split('.')[0]}.{fraction}"


def made_of_input(nodes: list[Node], index: int) -> bool:
    """Whether a node is the input, or made of nothing else without a layer of neurons between."""
    node = nodes[index]
    return node["kind"] not in SYNAPTIC and all(made_of_input(nodes, i) for i in node.get("inputs", []))


def add_options(rng: Random, description: dict[str, Any]) -> None:
    """Integrate-and-fire neurons, sum pools, and, where nothing is learned, a reset to zero."""
    fractions = [parse_format(own["alpha"]["format"]).fraction for own in description["precision"]]
    if rng.random() < 0.15 and min(fractions) >= 0:
        description["rule"] = rng.choice(("W", "WT"))
        description["integrates"] = True
        description["training"]["alpha_max"] = None
    shapes: list[list[int]] = []
    for node in description["nodes"]:
        if node["kind"] == "avg_pool" and rng.random() < 0.3:
            node["kind"] = "sum_pool"
        shapes.append(output_shape(node, [shapes[i] for i in node.get("inputs", [])]))
    if rng.random() < 0.35:
        add_biases(rng, description)
    if rng.random() < 0.2:
        for own in description["precision"]:
            highest = parse_format(own["w_trace"]["format"]).highest
            own["trace_threshold"] = rng.choice((0, 1, 2, highest // 4, highest // 2, highest, highest + 1))
    static = all(len(rows) == 1 for rows in description["inputs"])
    if static and not description["training"]["in_place"] and rng.random() < 0.5:
        add_scalar_traces(rng, description)
    zero = rng.random() < 0.1
    if zero:
        description["reset"] = "zero"
    if zero or not all(is_exact(node, shapes) for node in description["nodes"]):  # for inference
        rates = description["training"]["learning_rates"]
        for kind, schedule in rates.items():
            rates[kind] = [[0, shift] for _, shift in schedule]


def reads_input(nodes: list[Node], index: int) -> bool:
    """Whether a node is the network's input, or made of it without a layer of neurons between."""
    node = nodes[index]
    return node["kind"] == "input" or (
        node["kind"] not in SYNAPTIC and any(reads_input(nodes, i) for i in node["inputs"])
    )


def random_graph(rng: Random, kind: str, *, signed_input: bool) -> tuple[list[Node], list[list[int]]]:
    """Nodes and their shapes; graphs whose shapes do not work out are drawn again."""
    while True:
        nodes = [random_input(rng, kind, signed=signed_input), *GRAPHS[kind](rng)]
        shapes: list[list[int]] = []
        try:
            for node in nodes:
                shapes.append(output_shape(node, [shapes[i] for i in node.get("inputs", [])]))
        except ValueError:
            continue
        exact = all(is_exact(node, shapes) for node in nodes)
        if size_of(shapes[-1]) <= MOST_CLASSES and (exact or rng.random() < 0.3):
            return nodes, shapes


def is_exact(node: Node, shapes: list[list[int]]) -> bool:
    """Whether a node is no average, or one over a power of two."""
    average = node["kind"] in ("avg_pool", "global_avg_pool")
    return not average or is_power_of_two(averaged(node, shapes[node["inputs"][0]]))


# ---- graphs ------------------------------------------------------------------------------------


def random_input(rng: Random, kind: str, *, signed: bool) -> Node:
    """The input node: spikes, intensities, or signed values."""
    shape = [rng.randint(1, 2), rng.randint(4, 6), rng.randint(4, 6)]
    if kind == "dense":
        shape = [rng.randint(2, 8)]
    if signed:
        total = rng.randint(2, 9)
        return {"kind": "input", "shape": shape, "format": f"s{total}.{rng.randint(-1, total + 1)}"}
    unsigned = ("u1.0", "u1.0", "u8.8", "u8.8", "u4.3", "u3.4", "u4.-1", "u2.1")
    return {"kind": "input", "shape": shape, "format": rng.choice(unsigned)}


def dense(rng: Random, source: int, units: int) -> Node:
    """A dense node."""
    return {"kind": "dense", "inputs": [source], "units": units, "theta_sharing": rng.choice(SHARINGS)}


def conv(rng: Random, source: int, channels: int, kernel: int, *, stride: int = 1, padding: int = 0) -> Node:
    """A convolution node."""
    shape = {"channels": channels, "kernel": kernel, "stride": stride, "padding": padding}
    return {"kind": "conv", "inputs": [source], **shape, "theta_sharing": rng.choice(SHARINGS)}


def any_conv(rng: Random, source: int) -> Node:
    """A convolution that fits every map of 4 x 4 or more."""
    return conv(
        rng, source, rng.randint(1, 3), rng.randint(1, 3), stride=rng.randint(1, 2), padding=rng.randint(0, 2)
    )


def same_conv(rng: Random, source: int, channels: int) -> Node:
    """A convolution that keeps the map's size."""
    kernel = rng.choice((1, 3))
    return conv(rng, source, channels, kernel, padding=kernel // 2)


def pool(rng: Random, source: int) -> Node:
    """A 2 x 2 pooling node."""
    kind = rng.choice(("avg_pool", "max_pool"))
    return {"kind": kind, "inputs": [source], "window": 3 if rng.random() < 0.1 else 2}


def dense_graph(rng: Random) -> list[Node]:
    """One to three dense layers."""
    return [dense(rng, source, rng.randint(2, 7)) for source in range(rng.randint(1, 3))]


def conv_graph(rng: Random) -> list[Node]:
    """One or two convolutions; a dense output layer, or the last convolution itself is it."""
    nodes = [any_conv(rng, 0)]
    if rng.random() < 0.6:
        stride, padding = rng.randint(1, 2), rng.randint(0, 1)
        nodes.append(
            conv(rng, 1, rng.randint(1, 3), rng.choice((1, 2, 2, 3)), stride=stride, padding=padding)
        )
    if rng.random() < 0.8:
        if rng.random() < 0.5:
            nodes.append({"kind": "flatten", "inputs": [len(nodes)]})
        nodes.append(dense(rng, len(nodes), rng.randint(2, 5)))
    return nodes


def pool_graph(rng: Random) -> list[Node]:
    """Pools of every kind before, between and behind layers; a dense or convolution output layer."""
    nodes: list[Node] = []
    if rng.random() < 0.2:
        nodes.append(pool(rng, 0))
    nodes.append(same_conv(rng, len(nodes), rng.randint(1, 3)))
    if nodes[0]["kind"] == "conv":
        nodes.append(pool(rng, 1))
        if rng.random() < 0.3:
            nodes[-1]["window"] = 4 if nodes[-1]["kind"] == "avg_pool" else 3
    if rng.random() < 0.5 and nodes[-1].get("window", 2) == 2:
        nodes.append(conv(rng, len(nodes), rng.randint(1, 3), 3, padding=rng.choice((1, 2))))
        if rng.random() < 0.4 and nodes[-1]["padding"] == 2:
            nodes.append(pool(rng, len(nodes)))
        if rng.random() < 0.3:
            nodes.append(pool(rng, len(nodes)))
    nodes.append({"kind": "global_avg_pool", "inputs": [len(nodes)]})
    if rng.random() < 0.75:
        nodes.append(dense(rng, len(nodes), rng.randint(2, 5)))
    else:
        nodes.append(conv(rng, len(nodes), rng.randint(2, 4), 1))
    return nodes


def residual_graph(rng: Random) -> list[Node]:
    """A stem, residual blocks with identity, convolution or pooled shortcuts, and a dense output layer."""
    channels = rng.randint(1, 3)
    nodes = [same_conv(rng, 0, channels)]
    for _ in range(rng.choice((1, 1, 2))):
        source = len(nodes)
        nodes.append(same_conv(rng, source, channels))
        if rng.random() < 0.3:
            nodes.append(same_conv(rng, len(nodes), channels))
        body = len(nodes)
        if rng.random() < 0.5:
            nodes.append(conv(rng, source, channels, 1))
            nodes.append({"kind": "add", "inputs": [body, body + 1]})
        else:
            nodes.append({"kind": "add", "inputs": [body, source]})
    if rng.random() < 0.4:
        source = len(nodes)
        nodes.append(conv(rng, source, 2, 2, stride=2))
        nodes.append(pool(rng, source))
        if channels == 2:
            nodes.append({"kind": "add", "inputs": [source + 1, source + 2]})
        else:
            nodes.append(conv(rng, source + 2, 2, 1))
            nodes.append({"kind": "add", "inputs": [source + 1, source + 3]})
    nodes.append(dense(rng, len(nodes), rng.randint(2, 4)))
    return nodes


GRAPHS = {"dense": dense_graph, "conv": conv_graph, "pool": pool_graph, "residual": residual_graph}


# ---- numbers -----------------------------------------------------------------------------------


def random_format(rng: Random, name: str, profile: str, *, signed: bool) -> str:
    """A format of the profile's width and range; now and then one with extreme fraction bits."""
    low, high, least, most = WIDTHS[name][profile]
    total = rng.randint(max(low, 2) if signed else low, high)
    fraction = total - signed - rng.randint(least, most)
    if profile == "narrow" and rng.random() < 0.08:
        fraction = rng.choice((-2, -1, 0, total + 3))
    if name in MUST_BE_FRACTIONAL:
        fraction = max(fraction, 0)
    return f"{'s' if signed else 'u'}{total}.{fraction}"


def random_precision(rng: Random, profile: str, *, signed_trace: bool) -> dict[str, Any]:
    """The precision section of one layer."""

    def modes() -> dict[str, str]:
        return {"rounding": rng.choice(ROUNDINGS), "overflow": rng.choice(OVERFLOWS)}

    precision: dict[str, Any] = {}
    for name in ("w", "U", "theta_trace", "leak_trace", "delta"):
        precision[name] = {"format": random_format(rng, name, profile, signed=True), **modes()}
    precision["alpha"] = {"format": random_format(rng, "alpha", profile, signed=False), **modes()}
    signed = signed_trace or rng.random() < 0.2
    precision["w_trace"] = {"format": random_format(rng, "w_trace", profile, signed=signed), **modes()}
    precision["theta"] = {**precision["U"], "rounding": rng.choice(ROUNDINGS)}
    if rng.random() < 0.3:
        text = random_format(rng, "w_use", profile, signed=True)
        precision["w_use"] = {"format": text, "rounding": "floor", "overflow": precision["w"]["overflow"]}
    precision["phi"] = {
        "format": random_format(rng, "phi", profile, signed=rng.random() < 0.1),
        "entries": 2 ** rng.randint(0, 7),
        "range_log2": rng.randint(0, 4),
    }
    for name in ("I", "e_acc", "dW", "dTheta", "dAlpha"):
        own = rng.choice((profile, profile, "usual" if profile == "narrow" else profile))
        sign = "u" if rng.random() < 0.03 else "s"
        total = rng.randint(*WIDTHS[name][own][:2])
        precision[name] = {"format": f"{sign}{total}", "overflow": rng.choice(ACCUMULATOR_OVERFLOWS)}
    fraction = sum(parse_format(precision[name]["format"]).fraction for name in ("delta", "w_trace"))
    precision["v"] = {"format": f"s{rng.randint(*WIDTHS['v'][profile][:2])}.{fraction}", **modes()}
    return precision


def with_extremes(rng: Random, values: list[int], fmt: Format) -> list[int]:
    """Every other time, a third of the values replaced by the format's least and largest."""
    if rng.random() < 0.5:
        return values
    return [rng.choice((fmt.lowest, fmt.highest)) if rng.random() < 1 / 3 else value for value in values]


def raw_near(fmt: Format, value: float) -> int:
    """The raw integer of a value, clipped into the format."""
    return max(fmt.lowest, min(fmt.highest, round(value * 2.0**fmt.fraction)))


def random_parameters(
    rng: Random, node: Node, below: list[int], above: list[int], precision: dict[str, Any]
) -> dict[str, Any]:
    """Initial raw parameters: weights from small to full range, positive thresholds, any leak factor."""
    formats = {name: parse_format(precision[name]["format"]) for name in ("w", "theta", "alpha", "v")}
    synapses = synapses_of(node, below, above)
    fan_in = max(1, *(len(terms) for terms in synapses.by_output))
    spread = rng.choice((1.0, 2.0, 3.0)) / fan_in**0.5
    mask = [int(rng.random() < 0.7) for _ in range(synapses.count)] if rng.random() < 0.25 else None
    if rng.random() < 0.2:
        w = [rng.randint(formats["w"].lowest, formats["w"].highest) for _ in range(synapses.count)]
    elif rng.random() < 0.1:
        w = [formats["w"].lowest] * synapses.count
    else:
        mean = rng.choice((0.0, 0.3, 1.0)) / fan_in**0.5
        w = [raw_near(formats["w"], rng.gauss(mean, spread)) for _ in range(synapses.count)]
    w = with_extremes(rng, w, formats["w"])
    if mask is not None:
        w = [raw * present for raw, present in zip(w, mask, strict=True)]
    thresholds = {"neuron": size_of(above), "channel": above[0], "layer": 1}[node["theta_sharing"]]
    theta = [max(1, raw_near(formats["theta"], rng.choice((0.05, 0.2, 0.5, 0.8)))) for _ in range(thresholds)]
    theta = [max(1, raw) for raw in with_extremes(rng, theta, formats["theta"])]
    highest = formats["alpha"].highest
    alpha = rng.choice((raw_near(formats["alpha"], 0.5), rng.randint(0, highest), rng.choice((0, highest))))
    parameters: dict[str, Any] = {"w": w, "theta": theta, "alpha": min(alpha, formats["alpha"].highest)}
    return parameters | ({"mask": mask} if mask is not None else {})


def random_limit(rng: Random, precision: list[dict[str, Any]], name: str, halvings: int) -> list[int] | None:
    """Raw clip limit of every layer for one real value that all of them can hold, now and then."""
    value = Fraction(rng.choice((1, 3)), 4 << rng.randint(0, 2 * halvings))
    formats = [parse_format(own[name]["format"]) for own in precision]
    raws = [value * Fraction(2) ** fmt.fraction for fmt in formats]
    exact = all(raw.denominator == 1 and fmt.holds(int(raw)) for raw, fmt in zip(raws, formats, strict=True))
    return [int(raw) for raw in raws] if exact and rng.random() < 0.4 else None


def random_inputs(rng: Random, node: Node, samples: int, time_steps: int) -> list[list[list[int]]]:
    """Raw inputs of every sample: one static row each, or one row per time step; some pixels are 0."""
    fmt = parse_format(node["format"])
    density = rng.choice((0.3, 0.6, 1.0, 1.0))
    rows = 1 if rng.random() < 0.4 else time_steps
    extremes = rng.random() < 0.4

    def pixel() -> int:
        if extremes and rng.random() < 0.5:
            return rng.choice((fmt.lowest, fmt.lowest, fmt.highest))
        return rng.randint(fmt.lowest, fmt.highest) if rng.random() < density else 0

    return [[[pixel() for _ in range(size_of(node["shape"]))] for _ in range(rows)] for _ in range(samples)]


def random_training(rng: Random, kind: str) -> dict[str, Any]:
    """Batch, learning rates and the other training options, in allowed combinations only."""
    batch_size = rng.choice((1, 1, 1, 2, 3, 4, 5, 8) if kind == "dense" else (1, 1, 1, 2, 2, 3, 4))
    in_place = batch_size == 1 and rng.random() < 0.3
    epochs = rng.choice((1, 1, 2))
    factored = batch_size == 1 and kind == "dense" and not in_place and rng.random() < 0.3

    def rates() -> list[list[int]]:
        mantissas = (0, 1, *(rng.randint(1, 255) for _ in range(8)))
        shifts = (rng.randint(0, 6), rng.randint(4, 12))
        return [[rng.choice(mantissas), rng.choice(shifts)] for _ in range(epochs)]

    return {
        "batch_size": batch_size,
        "division": "shift" if is_power_of_two(batch_size) and rng.random() < 0.7 else "folded",
        "in_place": in_place,
        "accumulation": "factored" if factored else "default",
        "momentum": rng.choice((0, rng.randint(1, 255))) if not in_place else 0,
        "learning_rates": {"w": rates(), "theta": rates(), "alpha": rates()},
        "updates_per_epoch": rng.choice((1, 2)) if epochs > 1 else None,
        "theta_min": None,
        "alpha_max": None,
    }
