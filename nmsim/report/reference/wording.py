"""What the pages and files of the reference say in words."""

from dataclasses import replace

from nmsim.network.memory_table import NetworkMemory
from nmsim.report.reference.result import DatasetResult, Reference
from nmsim.report.tables import Cell
from nmsim.report.words import how_many

INDEX = "index.html"
FOOTER = (
    "Made by nmsim. Spikes, densities and accuracies are measured in bit-accurate runs; energies, times and areas are"
    " modelled; nothing on this page is a published figure of somebody else."
)


def byline(reference: Reference) -> str:
    """Version, plan and seed."""
    version = reference.versions.get("nmsim", "")
    return f"nmsim {version} · plan {reference.name} {reference.plan_hash} · seed {reference.seed}"


def renamed_memory(dataset: DatasetResult) -> list[NetworkMemory]:
    """The memory of every case, under the case's name."""
    return [replace(entry, rule=case) for case, entry in dataset.memory.items()]


def accuracy(dataset: DatasetResult) -> str:
    """What the preparation measured, and how little it means."""
    last = dataset.history.rows[-1]
    if last.test_accuracy is None:
        return last.accuracy_text
    return (
        f"{last.accuracy_text}, after {dataset.prepared_samples:,} training samples{dataset.diagnosis.mark}"
    )


def mean_spike_rates(dataset: DatasetResult) -> str:
    """Spike rate of every layer in one line."""
    return ", ".join(f"{layer.density('spikes'):.1%}" for layer in dataset.profile.layers)


def run_facts(dataset: DatasetResult) -> tuple[tuple[Cell, ...], ...]:
    """Two columns: what was run, how."""
    workload, prepared, network = dataset.workload, dataset.prepared, dataset.workload.network
    layers, data = network.synaptic_layers, dataset.provenance["dataset"]
    training, short = workload.training, prepared.training
    profile = dataset.profile
    split = profile.meta.get("split", "")
    counts = f"{sum(x.neurons for x in layers):,} neurons, {sum(x.weights for x in layers):,} weights"
    macs = f"{sum(x.dense_macs for x in layers):,} MACs per time step if dense"
    last = dataset.history.rows[-1]
    prepared_with = f"{short.rule}, {short.arithmetic} point, batch {short.batch_size}"
    figures_for = (
        f"batch {training.batch_size}, momentum {training.momentum:g}, {how_many(training.epochs, 'epoch')}"
    )
    encoding = dataset.provenance["encoding"]
    return (
        ("Workload", f"{workload.name}: {workload.description}"),
        (
            "Network",
            f"{network.name}, {len(layers)} synaptic layers, {counts}, {macs}, T = {network.time_steps}",
        ),
        ("Input", f"{encoding['kind']}, {encoding['format']}"),
        ("Samples", f"{data['source']} ({data['name']}, {data['file_format']}), SHA-256 {data['sha256']}"),
        (
            "Preparation before the profile",
            f"{how_many(len(dataset.history.rows), 'epoch')} of {last.train_samples:,} real samples, {prepared_with}",
        ),
        ("Accuracy after it", accuracy(dataset)),
        ("Profile", f"{profile.samples} samples of the {split} part, replayed on every chip"),
        ("Spike rates by layer", mean_spike_rates(dataset)),
        ("Figures are for", f"{figures_for}; the cost of an update is shared by its batch"),
    )
