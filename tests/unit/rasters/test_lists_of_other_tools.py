"""Lists as Brian2 and SANA-FE write them: the options that name columns, layers and steps, and what is said of mistakes."""

from pathlib import Path

import numpy as np
import pytest

from nmsim.cli.recorded import _layers, _names
from nmsim.errors import ConfigError, DataError
from nmsim.network.spec import NetworkSpec
from nmsim.pipeline.imported import import_activity
from nmsim.pipeline.report import diagnose_run
from nmsim.rasters import SpikeList, aligned, read_rasters

BRIAN_YAML = """
network:
  input_shape: [3]
  time_steps: 5
  layers:
    - {kind: dense, units: 2}
    - {kind: dense, units: 2}
"""
BRIAN = NetworkSpec.model_validate(
    {
        "input_shape": [3],
        "time_steps": 5,
        "layers": [{"kind": "dense", "units": 2}, {"kind": "dense", "units": 2}],
    }
)
FILES = {"poisson": "i,t\n0,0.001\n2,0.001\n", "hidden": "i,t\n1,0.002\n", "out": "i,t\n0,0.003\n"}
"""What Brian2 2.9 records of a spike that goes through: its synapses act behind the thresholds of a step."""
GROUPS = {"input": "poisson", "layer0": "hidden", "layer1": "out"}
COLUMNS = {"time_step": "t", "neuron": "i"}
SANAFE = "neuron,timestep\nstim.1,2\nhid.0,3\nhid.1,5\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "spikes"
    path.mkdir()
    for name, text in FILES.items():
        (path / f"{name}.csv").write_text(text)
    return path


def test_a_folder_of_brian2_with_its_own_names(folder: Path) -> None:
    (folder / "voltages.csv").write_text("left alone")
    found = read_rasters(folder, BRIAN, SpikeList(COLUMNS, dt_s=0.001, layers=GROUPS))
    assert np.argwhere(found.inputs).tolist() == [[0, 1, 0], [0, 1, 2]]
    assert np.argwhere(found.spikes[0]).tolist() == [[0, 2, 1]]
    assert np.argwhere(found.spikes[1]).tolist() == [[0, 3, 0]]
    together = aligned(found, BRIAN, (1, 1))
    assert [np.argwhere(raster)[:, 1].tolist() for raster in (together.inputs, *together.spikes)] == [
        [1, 1], [1], [1],
    ]  # fmt: skip


def test_one_list_with_a_column_of_groups_and_an_index_in_milliseconds(tmp_path: Path) -> None:
    lines = [",i,t,group", "0,0,1.0,poisson", "1,1,2.0,hidden", "2,0,3.0,out"]
    path = tmp_path / "all.csv"
    path.write_bytes(("\ufeff" + "\r\n".join(lines)).encode())  # as a table program saves it
    found = read_rasters(path, BRIAN, SpikeList({**COLUMNS, "layer": "group"}, dt_s=1.0, layers=GROUPS))
    assert [int(raster.sum()) for raster in (found.inputs, *found.spikes)] == [1, 1, 1]


def test_a_list_of_sanafe_counts_its_steps_from_1(tmp_path: Path) -> None:
    path = tmp_path / "spikes.csv"
    path.write_text(SANAFE)
    how = SpikeList(TIMESTEP, 1, layers={**OTHERS, "input": ""})
    found = read_rasters(path, BRIAN, how)
    assert not found.inputs.any()
    assert np.argwhere(found.spikes[0]).tolist() == [[0, 1, 1]]
    assert np.argwhere(found.spikes[1]).tolist() == [[0, 2, 0], [0, 4, 1]]


OTHERS = {"layer0": "stim", "layer1": "hid"}
TIMESTEP = {"time_step": "timestep"}


