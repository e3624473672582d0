"""Several spikes per neuron and step: each is a packet and is served by every synapse, as brute force counts them."""

from pathlib import Path

import numpy as np
import pytest

from nmsim.activity import Activity
from nmsim.counts import Action
from nmsim.errors import DataError
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.imported import import_activity
from nmsim.pipeline.simulate import read_chip, simulate
from nmsim.rasters import SpikeList, read_rasters

TEXT = """
network:
  input_shape: [2, 7, 7]
  time_steps: 3
  layers:
    - {kind: conv, channels: 3, kernel: 3, stride: 2, padding: 1}
    - {kind: dense, units: 5}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "net.yaml").write_text(TEXT)
    random = np.random.default_rng(5)
    sizes = {"input": (2, 3, 98), "layer0": (2, 3, 48), "layer1": (2, 3, 5)}
    arrays = {
        name: random.poisson(1.0, shape) * (random.random(shape) < 0.4) for name, shape in sizes.items()
    }
    arrays["input"][0, 1, 24] = 34
    arrays["layer0"][1, 2, 47] = 34
    np.savez(tmp_path / "spikes.npz", spike_bits=6, **arrays)
    return tmp_path


def brute_force(network: NetworkSpec, arrays: dict[str, np.ndarray]) -> list[int]:
    """Synaptic operations per sample, spike by spike and synapse by synapse."""
    conv = network.synaptic_layers[0]
    found = []
    for sample in range(2):
        total = 0
        for step in range(3):
            spikes = arrays["input"][sample, step].reshape(2, 7, 7)
            for _, y, x in np.ndindex(*conv.out_shape):
                for channel, row, column in np.ndindex(2, 3, 3):
                    at = y * 2 + row - 1, x * 2 + column - 1
                    if 0 <= at[0] < 7 and 0 <= at[1] < 7:
                        total += int(spikes[channel, at[0], at[1]])
            total += 5 * int(arrays["layer0"][sample, step].sum())
        found.append(total)
    return found


@pytest.mark.parametrize("chip", ["loihi-board", "edge-28nm"])
def test_synaptic_operations_of_counts_are_those_of_brute_force(files: Path, chip: str) -> None:
    import_activity(files / "spikes.npz", files / "net.yaml", files / "run")
    (evaluation,) = simulate(files / "run", [read_chip(chip)])
    counts = evaluation.perf.counts.select(component="event", action=str(Action.SYNAPTIC_OP))
    with np.load(files / "spikes.npz") as arrays:
        from nmsim.pipeline.imported import read_network

        expected = brute_force(read_network(files / "net.yaml").network, dict(arrays))
        fired = [int(arrays["layer0"][s].sum() + arrays["layer1"][s].sum()) for s in range(2)]
    assert counts.counts.sum(axis=0).tolist() == expected
    sent = evaluation.perf.counts.select(component="event", action=str(Action.SPIKE_OUT))
    assert sent.counts.sum(axis=0).tolist() == fired
    assert evaluation.audit_passed


def test_counts_survive_being_saved(files: Path) -> None:
    made = import_activity(files / "spikes.npz", files / "net.yaml", files / "run")
    back = Activity.load(files / "run" / "activity.npz")
    assert back.content_hash == made.content_hash
    assert int(back.layers[0].counts["input_counts"].max()) == 34


def test_a_count_that_its_width_does_not_hold_is_refused(files: Path) -> None:
    with np.load(files / "spikes.npz") as arrays:
        np.savez(files / "narrow.npz", **{**arrays, "spike_bits": 5})
    with pytest.raises(
        DataError, match="holds 34 at sample 0, time step 1, neuron 24, but counts are whole numbers of"
    ):
        import_activity(files / "narrow.npz", files / "net.yaml", files / "run")


NETWORK = NetworkSpec.model_validate(
    {"input_shape": [4], "time_steps": 3, "layers": [{"kind": "dense", "units": 2}]}
)


def test_columns_of_other_names_that_count_steps_from_one(tmp_path: Path) -> None:
    (tmp_path / "spikes.csv").write_text("i,t,group,extra\n3,1,input,x\n1,3,layer0,y\n")
    how = SpikeList({"neuron": "i", "time_step": "t", "layer": "group"}, first_step=1)
    found = read_rasters(tmp_path / "spikes.csv", NETWORK, how)
    assert np.argwhere(found.inputs).tolist() == [[0, 0, 3]]
    assert np.argwhere(found.spikes[0]).tolist() == [[0, 2, 1]]
    (tmp_path / "spikes.csv").write_text("i,t,group\n3,0,input\n1,3,layer0\n")
    with pytest.raises(DataError, match=r"time_step 0 is out of range 1\.\.3; count from 1"):
        read_rasters(tmp_path / "spikes.csv", NETWORK, how)


def test_a_folder_of_one_list_of_times_per_layer_as_brian2_records_them(tmp_path: Path) -> None:
    (tmp_path / "input.csv").write_text("i,t\n3,0.0\n3,0.001\n3,0.00102\n")
    (tmp_path / "layer0.csv").write_text("i,t\n1,0.002\n")
    how = SpikeList({"neuron": "i", "time_step": "t"}, dt_s=1e-3, spike_bits=2)
    found = read_rasters(tmp_path, NETWORK, how)
    assert found.inputs[0, :, 3].tolist() == [1, 2, 0]
    assert found.spikes[0][0, :, 1].tolist() == [0, 0, 1]


def test_neurons_written_with_their_group_and_a_column_of_counts(tmp_path: Path) -> None:
    (tmp_path / "spikes.csv").write_text("neuron,time_step,count\ninput.3,0,34\nlayer0.1,2,1\n")
    found = read_rasters(tmp_path / "spikes.csv", NETWORK, SpikeList(spike_bits=6))
    assert found.inputs[0, 0, 3] == 34
    assert found.spikes[0][0, 2, 1] == 1
