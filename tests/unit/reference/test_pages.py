"""Pages and files of the reference: complete, honest about stand-ins and gaps, and whole as HTML."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from nmsim.report.reference.result import CASES, Reference
from nmsim.report.reference.write import record, write_reference
from nmsim.report.sections.section import Evidence


class Tags(HTMLParser):
    """Checks that elements close in order, and collects links."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"img", "meta", "br", "col"}:
            self.open.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def links(page: str) -> list[str]:
    parser = Tags()
    parser.feed(page)
    assert parser.open == []
    return parser.links


def test_the_index_names_every_data_set_rule_and_chip(files: dict[str, str]) -> None:
    page = files["index.html"]
    for word in ("Digits", "Events", "Absent", *(case.name for case in CASES), "edge-28nm", "odin-like-28nm"):
        assert word in page
    assert {"digits.html", "events.html", "results.csv", "reference.json"} <= set(links(page))


def test_the_reader_learns_in_which_phase_stop_and_stbp_differ_and_why(files: dict[str, str]) -> None:
    page = files["index.html"]
    assert re.search(
        r"(integrate|neuron|error|gradient|transfer|update): STBP [\d.]+ .?J, STOP [\d.]+ .?J", page
    )
    assert "A ratio below 1 says that STBP costs less there." in page


def test_every_kind_of_figure_is_marked(files: dict[str, str]) -> None:
    for kind in Evidence:
        assert f'class="kind {kind.value}"' in files["index.html"] + files["digits.html"]


def test_a_stand_in_is_said_wherever_its_figures_stand(files: dict[str, str]) -> None:
    for name in ("index.html", "events.html", "README.md", "reference.json"):
        assert "Digits took the place of events." in files[name], name
    assert "took the place" not in files["digits.html"]


def test_what_is_absent_or_does_not_fit_has_its_reason(files: dict[str, str]) -> None:
    assert "does not fit" in files["digits.html"]
    for name in ("index.html", "README.md", "reference.json"):
        assert "none of absent.npz is below the data root" in files[name], name


def test_accuracy_stands_with_its_samples(files: dict[str, str]) -> None:
    for name in ("index.html", "digits.html", "README.md"):
        assert re.search(r"\d+\.\d\d% on 16 held-out samples, after 32 training samples", files[name]), name


def test_the_command_and_the_identity_of_everything_are_there(example: Reference) -> None:
    found = record(example)
    assert found["command"] == "nmsim reference example --data-root DIR --out reports/reference"
    assert found["plan"]["seed"] == 3
    digits = found["datasets"][0]
    assert len(digits["provenance"]["dataset"]["sha256"]) == 64
    assert digits["preparation"]["training_samples_seen"] == 32
    outcome = digits["outcomes"][0]
    assert set(outcome["hashes"]) == {"chip", "mapping", "activity", "costs"}
    assert all(outcome["audit"].values())


def test_pages_are_whole_and_every_link_leads_somewhere(files: dict[str, str]) -> None:
    assert sorted(files) == sorted(
        [
            "index.html", "digits.html", "events.html", "results.csv", "energy.csv", "latency.csv", "activity.csv",
            "memory.csv", "chips.csv", "ratios.csv", "learning.csv", "reference.json", "README.md",
        ]
    )  # fmt: skip
    for name, text in files.items():
        for link in links(text) if name.endswith(".html") else []:
            assert link.startswith("#") or link in files, link
    assert "index.html" in links(files["digits.html"])


def test_files_are_written_as_they_are(example: Reference, files: dict[str, str], tmp_path: Path) -> None:
    one = replace(example, datasets=example.datasets[:1])
    written = write_reference(one, tmp_path)
    assert {path.name for path in written} == set(files) - {"events.html"}
    assert (tmp_path / "chips.csv").read_text(encoding="utf-8") == files["chips.csv"]


def test_the_energy_along_a_followed_preparation_is_on_its_page_and_in_a_table(files: dict[str, str]) -> None:
    assert "Energy along learning" in files["digits.html"]
    assert "Energy along learning" not in files["events.html"]
    rows = files["learning.csv"].splitlines()
    assert rows[0].startswith("dataset,chip,rule,")
    assert [row.split(",")[0] for row in rows[1:]] == ["Digits"] * 6
