"""Golden vectors: their own files reproduce them, in plain Python and in the engine; every change is found."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_networks import BIASED, DENSE, POOLED, RESIDUAL, batch, chip

from nmsim.errors import ConfigError, DataError, RunError
from nmsim.validate.numerics.fixed_side import FixedSide
from nmsim.validate.vectors.manifest import Manifest
from nmsim.validate.vectors.replay import replay
from nmsim.validate.vectors.vector_files import Exported, export_vectors

ABOUT = {"workload": "test"}
STOCHASTIC = {"rounding": "stochastic", "leak_trace": "s20.10", "membrane": "s18.10"}


def export(folder: Path, own: FixedSide, samples: int = 2, batch_size: int = 1, **options: Any) -> Exported:
    network = {"input_shape": own.network.input_shape, **own.network.model_dump()}
    return export_vectors(own, batch(network, samples), batch_size, folder, ABOUT, **options)


class Reader:
    """A test bench in plain Python: knows the manifest and the text of the files, and nothing of nmsim."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.files = {file["path"]: file for file in self.manifest["files"]}

    def words(self, path: str) -> list[int]:
        file = self.files[path]
        lines = (self.folder / path).read_text().splitlines()
        found = [int(line, 16) for line in lines if not line.startswith("//")]
        assert len(found) == file["words"]
        assert all(len(line) == file["hex_digits"] for line in lines[1:])
        if file["signed"]:
            half = 1 << (file["total_bits"] - 1)
            found = [word - 2 * half if word >= half else word for word in found]
        return found

    def value(self, path: str, at: int) -> Fraction:
        return Fraction(self.words(path)[at]) / Fraction(2) ** self.files[path]["fraction_bits"]

    def held(self, exact: Fraction, path: str) -> int:
        """An exact value as the tensor of a file holds it: to the nearest, ties up, saturating."""
        file = self.files[path]
        raw = (exact * 2 ** file["fraction_bits"] + Fraction(1, 2)).__floor__()
        low = -(1 << (file["total_bits"] - 1)) if file["signed"] else 0
        high = (1 << (file["total_bits"] - file["signed"])) - 1
        return min(max(raw, low), high)


def test_the_files_of_a_dense_layer_reproduce_each_other(tmp_path: Path) -> None:
    """Current, residual, membrane, spike, traces and delta of every neuron, from the words of the files alone."""
    lively = {**DENSE, "neuron": {"weight_scale": 2.0}}  # both layers spike
    export(tmp_path, chip(lively), samples=1)
    read = Reader(tmp_path)
    steps, inputs, neurons = 4, 12, 5

    def step(name: str) -> str:
        return f"sample0/layer1.{name}.hex"

    weight, theta = (
        read.words("parameters/initial/layer1.weight.hex"),
        read.words("parameters/initial/layer1.threshold.hex"),
    )
    alpha = read.value("parameters/initial/layer1.leak_factor.hex", 0)
    x, current = read.words(step("inputs")), read.words(step("current"))
    names = ("residual", "membrane", "spikes", "leak_trace", "delta", "error", "surrogate")
    values = {name: read.words(step(name)) for name in names}
    u, lsb = read.files[step("membrane")]["fraction_bits"], Fraction(1, 2**10)
    assert u == 10
    spiked = 0
    for n in range(neurons):
        membrane = residual = trace = spike = 0
        for t in range(steps):
            at = t * neurons + n
            assert current[at] == sum(weight[n * inputs + i] * x[t * inputs + i] for i in range(inputs))
            residual = membrane - theta[n] * spike
            assert values["residual"][at] == residual
            trace = read.held(alpha * trace * lsb + residual * lsb, step("leak_trace"))
            assert values["leak_trace"][at] == trace
            membrane = read.held(alpha * residual * lsb + Fraction(current[at], 2**13), step("membrane"))
            assert values["membrane"][at] == membrane
            spike = int(membrane >= theta[n])
            assert values["spikes"][at] == spike
            spiked += spike
            product = Fraction(values["error"][at] * values["surrogate"][at], 2 ** (14 + 8))
            assert values["delta"][at] == read.held(product, step("delta"))
    assert spiked


