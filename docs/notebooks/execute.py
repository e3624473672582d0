"""Make the notebooks of this folder from their `.py` files, and run them: `python docs/notebooks/execute.py`.

A `.py` file holds cells after `# %%`, text after `# %% [markdown]`; the notebook beside it keeps what the cells gave.
"""

import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent


def cells(source: str) -> list[tuple[str, str]]:
    """Kind and text of every cell."""
    found = []
    for part in re.split(r"^# %%", source, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        if "[markdown]" in head:
            found.append(("markdown", re.sub(r"^# ?", "", body.strip(), flags=re.MULTILINE)))
        else:
            found.append(("code", body.strip()))
    return found


def notebook(source: str) -> nbformat.NotebookNode:
    """A notebook of the cells, not yet run; cell names are numbers, so that the file changes only where it must."""
    made = nbformat.v4.new_notebook()
    for number, (kind, text) in enumerate(cells(source)):
        new = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        made.cells.append(new(text, id=f"cell-{number}"))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def main() -> None:
    """Run every notebook and write it."""
    for path in sorted(HERE.glob("*.py")):
        if path.name == Path(__file__).name:
            continue
        made = notebook(path.read_text(encoding="utf-8"))
        NotebookClient(made, timeout=600, resources={"metadata": {"path": str(HERE)}}).execute()
        for cell in made.cells:
            cell.metadata.pop("execution", None)
        made.metadata["language_info"] = {"name": "python"}
        path.with_suffix(".ipynb").write_text(nbformat.writes(made) + "\n", encoding="utf-8")
        print(path.with_suffix(".ipynb"), file=sys.stderr)


if __name__ == "__main__":
    main()
