"""A precision section as a file that `--precision` takes."""

import yaml

from nmsim.network.precision import Precision
from nmsim.validate.formats.widths import compact

PRECISION_FILE = "precision.yaml"


def precision_text(precision: Precision, workload: str, note: str) -> str:
    """Content of the file: `note`, how to use it, the section."""
    head = f"{note}\nUse: nmsim run {workload} --precision {PRECISION_FILE}"
    comment = "".join(f"# {line}\n" for line in head.splitlines())
    return comment + yaml.safe_dump({"precision": compact(precision)}, sort_keys=False, width=120)
