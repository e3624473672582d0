"""Kernels: one Python source, run as machine code on machine integers or interpreted on integers of any size."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from hashlib import sha256
from inspect import signature
from itertools import takewhile
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = ("fixedpoint", "stop/fixed", "perf/event")


OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""Without numba's runtime, kernels allocate nothing and return no arrays, and slices of their arguments need no atomic
reference counts, which cost more than the work on a few hundred elements does."""


@cache
def source_digest() -> str:
    """Digest of every file that may hold a kernel."""
    digest = sha256()
    for folder in _FOLDERS:
        for path in sorted((_PACKAGE / folder).glob("*.py")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


class KernelCache(FunctionCache):
    """Numba's disk cache, except that an entry is valid only while no kernel source has changed.

    Numba looks at the file of the function that was entered, not at the functions it calls.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        super().__init__(function)
        self._kernel_name = name

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (sig, codegen.magic_tuple(), (self._kernel_name, source_digest()))


@dataclass(frozen=True)
class Kernel:
    """A kernel in its two forms: `plain` Python, and `machine` code compiled at its first call."""

    plain: Callable[..., Any]
    machine: Callable[..., Any]

    def form(self, *, interpreted: bool) -> Callable[..., Any]:
        """The form for Python integers (interpreted) or for machine integers."""
        return self.plain if interpreted else self.machine

    @cached_property
    def _parameters(self) -> tuple[str, ...]:
        return tuple(signature(self.plain).parameters)

    def bound(self, *homes: Any, interpreted: bool, **values: Any) -> Callable[..., Any]:
        """The form with its leading parameters bound by name; a call then gives what changes from call to call.

        A parameter is bound to the field of that name of one of the `homes` (named tuples), or to one of the `values`. The
        arguments stay flat for the machine: it reads an array faster than a tuple that holds it.

        Raises:
            TypeError: a parameter behind the bound ones has such a name too, or one of the `values` is no parameter.
        """
        known = {name: value for home in homes for name, value in home._asdict().items()} | values
        leading = tuple(takewhile(known.__contains__, self._parameters))
        stray = (known.keys() & self._parameters | values.keys()) - set(leading)
        if stray:
            raise TypeError(
                f"{self.plain.__name__} cannot bind {', '.join(sorted(stray))}: bound parameters come first"
            )
        return partial(self.form(interpreted=interpreted), *(known[name] for name in leading))


def kernel(function: Callable[..., Any], variant: str = "") -> Kernel:
    """An entry into compiled code: released from the GIL, cached on disk, never with fast-math.

    What it calls is marked `numba.extending.register_jitable`, so that the same source also runs interpreted. `variant`
    tells functions of one name from one another.
    """
    machine: Any = numba.njit(**OPTIONS)(function)
    machine._cache = KernelCache(function, f"{function.__module__}.{function.__qualname__}.{variant}")  # noqa: SLF001 - as enable_caching does
    return Kernel(function, machine)
