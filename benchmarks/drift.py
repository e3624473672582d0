"""Drift of small stochastically rounded updates: 20,000 updates of +0.01 LSB, by size of the tensor and rule of the draws.

    python benchmarks/drift.py

An unbiased rounding moves every element by 200 LSB, give or take 14. Version 1 drew element e of update n from
`L[offset + n*size + e]`, version 2 from `L[offset + (n << k) + e]` (docs/arithmetic.md, "Random bits").
"""

import numpy as np

from nmsim.fixedpoint.lfsr import PERIOD, Role, draw_table, first_draw, offset

UPDATES, STEP, ELEMENTS = 20_000, 0.01, 400
SIZES = ((784, 85), (510, 128), (257, 255))


def moved(size: int, *, version: int) -> np.ndarray:
    """LSBs that each of 400 elements, spread evenly over the tensor, has moved after all updates."""
    element = np.linspace(0, size - 1, ELEMENTS).astype(np.int64)
    n = np.arange(UPDATES)[:, None]
    start = n * size if version == 1 else first_draw(n, size)
    draws = draw_table()[(offset(1, 0, Role.WEIGHT) + start + element) % PERIOD].astype(np.int64)
    raised = draws + round(STEP * 65536) >= 65536  # floor(step + draw) is 1 or 0
    return raised.sum(axis=0)


def main() -> None:
    """Print the smallest and largest movement of 400 elements, before and after."""
    print("| tensor | version 1: smallest, largest | version 2: smallest, largest |\n|---|---|---|")
    for rows, columns in SIZES:
        cells = [moved(rows * columns, version=version) for version in (1, 2)]
        print(
            f"| {rows} x {columns} | " + " | ".join(f"{found.min()}, {found.max()}" for found in cells) + " |"
        )


if __name__ == "__main__":
    main()
