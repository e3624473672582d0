"""Where two records of the same run part: the first tensor that differs, in the order of computation."""

from typing import Any

from twin import STEP_TENSORS

FORWARD = STEP_TENSORS[: STEP_TENSORS.index("s") + 1]
BACKWARD = STEP_TENSORS[len(FORWARD) :]
SUMS = ("c", "g", "dW", "dTheta", "dAlpha", "db")


def first_difference(expected: dict[str, Any], actual: dict[str, Any]) -> str | None:
    """One sentence with place and both values, or None if every tensor that both records hold is the same.

    Updates follow the samples of their batch. Tensors that only one of the records holds are passed over, so
    that an engine may leave out what it does not form; spike counts, predictions, parameters and overflow
    counts must be there.
    """
    samples, updates = expected["steps"], expected["updates"]
    batch = len(samples) // len(updates)
    for sample, steps in enumerate(samples):
        for t, layers in enumerate(steps):
            for index, name in step_order(len(layers)):
                place = f"sample {sample}, time step {t}, layer {index}, {name}"
                found = compare(place, layers[index].get(name), actual["steps"][sample][t][index].get(name))
                if found:
                    return found
        if (sample + 1) % batch == 0:
            k = sample // batch
            for index, own in enumerate(updates[k]):
                for name, value in own.items():
                    found = compare(
                        f"update {k}, layer {index}, {name}", value, actual["updates"][k][index][name]
                    )
                    if found:
                        return found
    for index, counts in enumerate(expected["overflows"]):
        other = actual["overflows"][index]
        for name in sorted(counts.keys() | other.keys()):
            found = compare(f"overflows of layer {index}, {name}", counts.get(name, 0), other.get(name, 0))
            if found:
                return found
    for name in ("spike_counts", "predictions"):
        found = compare(name, expected[name], actual[name])
        if found:
            return found
    return None


def step_order(layers: int) -> list[tuple[int, str]]:
    """(layer, tensor) of one time step: forward through the layers, backward through them, then the sums."""
    forward = [(index, name) for index in range(layers) for name in FORWARD]
    backward = [(index, name) for index in reversed(range(layers)) for name in BACKWARD]
    return [*forward, *backward, *((index, name) for index in range(layers) for name in SUMS)]


def compare(place: str, expected: Any, actual: Any) -> str | None:
    """The first element that differs, in words."""
    if expected is None or actual is None or expected == actual:
        return None
    if not isinstance(expected, list) or len(expected) != len(actual):
        return f"{place}: expected {expected}, got {actual}"
    i = next(i for i, pair in enumerate(zip(expected, actual, strict=True)) if pair[0] != pair[1])
    return f"{place}[{i}]: expected {expected[i]}, got {actual[i]}"
