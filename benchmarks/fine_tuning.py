"""Fine-tuning in fixed point that recovers what quantization took: mnist-dense, trained in float32, at 3 and 2 bits.

    python benchmarks/fine_tuning.py FOLDER [--seeds 3] [--epochs 10]

The used weights have 3 or 2 bits in the formats that `import-network --bits` chooses, which hold each layer's largest
weight; at 2 bits also in narrower ones that clip it. Stored ("shadow") weights have 16 and
start half a used LSB above the float ones, because a used weight is its stored weight floored: so used weights start as the
nearest values. Every training is STOP-WTL in fixed point, with the commands that it prints.
"""

import argparse
import csv
import subprocess
from pathlib import Path

import numpy as np
import yaml

from nmsim.fixedpoint.format import QFormat

STORED_BITS = 16
CASES = {"3": (3, ()), "2": (2, ()), "2-clipped": (2, ("s2.3", "s2.1"))}
"""Width of used weights, and their formats by layer where they are not those that hold the largest weight."""


def nmsim(*words: object) -> None:
    """Run a command of nmsim, and say it."""
    print("nmsim", *words, flush=True)
    subprocess.run(["nmsim", *map(str, words), "--quiet"], check=True)  # noqa: S607


def accuracy(run: Path) -> float:
    """Held-out accuracy of a run's last epoch."""
    from nmsim.pipeline.folder import RunFolder

    return float(RunFolder(run).history().rows[-1].test_accuracy or 0.0)


def clipped(folder: Path, name: str, formats: tuple[str, ...]) -> tuple[Path, Path]:
    """Precision with weights in stated formats and membranes as chosen for the others; weights clipped to what those hold.

    A weight that its format does not hold is refused on import, so it is clipped here.
    """
    chosen = yaml.safe_load((folder / "quantized2" / "workload.yaml").read_text())["precision"]["layers"]
    layers = {
        int(index): {"membrane": own["membrane"]["format"], "weight": formats[int(index)]}
        for index, own in chosen.items()
    }
    file = folder / f"precision{name}.yaml"
    file.write_text(yaml.safe_dump({"precision": {"leak_trace": "s16.8", "layers": layers}}))
    arrays = dict(np.load(folder / "float.npz"))
    for index, text in enumerate(formats):
        held = QFormat.parse(text)
        arrays[f"weights{index}"] = arrays[f"weights{index}"].clip(
            held.min_raw * held.lsb, held.max_raw * held.lsb
        )
    weights = folder / f"float{name}.npz"
    np.savez(weights, **arrays)
    return file, weights


def shadowed(folder: Path, name: str, bits: int, weights: Path) -> tuple[Path, Path]:
    """Precision with stored weights of 16 bits, and the parameters shifted by half a used LSB."""
    workload = yaml.safe_load((folder / f"quantized{name}" / "workload.yaml").read_text())
    arrays = dict(np.load(weights))
    layers = {}
    for index, own in workload["precision"]["layers"].items():
        used = own["weight"]["format"]
        fraction = int(used.split(".")[1])
        stored = f"s{STORED_BITS}.{fraction + STORED_BITS - bits}"
        layers[int(index)] = {"membrane": own["membrane"]["format"], "weight": stored, "weight_used": used}
        arrays[f"weights{index}"] = arrays[f"weights{index}"] + 2.0 ** -(fraction + 1)
    precision, start = folder / f"shadow{name}.yaml", folder / f"start{name}.npz"
    precision.write_text(yaml.safe_dump({"precision": {"leak_trace": "s16.8", "layers": layers}}))
    np.savez(start, **arrays)
    return precision, start


def main() -> None:
    """The whole table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    given = parser.parse_args()
    folder = given.folder
    run = folder / "float"
    if not (run / "training.json").exists():
        nmsim("train", "mnist-dense", "--set", "training.arithmetic=float32", "--out", run)
    nmsim("export-network", run, "--to", "npz", "--out", folder / "float.npz")
    how = ("--network", run / "workload.yaml", "--dataset", "mnist-subset", "--overwrite")
    rows = []
    for name, (bits, formats) in CASES.items():
        quantized, start_run = folder / f"quantized{name}", folder / f"shadow{name}"
        weights, chosen = folder / "float.npz", ("--bits", bits)
        if formats:
            file, weights = clipped(folder, name, formats)
            chosen = ("--precision", file)
        nmsim("import-network", weights, *how, *chosen, "--out", quantized)
        precision, start = shadowed(folder, name, bits, weights)
        nmsim("import-network", start, *how, "--precision", precision, "--out", start_run)
        for seed in range(1, given.seeds + 1):
            tuned = folder / f"tuned{name}-{seed}"
            sets = (
                f"training.epochs={given.epochs}",
                "training.learning_rates.weight=0.1",
                "training.batch_size=32",
            )
            options = [word for item in (*sets, "training.loss=cross_entropy") for word in ("--set", item)]
            nmsim("train", start_run, *options, "--seed", seed, "--out", tuned, "--overwrite")
            rows.append((name, seed, *(accuracy(item) for item in (run, quantized, start_run, tuned))))
            print(rows[-1], flush=True)
    with (folder / "fine_tuning.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("bits", "seed", "float32", "quantized", "shadow_start", "fine_tuned"))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
