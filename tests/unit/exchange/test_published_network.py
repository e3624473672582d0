"""The published NIR network by the two commands of docs/own-networks.md; it is not part of the repository."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nmsim.cli.verbs import app

DATA = Path(__file__).parents[4] / "shared" / "data"
NIR, RECORDINGS = DATA / "raw" / "nir" / "cnn_sinabs.nir", DATA / "nmnist.npz"


@pytest.mark.slow
@pytest.mark.skipif(not (NIR.exists() and RECORDINGS.exists()), reason="the published network is not here")
def test_every_recording_is_classified_and_has_an_energy_on_two_chips(tmp_path: Path) -> None:
    pytest.importorskip("nir", reason="needs the extra `exchange`")
    run = str(tmp_path / "sinabs")
    how = f"--dataset nmnist --data {RECORDINGS} --encoding event_time_bins --time-steps 300 --out {run}"
    imported = CliRunner().invoke(app, ["import-network", str(NIR), *how.split()])
    assert imported.exit_code == 0, imported.output
    assert (
        "Held-out accuracy on 52 samples: 100.00% in real numbers, 100.00% in fixed point" in imported.output
    )
    for chip in (["mesh-16nm"], ["edge-28nm", "--set", "chip.mesh.rows=5"]):
        found = CliRunner().invoke(app, ["simulate", run, "--chip", *chip, "--json"])
        assert found.exit_code == 0, found.output
        (row,) = [row for row in json.loads(found.stdout) if row["chip"].startswith(chip[0])]
        assert 1e-6 < row["energy_per_sample_j"] < 1e-3
        assert row["accuracy"] == 1.0
