"""YAML text to nodes: in which `4e-12` is a number, `on` and `yes` are texts, and so are dates."""

import re
from contextlib import suppress
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

MAX_DEPTH = 32
"""Levels of a configuration file; the deepest shipped one has 7."""

_LIBYAML: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_READ_ALIKE = re.compile(r"(?:(?!---|\.\.\.)[ ->@-~]*\n)*(?!---|\.\.\.)[ ->@-~]*")
"""Texts that PyYAML and libyaml take alike: they differ on tabs, question marks, marks of documents and other characters."""
_OTHERWISE = {f"tag:yaml.org,2002:{kind}" for kind in ("float", "bool", "timestamp", "int")}


class _Bounded(Composer):
    """What can make a short text large or deep, or build objects, is refused: aliases, tags, more than MAX_DEPTH levels."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """A node of the file, after its event was looked at."""
        event = self.peek_event()  # type: ignore[attr-defined]
        if isinstance(event, yaml.AliasEvent):
            raise _refused("an alias (*name); write the value out", event)
        if getattr(event, "tag", None) is not None:
            raise _refused(f"a tag ({event.tag}); leave it out, types follow from the value", event)
        if self.depth > MAX_DEPTH:
            raise _refused(f"more than {MAX_DEPTH} levels of nesting; write it flatter", event)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _refused(what: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=f"it has {what}", problem_mark=event.start_mark)


class _Typed(SafeConstructor, Resolver):
    """Which plain texts are numbers or truth values; all others stay texts, dates too."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the base class has it
        first: [(tag, rule) for tag, rule in rules if tag not in _OTHERWISE]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Typed.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|false|False)\Z"), list("tTfF")
)
_Typed.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)\Z"), list("-+0123456789")
)
_Typed.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
    ),
    list("-+.0123456789"),
)


class _Loader(_Bounded, _Typed, yaml.SafeLoader):
    """The reader whose sentences say what is wrong."""


class _QuickLoader(_Bounded, _Typed, _LIBYAML):  # type: ignore[misc]
    """The same values and lines in a sixth of the time, where libyaml is there."""

    def __init__(self, text: str) -> None:
        _LIBYAML.__init__(self, text)
        Composer.__init__(self)


def composed(text: str) -> tuple[SafeConstructor, yaml.Node | None]:
    """The root of a text, `None` of an empty one, and what makes values of its scalars.

    Raises:
        yaml.YAMLError: it is no YAML, or not such as is taken here.
    """
    if _READ_ALIKE.fullmatch(text):
        with suppress(yaml.YAMLError):
            quick = _QuickLoader(text)
            return quick, quick.get_single_node()
    loader = _Loader(text)
    return loader, loader.get_single_node()
