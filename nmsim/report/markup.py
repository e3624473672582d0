"""HTML as values: text is escaped, elements nest, nothing else."""

import base64
from collections.abc import Iterable
from html import escape

from nmsim.report.picture import Picture

VOID = frozenset({"img", "meta", "br", "col"})


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


def tag(name: str, /, *content: str, **attributes: str) -> Markup:
    """An element; a plain string inside is escaped, `class_` stands for `class`."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items()
    )
    if name in VOID:
        return Markup(f"<{name}{pairs}>")
    return Markup(f"<{name}{pairs}>{join(content)}</{name}>")


def join(parts: Iterable[str]) -> Markup:
    """Parts one after the other, plain strings escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part, quote=False) for part in parts))


def drawing(picture: Picture) -> Markup:
    """A picture as part of the page, so that the links in it work; one per page, because identifiers repeat."""
    svg = picture.svg.decode().partition("?>")[2].replace("xlink:href", "href").strip()
    image = tag("div", Markup(svg), role="group", aria_label=picture.alt, class_="drawing")
    return tag("figure", image, tag("figcaption", picture.caption), id=f"picture-{picture.name}")


def figure(picture: Picture) -> Markup:
    """A picture embedded in the page, which needs no other file."""
    data = base64.b64encode(picture.svg).decode()
    image = tag("img", src=f"data:image/svg+xml;base64,{data}", alt=picture.alt)
    return tag("figure", image, tag("figcaption", picture.caption), id=f"picture-{picture.name}")
