# %% [markdown]
# # First steps in Python
#
# Own arrays in, STOP against STBP out, then a sweep of a small design space with its front. Every cell is run as a test.

# %%
import tempfile
from pathlib import Path

import numpy as np

import nmsim

# %% [markdown]
# ## Own arrays
#
# Two classes of 8 x 8 images: a bright left half and a bright right half, with noise. Samples are `uint8`.

# %%
rng = np.random.default_rng(1)


def halves(count):
    labels = rng.integers(0, 2, count)
    images = rng.integers(0, 60, (count, 8, 8))
    images[labels == 0, :, :4] += 150
    images[labels == 1, :, 4:] += 150
    return images.astype(np.uint8), labels


data = nmsim.from_arrays(*halves(320), *halves(80), class_names=("left", "right"))

# %% [markdown]
# A network is a record; layers need no more than their sizes. A mistake is one sentence, the same as in a YAML file.

# %%
network = nmsim.NetworkSpec(
    name="halves", time_steps=8, input_shape=(1, 8, 8), layers=(nmsim.Dense(units=24), nmsim.Dense(units=2))
)
try:
    nmsim.Dense(unit=24)
except nmsim.NmsimError as error:
    print(error)

# %% [markdown]
# ## Train
#
# In 16-bit fixed point, bit for bit the same on every machine. The result is a value; `run.save(folder)` keeps it.

# %%
workload = nmsim.WorkloadSpec(
    name="halves",
    dataset="own",
    encoding="direct",
    network=network,
    training=nmsim.TrainingSpec(rule="stop-wtl", epochs=3, batch_size=16),
)
run = nmsim.train(workload, data=data, seed=1)
run

# %%
run.plot()

# %% [markdown]
# ## STOP against STBP
#
# The same network and the same parameters on the same chip, once under STOP, which keeps traces, and once under STBP, which
# keeps the history of a sample.

# %%
found = [
    nmsim.evaluate(nmsim.deploy(run, "edge-28nm", rule), run) for rule in ("stop-wtl", "stbp", "inference")
]
comparison = nmsim.compare(*found)
comparison

# %%
print(
    f"STBP needs {comparison.ratio('energy_per_sample_j'):.2f} times the energy of STOP per training sample"
)
comparison.plot()

# %% [markdown]
# One evaluation in full: figures with the band of their prices and the interval over samples, and where the energy goes.

# %%
found[0]

# %% [markdown]
# ## Does it fit?
#
# `deploy` answers with a report if it does not.

# %%
large = nmsim.NetworkSpec(
    name="large",
    time_steps=8,
    input_shape=(1, 8, 8),
    layers=(nmsim.Dense(units=200_000), nmsim.Dense(units=2)),
)
answer = nmsim.deploy(workload.model_copy(update={"network": large}), "odin-like-28nm", "inference")
print(type(answer).__name__)
print(answer.text().splitlines()[0])

# %% [markdown]
# ## A sweep and its front
#
# A shipped space, a few designs of it, on the activity of this run: energy, latency and area against each other.

# %%
folder = Path(tempfile.mkdtemp())
run = nmsim.load(run.save(folder / "run"))
study = nmsim.sweep(
    "mnist-edge",
    folder / "study",
    method="sobol",
    designs=8,
    settings=("base.workload=mnist-dense", "base.rule=inference"),
    options=nmsim.StudyOptions(folder, run=run.folder, reports=0),
)
study

# %%
study.plot()

# %%
study.to_frame().nsmallest(3, "energy_per_sample_j")[["design", "energy_per_sample_j", "area_mm2"]]
