"""A real browser, or a reason to skip; and every kind of page, made once."""

import sys
from pathlib import Path

import pytest
from page_check import find_browser

UNIT = Path(__file__).resolve().parents[1] / "unit"


@pytest.fixture(scope="session")
def browser() -> str:
    """Path of a headless-capable Chromium."""
    found = find_browser()
    if found is None:
        pytest.skip("no Chromium on this machine: install chromium, or name a browser in NMSIM_BROWSER")
    return found


def _examples(patch: pytest.MonkeyPatch, *folders: str) -> None:
    for folder in folders:
        patch.syspath_prepend(str(UNIT / folder))
        assert str(UNIT / folder) in sys.path


@pytest.fixture(scope="session")
def run_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run."""
    with pytest.MonkeyPatch.context() as patch:
        _examples(patch, "report")
        from example_run import make_result
    from nmsim.report.write import write_report

    folder = tmp_path_factory.mktemp("run")
    write_report(make_result(), folder)
    return folder / "report.html"


@pytest.fixture(scope="session")
def reference_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference over two data sets and two chips."""
    with pytest.MonkeyPatch.context() as patch:
        _examples(patch, "reference")
        from example_reference import example_plan, write_inputs
    from nmsim.pipeline.reference import collect
    from nmsim.report.reference.write import write_reference

    inputs, folder = tmp_path_factory.mktemp("inputs"), tmp_path_factory.mktemp("reference")
    write_inputs(inputs)
    write_reference(collect(example_plan(inputs), inputs, tmp_path_factory.mktemp("work")), folder)
    return folder


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with two full reports."""
    with pytest.MonkeyPatch.context() as patch:
        _examples(patch, "pipeline")
        from small_study import make_space, options
    from nmsim.explore.backends.serial import Serial
    from nmsim.pipeline.explore import sweep

    folder = tmp_path_factory.mktemp("study")
    sweep(make_space(folder), Serial(), options(folder / "study", event=8, reports=2))
    return folder / "study"


@pytest.fixture(scope="session")
def validation_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fixed point against float64."""
    from nmsim.pipeline.numerics import NumericsPlan, validate_numerics
    from nmsim.pipeline.subject import read_subject

    folder = tmp_path_factory.mktemp("validation")
    validate_numerics(
        read_subject(str(_tiny(folder))), folder / "out", NumericsPlan(samples=4, test_samples=20)
    )
    return folder / "out" / "validation.html"


@pytest.fixture(scope="session")
def formats_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search for narrow formats."""
    from nmsim.pipeline.formats import FormatsPlan, search_formats
    from nmsim.pipeline.numerics import ShortTraining
    from nmsim.pipeline.train import read_workload

    folder = tmp_path_factory.mktemp("formats")
    plan = FormatsPlan(ShortTraining(seeds=1), tolerance=0.2, budget=12)
    search_formats(read_workload(str(_tiny(folder))), folder / "out", plan)
    return folder / "out" / "formats.html"


def _tiny(folder: Path) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(
        "name: tiny\ndataset: {name: mnist-subset, train_samples: 256, test_samples: 100}\n"
        "encoding: {kind: direct, downsample: 1/2}\n"
        "network:\n  input_shape: [1, 14, 14]\n  time_steps: 2\n"
        "  layers: [{kind: dense, units: 12}, {kind: dense, units: 10}]\n"
        "training: {epochs: 1, batch_size: 16}\nprofile: {samples: 2}\n"
    )
    return path
