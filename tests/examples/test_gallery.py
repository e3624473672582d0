"""Every script of docs/gallery runs as it stands."""

import runpy
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"
NEEDS_TORCH = "train_in_spikingjelly"
SCRIPTS = sorted(path for path in GALLERY.glob("*.py") if path.stem != NEEDS_TORCH)


@pytest.mark.slow
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_of_the_gallery_runs(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(path))
    assert capsys.readouterr().out
