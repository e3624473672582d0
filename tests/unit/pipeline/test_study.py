import sqlite3
from pathlib import Path

import pytest
from small_study import make_space, options

from nmsim.errors import ConfigError, RunError
from nmsim.explore.analysis import analyse
from nmsim.explore.backends.serial import Serial
from nmsim.explore.result import Status
from nmsim.figures import COMPONENTS
from nmsim.pipeline.explore import reopen, report, search, summary, sweep
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.simulate import evaluate_rule, read_chip
from nmsim.pipeline.study import StudyProgress


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep of the whole grid."""
    folder = tmp_path_factory.mktemp("whole")
    sweep(make_space(folder), Serial(), options(folder / "study"))
    return folder / "study"


@pytest.fixture
def trained(whole: Path) -> Path:
    """The training run of that sweep."""
    return next((whole / "numerics").iterdir())


def test_a_sweep_trains_once_and_evaluates_every_design(whole: Path) -> None:
    space, results = reopen(whole)
    assert [r.values for r in results] == list(space.grid())
    assert {r.status for r in results} == {Status.OK, Status.DOES_NOT_FIT}
    runs = list((whole / "numerics").iterdir())
    assert len(runs) == 1
    assert {r.numerics for r in results} == {runs[0].name}
    accuracy = RunFolder(runs[0]).history().test_accuracy
    assert {r.metrics["accuracy"] for r in results if r.ok} == {accuracy}


def test_a_design_that_does_not_fit_says_what_is_short(whole: Path) -> None:
    _, results = reopen(whole)
    refused = [r for r in results if r.status is Status.DOES_NOT_FIT]
    assert all("needs" in r.reason and "short" in r.reason for r in refused)
    of_words = [sum(r.values[2] == words for r in refused) for words in (64, 128, 256)]
    assert of_words == sorted(of_words, reverse=True)  # more room never refuses more
    assert of_words[2] < of_words[0]


def test_figures_are_those_of_simulate(whole: Path, trained: Path) -> None:
    space, results = reopen(whole)
    result = next(r for r in results if r.ok)
    chip = read_chip(
        "edge-28nm", [f"{k.removeprefix('chip.')}={v}" for k, v in space.assignments(result.values).items()]
    )
    folder = RunFolder(trained)
    expected = evaluate_rule(folder.workload(), folder, chip, "stop-w", "analytic")
    assert result.metrics["energy_per_sample_j"] == expected.energy_j.mean
    assert result.metrics["latency_per_sample_s"] == expected.latency_s.mean
    assert expected.area is not None
    assert result.metrics["area_mm2"] == expected.area.total_mm2
    parts = [result.metrics[f"energy_per_sample_{component}_j"] for component in COMPONENTS]
    assert sum(value or 0.0 for value in parts) == pytest.approx(expected.energy_j.mean)


def test_resuming_a_part_ends_with_the_identical_table(whole: Path, trained: Path, tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop_after(count: int) -> object:
        def listen(step: StudyProgress) -> None:
            if step.stage == "analytic" and step.done >= count:
                raise StopError

        return listen

    space = make_space(tmp_path)
    for count in (5, 17):
        with pytest.raises(StopError):
            sweep(
                space,
                Serial(),
                options(tmp_path / "part", run=trained, listen=stop_after(count), resume=True),
            )
    _, results = reopen(tmp_path / "part")
    assert len(results) == 17
    sweep(space, Serial(), options(tmp_path / "part", run=trained, resume=True))
    for name in ("results.csv", "sensitivity.csv"):
        assert (tmp_path / "part" / name).read_bytes() == (whole / name).read_bytes()


def test_a_study_is_not_overwritten_by_accident(whole: Path, tmp_path: Path) -> None:
    space = make_space(tmp_path)
    with pytest.raises(RunError) as error:
        sweep(space, Serial(), options(whole))
    assert (
        str(error.value)
        == f"{whole}: holds a study already; go on with it by --resume, or replace it by --overwrite"
    )
    with pytest.raises(
        RunError, match=r"holds another study \(.*space.*\); give another --out, or --overwrite$"
    ):
        sweep(make_space(tmp_path, "must_fit=true"), Serial(), options(whole, resume=True))


def test_numerics_run_again_only_for_axes_that_change_them(trained: Path, tmp_path: Path) -> None:
    more = "constraints: [{metric: accuracy, at_least: 0.05}]\n"
    text = make_space(tmp_path, more=more)
    text = text.with_value(
        "axes.schedule={name: membrane, key: precision.membrane, kind: categorical, values: [s16.10, s12.8]}"
    )
    seen: list[StudyProgress] = []
    found = sweep(text, Serial(), options(tmp_path / "study", run=trained, listen=seen.append))
    runs = list((tmp_path / "study" / "numerics").iterdir())
    assert [(step.done, step.total) for step in seen if step.stage == "train"] == [(0, 1), (1, 1)]
    assert len(runs) == 1, "the default format is what the given run was trained with"
    assert {r.numerics for r in found.analytic} == {trained.name, runs[0].name}


def test_training_that_cannot_be_done_is_the_result_of_its_designs_only(
    trained: Path, tmp_path: Path
) -> None:
    text = make_space(tmp_path).with_value(
        "axes.schedule={name: batch, key: training.batch_size, kind: categorical, values: [16, 4096]}"
    )
    found = sweep(text, Serial(), options(tmp_path / "study", run=trained))
    wrong = [r for r in found.analytic if r.status is Status.ERROR]
    assert {r.values[3] for r in wrong} == {4096}
    assert wrong[0].reason == (
        "training: training split: 64 samples are fewer than one batch of 4096; lower training.batch_size or give more"
        " samples"
    )
    assert found.ranked


def test_a_bad_key_path_is_one_sentence_before_anything_runs(tmp_path: Path) -> None:
    for key, end in (
        ("chip.mesh.colums", "mesh.colums: unknown key 'colums'; did you mean 'columns'?"),
        (
            "chp.mesh.columns",
            "key path 'chp.mesh.columns' begins with no known section; did you mean 'chip'?",
        ),
        ("chip.core_types.trainr.mac_lanes", "core_types.trainr does not exist; check the key path"),
        ("precision.wheight", "precision.wheight: unknown key 'wheight'; did you mean 'weight'?"),
        ("technology.sram.base_pjj", "sram.base_pjj: unknown key 'base_pjj'; did you mean 'base_pj'?"),
    ):
        document = make_space(
            tmp_path, f"axes.schedule={{name: a, key: {key}, kind: integer, low: 1, high: 2}}"
        )
        with pytest.raises(ConfigError) as error:
            sweep(document, Serial(), options(tmp_path / "study"))
        assert str(error.value).endswith(end)
        assert str(error.value).startswith("--set axes.schedule=")
    assert not (tmp_path / "study").exists()


def test_one_bad_value_among_good_ones_is_a_result(trained: Path, tmp_path: Path) -> None:
    values = "[on_chip, off_chip]"
    document = make_space(
        tmp_path,
        f"axes.schedule={{name: g, key: chip.options.weight_gradient, kind: categorical, values: {values}}}",
    )
    found = sweep(document, Serial(), options(tmp_path / "study", run=trained))
    wrong = [r for r in found.analytic if r.status is Status.ERROR]
    assert {r.values[3] for r in wrong} == {"off_chip"}
    assert wrong[0].reason.endswith(
        "options.weight_gradient 'off_chip' needs the key 'dram'; add it or change the option"
    )


def test_prices_are_an_axis_too(trained: Path, tmp_path: Path) -> None:
    axis = "{name: writes, key: technology.sram.write_over_read.value, kind: categorical, values: [1.0, 2.0]}"
    found = sweep(
        make_space(tmp_path, f"axes.schedule={axis}"), Serial(), options(tmp_path / "study", run=trained)
    )
    pairs = [
        (a.metrics, b.metrics) for a, b in zip(found.analytic[::2], found.analytic[1::2], strict=True) if a.ok
    ]
    # the mapping is searched for every price, so that it may differ; what it makes small may not
    assert all(cheap["edp_js"] < dear["edp_js"] for cheap, dear in pairs)


def test_a_design_that_could_not_exist_is_never_on_the_front(trained: Path, tmp_path: Path) -> None:
    axis = "{name: static_w, key: chip.power.static_power_w, kind: categorical, values: [0.001, 50]}"
    found = sweep(
        make_space(tmp_path, f"axes.schedule={axis}"), Serial(), options(tmp_path / "study", run=trained)
    )
    fits = [result for result in found.analytic if result.status is not Status.DOES_NOT_FIT]
    hot = [result for result in fits if result.values[-1] == 50]
    assert hot
    assert {result.status for result in hot} == {Status.IMPLAUSIBLE}
    assert all("static power by area" in result.reason for result in hot)
    assert found.front
    assert {result.values[-1] for result in found.front} == {0.001}


def test_event_driven_figures_replace_estimates_near_the_front(trained: Path, tmp_path: Path) -> None:
    found = sweep(make_space(tmp_path), Serial(), options(tmp_path / "study", run=trained, event=6))
    assert 0 < len(found.event) <= 6
    assert all(r.ok for r in found.event)
    assert found.disagreements["latency_per_sample_s"].ratios.keys() == {r.design for r in found.event}
    assert any(r.model == "event" for r in found.front)
    page = (tmp_path / "study" / "study.html").read_text()
    assert 'id="picture-model-disagreement"' in page


def test_designs_link_to_their_full_reports(trained: Path, tmp_path: Path) -> None:
    found = sweep(make_space(tmp_path), Serial(), options(tmp_path / "study", run=trained, reports=1))
    assert found.chosen is not None
    link = f"designs/{found.chosen.design:05d}/report.html"
    assert (tmp_path / "study" / link).exists()
    assert f'href="{link}"' in (tmp_path / "study" / "study.html").read_text()


def test_a_design_without_figures_has_no_report(whole: Path) -> None:
    with pytest.raises(RunError, match=r"design 9999 has no figures; see the column status of results.csv$"):
        report(whole, [9999])


def test_the_page_is_the_same_bytes_again(whole: Path) -> None:
    before = (whole / "study.html").read_bytes()
    report(whole, [])
    assert (whole / "study.html").read_bytes() == before


def test_a_search_resumes_and_goes_further(trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="the extra 'search' is not installed")
    space = make_space(tmp_path)
    search(space, Serial(), options(tmp_path / "a", run=trained), evaluations=20, batch=6)
    search(space, Serial(), options(tmp_path / "b", run=trained), evaluations=9, batch=6)
    search(space, Serial(), options(tmp_path / "b", run=trained, resume=True), evaluations=20, batch=6)
    assert (tmp_path / "a" / "results.csv").read_bytes() == (tmp_path / "b" / "results.csv").read_bytes()


def test_a_search_starts_from_an_earlier_study(whole: Path, trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="the extra 'search' is not installed")
    best = analyse(*reopen(whole)).ranked[0].result.values
    found = search(
        make_space(tmp_path),
        Serial(),
        options(tmp_path / "s", run=trained),
        evaluations=6,
        batch=6,
        warm_start=[whole],
    )
    assert found.analytic[0].values == best


def test_a_warm_start_needs_the_same_axes(whole: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="the extra 'search' is not installed")
    document = make_space(tmp_path, "axes.schedule.name=timing")
    with pytest.raises(ConfigError) as error:
        search(document, Serial(), options(tmp_path / "s"), warm_start=[whole])
    assert str(error.value) == (
        f"--warm-start {whole}: that study has no axis 'timing', so its designs say nothing of this space; leave it out, or"
        " name the axes alike"
    )


def test_machines_get_totals(whole: Path) -> None:
    found = analyse(*reopen(whole))
    totals = summary(found)
    assert totals["designs"] == 54
    assert sum(totals["status"].values()) == 54
    assert totals["chosen"] == totals["front"][0]
    database = sqlite3.connect(whole / "results.sqlite")
    count = database.execute("SELECT count(*) FROM results WHERE status = 'ok'").fetchone()[0]
    database.close()
    assert totals["status"]["ok"] == count
