"""The scripts of a page: libraries that embed themselves, and the few lines that tie them to the page."""

from functools import cache
from importlib.resources import files

from nmsim.report.markup import Markup

LIBRARIES = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js", "sortable.min.js")
MARK = 'class="live"'
POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; font-src data:;"
    " base-uri 'none'; form-action 'none'"
)
"""What a page may load: nothing from anywhere."""


@cache
def scripts() -> Markup:
    """Everything that live charts and tables need, as elements of the page."""
    room = files("nmsim.report.live")
    texts = [room.joinpath("vendor", name).read_text(encoding="utf-8") for name in LIBRARIES]
    texts.append(room.joinpath("page.js").read_text(encoding="utf-8"))
    return Markup("".join(f"<script>{text}</script>" for text in texts))