@pytest.mark.parametrize(
    ("how", "sentences"),
    [
        (
            SpikeList(TIMESTEP),
            [
                "spikes.csv:2: layer 'stim' is unknown for this network; use input, layer0, layer1, or name yours with",
                " --layers layer0=stim",
            ],
        ),
        (
            SpikeList(),
            [
                "spikes.csv:1: the columns are 'neuron,timestep', but must be 'sample,time_step,layer,neuron' ",
                "or state yours with --columns time_step=THEIRS",
            ],
        ),
        (
            SpikeList({"time_step": "step"}),
            [
                "spikes.csv:1: the columns are 'neuron,timestep', and --columns names 'step' for time_step; name a"
            ],
        ),
        (
            SpikeList(TIMESTEP, layers=OTHERS),
            [
                "spikes.csv:4: time_step 5 is one above 0..4; if the list counts from 1, give --first-step 1, ",
                "otherwise set network.time_steps to those of the recording",
            ],
        ),
        (
            SpikeList(TIMESTEP, 1, layers=OTHERS),
            ["spikes.csv: 'input' has no line, of input, layer0, layer1; ", "silent with --layers input="],
        ),
        (
            SpikeList(TIMESTEP, 1, layers={"conv": "stim"}),
            ["layers: this network has no 'conv'; name one of input, layer0, layer1"],
        ),
    ],
)
def test_one_sentence_for_a_list_of_sanafe(tmp_path: Path, how: SpikeList, sentences: list[str]) -> None:
    path = tmp_path / "spikes.csv"
    path.write_text(SANAFE)
    with pytest.raises(DataError) as stopped:
        read_rasters(path, BRIAN, how)
    assert all(sentence in str(stopped.value) for sentence in sentences)


def test_one_sentence_for_a_folder_of_brian2(folder: Path) -> None:
    cases = {
        "'input' has no file 'input.csv', of input, layer0, layer1; list its spikes, name the file's layer with --layers": (
            SpikeList(COLUMNS, dt_s=0.001)
        ),
        "time_step '0.001' is not a whole number; if it is a time, give the duration of a step with --dt": SpikeList(
            COLUMNS, layers=GROUPS
        ),
        "time 0.001 is step 10 of --dt 0.0001, out of range 0..4; give the duration of a step in the unit of the times": (
            SpikeList(COLUMNS, dt_s=0.0001, layers=GROUPS)
        ),
    }
    for sentence, how in cases.items():
        with pytest.raises(DataError) as stopped:
            read_rasters(folder, BRIAN, how)
        assert sentence in str(stopped.value)
    (folder / "hidden.csv").write_text("i,t\n1,0.002\n1,0.0021\n")
    with pytest.raises(DataError, match=r"is listed twice, but a raster is binary; .* or a shorter --dt"):
        read_rasters(folder, BRIAN, SpikeList(COLUMNS, dt_s=0.001, layers=GROUPS))


def test_a_neuron_without_a_layer(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text("i,t,group\n0,1,poisson\n")
    with pytest.raises(DataError, match=r"all.csv:2: neuron '0' says no layer; .* --columns layer=THEIRS"):
        read_rasters(path, BRIAN, SpikeList(COLUMNS))


@pytest.mark.parametrize("dt_s", [0.0, -1e-3, float("nan"), float("inf")])
def test_a_step_lasts_a_while(dt_s: float) -> None:
    with pytest.raises(ConfigError, match="a time step lasts more than 0 seconds; give its duration"):
        SpikeList(dt_s=dt_s)


def test_a_name_belongs_to_one_layer_or_column() -> None:
    with pytest.raises(ConfigError, match="layers: 'hid' is named for two layers"):
        SpikeList(layers={"layer0": "hid", "layer1": "hid"})
    with pytest.raises(ConfigError, match="--layers: 'layer0' is there twice, as 'a' and 'b'; keep one"):
        _layers("layer0=a,layer0=b")
    with pytest.raises(ConfigError, match="--columns: 'neuron' is there twice, as 'i' and 'j'; keep one"):
        _names("neuron=i,neuron=j")
    assert _layers("layer0=a, input=") == {"layer0": "a", "input": ""}


def test_arrays_take_no_options_of_lists(tmp_path: Path) -> None:
    np.savez(tmp_path / "spikes.npz", input=np.zeros((1, 5, 3)))
    with pytest.raises(ConfigError, match="this file holds arrays; leave them out"):
        read_rasters(tmp_path / "spikes.npz", BRIAN, SpikeList(dt_s=0.001))


def test_another_reading_is_another_run_and_a_silent_input_is_no_warning(tmp_path: Path) -> None:
    path, network = tmp_path / "spikes.csv", tmp_path / "net.yaml"
    path.write_text(SANAFE)
    network.write_text(BRIAN_YAML.replace("time_steps: 5", "time_steps: 6"))
    how = SpikeList(TIMESTEP, 1, layers={**OTHERS, "input": ""})
    import_activity(path, network, tmp_path / "run", spike_list=how)
    other = SpikeList(how.names, 0, layers=how.layers)
    with pytest.raises(Exception, match="give another --out, or --overwrite"):
        import_activity(path, network, tmp_path / "run", spike_list=other)
    warnings = diagnose_run(tmp_path / "run").warnings
    assert not [text for text in warnings if "empty in every profiled sample" in text]
