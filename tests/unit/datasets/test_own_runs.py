"""Data sets of one's own, trained, simulated and reported by the commands. All samples here are synthetic."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from original_files import aedat2_bytes, aedat4_bytes, dvs128_address
from PIL import Image
from typer.testing import CliRunner

from nmsim.cli.verbs import app
from nmsim.pipeline.folder import RunFolder

pytest.importorskip("aedat", reason="AEDAT 4 needs the extra `data`")
RANDOM = np.random.default_rng(3)


def described(
    folder: Path, dataset: dict[str, Any], encoding: Any, shape: list[int], classes: int, **more: Any
) -> Path:
    workload = {
        "name": "mine",
        "dataset": {"name": "own", **dataset},
        "encoding": encoding,
        "network": {
            "name": "small",
            "input_shape": shape,
            "time_steps": more.pop("time_steps", 4),
            "layers": [{"kind": "dense", "units": 32}, {"kind": "dense", "units": classes}],
        },
        "training": {"epochs": more.pop("epochs", 2), "batch_size": 8, "learning_rates": {"weight": 0.2}},
        "precision": more.pop("precision", {}),
        "profile": {"samples": 2},
    }
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(workload))
    return path


def run(workload: Path, out: Path) -> Path:
    done = CliRunner().invoke(
        app, ["run", str(workload), "--chip", "mesh-16nm", "--out", str(out), "--quiet"]
    )
    assert done.exit_code == 0, done.output
    assert (out / "report.html").exists()
    return out


def train(workload: Path, out: Path) -> Path:
    done = CliRunner().invoke(app, ["train", str(workload), "--out", str(out), "--quiet"])
    assert done.exit_code == 0, done.output
    return out


def accuracy(out: Path) -> float:
    return float(RunFolder(out).history().rows[-1].test_accuracy or 0.0)


def test_own_pictures_of_20_x_20_pixels_in_47_classes(tmp_path: Path) -> None:
    for label in range(47):
        folder = tmp_path / "data" / f"glyph{label}"
        folder.mkdir(parents=True)
        glyph = RANDOM.integers(0, 2, (5, 5)).repeat(4, 0).repeat(4, 1) * 200
        for number in range(8):
            noisy = np.clip(glyph + RANDOM.normal(0, 20, (20, 20)), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(folder / f"{number}.png")
    data = {"kind": "image", "path": str(tmp_path / "data"), "classes": 47}
    out = run(described(tmp_path, data, "direct", [1, 20, 20], 47, epochs=12), tmp_path / "run")
    assert accuracy(out) > 0.5


def drifting(
    label: int, width: int, height: int, count: int = 400, classes: int = 4
) -> list[tuple[int, int, int, int]]:
    """Events of a bar whose place tells the class."""
    x = (label * width // classes + RANDOM.integers(0, width // 2 // classes, count)) % width
    y, p, t = (
        RANDOM.integers(0, height, count),
        RANDOM.integers(0, 2, count),
        np.sort(RANDOM.integers(0, 9000, count)),
    )
    return [tuple(row) for row in np.column_stack([x, y, p, t]).tolist()]


def test_a_sensor_of_320_x_240_pixels(tmp_path: Path) -> None:
    for label in range(4):
        folder = tmp_path / "data" / f"bar{label}"
        folder.mkdir(parents=True)
        for number in range(10):
            x, y, p, t = np.array(drifting(label, 320, 240)).T
            np.savez(folder / f"{number}.npz", t=t + 10**15, x=x, y=y, p=p)
    data = {"kind": "events", "path": str(tmp_path / "data"), "sensor": [320, 240]}
    encoding = {"kind": "event_time_bins", "downsample": "1/8"}
    out = run(described(tmp_path, data, encoding, [2, 30, 40], 4, epochs=4), tmp_path / "run")
    assert accuracy(out) > 0.8


def test_aedat_4_in_the_layout_of_cifar10_dvs(tmp_path: Path) -> None:
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    for label, name in enumerate(names):
        folder = tmp_path / "CIFAR10DVS" / name
        folder.mkdir(parents=True)
        for number in range(10):
            events = [(x, y, p, t + 10**15) for x, y, p, t in drifting(label, 128, 128, 200, 10)]
            (folder / f"cifar10_{name}_{number}.aedat4").write_bytes(aedat4_bytes(events))
    workload = described(
        tmp_path, {}, {"kind": "event_time_bins", "downsample": "1/8"}, [2, 16, 16], 10, epochs=8
    )
    text = workload.read_text().replace("name: own", f"name: dvs-cifar10\n  path: {tmp_path}")
    workload.write_text(text)
    out = run(workload, tmp_path / "run")
    assert "AEDAT 4" in (out / "run.json").read_text()
    assert accuracy(out) > 0.6


def test_clocks_of_32_bits_that_wrap_in_the_middle_of_recordings(tmp_path: Path) -> None:
    for label in range(4):
        folder = tmp_path / "data" / str(label)
        folder.mkdir(parents=True)
        for number in range(8):
            start = (1 << 32) - 4500
            words = [
                (dvs128_address(x, y, p), (t + start) % (1 << 32)) for x, y, p, t in drifting(label, 128, 128)
            ]
            (folder / f"{number}.aedat").write_bytes(aedat2_bytes(words))
    data = {"kind": "events", "path": str(tmp_path / "data"), "sensor": [128, 128]}
    encoding = {"kind": "event_time_bins", "downsample": "1/8"}
    out = run(described(tmp_path, data, encoding, [2, 16, 16], 4, epochs=4), tmp_path / "run")
    assert accuracy(out) > 0.8


def test_binary_frames_of_a_sequence(tmp_path: Path) -> None:
    y = np.arange(60) % 3
    frames = (
        RANDOM.random((60, 5, 1, 6, 6))
        < np.where(np.arange(6)[None, :] // 2 == y[:, None], 0.6, 0.05)[:, None, None, None]
    )
    np.savez(tmp_path / "own.npz", x=frames, y=y)
    data = {"kind": "frames", "path": str(tmp_path / "own.npz"), "axes": "NTCHW"}
    out = train(described(tmp_path, data, "frames", [1, 6, 6], 3, epochs=4, time_steps=5), tmp_path / "run")
    assert accuracy(out) > 0.8


def test_floats_standardized_by_channel_are_a_signed_input(tmp_path: Path) -> None:
    y = np.arange(60) % 3
    x = RANDOM.random((60, 3, 4, 4)) * 0.4 + 0.5 * (np.arange(3)[None, :] == y[:, None])[:, :, None, None]
    np.savez(tmp_path / "own.npz", x=x.astype(np.float32), y=y)
    data = {"kind": "image", "path": str(tmp_path / "own.npz"), "axes": "NCHW", "value_range": [0, 1]}
    encoding = {"kind": "standardized", "mean": [0.37] * 3, "std": [0.26] * 3}
    precision = {"layers": {0: {"weight_trace": "s13.8"}}}
    workload = described(tmp_path, data, encoding, [3, 4, 4], 3, epochs=4, precision=precision)
    assert accuracy(train(workload, tmp_path / "run")) > 0.8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"encoding": "rate"}, "encoding.kind: 'rate' cannot encode frames; use frames"),
        ({"time_steps": 4}, "network.time_steps: 4, but the samples have 5 frames each; set it to 5"),
        ({"shape": [1, 6, 5]}, "network.input_shape [1, 6, 5] does not match the encoded samples"),
        ({"classes": 2}, "the last layer has 2 neurons, but 'own' has 3 classes"),
    ],
)
def test_what_does_not_fit_the_network_is_said_before_anything_runs(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    np.savez(
        tmp_path / "own.npz", x=np.zeros((9, 5, 36), np.uint8).reshape(9, 5, 1, 6, 6), y=np.arange(9) % 3
    )
    how = {"encoding": "frames", "time_steps": 5, "shape": [1, 6, 6], "classes": 3} | change
    data = {"kind": "frames", "path": str(tmp_path / "own.npz"), "axes": "NTCHW"}
    workload = described(
        tmp_path, data, how["encoding"], how["shape"], how["classes"], time_steps=how["time_steps"]
    )
    done = CliRunner().invoke(app, ["train", str(workload), "--out", str(tmp_path / "run")])
    assert said in str(done.exception)
    assert not (tmp_path / "run").exists()
