"""A run folder is one run: what is not of it is refused, what was there before is moved away."""

import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest
from small_run import make_workload, trained

import nmsim
from nmsim.cli.main import main
from nmsim.errors import RunError
from nmsim.pipeline import folder as run_folder
from nmsim.pipeline.folder import RunFolder, package_versions
from nmsim.pipeline.report import read_result, report_run
from nmsim.pipeline.simulate import read_chip, simulate
from nmsim.pipeline.train import train
from nmsim.stop.train import Progress

CHIP = "edge-28nm"


@pytest.fixture(scope="module")
def _runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    simulate(trained(root / "one"), [read_chip(CHIP)])
    report_run(root / "one")
    trained(root / "other", "precision.weight=s8.6", seed=7)
    return root


@pytest.fixture
def one(_runs, tmp_path):
    return shutil.copytree(_runs / "one", tmp_path / "one")


@pytest.fixture
def other(_runs):
    return _runs / "other"


def refused(folder, text):
    with pytest.raises(RunError) as caught:
        read_result(folder)
    assert re.search(text, str(caught.value)), str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


class KilledError(Exception):
    pass


def killed(step: Progress) -> None:
    raise KilledError


def test_a_report_of_a_training_that_was_killed_is_refused(one):
    with pytest.raises(KilledError):
        train(make_workload("precision.weight=s4.2"), one, seed=7, overwrite=True, listen=killed)
    with pytest.raises(RunError, match=r"training has not finished; go on with"):
        simulate(one, [read_chip(CHIP)])
    refused(
        one,
        r"training has not finished; go on with `nmsim train .*workload.yaml --seed 7 --out .* --resume`$",
    )
    assert not (one / "report.html").exists()


def test_the_command_that_an_unfinished_run_names_finishes_it(one, monkeypatch):
    with pytest.raises(KilledError):
        train(make_workload("precision.weight=s4.2"), one, seed=7, overwrite=True, listen=killed)
    with pytest.raises(RunError) as caught:
        RunFolder(one).history()
    named = re.search(r"`(.*)`", str(caught.value))[1]
    monkeypatch.setattr(sys, "argv", [*shlex.split(named), "--quiet"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert RunFolder(one).history().rows


def test_what_another_run_takes_the_place_of_is_kept_under_earlier(one):
    held = RunFolder(one).run_hash
    said = []
    train(make_workload(), one, seed=7, overwrite=True, say=said.append)
    assert said == [f"what was in {one} is now in {one / 'earlier' / held}"]
    assert read_result(one / "earlier" / held).history.rows
    assert not list((one / "simulations").glob("*"))


def test_training_once_more_keeps_what_was_there_under_a_number(one):
    held = RunFolder(one).run_hash
    for _ in range(2):
        trained(one)
    assert {path.name for path in (one / "earlier").iterdir()} == {held, f"{held}-2"}


def test_another_run_is_refused_without_overwrite(one):
    with pytest.raises(
        RunError, match=r"holds run .*, this configuration is .*; give another --out, or --overwrite$"
    ):
        trained(one, seed=7)


def test_a_finished_run_is_left_as_it_is_by_resume(one):
    before = {path: path.stat().st_mtime_ns for path in one.rglob("*.npz")}
    train(make_workload(), one, resume=True, listen=killed)
    assert {path: path.stat().st_mtime_ns for path in one.rglob("*.npz")} == before


@pytest.mark.parametrize("name", ["activity.npz", "training.json"])
def test_a_file_of_another_run_is_refused(one, other, name):
    shutil.copyfile(other / name, one / name)
    refused(
        one,
        rf"{name}: belongs to run .*, the folder holds .*: it was copied here; put the right file back, or run",
    )


def test_parameters_of_another_run_are_refused(one, other):
    shutil.copyfile(other / "parameters.npz", one / "parameters.npz")
    with pytest.raises(RunError, match=r"parameters.npz: belongs to run"):
        RunFolder(one).parameters()


def test_evaluations_of_another_run_are_refused(one, other):
    simulate(other, [read_chip(CHIP)], rules=["inference"])
    shutil.copytree(other / "simulations", one / "simulations", dirs_exist_ok=True)
    refused(one, r"\.npz: belongs to run")


def test_an_edited_workload_is_refused(one):
    file = one / "workload.yaml"
    file.write_text(file.read_text().replace("epochs: 1", "epochs: 2"))
    refused(one, r"workload.yaml: belongs to run .*: it was edited or copied here; put the right file back")


@pytest.mark.parametrize("content", ["", "[]", "{}", "nothing", '{"schema": "nmsim/training-1", "rows": 3}'])
@pytest.mark.parametrize("name", ["run.json", "training.json"])
def test_a_damaged_file_is_one_sentence(one, name, content):
    if name == "training.json" and content.startswith('{"schema'):
        content = content[:-1] + f', "run_hash": "{RunFolder(one).run_hash}"' + "}"
    (one / name).write_text(content)
    refused(one, name)


HOLDER = """
import sys
from pathlib import Path
from nmsim.pipeline.folder import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_commands_never_write_into_one_folder_at_once(one):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(one)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        for work in (lambda: trained(one), lambda: simulate(one, [read_chip(CHIP)]), lambda: report_run(one)):
            with pytest.raises(
                RunError, match=r"another nmsim command is writing this run; wait until it has ended"
            ):
                work()
        holder.kill()
    report_run(one)  # a lock ends with its holder, however that ended


def test_the_next_command_in_a_folder_removes_what_a_killed_one_left(one):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = one / "simulations" / f".0007-chip.npz.{gone.pid}.abc.partial"
    left.touch()
    with RunFolder(one).locked():
        assert not left.exists()


def test_other_runs_inside_the_folder_stay_where_they_are(one):
    trained(one / "inner")
    trained(one)
    assert RunFolder(one / "inner").history().rows


def test_a_name_that_looks_like_a_path_stays_inside_the_folder(one):
    chips = [
        read_chip(CHIP).model_copy(update={"name": name})
        for name in ("28nm / 0.9 V", "../../x", "/absolute", "..", "x" * 300)
    ]
    simulate(one, chips, rules=["inference"])
    names = {item.chip_name for item in read_result(one).evaluations}
    assert names == {CHIP, *(chip.name for chip in chips)}
    assert {path.parent for path in one.rglob("*.npz")} == {one, one / "simulations"}


def test_the_version_is_that_of_the_code_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a source tree that nobody installed too; an installation's metadata may be of other code."""

    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(run_folder, "version", absent)
    found = package_versions()
    assert found["nmsim"] == nmsim.__version__
    assert found["numpy"] == "not installed"
