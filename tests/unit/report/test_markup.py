"""HTML as values."""

from nmsim.report.markup import Markup, figure, join, tag
from nmsim.report.picture import Picture


def test_plain_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "a < b & c", tag("b", "x")) == "<p>a &lt; b &amp; c<b>x</b></p>"


def test_attributes_are_escaped_and_named_as_in_html() -> None:
    assert (
        tag("a", "t", href='x"y', class_="k", aria_label="z")
        == '<a href="x&quot;y" class="k" aria-label="z">t</a>'
    )


def test_void_elements_have_no_end_tag() -> None:
    assert tag("meta", name="n") == '<meta name="n">'


def test_joined_parts_are_markup() -> None:
    assert isinstance(join(["<", tag("b", "x")]), Markup)
    assert join(["<", tag("b", "x")]) == "&lt;<b>x</b>"


def test_a_figure_holds_its_picture_and_says_in_words_what_it_shows() -> None:
    html = figure(Picture("p", "Title", 'alt "text"', "caption", b"<svg/>"))
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in html
    assert 'alt="alt &quot;text&quot;"' in html
    assert 'id="picture-p"' in html
