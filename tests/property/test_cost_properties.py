"""Prices grow with what they price, and energy adds up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmsim import config
from nmsim.contents import Content
from nmsim.cost import logic, noc, sram
from nmsim.cost.accounting import energy_of
from nmsim.cost.static import static_power
from nmsim.cost.table import ComponentTable, load_table
from nmsim.cost.technology import technology_at
from nmsim.counts import Action, ActionCounts
from nmsim.hardware.chip import ChipConfig
from nmsim.hardware.sram import Sram

CMOS = load_table("cmos")
assert isinstance(CMOS, ComponentTable)
TECHNOLOGIES = {node: technology_at(CMOS, node, supply.nominal_v) for node, supply in CMOS.supply.items()}
CHIP = config.build(
    ChipConfig,
    config.parse_text(
        "{name: small, tech_node_nm: 28, voltage_v: 0.9, clock_hz: 2e8, technology: cmos, mesh: {columns: 2, rows: 1},"
        " core_types: [{neuron_slots: 8, memories: [{name: m, holds: [weight], words: 4096, word_bits: 32}]}]}",
        "chip.yaml",
    ),
)
nodes = st.sampled_from(sorted(TECHNOLOGIES))
bits = st.integers(1, 64)


def memory(words: int, word_bits: int, banks: int = 1) -> Sram:
    return Sram(name="m", holds=(Content.WEIGHT,), words=words, word_bits=word_bits, banks=banks)


@given(nodes, st.integers(1, 1 << 18), st.integers(1, 1 << 18), bits, st.sampled_from([1, 2, 4, 8]))
def test_a_larger_memory_never_costs_less(
    node: int, words: int, more: int, word_bits: int, banks: int
) -> None:
    small = sram.read(TECHNOLOGIES[node], memory(words, word_bits, banks))
    large = sram.read(TECHNOLOGIES[node], memory(words + more, word_bits, banks))
    assert small.pj <= large.pj * (1 + 1e-12)
    assert small.low_pj <= small.pj <= small.high_pj


@given(nodes, st.integers(9, 18), bits, bits)
def test_a_wider_word_of_the_same_memory_never_costs_less(
    node: int, log_words: int, word_bits: int, more: int
) -> None:
    # equal capacity: more bits to a word, so fewer words
    capacity = (1 << log_words) * word_bits * (word_bits + more)
    narrow = sram.read(TECHNOLOGIES[node], memory(capacity // word_bits, word_bits))
    wide = sram.read(TECHNOLOGIES[node], memory(capacity // (word_bits + more), word_bits + more))
    assert narrow.pj <= wide.pj * (1 + 1e-12)


@given(
    nodes,
    bits,
    bits,
    bits,
    st.sampled_from([Action.SOP, Action.MAC, Action.MULTIPLY, Action.COMPARE, Action.LOOKUP]),
)
def test_wider_operands_never_cost_less(node: int, a: int, b: int, more: int, action: Action) -> None:
    narrow = logic.operation(TECHNOLOGIES[node], action, a, b, 32)
    wide = logic.operation(TECHNOLOGIES[node], action, a + more, b, 32)
    assert narrow.pj < wide.pj


@given(st.floats(7, 65), st.floats(7, 65), bits)
def test_logic_and_router_cost_less_at_a_finer_node(one: float, other: float, width: int) -> None:
    fine, coarse = sorted((one, other))
    at_fine, at_coarse = (technology_at(CMOS, n, _nominal_v(n)) for n in (fine, coarse))
    mac = [logic.operation(at, Action.MAC, width, width, 32).pj for at in (at_fine, at_coarse)]
    hop = [noc.flit_hop(at, width).pj for at in (at_fine, at_coarse)]
    assert mac[0] <= mac[1] * (1 + 1e-9)
    assert hop[0] <= hop[1] * (1 + 1e-9)


def _nominal_v(node: float) -> float:
    from nmsim.cost.scaling import supply_at

    return supply_at(CMOS.supply, node).nominal_v


rows = st.lists(
    st.tuples(
        st.sampled_from(["integrate", "neuron", "error"]),
        st.integers(0, 3),
        st.integers(0, 1),
        st.lists(st.integers(0, 10**6), min_size=3, max_size=3),
        st.booleans(),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=50)
@given(rows, st.integers(1, 64))
def test_energy_is_additive_and_linear_in_counts(
    drawn: list[tuple[str, int, int, list[int], bool]], batch_size: int
) -> None:
    power, phase_s = static_power(CHIP, CMOS), {"integrate": np.full(3, 1e-6)}

    def account(factor: int) -> np.ndarray:
        counts = ActionCounts.from_rows(
            [
                (("sram", "read", "m", 32, 0, 0, phase, layer, core), np.array(count) * factor, once)
                for phase, layer, core, count, once in drawn
            ],
            3,
        )
        table = energy_of(counts, CHIP, CMOS, power, phase_s, batch_size=batch_size)
        for names in (("component",), ("phase",), ("layer",), ("core",), ("phase", "layer", "core")):
            parts = [part.total_pj for part in table.by(*names).values()]
            assert np.sum(parts, axis=0) == pytest.approx(table.total_pj, rel=1e-12)
        low, high = table.band_j
        assert low <= table.mean_j <= high
        standing = table.select(action="power").total_pj
        return table.total_pj - standing

    assert account(3) == pytest.approx(3 * account(1), rel=1e-9, abs=1e-6)
