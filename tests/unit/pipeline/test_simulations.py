"""Results are told apart by what was simulated; a misfit is a row; nothing is lost to it."""

import pytest
from small_run import make_workload, trained

from nmsim.errors import DoesNotFitError
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.report import read_result, report_run
from nmsim.pipeline.simulate import misfits_of, read_chip, simulate
from nmsim.pipeline.simulations import Simulations
from nmsim.report.compare import comparison, side_by_side

SLOW = ("core_types.trainer.mac_lanes=1", "clock_hz=1e8")
NO_HISTORY = ("core_types.trainer.memories.neurons.words=9",)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture
def fresh(run, tmp_path):
    import shutil

    return shutil.copytree(run, tmp_path / "tiny")


def test_two_chips_of_one_name_stand_next_to_each_other_with_what_was_overridden(fresh):
    plain, slow = read_chip("edge-28nm"), read_chip("edge-28nm", SLOW)
    simulate(fresh, [plain])
    simulate(fresh, [slow], rules=["stop-wtl"])
    found = read_result(fresh).evaluations
    labels = {(item.chip_name, item.rule) for item in found}
    assert ("edge-28nm (clock 100 MHz, mac_lanes = 1)", "stop-wtl") in labels
    assert ("edge-28nm", "stop-wtl") in labels
    assert len(found) == 4


def test_a_ratio_between_two_machines_carries_a_mark(fresh):
    simulate(fresh, [read_chip("edge-28nm"), read_chip("edge-28nm", SLOW)], rules=["stop-wtl"])
    found = read_result(fresh).subject_first
    latency = next(i for i, c in enumerate(side_by_side(found).columns) if c.name.startswith("latency"))
    rows = side_by_side(found).rows
    assert str(rows[1][latency]).split("\n")[1].endswith("†")
    assert [row["same_machine"] for row in comparison(found).records()] == [True, False]


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("core_types.trainer.memories.neurons.words=9", "neurons.words = 9"),
        ("mesh.tile_width_mm=0.1", "tile width 0.1 mm"),
        ("tech_node_nm=22", "tech node 22 nm"),
        ("clock_hz=1e8", "clock 100 MHz"),
    ],
)
def test_a_label_says_what_is_set_otherwise(assignment, said):
    assert read_chip("edge-28nm", (assignment,)).label == f"edge-28nm ({said})"


def test_chips_of_one_label_are_told_apart_by_their_hash(fresh):
    chips = [read_chip("edge-28nm").model_copy(update={"clock_hz": hertz}) for hertz in (1e8, 2e8)]
    simulate(fresh, chips, rules=["inference"])
    names = {item.chip_name for item in read_result(fresh).evaluations}
    assert names == {f"edge-28nm #{chip.content_hash()[:8]}" for chip in chips}


def test_the_subject_is_the_first_chip_named_and_not_the_first_of_the_alphabet(fresh):
    simulate(fresh, [read_chip("mesh-16nm"), read_chip("edge-28nm")])
    assert read_result(fresh).subject.chip_name == "mesh-16nm"


def test_a_rule_that_does_not_fit_is_a_row_with_its_remedies(fresh):
    found = simulate(fresh, [read_chip("edge-28nm", NO_HISTORY)])
    assert {item.rule for item in found.evaluations} == {"inference", "stop-wtl"}
    (misfit,) = found.misfits
    assert (misfit.rule, misfit.kind) == ("stbp", "does not fit")
    assert misfit.reasons
    assert misfit.remedies
    report_run(fresh)
    page, summary = ((fresh / name).read_text() for name in ("report.html", "summary.md"))
    for text in (page, summary):
        assert "does not fit" in text
        assert misfit.reasons[0].split(":")[0] in text
    assert [row["problem"][:12] for row in comparison(found.evaluations, found.misfits).records()] == [
        "", "", "does not fit",
    ]  # fmt: skip


def test_what_was_made_before_an_error_is_kept(fresh, monkeypatch):
    from nmsim.pipeline import simulate as stage

    whole = stage.evaluate_rule

    def broken(workload, folder, chip, rule, model, recorded):
        if rule == "stbp":
            raise KeyboardInterrupt
        return whole(workload, folder, chip, rule, model, recorded)

    monkeypatch.setattr(stage, "evaluate_rule", broken)
    with pytest.raises(KeyboardInterrupt):
        simulate(fresh, [read_chip("edge-28nm")])
    assert {item.rule for item in Simulations(RunFolder(fresh)).results()[0]} == {"inference", "stop-wtl"}


def test_a_chip_that_fits_again_loses_its_misfit(fresh, monkeypatch):
    from nmsim.pipeline import simulate as stage

    def full(*_: object):
        raise DoesNotFitError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(stage, "evaluate_rule", full)
        simulate(fresh, [read_chip("edge-28nm")], rules=["stbp"])
    assert [item.rule for item in Simulations(RunFolder(fresh)).results()[1]] == ["stbp"]
    simulate(fresh, [read_chip("edge-28nm")], rules=["stbp"])
    assert Simulations(RunFolder(fresh)).results()[1] == []


def test_the_fit_is_known_before_the_training_and_is_the_one_after_it(fresh):
    chips = [read_chip("edge-28nm", NO_HISTORY), read_chip("mesh-16nm")]
    assert misfits_of(make_workload(), chips) == list(simulate(fresh, chips).misfits)


def test_a_chip_that_learns_nothing_serves_inference_and_says_so_of_the_rest(fresh):
    found = simulate(fresh, [read_chip("loihi-board")])
    assert [item.rule for item in found.evaluations] == ["inference"]
    assert [misfit.rule for misfit in found.misfits] == ["stop-wtl", "stbp"]
    report_run(fresh)


def test_a_chip_whose_mapping_was_searched_is_one_machine_under_every_rule_and_has_a_report(fresh):
    """The search may choose differently for each rule; the chip that was asked for stays the same."""
    simulate(fresh, [read_chip("mesh-16nm")], rules=["inference", "stop-wtl", "stbp"])
    found = read_result(fresh)
    assert {item.chip_hash for item in found.evaluations} == {read_chip("mesh-16nm").content_hash()}
    assert found.inference is not None
    assert all(row["same_machine"] for row in comparison(found.subject_first).records())
    report_run(fresh)
    assert (fresh / "report.html").exists()
