"""Speed of the bit-accurate engine in two checkouts: CPU time per sample, in turns, in one run.

    git worktree add --detach /tmp/before COMMIT
    python benchmarks/engine_before_after.py /tmp/before          # against this tree, all cases
    python benchmarks/engine_before_after.py /tmp/before . dense-b1 lenet-b64

Each checkout runs in a process of its own, on one thread, and measures the cases of its own `engine_throughput.py`. The two
take turns of a fraction of a second, and every pair of turns gives a ratio. Times are CPU times, which a busy machine
disturbs least. A ratio above 1 says that the second checkout is faster. `start` is the CPU time of a new process until its
first batch is done, with kernels in the cache; `compiled` the same with an empty cache, for the first case of a run.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

STARTS = 2
CASES = ("dense-b1", "dense-b64", "lenet-b64", "vgg-b16")
ONE_THREAD = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def serve(root: Path, name: str) -> None:
    """In a child: run the case for as many CPU seconds as a line of the input says; answer seconds per sample."""
    sys.path.insert(0, str(root))
    spec = importlib.util.spec_from_file_location("throughput", root / "benchmarks" / "engine_throughput.py")
    assert spec is not None
    assert spec.loader is not None
    throughput: Any = importlib.util.module_from_spec(spec)
    sys.modules["throughput"] = throughput
    spec.loader.exec_module(throughput)
    case = throughput.CASES[name]
    step = throughput.ours(case)
    step(0)
    print(time.process_time(), flush=True)
    number = 1
    for line in sys.stdin:
        begin, first = time.process_time(), number
        while number == first or time.process_time() - begin < float(line):
            step(number)
            number += 1
        print((time.process_time() - begin) / (number - first) / case.batch, flush=True)


class Child:
    """A checkout that measures one case in a process of its own."""

    def __init__(self, root: Path, name: str, cache: Path) -> None:
        command = [sys.executable, __file__, "--serve", str(root), name]
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(root), "NUMBA_CACHE_DIR": str(cache)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=root
        )
        self.start_s = self._answer()

    def _answer(self) -> float:
        assert self.process.stdout is not None
        return float(self.process.stdout.readline())

    def measure(self, seconds: float) -> float:
        """CPU seconds per sample over a turn."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def started(root: Path, name: str, cache: Path) -> float:
    """CPU time until the first batch is done, in a new process."""
    child = Child(root, name, cache)
    child.close()
    return child.start_s


def compare(roots: Sequence[Path], caches: Sequence[Path], name: str, rounds: int, seconds: float) -> str:
    """One line on a case."""
    sides = list(zip(roots, caches, strict=True))
    compiled = [started(root, name, cache) for root, cache in sides]
    starts = [min(started(root, name, cache) for _ in range(STARTS)) for root, cache in sides]
    children = [Child(root, name, cache) for root, cache in sides]
    for child in children:
        child.measure(seconds)
    turns = []
    for number in range(rounds):
        order = children if number % 2 else children[::-1]  # neither is always first
        found = {child: child.measure(seconds) for child in order}
        turns.append((found[children[0]], found[children[1]]))
    for child in children:
        child.close()
    ratios = sorted(old / new for old, new in turns)
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    old, new = (1e6 * median(side) for side in zip(*turns, strict=True))
    return (
        f"{name:10} {old:,.1f} us -> {new:,.1f} us per sample, ratio {median(ratios):.3f}"
        f" (middle half {low:.3f} to {high:.3f}, {rounds} pairs);"
        f" start {starts[0]:.2f} s -> {starts[1]:.2f} s; compiled {compiled[0]:.1f} s -> {compiled[1]:.1f} s"
    )


def main() -> None:
    """One line per case."""
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]), sys.argv[3])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, help="a checkout")
    parser.add_argument(
        "now", type=Path, nargs="?", default=Path(__file__).parents[1], help="this one if absent"
    )
    parser.add_argument("cases", nargs="*", help="all if none is named")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU seconds of a turn")
    given = parser.parse_args()
    roots = given.before.resolve(), given.now.resolve()
    with TemporaryDirectory() as made:
        caches = Path(made) / "before", Path(made) / "now"
        for name in given.cases or CASES:
            print(compare(roots, caches, name, given.rounds, given.seconds), flush=True)


if __name__ == "__main__":
    main()
