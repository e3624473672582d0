"""Rasters as `.npz`: every shape that is allowed, and one sentence for every mistake."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from recordings import SPEC, save, spikes

from nmsim.errors import DataError
from nmsim.rasters import read_rasters

Arrays = dict[str, NDArray[Any]]


def test_arrays_become_rasters(tmp_path: Path) -> None:
    arrays = spikes()
    found = read_rasters(save(tmp_path, arrays), SPEC)
    assert found.samples == 2
    assert found.input_bits == 1
    assert np.array_equal(found.inputs, arrays["input"].reshape(2, 3, -1))
    assert all(np.array_equal(x, arrays[f"layer{i}"].reshape(2, 3, -1)) for i, x in enumerate(found.spikes))
    assert found.updates == (None, None, None)
    assert found.labels.tolist() == [-1, -1]


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
def test_flat_maps_single_samples_and_numbers_serve_as_well(tmp_path: Path, kind: type) -> None:
    arrays = spikes(samples=1)
    found = read_rasters(
        save(tmp_path, {n: x[0].reshape(3, -1).astype(kind) for n, x in arrays.items()}), SPEC
    )
    assert found.samples == 1
    assert np.array_equal(found.spikes[0], arrays["layer0"].reshape(1, 3, -1))


def test_what_may_be_added(tmp_path: Path) -> None:
    arrays = spikes()
    values = np.random.default_rng(2).integers(0, 256, (2, 1, 2, 8, 8))
    extra = {
        "input": values,
        "input_bits": np.array(8),
        "labels": np.array([3, 1]),
        "updates1": arrays["layer1"],
    }
    found = read_rasters(save(tmp_path, {**arrays, **extra}), SPEC)
    assert found.input_bits == 8
    assert np.array_equal(found.inputs, values.reshape(2, 1, -1) != 0)
    assert found.labels.tolist() == [3, 1]
    assert found.updates[0] is None
    assert np.array_equal(found.updates[1], arrays["layer1"].reshape(2, 3, -1))


def changed(name: str, value: Any) -> Arrays:
    return {**spikes(), name: np.asarray(value)}


TWO = spikes()["layer1"].astype(np.int64)
TWO[1, 2, 0, 1, 2] = 2


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (
            {name: x for name, x in spikes().items() if name != "layer1"},
            (
                "array 'layer1' is missing, of the 4 arrays input, layer0, layer1, layer2 that this network needs;"
                " record it, with zeros if it is silent"
            ),
        ),
        (changed("layer3", 0), "array 'layer3' is unknown for this network; did you mean 'layer2'?"),
        (
            changed("membrane", 0),
            (
                "array 'membrane' is unknown for this network; use input, layer0, layer1, layer2, updates0, updates1,"
                " updates2, input_bits, spike_bits, labels"
            ),
        ),
        (
            changed("layer0", np.zeros((2, 3, 5, 3, 3))),
            (
                "array 'layer0' has shape [2, 3, 5, 3, 3], but needs (samples, 3, 36) or (3, 36) for its 4 x 3 x 3 values;"
                " the last axis may be [4, 3, 3] instead"
            ),
        ),
        (
            changed("layer2", np.zeros(5)),
            (
                "array 'layer2' has shape [5], but needs (samples, 3, 5) or (3, 5) for its 5 values; the last axis may"
                " be [5] instead"
            ),
        ),
        (
            changed("layer2", np.zeros((2, 4, 5))),
            "array 'layer2' has 4 time steps, but the network 3; set network.time_steps to those of the recording",
        ),
        (
            changed("layer2", np.zeros((7, 3, 5))),
            "array 'layer2' has 7 samples, but 'input' has 2; record the same samples",
        ),
        (changed("input", np.zeros((0, 3, 128))), "array 'input' holds no sample; record at least one"),
        (
            changed("layer1", TWO),
            (
                "array 'layer1' holds 2 at sample 1, time step 2, neuron 5, but a raster is binary; write 1 where there is a"
                " spike, or give 'spike_bits' for several spikes per step"
            ),
        ),
        (
            changed("input", np.full((2, 3, 128), 0.5)),
            (
                "array 'input' holds 0.5 at sample 0, time step 0, neuron 0, but a raster is binary; write 1 where there"
                " is a spike, or give 'spike_bits' for several spikes per step, or give 'input_bits' for values of several"
                " bits"
            ),
        ),
        (
            changed("layer2", np.full((2, 3, 5), "x")),
            "array 'layer2' holds <U1, not spikes; give booleans, or 0 and 1",
        ),
        (
            changed("input_bits", 40),
            "'input_bits' is 40, but must be one whole number from 1 to 32; give the width of an input value",
        ),
        (
            changed("labels", [1, 2, 3]),
            "'labels' is int64 of shape [3], but the 2 samples need one whole number each; correct it or leave it out",
        ),
    ],
)
def test_one_sentence_for_every_mistake(tmp_path: Path, arrays: Arrays, sentence: str) -> None:
    path = save(tmp_path, arrays)
    with pytest.raises(DataError) as stopped:
        read_rasters(path, SPEC)
    assert str(stopped.value) == f"{path}: {sentence}"


def test_files_that_are_none(tmp_path: Path) -> None:
    broken, text = tmp_path / "broken.npz", tmp_path / "spikes.txt"
    broken.write_bytes(save(tmp_path, spikes()).read_bytes()[:100])
    text.write_text("")
    for path, sentence in (
        (tmp_path / "none.npz", "no such file; give the .npz or .csv file of the recording"),
        (broken, "not readable as .npz (*); write it with numpy.savez"),
        (text, "rasters come as .npz or .csv, not as '.txt'; rename or convert the file"),
    ):
        with pytest.raises(DataError) as stopped:
            read_rasters(path, SPEC)
        start, _, end = f"{path}: {sentence}".partition("*")
        assert str(stopped.value).startswith(start)
        assert str(stopped.value).endswith(end)


def test_arrays_of_objects_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "spikes.npz"
    np.savez(path, **{**spikes(), "layer2": np.array([{}], object)})  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"not readable as \.npz"):
        read_rasters(path, SPEC)
