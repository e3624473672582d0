"""Every example in README and docs runs: Python blocks, doctests with their output, and links to files."""

import doctest
import re
import runpy
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import nmsim
from nmsim import config
from nmsim.pipeline.simulate import CHIPS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(document: Path) -> list[str]:
    return BLOCK.findall(document.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def folder_with_a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder in which `nmsim run` has been called, with one epoch."""
    folder = tmp_path_factory.mktemp("examples")
    out = folder / "runs" / "mnist-dense"
    nmsim.train(nmsim.read_workload("mnist-dense", "training.epochs=1"), out, seed=1)
    nmsim.simulate(out, [nmsim.read_chip("edge-28nm")])
    nmsim.report_run(out)
    return folder


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if blocks(path)], ids=name)
def test_the_python_blocks_of_a_document_run_one_after_the_other(
    document: Path, folder_with_a_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its reader runs them: a block may use the files that those above it wrote, and no other document's."""
    monkeypatch.chdir(shutil.copytree(folder_with_a_run, tmp_path / "examples"))
    left_out = []
    for index, code in enumerate(blocks(document)):
        place = f"{name(document)}-{index}"
        if "read_parquet" in code and find_spec("pyarrow") is None:
            left_out.append(place)
        elif ">>>" in code:
            test = doctest.DocTestParser().get_doctest(code, {}, place, place, 0)
            options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            assert doctest.DocTestRunner(optionflags=options).run(test).failed == 0
        else:
            exec(compile(code, place, "exec"), {"__name__": "__main__"})  # noqa: S102 - the documents' own examples
    if left_out:
        pytest.skip(f"{', '.join(left_out)}: the extra 'frames' is not installed")


def test_what_an_architect_learns_can_be_made_from_any_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small = (
        "network.layers=[{kind: dense, units: 24}, {kind: dense, units: 10}]",
        "dataset.train_samples=100",
        "dataset.test_samples=20",
        "training.epochs=1",
        "profile.samples=2",
    )
    run, chip, pictures = tmp_path / "run", tmp_path / "edge.yaml", tmp_path / "pictures"
    shipped = config.load(config.find(CHIPS, "edge-28nm")).with_value("options.spread=balanced")
    chip.write_text(config.to_yaml(shipped.data))  # no search of mappings: twenty of them are a minute
    nmsim.train(nmsim.read_workload("mnist-dense", *small), run, seed=1)
    script = ROOT / "benchmarks" / "architects.py"
    monkeypatch.setattr(sys, "argv", [script.name, str(run), str(chip), str(pictures)])
    runpy.run_path(str(script), run_name="__main__")
    text = capsys.readouterr().out
    for part in ("per training sample", "What bounds the time", "Rules", "Width of a flit", "by schedule"):
        assert part in text
    page = (ROOT / "docs" / "architects.md").read_text(encoding="utf-8")
    for picture in sorted(path.name.removeprefix("mnist-dense-") for path in pictures.iterdir()):
        assert picture in page


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{name(path)} links to {target}, which does not exist"


def test_every_verb_of_the_readme_exists() -> None:
    from nmsim.cli.verbs import VERBS

    named = set(re.findall(r"`nmsim ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert named <= set(VERBS)
