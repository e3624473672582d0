"""report.html: valid, self-contained, readable without anything beside it."""

import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from nmsim.report.live.scripts import LIBRARIES
from nmsim.report.markup import VOID, tag
from nmsim.report.page import page as make_page
from nmsim.report.result import RunResult
from nmsim.report.sections.section import Section
from nmsim.report.words import NOT_MODELLED

VENDOR = Path(make_page.__code__.co_filename).parent / "live" / "vendor"
ALLOWED_IN_PARAGRAPH = {"span", "code", "a", "b"}


class Page(HTMLParser):
    """Everything the tests ask of a page; misnested elements fail at once."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str]] = []
        self.sources: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.heads: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        assert len(values) == len(attrs), f"attribute twice in <{tag}>"
        if "p" in self.open:
            assert tag in ALLOWED_IN_PARAGRAPH, f"<{tag}> inside <p>"
        self.tags.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values["href"])
        if tag == "img":
            self.images.append(values)
        if tag == "th":
            self.heads.append(values)
        self.sources += [
            values[name] for name in ("src", "href", "data", "action", "srcset") if name in values
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text.append(data)


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    found = Page()
    found.feed(html)
    found.close()
    return found


def test_every_element_is_closed_in_order(page: Page, html: str) -> None:
    assert page.open == []
    assert html.startswith('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">')


def test_there_is_one_title_one_main_and_no_level_is_skipped(page: Page) -> None:
    assert [page.tags.count(tag) for tag in ("title", "h1", "main", "nav", "header", "footer")] == [1] * 6
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_ids_are_unique_and_every_entry_of_the_contents_leads_somewhere(page: Page) -> None:
    assert len(set(page.ids)) == len(page.ids)
    anchors = [link.removeprefix("#") for link in page.links]
    assert len(anchors) >= 12
    assert set(anchors) <= set(page.ids)


def test_nothing_is_loaded_from_elsewhere(page: Page, html: str) -> None:
    assert all(source.startswith(("#", "data:image/svg+xml;base64,")) for source in page.sources)
    assert not {"link", "iframe", "object", "embed"} & set(page.tags)
    assert "connect-src" not in html, (
        "default-src 'none' holds for connections: scripts of the page reach nothing"
    )
    assert "Content-Security-Policy" in html.partition("</head>")[0]
    assert "default-src &#x27;none&#x27;" in html
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert "@import" not in style
    assert "url(" not in style


def test_a_page_without_live_charts_carries_no_scripts() -> None:
    section = Section("one", "One", tag("p", "nothing to choose"))
    assert "<script" not in make_page("title", "lead", "byline", [section], "footer")


def test_the_libraries_inside_a_page_are_the_ones_whose_licences_it_names(html: str) -> None:
    named = dict(
        re.findall(r"file (\S+), SHA-256 ([0-9a-f]{64})", VENDOR.joinpath("LICENSES.txt").read_text())
    )
    assert set(named) == set(LIBRARIES)
    for name, sha256 in named.items():
        content = VENDOR.joinpath(name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256, name
        assert content.decode() in html


def test_every_picture_is_inside_drawn_and_said_in_words(page: Page) -> None:
    assert len(page.images) >= 9
    for image in page.images:
        svg = base64.b64decode(image["src"].removeprefix("data:image/svg+xml;base64,"), validate=True)
        assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314 - made by this test
        assert b'href="http' not in svg
        assert len(image["alt"]) > 40
    assert page.tags.count("figure") == page.tags.count("figcaption") == len(page.images)


def test_every_heading_cell_says_what_it_heads(page: Page) -> None:
    assert all(head.get("scope") in {"row", "col"} for head in page.heads)
    assert page.tags.count("table") == page.tags.count("caption")


def test_it_says_what_was_measured_on_how_many_samples(page: Page, result: RunResult) -> None:
    text = "".join(page.text)
    last = result.history.rows[-1]
    assert f"{last.test_accuracy:.2%} on {last.test_samples:,} held-out samples" in text
    for kind in ("measured", "counted", "modelled", "extrapolated", "assumed"):
        assert kind in text
    assert all(line in text for line in NOT_MODELLED)
    assert "Extrapolated energy and time" in text
    assert "95 % CI" in text
    assert "band" in text


def test_provenance_names_every_hash(page: Page, result: RunResult) -> None:
    text = "".join(page.text)
    item = result.subject
    for value in (item.chip_hash, item.costs_hash, item.activity_hash, item.mapping_hash, item.network_hash):
        assert value in text
    assert result.workload.run_hash(result.seed) in text
    assert str(result.provenance["dataset"]["sha256"]) in text


def test_every_source_that_is_cited_is_listed(page: Page) -> None:
    text = "".join(page.text)
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", text)}
    assert cited == set(range(1, len(cited) + 1))


def test_what_contention_costs_is_never_more_than_the_sample(page: Page) -> None:
    text = " ".join(page.text)
    shares = [
        float(share) for share in re.findall(r"cycles per sample on the mean of [^(]*\(([\d.]+)%\)", text)
    ]
    assert "Time lost to contention" in text
    assert all(share <= 100 for share in shares)