def test_the_files_of_an_update_reproduce_the_next_weights(tmp_path: Path) -> None:
    """Weights after an update from gradient, rate and draws of the files: w = floor(w - m dW 2^-s + draw)."""
    export(tmp_path, chip(DENSE), samples=2)
    read = Reader(tmp_path)
    rate = read.manifest["learning"]["weight"]
    before = "parameters/initial"
    changed = 0
    for number in range(2):
        for layer in range(2):
            old, new = (
                read.words(f"{where}/layer{layer}.weight.hex")
                for where in (before, f"parameters/update{number}")
            )
            gradient = read.words(f"sample{number}/layer{layer}.weight_gradient.hex")
            bits = read.files[f"sample{number}/layer{layer}.weight_gradient.hex"]["fraction_bits"]
            draws = read.words(f"draws/update{number}/layer{layer}.weight.hex")
            down = bits + rate["shift"] - 13  # from the product's fraction bits to s16.13
            assert down > 16
            for w, g, draw, expected in zip(old, gradient, draws, new, strict=True):
                exact = (w << down) - rate["mantissa"] * g
                assert min(max((exact + (draw << (down - 16))) >> down, -32768), 32767) == expected
                changed += w != expected
        before = f"parameters/update{number}"
    assert changed > 20


def test_draws_are_where_the_rule_of_the_manifest_says(tmp_path: Path) -> None:
    export(tmp_path, chip(POOLED, **STOCHASTIC), samples=2)
    read = Reader(tmp_path)
    table = read.words("tables/draws.hex")
    state = int(read.manifest["lfsr"]["initial_state"], 16)
    for j in range(20):
        for _ in range(16):
            bit = (state ^ state >> 2 ^ state >> 3 ^ state >> 5) & 1
            state = state >> 1 | bit << 15
        assert table[j] == state
    seed, steps, layer = read.manifest["seed"], 3, 1
    for name, role, sample in (("membrane", 3, 1), ("weight_trace", 6, 0), ("delta", 7, 1)):
        path = f"draws/sample{sample}/layer{layer}.{name}.hex"
        size = read.files[path]["words"] // steps
        start = 40503 * (seed + 1) + 7919 * (16 * layer + role)
        for t in range(steps):
            for e in (0, size - 1):
                place = start + ((sample * steps + t) << (size - 1).bit_length()) + e
                assert read.words(path)[t * size + e] == table[place % 65535]


@pytest.mark.parametrize(
    ("network", "training", "precision", "samples", "batch_size"),
    [
        (POOLED, {}, {}, 4, 2),
        (POOLED, {"rule": "stop-w"}, STOCHASTIC, 2, 1),
        (
            RESIDUAL,
            {"momentum": 0.9, "loss": "squared_error"},
            {"weight_used": "s8.5", "overflow": "wrap"},
            2,
            1,
        ),
        (BIASED, {"momentum": 0.5}, STOCHASTIC, 2, 2),
        (
            BIASED,
            {},
            {**STOCHASTIC, "static_trace": "scalar", "trace_threshold": 2, "weight_gradient": "s48"},
            2,
            2,
        ),
        (BIASED, {"batch_size": 1, "update": "in_place"}, {"weight_used": "s8.5"}, 2, 1),
        (DENSE, {"batch_size": 1, "update": "in_place"}, {"rounding": "floor"}, 2, 1),
        (DENSE, {"batch_division": "folded"}, {"membrane": "s70.40", "weight_gradient": "s100"}, 3, 3),
    ],
)
def test_a_replay_from_the_files_agrees(
    tmp_path: Path,
    network: dict[str, Any],
    training: dict[str, Any],
    precision: dict[str, Any],
    samples: int,
    batch_size: int,
) -> None:
    written = export(tmp_path, chip(network, training, **precision), samples, batch_size)
    found = replay(tmp_path)
    assert found.mismatches == ()
    assert (found.files, found.words) == (written.files, written.words)
    assert written.files == len(list(tmp_path.rglob("*.hex")))


def test_a_changed_word_is_found_where_it_is(tmp_path: Path) -> None:
    export(tmp_path, chip(POOLED))
    path = tmp_path / "sample1" / "layer1.delta.hex"
    lines = path.read_text().splitlines()
    word = 1 + 16 + 5  # after the comment: time step 1, channel 1, row 0, column 1 of (3, 4, 2, 2)
    lines[word] = f"{(int(lines[word], 16) + 1) % 65536:04x}"
    path.write_text("\n".join(lines) + "\n")
    (found,) = replay(tmp_path).mismatches
    assert found.path == "sample1/layer1.delta.hex"
    assert found.place == "address 15 (time_step 1, channel 1, row 0, column 1), first of 1"


