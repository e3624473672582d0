"""The version of the arithmetic: what it is called in files, and the refusal of files of another one."""

from collections.abc import Mapping
from typing import Any

from nmsim.errors import RunError

NUMERICS = 2
"""Version of docs/arithmetic.md that this program follows; a change of a bit is a new version."""
KEY = "numerics"


def check_numerics(header: Mapping[str, Any], place: object, remedy: str) -> None:
    """Refuse a file whose integers follow another version of the arithmetic.

    Raises:
        RunError: it names another version, or none, as files of version 1 do.
    """
    found = header.get(KEY, 1)
    if found != NUMERICS:
        raise RunError(
            f"{place}: follows version {found} of the arithmetic, this is version {NUMERICS}; {remedy}"
        )
