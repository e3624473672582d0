"""From a question to a chip: which clock and supply for a sample every 20 ms?"""

# %% [markdown]
# # From question to chip
#
# A sensor gives a sample every 20 ms, and the chip learns from each. Which clock and which supply take the least energy and
# are still in time?

# %%
import tempfile
from pathlib import Path

import yaml

import nmsim
from nmsim.config import parse_text

folder = Path(tempfile.mkdtemp())
workload = nmsim.read_workload("mnist-dense", "training.epochs=1", "profile.samples=2")
run = nmsim.train(workload, folder / "run", progress=False)

# %% [markdown]
# The question as a design space: six designs around a shipped chip. A design that is too fast for its supply is a result
# too, with its reason. `arrival_hz` says how often samples come, so that the energy of a sample holds what the chip draws
# until the next one.

# %%
space = {
    "name": "sensor",
    "base": {
        "chip": "edge-28nm",
        "workload": "mnist-dense",
        "values": {"chip.real_time": {"arrival_hz": 50}},
    },
    "axes": [
        {
            "name": "clock_hz",
            "key": "chip.clock_hz",
            "kind": "categorical",
            "values": [5e6, 100e6, 400e6],
        },
        {"name": "voltage_v", "key": "chip.voltage_v", "kind": "categorical", "values": [0.55, 0.9]},
    ],
    "objectives": ["energy_per_sample_j", "latency_per_sample_s"],
}
options = nmsim.StudyOptions(folder / "study", run=folder / "run")
study = nmsim.sweep(parse_text(yaml.safe_dump(space), "sensor.yaml"), folder / "study", options=options)
print(study)

# %% [markdown]
# In time are those below 20 ms; the cheapest of them is the answer. It is not the fastest: nearly all of the energy flows
# while the chip waits, so a low supply and a slow clock win until the deadline or the supply's own limit stops them.

# %%
done = [item for item in study.results if str(item.status) == "ok"]
in_time = [item for item in done if item.metrics["latency_per_sample_s"] < 20e-3]
best = min(in_time, key=lambda item: item.metrics["energy_per_sample_j"])
clock_hz, voltage_v = best.values
print(f"{len(study.results)} designs, {len(done)} possible, {len(in_time)} in time")
print(f"best: {clock_hz:g} Hz, {voltage_v} V")
assert 0 < len(done) < len(study.results)

# %% [markdown]
# What the chip spends while it works, while it waits, and if it slept in between: the next question, for the power domain.

# %%
settings = [f"clock_hz={clock_hz}", f"voltage_v={voltage_v}"]
rates = {"working only": [], "waiting": ["real_time={arrival_hz: 50}"]}
rates["asleep"] = ["real_time={arrival_hz: 50, between_samples: power_gated}"]
energy_j = {}
for what, more in rates.items():
    chip = nmsim.read_chip("edge-28nm", settings + more)
    energy_j[what] = nmsim.evaluate(nmsim.deploy(run, chip), run).energy_j.mean
    print(f"{what}: {energy_j[what] * 1e6:.3g} uJ a sample")
assert energy_j["working only"] < energy_j["asleep"] < energy_j["waiting"]

# %% [markdown]
# The event-driven model checks the estimate: every stage, packet and stall.

# %%
job = nmsim.deploy(run, nmsim.read_chip("edge-28nm", settings))
estimate, simulated = nmsim.evaluate(job, run), nmsim.evaluate(job, run, model="event")
off = simulated.latency_s.mean / estimate.latency_s.mean - 1
print(f"event-driven: {off:+.1%} in latency; audits {estimate.audit_passed and simulated.audit_passed}")
assert abs(off) < 0.15