def test_a_changed_initial_weight_is_found_in_what_follows(tmp_path: Path) -> None:
    export(tmp_path, chip(DENSE))
    path = tmp_path / "parameters" / "initial" / "layer0.weight.hex"
    lines = path.read_text().splitlines()
    lines[1] = "4000"
    path.write_text("\n".join(lines) + "\n")
    paths = {item.path for item in replay(tmp_path).mismatches}
    assert "sample0/layer0.current.hex" in paths
    assert "parameters/update0/layer0.weight.hex" in paths


def test_only_the_tensors_asked_for_are_written(tmp_path: Path) -> None:
    export(tmp_path, chip(DENSE), tensors=("membrane", "spikes"))
    names = {path.name.split(".")[1] for path in (tmp_path / "sample0").iterdir()}
    assert names == {"membrane", "spikes"}
    assert not (tmp_path / "parameters" / "update0").exists()
    assert replay(tmp_path).mismatches == ()


def test_an_earlier_export_is_kept_or_replaced_whole(tmp_path: Path) -> None:
    export(tmp_path, chip(DENSE), samples=2)
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    with pytest.raises(RunError) as found:
        export(tmp_path, chip(DENSE), samples=1)
    assert str(found.value) == f"{tmp_path}: earlier vectors are here; give another --out, or --overwrite"
    export(tmp_path, chip(DENSE), samples=1, overwrite=True)
    assert not list(tmp_path.rglob("sample1/*.hex"))
    assert other.read_text() == "mine"
    assert replay(tmp_path).mismatches == ()


@pytest.mark.parametrize(
    ("training", "samples", "batch_size", "sentence"),
    [
        ({}, 3, 2, "--batch-size 2: 3 samples are no whole number of batches; use a divisor"),
        (
            {}, 3, 3,
            ("--batch-size 3: the mean over a batch is a shift here, so the size must be a power of two; use one, or --set"
            " training.batch_division=folded"),
        ),
        ({"batch_size": 1, "update": "in_place"}, 2, 2, "--batch-size 2: update 'in_place' needs batch size 1; use 1"),
    ],
)  # fmt: skip
def test_batches_that_do_not_go(
    tmp_path: Path, training: dict[str, Any], samples: int, batch_size: int, sentence: str
) -> None:
    with pytest.raises(ConfigError) as found:
        export(tmp_path, chip(DENSE, training), samples, batch_size)
    assert str(found.value) == sentence


def test_unknown_tensors_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^--tensors membran: this run has no such tensor; known are checksum, current, "
    ):
        export(tmp_path, chip(DENSE), tensors=("membran",))
    assert not list(tmp_path.iterdir())


