"""A network trained in SpikingJelly, quantized, fine-tuned, on a chip."""

# %% [markdown]
# # A network trained in SpikingJelly, on chip
#
# 784-32-10, trained with backpropagation through time in SpikingJelly 2.0 (`spikingjelly_784_32_10.npz`: two arrays of
# weights, made by `train_in_spikingjelly.py`; neither PyTorch nor SpikingJelly is needed here). It comes in, is quantized to
# few bits, and is trained further in fixed point by STOP.
#
# SpikingJelly's `LIFNode(tau=2, decay_input=False, v_reset=None)` is nmsim's neuron with leak factor `1 - 1/tau` and a reset
# by subtraction: `U = (1 - 1/tau) (U - theta s) + I`.

# %%
import tempfile
from pathlib import Path

import yaml

import nmsim
from nmsim.fixedpoint.format import QFormat
from nmsim.network.precision import LayerPrecision, TensorPrecision
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.import_network import ImportPlan, import_network
from nmsim.pipeline.start import started_from, trained_parameters
from nmsim.pipeline.train import train
from nmsim.stop.spec import LearningRates

HERE = Path(__file__).parent if "__file__" in globals() else Path("docs/gallery")
folder = Path(tempfile.mkdtemp())
network = {
    "name": "784-32-10",
    "input_shape": [1, 28, 28],
    "time_steps": 6,
    "neuron": {"threshold": 1.0, "leak_factor": 0.5},
    "layers": [{"kind": "dense", "units": 32}, {"kind": "dense", "units": 10}],
}
(folder / "net.yaml").write_text(yaml.safe_dump({"network": network}))

# %% [markdown]
# ## Quantize
#
# What 16, 3 and 2 bits lose, on the 1,000 held-out images that come with nmsim.

# %%
accuracy = {}
for bits in (16, 3, 2):
    plan = ImportPlan("mnist-subset", network=folder / "net.yaml", bits=bits)
    found = import_network(HERE / "spikingjelly_784_32_10.npz", folder / f"bits{bits}", plan)
    accuracy[bits] = found.fixed_accuracy
    print(
        f"{bits} bits: {found.real_accuracy:.1%} in real numbers, {found.fixed_accuracy:.1%} in fixed point"
    )

# %% [markdown]
# ## Fine-tune on chip
#
# Four epochs of STOP-WTL in fixed point. The weights that are used keep their 2 bits; the chip stores 16, and floors them to
# what is used, so the stored ones start half a used LSB above.

# %%
quantized = RunFolder(folder / "bits2").workload()
layers, parameters = {}, trained_parameters(RunFolder(folder / "bits16"))
for index in range(2):
    used = quantized.precision.resolve(index).weight.format
    stored = QFormat(signed=True, total_bits=16, fraction_bits=used.fraction_bits + 14)
    membrane = quantized.precision.resolve(index).membrane.format
    layers[index] = LayerPrecision(
        weight=TensorPrecision(format=stored), weight_used=used, membrane=TensorPrecision(format=membrane)
    )
    parameters.weights[index] = parameters.weights[index] + used.lsb / 2
training = nmsim.TrainingSpec(
    rule="stop-wtl", epochs=4, batch_size=32, learning_rates=LearningRates(weight=0.1)
)
changed = {"training": training, "precision": nmsim.Precision(layers=layers)}
workload = started_from(quantized.model_copy(update=changed), parameters)
history = train(workload, folder / "tuned", start=parameters)
accuracy["2, fine-tuned"] = history.rows[-1].test_accuracy
print(f"2 bits, fine-tuned: {accuracy['2, fine-tuned']:.1%}")
assert accuracy["2, fine-tuned"] > accuracy[2]

# %% [markdown]
# ## What it costs on a chip

# %%
run = nmsim.load(folder / "tuned")
print(nmsim.evaluate(nmsim.deploy(run, "edge-28nm", "inference"), run))
