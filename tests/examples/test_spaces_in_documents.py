"""Every design space that a document shows is a valid one, and its designs can be configured."""

import re
from pathlib import Path

import pytest

from nmsim import config
from nmsim.explore.configure import Configurator
from nmsim.explore.space import DesignSpace

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
SPACES = [
    (path.name, text)
    for path in sorted(DOCS.rglob("*.md"))
    for text in BLOCK.findall(path.read_text(encoding="utf-8"))
    if "\naxes:" in text
]


def test_there_is_one() -> None:
    assert SPACES


@pytest.mark.parametrize(("name", "text"), SPACES, ids=[name for name, _ in SPACES])
def test_a_space_of_a_document_is_valid(name: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.yaml"
    file.write_text(text)
    document = config.load(file)
    space = config.build(DesignSpace, document)
    configurator = Configurator.of(space, document)
    for values in space.grid()[::17]:
        assert configurator.configure(values).chip.mesh.columns >= 1
