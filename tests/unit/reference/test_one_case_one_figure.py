"""A case that the architect's page and the committed reference report both give has one figure."""

import csv
import re
from pathlib import Path

import pytest

from nmsim.units import scaled

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "architects.md").read_text(encoding="utf-8")
HEADINGS = {("CIFAR-10", "mesh-16nm"): "VGG-11, `mesh-16nm`", ("MNIST", "edge-28nm"): "LeNet-5, `edge-28nm`"}
NAMES = {
    "inference": "inference", "STOP-W": "stop-w", "STOP-WTL": "stop-wtl", "STBP, stored": "stbp-stored",
    "STBP, recomputed": "stbp-recomputed",
}  # fmt: skip


def reported() -> dict[tuple[str, str, str], tuple[str, str]]:
    """Energy and time of every case of the reference report, as people read them."""
    with (ROOT / "reports" / "reference" / "results.csv").open(encoding="utf-8", newline="") as stream:
        return {
            (row["dataset"], row["chip"], row["rule"]): (
                scaled(float(row["energy_per_sample_j"]), "J"), scaled(float(row["latency_per_sample_s"]), "s"),
            )
            for row in csv.DictReader(stream)
            if row["energy_per_sample_j"]
        }  # fmt: skip


@pytest.mark.parametrize("case", HEADINGS, ids=" on ".join)
def test_the_rules_of_the_architects_page_are_those_of_the_report(case: tuple[str, str]) -> None:
    table = PAGE.partition(f"| {HEADINGS[case]} | energy | of WTL |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert [row[0] for row in rows] == list(NAMES)
    found = reported()
    for row in rows:
        assert (row[1], row[3]) == found[*case, NAMES[row[0]]], (
            f"{row[0]}: see docs/architects.md for how to make both"
        )


def test_its_first_sentence_has_the_energy_of_the_report() -> None:
    sentence = re.search(r"STOP-WTL: (\S+ \S+) per training sample", PAGE)
    assert sentence
    assert sentence[1] == reported()["CIFAR-10", "mesh-16nm", "stop-wtl"][0]