def test_a_folder_without_vectors(tmp_path: Path) -> None:
    with pytest.raises(
        RunError, match=r"manifest.json: no such file; give a folder that `nmsim export-vectors` wrote"
    ):
        Manifest.read(tmp_path)
    (tmp_path / "manifest.json").write_text('{"schema": "other"}')
    with pytest.raises(RunError, match="schema 'other' is not nmsim/vectors-2"):
        Manifest.read(tmp_path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    export(tmp_path, chip(DENSE))
    (tmp_path / "sample0" / "layer0.spikes.hex").unlink()
    with pytest.raises(DataError, match=r"layer0.spikes.hex: not readable as hex memory"):
        replay(tmp_path)


def test_shapes_and_axes_are_those_of_the_network(tmp_path: Path) -> None:
    export(tmp_path, chip(POOLED))
    files = {file["path"]: file for file in Manifest.read(tmp_path).files}
    own = files["sample0/layer1.membrane.hex"]
    assert (own["shape"], own["axes"]) == ([3, 4, 2, 2], ["time_step", "channel", "row", "column"])
    assert files["sample0/layer2.inputs.hex"]["shape"] == [3, 4]
    assert files["parameters/initial/layer1.weight.hex"]["shape"] == [4, 3, 3, 3]
    pooled = files["sample0/layer1.inputs.hex"]
    assert (pooled["format"], pooled["shape"]) == ("u3.2", [3, 3, 4, 4])
    words = np.array([int(line, 16) for line in (tmp_path / pooled["path"]).read_text().splitlines()[1:]])
    assert words.max() <= 4


def test_in_place_the_weights_of_every_time_step_are_written(tmp_path: Path) -> None:
    export(tmp_path, chip(DENSE, {"batch_size": 1, "update": "in_place"}), samples=1)
    read = Reader(tmp_path)
    path = "sample0/layer0.weight_before.hex"
    assert (read.files[path]["shape"], read.files[path]["axes"]) == (
        [4, 12, 20],
        ["time_step", "output", "input"],
    )
    words, size = read.words(path), 12 * 20
    assert words[:size] == read.words("parameters/initial/layer0.weight.hex")
    assert words[3 * size :] != words[:size]
    assert replay(tmp_path).mismatches == ()


def test_every_sample_has_its_own_integers(tmp_path: Path) -> None:
    """The files of each sample against the raw run, in time steps and neurons."""
    own = chip(DENSE)
    run = export(tmp_path, own, samples=3).run
    read = Reader(tmp_path)
    for sample in range(3):
        for name in ("inputs", "current", "membrane", "delta"):
            found = read.words(f"sample{sample}/layer0.{name}.hex")
            assert found == [int(value) for value in getattr(run.layers[0], name)[sample].ravel()]
    assert read.words("sample0/layer0.current.hex") != read.words("sample2/layer0.current.hex")


def test_a_checksum_is_that_of_the_words_of_its_time_step(tmp_path: Path) -> None:
    export(tmp_path, chip(POOLED, **STOCHASTIC), samples=1)
    read, compared = Reader(tmp_path), 0
    for path, file in read.files.items():
        if file["tensor"] != "checksum":
            continue
        source = read.files[path.removeprefix("checksums/")]
        words, size = read.words(source["path"]), source["words"] // source["shape"][0]
        width = (source["total_bits"] + 7) // 8
        for t, expected in enumerate(read.words(path)):
            crc = 0xFFFFFFFF
            for word in words[t * size : (t + 1) * size]:
                for byte in (word % (1 << 8 * width)).to_bytes(width, "little"):
                    crc ^= byte
                    for _ in range(8):
                        crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
            assert crc ^ 0xFFFFFFFF == expected
            compared += 1
    assert compared > 50


def test_registers_and_matrices_of_the_manifest_give_the_draws(tmp_path: Path) -> None:
    """Hardware with one register per tensor, one matrix per draw and one per pass, and no table."""
    export(tmp_path, chip(POOLED, **STOCHASTIC), samples=2)
    read = Reader(tmp_path)

    def apply(matrix: list[str], state: int) -> int:
        return sum(((int(row, 16) & state).bit_count() & 1) << bit for bit, row in enumerate(matrix))

    one, checked = read.manifest["lfsr"]["one_draw"], 0
    for entry in read.manifest["registers"]:
        own = f"layer{entry['layer']}.{entry['tensor']}.hex"
        step = entry["requantized"] == "every time step"
        paths = [f"draws/{'sample' if step else 'update'}{number}/{own}" for number in range(2)]
        state, expected = int(entry["state"], 16), [word for path in paths for word in read.words(path)]
        for place, word in enumerate(expected):
            if place and place % entry["elements"] == 0:
                state = apply(entry["pass_leap"], state)
            state = apply(one, state)
            assert state == word
            checked += 1
    assert checked > 500


def test_no_draws_are_written_that_nothing_uses(tmp_path: Path) -> None:
    export(tmp_path, chip(DENSE, {"rule": "stop-w"}, rounding="stochastic"), samples=1, batch_size=1)
    names = {path.name for path in (tmp_path / "draws").rglob("*.hex")}
    assert "layer0.error.hex" in names
    assert "layer1.error.hex" not in names  # the output error is exact
    assert not any("leak" in name or "threshold" in name for name in names)  # stop-w keeps and learns neither


def test_overflows_are_told_by_sample(tmp_path: Path) -> None:
    narrow = chip(DENSE, current="s20")  # holds no current above a quarter
    export(tmp_path, narrow, samples=4, batch_size=2)
    manifest = Reader(tmp_path).manifest
    by_sample = manifest["sample_overflows"]
    assert len(by_sample) == 4
    name = "layer0.current"
    assert all(counts.get(name, 0) for counts in by_sample)
    assert sum(counts[name] for counts in by_sample) == manifest["overflows"][name]


def test_exact_widths_hold_every_sum_of_the_extremes(tmp_path: Path) -> None:
    export(tmp_path, chip(DENSE), samples=1)
    widths = Reader(tmp_path).manifest["exact_bits"]
    assert widths[0]["current"] == (20 * 255 * 32768 - 1).bit_length() + 1
    assert widths[1]["error_sum"] == (5 * 32768 * 32768).bit_length() + 1
    assert widths[1]["current"] == (12 * 32768 - 1).bit_length() + 1
