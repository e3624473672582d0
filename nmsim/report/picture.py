"""A picture, whoever drew it: pages hold it without knowing the library that drew."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A finished picture: `name` is its file stem, `alt` says in words what it shows, `caption` how to read it."""

    name: str
    title: str
    alt: str
    caption: str
    svg: bytes

    def _repr_svg_(self) -> str:
        return self.svg.decode()
