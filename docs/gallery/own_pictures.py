"""Own pictures, from a folder to the report."""

# %% [markdown]
# # Own pictures, from a folder to the report
#
# Twelve classes of 20 x 20 pictures, one folder per class. The pictures are synthetic: glyphs with noise.

# %%
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import nmsim

folder = Path(tempfile.mkdtemp())
random = np.random.default_rng(1)
for label in range(12):
    (folder / "pictures" / f"glyph{label}").mkdir(parents=True)
    glyph = random.integers(0, 2, (5, 5)).repeat(4, 0).repeat(4, 1) * 200
    for number in range(12):
        noisy = np.clip(glyph + random.normal(0, 30, (20, 20)), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / "pictures" / f"glyph{label}" / f"{number}.png")

# %% [markdown]
# A workload says what the pictures are and which network learns them. A fifth of every class is held out.

# %%
workload = nmsim.WorkloadSpec(
    name="glyphs",
    dataset={"name": "own", "kind": "image", "path": str(folder / "pictures"), "classes": 12},
    encoding="direct",
    network=nmsim.NetworkSpec(
        input_shape=(1, 20, 20), time_steps=4, layers=(nmsim.Dense(units=32), nmsim.Dense(units=12))
    ),
    training=nmsim.TrainingSpec(rule="stop-wtl", epochs=8, batch_size=8),
)
run = nmsim.train(workload, folder / "run", progress=False)
accuracy = run.history.rows[-1].test_accuracy
print(f"held-out accuracy {accuracy:.1%}")
assert accuracy > 0.5

# %% [markdown]
# On a chip, under the rule that was trained and in inference; then the report with all its tables.

# %%
nmsim.simulate(folder / "run", [nmsim.read_chip("edge-28nm")], rules=["stop-wtl", "inference"])
written = nmsim.report(folder / "run")
names = {path.name for path in written}
assert {"report.html", "operations.csv", "neurobench.csv"} <= names
print((folder / "run" / "neurobench.csv").read_text())
