"""Words of every memory against a twin that walks the loop nests, with one memory per kind of data."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from word_twin import WordTwin

from nmsim.contents import STORED
from nmsim.counts import Component
from nmsim.hardware.chip import ChipConfig
from nmsim.perf.stage import StageKind
from nmsim.validate.designs import DrawnDesign, random_design

PARTS = (StageKind.INTEGRATE, StageKind.PROPAGATE, StageKind.GRADIENT)


def has_deep_convolution(design: DrawnDesign) -> bool:
    """Trains a convolution that hears from another layer through more than one kernel position."""
    layers = design.job.network.synaptic_layers
    deep = [layer for layer in layers if layer.positions > 1 and layer.weight_shape[-1] > 1]
    return design.job.needs.trains and any(
        max(design.job.network.source_layers(layer.index)) >= 0 for layer in deep
    )


def separated(seed: int, *, flow: str | None = None) -> tuple[DrawnDesign, dict[str, int]]:
    """A random design whose cores have a memory for every content, of random word width."""
    design, random = random_design(seed), np.random.default_rng(seed)
    while flow is not None and not has_deep_convolution(design):
        seed += 1000
        design = random_design(seed)
    widths = {content.value: int(random.choice([8, 16, 48, 64, 128])) for content in STORED}
    memories = [
        {"name": name, "holds": [name], "words": 1 << 20, "word_bits": bits} for name, bits in widths.items()
    ]
    chip = design.job.chip.model_dump(mode="json", exclude_none=True)
    if flow is not None:
        chip["options"]["dataflow"] = dict.fromkeys(("integrate", "error", "gradient"), flow)
    for core in chip["core_types"]:
        core["memories"] = memories
    mapping = replace(design.job.mapping, residency=())
    job = replace(design.job, chip=ChipConfig.model_validate(chip), mapping=mapping)
    return replace(design, job=job), widths


def check(design: DrawnDesign, widths: dict[str, int]) -> None:
    twin = WordTwin(design, widths).words
    found: Counter[tuple[str, str, str]] = Counter()
    recompute = design.job.needs.carries == "history" and design.job.chip.options.stbp_history == "recompute"
    for stage in design.work().stages:
        for block in stage.blocks if stage.part in PARTS else ():
            component, action, unit = block.key[:3]
            if component == Component.SRAM:
                found[stage.part.value, unit, action.value] += int(block.counts.sum())
    for key, words in twin.items():
        passes = 2 if recompute and key[0] == "integrate" else 1
        assert found[key] == words * passes, key


@pytest.mark.parametrize("seed", range(300, 312))
def test_words_of_weights_sums_and_gradients(seed: int) -> None:
    check(*separated(seed))


@pytest.mark.parametrize("seed", [400, 401])
@pytest.mark.parametrize("flow", ["weight_stationary", "output_stationary", "input_stationary"])
def test_words_of_deep_convolutions(seed: int, flow: str) -> None:
    check(*separated(seed, flow=flow))
