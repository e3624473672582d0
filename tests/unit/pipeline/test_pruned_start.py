"""Fine-tuning of a pruned network: its synapses stay absent, in the folder, in a resumed training and in a kept file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_run import make_workload, trained

from nmsim.errors import DataError
from nmsim.exchange.array_file import as_arrays, from_arrays
from nmsim.pipeline.export_network import export_network
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.import_network import ImportPlan, import_network
from nmsim.pipeline.kept import keep_run, read_kept
from nmsim.pipeline.start import fingerprint, read_start, started_from, trained_parameters
from nmsim.pipeline.train import train
from nmsim.stop.protocol import Parameters

PRUNED = ("structure={method: prune, sparsity: 0.75, schedule: one_shot, begin_epoch: 0, every_updates: 1}",)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("runs") / "pruned", *PRUNED)


def tuned(run: Path, out: Path, *assignments: str) -> Parameters:
    start = trained_parameters(RunFolder(run))
    train(started_from(make_workload(*assignments), start), out, start=start)
    return trained_parameters(RunFolder(out))


def absent(parameters: Parameters) -> list[np.ndarray]:
    found = [parameters.absent_of(index) for index in range(len(parameters.weights))]
    return [mask for mask in found if mask is not None]


def test_without_a_structure_section_the_masks_stay(run: Path, tmp_path: Path) -> None:
    before = absent(trained_parameters(RunFolder(run)))
    after = tuned(run, tmp_path / "tuned", "training.epochs=2")
    assert len(before) == 2
    assert all(mask.mean() == pytest.approx(0.75, abs=0.01) for mask in before)
    for old, new, weights in zip(before, absent(after), after.weights, strict=True):
        np.testing.assert_array_equal(old, new)
        assert not weights[new].any()
        assert weights[~new].any()
    activity = RunFolder(tmp_path / "tuned").activity("stop")
    shape = (12, 784)
    np.testing.assert_array_equal(activity.layers[0].synapse_mask(shape), ~before[0])


def test_with_a_section_pruning_goes_on_from_them(run: Path, tmp_path: Path) -> None:
    before = absent(trained_parameters(RunFolder(run)))
    after = absent(tuned(run, tmp_path / "tuned", PRUNED[0].replace("0.75", "0.9")))
    for old, new in zip(before, after, strict=True):
        assert new[old].all()
        assert new.mean() == pytest.approx(0.9, abs=0.02)


def test_the_start_file_holds_them_and_they_are_part_of_its_identity(run: Path, tmp_path: Path) -> None:
    tuned(run, tmp_path / "tuned")
    folder = RunFolder(tmp_path / "tuned")
    start, own = read_start(folder, folder.workload()), trained_parameters(RunFolder(run))
    for old, new in zip(absent(own), absent(start), strict=True):
        np.testing.assert_array_equal(old, new)
    assert fingerprint(start) == fingerprint(own) != fingerprint(replace(own, mask=[]))
    dense = replace(own, mask=[None, np.ones_like(own.weights[1], bool)])
    assert fingerprint(dense) == fingerprint(replace(own, mask=[]))
    keep_run(folder, tmp_path / "kept.npz", "a test")
    kept = read_kept(tmp_path / "kept.npz").start
    assert kept is not None
    assert fingerprint(kept) == fingerprint(own)


def test_arrays_carry_them_out_and_in(run: Path, tmp_path: Path) -> None:
    export_network(run, tmp_path / "net.npz", "npz", 1e-3)
    plan = ImportPlan(
        "mnist-subset",
        network=run / "workload.yaml",
        assignments=("dataset.train_samples=40", "dataset.test_samples=20"),
    )
    import_network(tmp_path / "net.npz", tmp_path / "imported", plan)
    for old, new in zip(
        absent(trained_parameters(RunFolder(run))),
        absent(trained_parameters(RunFolder(tmp_path / "imported"))),
        strict=True,
    ):
        np.testing.assert_array_equal(old, new)


def test_masks_of_other_shapes_and_values_are_refused(run: Path) -> None:
    own = trained_parameters(RunFolder(run))
    network, arrays = RunFolder(run).workload().network, as_arrays(own)
    with pytest.raises(
        DataError,
        match=r"a.npz: synapses0 of shape \[784, 12\], but layer 0 has weights of shape \[12, 784\]",
    ):
        from_arrays(arrays | {"synapses0": arrays["synapses0"].T}, network, "a.npz")
    with pytest.raises(
        DataError, match=r"a.npz: synapses1: holds more than 0 \(absent\) and 1 \(there\); give these two"
    ):
        from_arrays(arrays | {"synapses1": arrays["synapses1"] * 2.0}, network, "a.npz")
