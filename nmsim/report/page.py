"""The HTML page: one file, pictures and scripts inside, nothing loaded from elsewhere."""

from collections.abc import Sequence
from importlib.resources import files

from nmsim.report.live.scripts import MARK, POLICY, scripts
from nmsim.report.markup import Markup, join, tag
from nmsim.report.sections.section import Section


def page(title: str, lead: str, byline: str, sections: Sequence[Section], footer: str) -> str:
    """A complete HTML5 document with a table of contents; the scripts of live charts are in it only if it has any."""
    style = Markup(files("nmsim.report").joinpath("report.css").read_text(encoding="utf-8"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content="nmsim"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("title", title),
        Markup(f"<style>{style}</style>"),
    )
    contents = join(tag("li", tag("a", section.title, href=f"#{section.anchor}")) for section in sections)
    navigation = tag("nav", tag("h2", "Contents"), tag("ol", contents), aria_label="Contents")
    chapters = join(
        tag("section", tag("h2", section.title), section.body, id=section.anchor) for section in sections
    )
    body = tag(
        "body",
        tag(
            "div",
            tag("header", tag("h1", title), tag("p", lead, class_="lead"), tag("p", byline, class_="byline")),
            navigation,
            tag("main", chapters),
            tag("footer", footer),
            class_="page",
        ),
        scripts() if MARK in chapters else "",
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"
