"""Where compiled kernels are kept between runs: numba's own choice, or a temporary folder where it has none.

Numba keeps machine code beside the package, or else in the user's cache folder, and refuses to go on where it can write to
neither, as in a read-only container without a home.
"""

import os
from pathlib import Path

ASKED = "NUMBA_CACHE_DIR"
_PACKAGE = Path(__file__).resolve().parent


def use_writable_folder() -> None:
    """Name a temporary folder to numba unless one of its own choices can be written; call before numba is imported."""
    if ASKED not in os.environ and not any(_writable(folder) for folder in _choices()):
        os.environ[ASKED] = str(_temporary())


def folder_in_use() -> str:
    """The folder of compiled kernels, and why it is that one; for `nmsim doctor`."""
    asked = os.environ.get(ASKED)
    if asked is None:
        return str(next(folder for folder in _choices() if _writable(folder)))
    if Path(asked).name.startswith(_PREFIX):
        return f"{asked}: temporary, since neither the package nor a cache folder is writable; set {ASKED} to keep it"
    return f"{asked} ({ASKED})"


_PREFIX = "nmsim-kernels-"


def _choices() -> tuple[Path, ...]:
    """Where numba looks, in its order: next to the source, then the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - Path.home raises without a home
    return _PACKAGE / "stop" / "fixed" / "__pycache__", Path(home) / "numba"


def _writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder itself where it does not exist yet."""
    if not folder.is_absolute():
        return False
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _temporary() -> Path:
    """A folder of this user alone: cached code is executed, so nobody else may have written it."""
    import tempfile  # rarely needed, and `import nmsim` stays quick without it

    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"{_PREFIX}{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
        own = (
            folder.is_dir() and not folder.is_symlink() and state.st_uid == user and not state.st_mode & 0o022
        )
    except OSError:
        own = False
    return folder if own else Path(tempfile.mkdtemp(prefix=_PREFIX))
