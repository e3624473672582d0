"""Chapters on the workload: what was learned, from which data, how well, and how active the network is."""

from nmsim.diagnosis import overflow_lines
from nmsim.network.precision import TENSORS
from nmsim.report.export import training_table
from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.picture import Picture
from nmsim.report.plots.density import SHOWN, densities
from nmsim.report.result import RunResult
from nmsim.report.sections.section import Evidence, Section, badge, bullets
from nmsim.report.tables import Cell, Column, Table


def workload(result: RunResult) -> Section:
    """Network, data set, rule and formats."""
    spec, training = result.workload, result.workload.training
    table = Table("workload", (Column("setting", "Setting"), Column("value", "Value")), _settings(result))
    formats = _formats(result) if training.arithmetic == "fixed" and not spec.recorded else Markup()
    intro = tag("p", spec.description or f"The workload is {spec.name}.")
    body = join([intro, table.html("Settings of this run"), _layers(result).html("Synaptic layers"), formats])
    return Section("workload", "Workload and data", body)


def training(result: RunResult, picture: Picture) -> Section:
    """Accuracy and loss by epoch, and overflows."""
    last = result.history.rows[-1]
    intro = tag(
        "p",
        f"Accuracy after the last epoch: {last.accuracy_text}. ",
        badge(Evidence.MEASURED),
        " Wall time is that of the computer that ran the training, not of the chip.",
    )
    table = training_table(result)
    parts = [intro, figure(picture), _folded("Every epoch", table.html("Metrics by epoch"))]
    if result.workload.training.arithmetic == "fixed":
        parts += [tag("h3", "Overflows"), _overflows(result)]
    return Section("training", "Training", join(parts))


def activity(result: RunResult, density: Picture, raster: Picture) -> Section:
    """Sparsity of the profile, and the raster."""
    profile = result.activity
    where = profile.meta.get("split")
    what = (
        f"A profile of {profile.samples} samples{f' of the {where} split' if where else ''} was recorded with the parameters"
        f" at the end of training, under rule {profile.rule}."
    )
    if result.workload.recorded:
        plural = "s" if profile.samples != 1 else ""
        source = f"{profile.samples} sample{plural} came from {profile.meta.get('file')}"
        what = f"{source}, with spikes only: no traces, no deltas."
    text = f"{what} The chip models replay it; they never change which neuron spikes. "
    table = _folded("Fractions by layer", _densities(result).html("Non-zero fractions per time step"))
    body = join([tag("p", text, badge(Evidence.MEASURED)), figure(density), table, figure(raster)])
    return Section("activity", "Activity of the network", body)


def _settings(result: RunResult) -> tuple[tuple[Cell, ...], ...]:
    spec, training, neuron = result.workload, result.workload.training, result.workload.network.neuron
    start = f"leak factor {neuron.leak_factor:g}, threshold {neuron.threshold:g}; surrogate {neuron.surrogate.value}"
    base = training.learning_rates
    rates = f"weights {base.weight:g}, thresholds {base.threshold:g}, leak factors {base.leak:g}"
    shape = (("Network", _network_text(result)), ("Time steps per sample T", spec.network.time_steps))
    data = ("Data set", _data_text(spec.dataset.name, result.provenance.get("dataset", {})))
    if spec.recorded:
        return (*shape, data)
    return (
        *shape,
        ("Neuron at the start", start),
        data,
        ("Encoding", spec.encoding.kind),
        ("Learning rule", training.rule.name),
        (
            "Arithmetic",
            "fixed point, bit-accurate" if training.arithmetic == "fixed" else training.arithmetic,
        ),
        ("Loss", training.loss.replace("_", " ")),
        ("Batch size", training.batch_size),
        ("Epochs", training.epochs),
        ("Learning rates", f"{rates}; schedule {training.schedule.kind}; momentum {training.momentum:g}"),
        ("Gradient centralization", "yes" if training.gradient_centralization else "no"),
    )


def _densities(result: RunResult) -> Table:
    found = densities(result.activity)
    columns = [Column("layer", "Layer")] + [
        Column(name, SHOWN[name].capitalize(), "fraction") for name in found
    ]
    rows = zip(result.layers, *found.values(), strict=True)
    return Table("densities", tuple(columns), tuple(rows))


def _network_text(result: RunResult) -> str:
    network = result.workload.network
    layers = network.synaptic_layers
    neurons, weights = sum(x.neurons for x in layers), sum(x.weights for x in layers)
    return f"{len(layers)} synaptic layers, {neurons:,} neurons, {weights:,} weights"


def _data_text(name: str, data: dict[str, object]) -> str:
    parts = [name]
    if "train_samples" in data:
        parts.append(f"{data['train_samples']:,} samples to train, {data['test_samples']:,} held out")
    if "source" in data:
        parts.append(f"from {data['source']}")
    if "split" in data:
        parts.append(str(data["split"]))
    return "; ".join(parts)


def _layers(result: RunResult) -> Table:
    columns = (
        Column("layer", "Layer"), Column("inputs", "Inputs"), Column("neurons", "Neurons"), Column("weights", "Weights"),
        Column("macs", "Synaptic operations per step if dense"),
    )  # fmt: skip
    layers = zip(result.layers, result.workload.network.synaptic_layers, strict=True)
    return Table(
        "layers", columns, tuple((n, x.inputs, x.neurons, x.weights, x.dense_macs) for n, x in layers)
    )


def _formats(result: RunResult) -> Markup:
    names = [name for name in TENSORS if name != "constant_trace"]
    sums = ["current", "error", "weight_gradient", "threshold_gradient", "leak_gradient"]
    if any(layer.bias for layer in result.workload.network.synaptic_layers):
        names, sums = [*names, "constant_trace"], [*sums, "bias_gradient"]
    rows = []
    for name in names + sums:
        found = [
            getattr(result.workload.precision.resolve(x.index), name)
            for x in result.workload.network.synaptic_layers
        ]
        texts = list(dict.fromkeys(str(item.format) for item in found))
        rounding = sorted({item.rounding.value for item in found}) if name in names else ["exact sum"]
        overflow = sorted({item.overflow.value for item in found})
        rows.append((name.replace("_", " "), ", ".join(texts), ", ".join(rounding), ", ".join(overflow)))
    columns = (
        Column("tensor", "Tensor"),
        Column("format", "Format"),
        Column("r", "Rounding"),
        Column("o", "Overflow"),
    )
    note = tag(
        "p",
        "A format sT.F is signed with T bits in total, F of them behind the point; u is unsigned; an accumulator's F"
        " follows from its operands.",
    )
    return _folded(
        "Number formats",
        join([note, Table("formats", columns, tuple(rows)).html("Formats, rounding, overflow")]),
    )


def _overflows(result: RunResult) -> Markup:
    lines = overflow_lines(result.history.overflow_counts, result.diagnosis.saturated_shares)
    if not lines:
        return tag(
            "p", "No value overflowed its format during the whole training. ", badge(Evidence.MEASURED)
        )
    text = "Values that did not fit their format, summed over the whole training; they saturated or wrapped as configured. "
    return join([tag("p", text, badge(Evidence.MEASURED)), bullets(lines)])


def _folded(title: str, content: Markup) -> Markup:
    return tag("details", tag("summary", title), content)
