"""784-256-10 on MNIST in the RTL: minutes long; the fast tests train small networks."""

from pathlib import Path

import pytest
from tools import needs_verilator
from typer.testing import CliRunner

from nmsim.cli.verbs import app


@needs_verilator
@pytest.mark.slow
def test_sixteen_samples_and_two_updates_store_what_the_engine_stores(tmp_path: Path) -> None:
    options = ["rtl", "mnist-dense", "--out", str(tmp_path), "--verify", "16", "--batch-size", "8"]
    done = CliRunner().invoke(app, options, catch_exceptions=False)
    assert "3,920,728 integers compared, 0 different; 30 overflow counters equal" in done.output


@needs_verilator
@pytest.mark.slow
def test_a_whole_epoch_leaves_the_parameters_that_training_leaves(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["rtl", "mnist-dense", "--out", str(tmp_path), "--epoch"], catch_exceptions=False
    )
    assert "203,532 integers compared, 0 different; 30 overflow counters equal" in done.output
