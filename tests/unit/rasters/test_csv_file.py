"""Rasters as `.csv`: the same spikes as the `.npz`, and one sentence with a line number for every mistake."""

from pathlib import Path

import numpy as np
import pytest
from recordings import SPEC, csv_text, save, spikes

from nmsim.errors import DataError
from nmsim.rasters import read_rasters

LINES = ["sample,time_step,layer,neuron", "0,0,input,0", "0,1,layer0,35", "0,2,layer1,26", "0,,layer2,"]


def test_lines_and_arrays_are_the_same_rasters(tmp_path: Path) -> None:
    arrays = spikes()
    path = tmp_path / "spikes.csv"
    path.write_text(csv_text(arrays))
    found, other = read_rasters(path, SPEC), read_rasters(save(tmp_path, arrays), SPEC)
    assert np.array_equal(found.inputs, other.inputs)
    assert all(np.array_equal(a, b) for a, b in zip(found.spikes, other.spikes, strict=True))


def test_columns_in_any_order_one_sample_and_a_silent_layer(tmp_path: Path) -> None:
    path = tmp_path / "spikes.csv"
    lines = ["layer, neuron, time_step", "input,0,0", "layer0,35,1", "", "layer1,26,2", "layer2,,"]
    path.write_text("\n".join(lines))
    found = read_rasters(path, SPEC)
    assert [int(raster.sum()) for raster in (found.inputs, *found.spikes)] == [1, 1, 1, 0]
    assert found.spikes[0][0, 1, 35]
    assert found.spikes[1][0, 2, 26]


@pytest.mark.parametrize(
    ("line", "text", "sentence"),
    [
        (
            1,
            "sample,step,layer,neuron",
            (
                "the columns are 'sample,step,layer,neuron', but must be 'sample,time_step,layer,neuron'"
                " ('sample' may be left out); write them as the first line, or state yours with --columns time_step=THEIRS"
            ),
        ),
        (3, "0,1,layer0,36", "neuron 36 is out of range 0..35; count from 0, within the network"),
        (3, "0,4,layer0,35", "time_step 4 is out of range 0..2; count from 0, within the network"),
        (
            3,
            "0,3,layer0,35",
            (
                "time_step 3 is one above 0..2; if the list counts from 1, give --first-step 1, otherwise set"
                " network.time_steps to those of the recording"
            ),
        ),
        (
            3,
            "0,0.001,layer0,35",
            "time_step '0.001' is not a whole number; if it is a time, give the duration of a step with --dt",
        ),
        (3, "-1,1,layer0,35", "sample -1 is out of range 0..999999; count from 0, within the network"),
        (3, "0,1,layer0,1.5", "neuron '1.5' is not a whole number; count from 0"),
        (3, "0,,layer0,35", "time_step '' is not a whole number; count from 0"),
        (
            3,
            "0,1,conv1,35",
            (
                "layer 'conv1' is unknown for this network; use input, layer0, layer1, layer2, or name yours with --layers"
                " layer0=conv1"
            ),
        ),
        (3, "0,1,layer0", "3 values for 4 columns; write one value per column"),
        (
            3,
            "0,0,input,0",
            (
                "the spike of input, neuron 0, at time step 0 is listed twice, but a raster is binary; list it once,"
                " or give --spike-bits"
            ),
        ),
    ],
)
def test_one_sentence_for_every_mistake(tmp_path: Path, line: int, text: str, sentence: str) -> None:
    path = tmp_path / "spikes.csv"
    path.write_text("\n".join([*LINES[: line - 1], text, *LINES[line:]]))
    with pytest.raises(DataError) as stopped:
        read_rasters(path, SPEC)
    assert str(stopped.value) == f"{path}:{line}: {sentence}"


def test_a_layer_without_a_line_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "spikes.csv"
    path.write_text("\n".join(LINES[:-1]))
    with pytest.raises(DataError) as stopped:
        read_rasters(path, SPEC)
    assert str(stopped.value) == (
        f"{path}: 'layer2' has no line, of input, layer0, layer1, layer2; list its spikes, name the file's layer"
        " with --layers layer2=THEIRS, or say that it was silent with --layers layer2="
    )


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "spikes.csv"
    path.write_bytes(b"sample,time_step,layer,neuron\n\xff\xfe\n")
    with pytest.raises(DataError, match="not readable as CSV"):
        read_rasters(path, SPEC)
