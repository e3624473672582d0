"""What a device of PyTorch cannot do is said in a sentence; where it can, a training has the same bits."""

import sys
from pathlib import Path

import numpy as np
import pytest

from nmsim.errors import ConfigError
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.train import read_workload, train

SMALL = (
    "dataset.train_samples=64",
    "dataset.test_samples=20",
    "training.epochs=1",
    "profile.samples=4",
    "network.layers=[{kind: dense, units: 12}, {kind: dense, units: 10}]",
)


def test_without_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        ConfigError, match=r"device cuda: .* need PyTorch; install it with `pip install torch`"
    ):
        train(read_workload("mnist-dense", *SMALL), tmp_path, device="cuda")


def test_float_training_has_no_device(tmp_path: Path) -> None:
    workload = read_workload("mnist-dense", *SMALL, "training.arithmetic=float32")
    with pytest.raises(ConfigError, match="device cpu: it is for bit-accurate training"):
        train(workload, tmp_path, device="cpu")


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="passes on a device need PyTorch (extra `torch`)")
    for name in ("no-such-device", "cuda:99", "meta"):
        with pytest.raises(ConfigError, match=rf"device {name}: PyTorch cannot compute in float64 there"):
            train(read_workload("mnist-dense", *SMALL), tmp_path / name, device=name)


@pytest.mark.parametrize("more", [(), ("precision.weight_gradient=s20",), ("training.batch_size=1",)])
def test_a_training_has_the_same_bits(tmp_path: Path, more: tuple[str, ...]) -> None:
    pytest.importorskip("torch", reason="passes on a device need PyTorch (extra `torch`)")
    workload = read_workload("mnist-dense", *SMALL, *more)
    kernels = train(workload, tmp_path / "kernels")
    device = train(workload, tmp_path / "device", device="cpu")
    assert kernels.overflow_counts == device.overflow_counts
    assert [row.train_loss for row in kernels.rows] == [row.train_loss for row in device.rows]
    one, two = (RunFolder(tmp_path / name).parameters() for name in ("kernels", "device"))
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)
