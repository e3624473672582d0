"""Write the RTL of a core: modules, package, images, bench, Makefile, the machine as built, and a page for people."""

import json
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from nmsim.config import to_yaml
from nmsim.hardware.chip import ChipConfig
from nmsim.rtl.built import built_chip
from nmsim.rtl.core_page import page_text
from nmsim.rtl.design import Design
from nmsim.rtl.images import initial_images
from nmsim.rtl.memories import lists, memories
from nmsim.rtl.package import package_text
from nmsim.rtl.quantizers import TENSORS, counted
from nmsim.storage import write_text

BENCH, SCHEMA = "stop_tb.sv", "nmsim/rtl-1"
MAKEFILE = """\
# Yours to change. Needs Verilator 5.006 or later.
lint:
\tverilator --lint-only -Wall -f filelist.f --top-module stop_core

obj_dir/stop_tb: $(wildcard rtl/*.sv tb/*.sv)
\tverilator --binary --timing --x-initial unique -O3 -Wno-lint -f filelist.f tb/stop_tb.sv --top-module stop_tb -o stop_tb

sim: obj_dir/stop_tb
\t./obj_dir/stop_tb

check: sim
\tcmp expected.hex trace.hex && echo "every word is as expected"

.PHONY: lint sim check
"""


def module_texts() -> dict[str, str]:
    """The modules that come with nmsim, by file name."""
    folder = files("nmsim.rtl") / "sv"
    return {
        path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name.endswith(".sv")
    }


def write_core(design: Design, chip: ChipConfig, folder: Path, about: dict[str, Any] | None = None) -> None:
    """Write everything but the samples of the bench; `about` is provenance for `rtl.json`."""
    texts = module_texts()
    write_text(folder / "tb" / BENCH, texts.pop(BENCH))
    texts["stop_pkg.sv"] = package_text(design)
    for name, text in texts.items():
        write_text(folder / "rtl" / name, text)
    order = ["stop_pkg.sv", *sorted(texts.keys() - {"stop_pkg.sv"})]
    write_text(folder / "filelist.f", _lines(f"rtl/{name}" for name in order))
    for name, words in initial_images(design).items():
        write_text(folder / "images" / f"{name}.hex", _lines(words))
    write_text(folder / "Makefile", MAKEFILE)
    write_text(folder / "README.md", page_text(design, chip))
    built = built_chip(design, chip).model_dump(mode="json", exclude_defaults=True)
    write_text(folder / "chip.yaml", to_yaml(built))
    write_text(folder / "rtl.json", json.dumps(_record(design, about or {}), indent=1) + "\n")


def write_events(lines: Iterable[str], folder: Path) -> None:
    """The samples that the bench feeds."""
    write_text(folder / "events.hex", _lines(lines))


def _record(design: Design, about: dict[str, Any]) -> dict[str, Any]:
    chip = design.side
    return {
        "schema": SCHEMA,
        **about,
        "lanes": {"synapses": design.lanes, "neurons": design.neuron_lanes, "updates": design.update_lanes},
        "memories": [
            {
                "name": memory.name, "kind": memory.kind, "words": memory.words, "word_bits": memory.word_bits,
                "holds": [str(content) for content in memory.holds], "zeroed": memory.zeroed,
                "lane": [
                    {"name": part.name, "bits": part.field.bits, "signed": part.field.signed, "at": part.at}
                    for part in memory.parts
                ],
            }
            for memory in memories(design)
        ],
        "lists": [{"name": name, "words": words, "word_bits": bits} for name, words, bits in lists(design)],
        "overflows_not_counted": [
            f"layer{layer}.{tensor.lower()}"
            for tensor in TENSORS
            for layer in range(design.layers)
            if not counted(design, tensor, layer)
        ],
        "seed": chip.seed,
        "input_format": str(chip.input_format),
        "network": chip.network.model_dump(mode="json"),
        "precision": chip.precision.model_dump(mode="json"),
        "training": design.training.model_dump(mode="json"),
    }  # fmt: skip


def _lines(words: Iterable[str]) -> str:
    return "".join(f"{word}\n" for word in words)
