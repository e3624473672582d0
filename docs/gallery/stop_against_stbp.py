"""STOP against STBP on one chip: ratios with paired intervals, and the price's own band kept apart."""

# %% [markdown]
# # STOP against STBP, with intervals
#
# Two learning rules on one chip, on the same samples. A figure of a few profiled samples has an interval, and prices
# have a band; a ratio of two rules has far less of both. Samples differ from each other in the same way under both rules, so
# the interval is that of pairs, and most of a price's error is common to both.

# %%
import tempfile
from pathlib import Path

import nmsim
from nmsim.network.memory import TrainingNeeds
from nmsim.network.memory_table import network_memory
from nmsim.report.ratio import energy_ratio, interval_text, latency_ratio

folder = Path(tempfile.mkdtemp())
workload = nmsim.read_workload("mnist-dense", "training.epochs=1", "profile.samples=12")
run = nmsim.train(workload, folder / "run", progress=False)
print(f"held-out accuracy after one epoch of STOP-WTL: {run.history.rows[-1].test_accuracy:.1%}")

# %% [markdown]
# Both rules replay 12 training samples: STOP with its traces, STBP with its history and the deltas that it would have had,
# recorded at the same parameters.

# %%
evaluations = {}
for rule in ("stop-wtl", "stop-w", "stbp"):
    evaluations[rule] = nmsim.evaluate(nmsim.deploy(run, "edge-28nm", rule), run)
print(nmsim.compare(*evaluations.values()))

# %% [markdown]
# The two intervals of the energies overlap or not: that says nothing. The interval of the ratio does.

# %%
stbp = evaluations["stbp"]
for rule in ("stop-wtl", "stop-w"):
    energy, latency = energy_ratio(stbp, evaluations[rule]), latency_ratio(stbp, evaluations[rule])
    print(
        f"STBP over {rule}: energy {energy.mean:.3f}, 95 % of samples {interval_text(energy)},"
        f" prices {energy.band_low:.2f} to {energy.band_high:.2f}; latency {latency.mean:.3f}, {interval_text(latency)}"
    )
    apart = [evaluations[name].energy_j for name in (rule, "stbp")]
    widths = [(item.ci_high - item.ci_low) / item.mean for item in apart]
    assert energy.ci_high - energy.ci_low < energy.mean * sum(widths)

# %% [markdown]
# And the memory that each has to find on the chip: STBP's grows with T, STOP's does not.

# %%
for steps in (2, 6, 24):
    network = run.workload.network.model_copy(update={"time_steps": steps})
    held = {
        rule: network_memory(network, run.workload.precision, TrainingNeeds.for_rule(rule)).bits("state_only")
        for rule in ("stop-wtl", "stbp")
    }
    print(f"T = {steps:2}: STBP keeps {held['stbp'] / held['stop-wtl']:.2f} times the state of STOP-WTL")
