"""Windows of DVS128 Gesture recordings as a data set of its own: the first of each recording to learn, the last to test.

    python benchmarks/gesture_windows.py --data dvs_gesture_10x1000ms.npz --out gesture_windows.npz
    python benchmarks/training_study.py gesture-windows --data gesture_windows.npz --out studies/gesture

For ten recordings of a second, one of each of ten gestures, no split by person is possible. What a network learns here is to
tell these ten recordings apart at times that it has not seen: easier than the task of the data set, and said so with
every figure.
"""

import argparse
from pathlib import Path

import numpy as np


def main() -> None:
    """Cut every recording into equal windows, write the file, and print what is in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help=".npz of recordings with ev_x, ev_y, ev_p, ev_t, offsets, label",
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--windows", type=int, default=20, help="of every recording")
    parser.add_argument(
        "--train", type=int, default=14, help="how many of them, from the first, are to learn"
    )
    given = parser.parse_args()
    with np.load(given.data, allow_pickle=False) as file:
        recordings = {name: file[name] for name in file.files}
    labels, classes = recordings["label"].astype(int), sorted(set(recordings["label"].tolist()))
    written = {
        "sensor_size": recordings["sensor_size"],
        "class_names": recordings["class_names"][np.array(classes) - 1],
    }
    for split, windows in (("train", range(given.train)), ("test", range(given.train, given.windows))):
        columns: dict[str, list[np.ndarray]] = {name: [] for name in ("ev_x", "ev_y", "ev_p", "ev_t")}
        lengths, answers = [], []
        for number, label in enumerate(labels):
            events = slice(*recordings["offsets"][number : number + 2])
            t = recordings["ev_t"][events].astype(np.int64)
            edges = np.linspace(t[0], t[-1] + 1, given.windows + 1)
            window = np.searchsorted(edges, t, side="right") - 1
            for wanted in windows:
                rows = np.flatnonzero(window == wanted)
                for name, column in columns.items():
                    column.append(recordings[name][events][rows])
                lengths.append(len(rows))
                answers.append(classes.index(label))
        written |= {f"{name}_{split}": np.concatenate(column) for name, column in columns.items()}
        written[f"offsets_{split}"] = np.concatenate([[0], np.cumsum(lengths)])
        written[f"label_{split}"] = np.array(answers)
        print(f"{split}: {len(answers)} windows, {min(lengths)} to {max(lengths)} events each")
    np.savez_compressed(given.out, **written)


if __name__ == "__main__":
    main()
