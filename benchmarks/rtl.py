"""The tables and the picture of docs/rtl.md: the RTL of a core beside the engine, the models and the area model.

    python benchmarks/rtl.py --out /tmp/rtl
    python benchmarks/rtl.py --out /tmp/rtl --liberty lib1.lib.gz,lib2.lib.gz

784-256-10 on 16 training samples in two updates, in Verilator. An earlier run in the folder is used again.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from nmsim.report.plots.canvas import PALETTE, grid, look, new_figure, svg_of

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "rtl-cycles.svg"
COLUMNS = (("rtl", "RTL", 0), ("analytic", "analytic model", 1), ("event", "event-driven model", 2))


def run(out: Path, liberty: str) -> None:
    """Build, simulate and compare; map to cells where a library is given."""
    command = ["nmsim", "rtl", "mnist-dense", "--out", str(out), "--verify", "16", "--batch-size", "8"]
    command += ["--synth", "--liberty", liberty] if liberty else []
    subprocess.run(command, check=True)


def picture(stages: list[dict[str, Any]]) -> bytes:
    """Cycles by stage, on a logarithmic axis: one group a stage, one bar a source."""
    with look():
        figure = new_figure(
            "Cycles by stage: RTL and models",
            "784-256-10, 16 samples and two updates, 16 synapse and 4 neuron lanes",
            height=4.2,
        )
        axes = figure.subplots()
        for key, label, place in COLUMNS:
            heights = [row[key] for row in stages]
            axes.barh(
                [i + 0.27 * (place - 1) for i in range(len(stages))],
                heights,
                0.25,
                label=label,
                color=PALETTE[place],
            )
        for index, row in enumerate(stages):
            gap = row["analytic"] / row["rtl"] - 1
            axes.text(
                max(row[key] for key, *_ in COLUMNS) * 1.1, index, f"{gap:+.1%}", va="center", fontsize=7.5
            )
        axes.set_yticks(range(len(stages)), [row["name"] for row in stages])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlabel("cycles (logarithmic); beside the bars: analytic model less RTL")
        axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.62))
        grid(axes, "x")
        return svg_of(figure)


def main() -> None:
    """Run what is missing, print the table, draw the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/mnist-dense-rtl"))
    parser.add_argument("--liberty", default="")
    options = parser.parse_args()
    if not (options.out / "cycles.json").exists() or options.liberty:
        run(options.out, options.liberty)
    found = json.loads((options.out / "cycles.json").read_text())
    print("| stage | RTL | analytic | gap | event | gap |\n|---|---|---|---|---|---|")
    for row in found["stages"]:
        gaps = [f"{row[model] / row['rtl'] - 1:+.1%}" for model in ("analytic", "event")]
        print(
            f"| {row['name']} | {row['rtl']:,} | {row['analytic']:,.0f} | {gaps[0]} | {row['event']:,.0f} | {gaps[1]} |"
        )
    print(f"median per sample {found['median_sample_gap']:+.2%}, largest {found['largest_sample_gap']:.2%}")
    PICTURE.write_bytes(picture(found["stages"][:-1]))
    print(f"wrote {PICTURE}", file=sys.stderr)


if __name__ == "__main__":
    main()
