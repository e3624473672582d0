"""Write docs/api.md from the docstrings of the public names: `python docs/make_api.py`."""

import inspect
from pathlib import Path

import nmsim
import nmsim.api

HERE = Path(__file__).parent
HEAD = """# Python reference

Made from the docstrings of `import nmsim` by `python docs/make_api.py`; do not edit. First steps, run cell by cell:
[notebooks/first_steps.ipynb](notebooks/first_steps.ipynb).
"""


def entry(name: str) -> str:
    """One public name: signature, docstring, and the methods of a class that say what they do."""
    value = getattr(nmsim.api, name, None) or getattr(nmsim, name)  # a verb before the room of the same name
    kind = "class" if inspect.isclass(value) else "function" if callable(value) else "table"
    lines = [f"### `{name}`", ""]
    if kind == "table":
        return "\n".join([*lines, f"`{name}`: {', '.join(f'`{key}`' for key in value)}", ""])
    if kind == "function":
        lines += ["```text", f"{name}{_signature(value)}", "```", ""]
    lines += ["```text", inspect.getdoc(value) or "", "```", ""]
    if kind == "class":
        members = [
            (key, member) for key, member in vars(value).items() if not key.startswith(("_", "model_"))
        ]
        told = [(key, _first_line(member)) for key, member in members if _first_line(member)]
        lines += [f"- `{key}`: {text}" for key, text in told] + ([""] if told else [])
    return "\n".join(lines)


def _signature(value: object) -> str:
    """The signature, one parameter a line where it is long."""
    parameters = inspect.signature(value).parameters.values()  # type: ignore[arg-type]
    text = ", ".join(
        parameter.name if parameter.default is parameter.empty else f"{parameter.name}=..."
        for parameter in parameters
    )
    return f"({text})"


def _first_line(member: object) -> str:
    inner = getattr(member, "__func__", member)
    if not (inspect.isfunction(inner) or isinstance(inner, property)):
        return ""
    return (inspect.getdoc(inner) or "").partition("\n")[0]


def page() -> str:
    """The whole page: verbs first, then nouns."""
    verbs = [name for name in nmsim.__all__ if not inspect.isclass(getattr(nmsim, name)) and name.islower()]
    nouns = [name for name in nmsim.__all__ if name not in verbs]
    parts = [HEAD, "## Verbs\n", *map(entry, verbs), "## Nouns\n", *map(entry, nouns)]
    return "\n".join(parts)


if __name__ == "__main__":
    (HERE / "api.md").write_text(page(), encoding="utf-8")
