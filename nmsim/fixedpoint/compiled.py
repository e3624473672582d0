"""Kernels: one Python source, run as machine code on machine integers or interpreted on integers of any size."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from hashlib import sha256
from inspect import signature
from itertools import takewhile
from pathlib import Path
from typing import Any

import numba
from numba.core import event
from numba.core.caching import FunctionCache
from numba.core.registry import cpu_target

LOG = logging.getLogger("nmsim")
"""Says before machine code is made that takes long; a command prints it, a program may configure it."""
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

    def holds_code(self) -> bool:
        """Whether code of these sources for this processor is on disk, whatever the types of its arguments."""
        _, *wanted = self._index_key(None, cpu_target.target_context.codegen())
        return any(list(key[1:]) == wanted for key in self._cache_file._load_index())  # noqa: SLF001 - numba lists nothing


class _Announcer(event.Listener):
    """Says which kernel is about to be compiled, where that takes so long that somebody would wonder."""

    def on_start(self, event: Any) -> None:
        kernel = event.data["dispatcher"]
        if slow := getattr(kernel, "slow", ""):
            LOG.info("compiling %s for this processor, once", slow)

    def on_end(self, event: Any) -> None:
        """Nothing is said of an end: what comes next shows it."""


event.register("numba:compile", _Announcer())


@dataclass(frozen=True)
class Kernel:
    """A kernel in its two forms: `plain` Python, and `machine` code compiled at its first call."""

    plain: Callable[..., Any]
    machine: Callable[..., Any]

    @property
    def on_disk(self) -> bool:
        """Whether its machine code was made before, so that a first call loads it."""
        return bool(self.machine._cache.holds_code())  # type: ignore[attr-defined] # noqa: SLF001 - as `kernel` sets it

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


def kernel(function: Callable[..., Any], variant: str = "", *, slow: str = "") -> Kernel:
    """An entry into compiled code: released from the GIL, cached on disk, never with fast-math.

    What it calls is marked `numba.extending.register_jitable`, so that the same source also runs interpreted. `variant`
    tells functions of one name from one another; `slow` says what is compiled and how long that takes, if it takes long.
    """
    machine: Any = numba.njit(**OPTIONS)(function)
    machine._cache = KernelCache(function, f"{function.__module__}.{function.__qualname__}.{variant}")  # noqa: SLF001 - as enable_caching does
    machine.slow = slow
    return Kernel(function, machine)
