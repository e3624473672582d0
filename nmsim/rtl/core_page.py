"""The page that comes with a core: what it is, blocks, memories, registers, schedule, how to run it."""

from nmsim.hardware.chip import ChipConfig
from nmsim.rtl.design import Design
from nmsim.rtl.memories import Memory, lists, memories
from nmsim.rtl.package import REGISTERS
from nmsim.rtl.quantizers import TENSORS, counted

BLOCKS = {
    "stop_core": "the core: stages, shared multipliers, memories",
    "stop_control": "order of the stages",
    "stop_bus": "register bus, and the window into the memories",
    "stop_memories": "every memory",
    "ram_1rw, ram_1r1w": "the memories themselves: what you replace by macros",
    "stop_integrate": "input events and spikes: the rows of weights they need",
    "stop_neuron": "U, s, th~, a~ of NL neurons a cycle",
    "stop_spikes": "spikes of the layer that fired last, and how many they are",
    "stop_trace": "w~ of NL inputs a cycle, and the list of words that are not all zero",
    "stop_delta": "errors, surrogate table, deltas; gradients of thresholds and leak factors; list of rows",
    "stop_rows": "rows of K deltas in turn, those that are not all zero",
    "stop_propagate": "error sums of the layer below, one input a cycle",
    "stop_gradient": "weight gradients, one non-zero trace a cycle",
    "stop_update": "new weights, with stochastic rounding",
    "stop_thresholds, stop_update_thresholds, stop_leak": "gradients of thresholds and leak factors, and their updates",
    "stop_products, stop_multiply": "the multipliers: K for synapses, three per neuron lane, UL for updates",
    "stop_draws, stop_draw": "random draws: a 16-bit register per lane and layer, leaping by constant matrices",
    "stop_quant, stop_round": "Q: alignment, rounding, saturation or wrapping, overflow flag",
    "stop_accumulate, stop_reduce": "accumulators: read, add, write at full rate; adder tree, or chain of clips",
    "stop_difference": "th~ minus a spike, aligned",
    "stop_list, stop_walk, stop_sweep": "lists of non-zero words, walks over them, sweeps over words",
    "stop_overflow, stop_counter": "overflow counters of every tensor and layer",
}
STAGES = (
    ("INTEGRATE", "one row of K synapses a cycle, for every input event or spike"),
    ("NEURON", "one word of NL neurons a cycle"),
    ("TRACE", "one word of NL inputs a cycle"),
    ("DELTA", "one word of NL neurons a cycle"),
    ("PROPAGATE", "one input a cycle for every row with a non-zero delta"),
    ("GRADIENT", "one non-zero trace a cycle for every row with a non-zero delta"),
    ("UPDATE", "a word of K weights in max(2, K/UL) cycles"),
    ("THRESHOLD", "one word of NL neurons a cycle"),
    ("LEAK", "one leak factor"),
)


def page_text(design: Design, chip: ChipConfig) -> str:
    """README.md of an output folder."""
    own = memories(design)
    shape = "-".join(str(size) for size in (design.inputs[0], *design.neurons))
    rows = [f"| `{name}` | {text} |" for name, text in BLOCKS.items()]
    return f"""\
# RTL of a STOP core: {shape}

SystemVerilog of one core that trains {shape} with {design.training.rule}, bit for bit as nmsim's engine does, after the chip
`{chip.name}`: {design.lanes} synapse lanes (K), {design.neuron_lanes} neuron lanes (NL), {design.update_lanes} update lanes
(UL).

**It belongs to you.** Every file in this folder is yours to use, change, sell and pass on, without any condition; it comes
without any warranty.

| path | holds |
|---|---|
| `rtl/stop_pkg.sv` | everything that depends on network, formats and lanes; the other modules are the same for every core |
| `rtl/*.sv`, `filelist.f` | the modules, synthesizable; top module `stop_core` |
| `images/*.hex` | initial weights and neurons; memories marked "zeroed" below must hold zeros at the start |
| `tb/stop_tb.sv`, `events.hex` | a bench and the samples it feeds: label, end of batch, address and value of each event |
| `chip.yaml` | the machine as it is built here, for `nmsim simulate --chip` |
| `rtl.json` | memories, lanes, network and formats for programs |

    make lint        # Verilator, -Wall
    make sim         # builds the bench, writes trace.hex and cycles.txt
    make check       # compares trace.hex with expected.hex, where `nmsim rtl --verify` wrote it

## Blocks

| module | does |
|---|---|
{chr(10).join(rows)}

## Schedule

Per time step forward through the layers, back through them, then gradients; after a batch, updates. Stages take turns.

| stage | rate |
|---|---|
{chr(10).join(f"| {name} | {text} |" for name, text in STAGES)}

## Memories

All are synchronous: data one cycle after the address. Lane 0 of a word is lowest.

| no. | memory | kind | words | bits | a word holds, lowest bits first | at the start |
|---|---|---|---|---|---|---|
{chr(10).join(_memory_row(memory) for memory in own)}

Lists that only the core sees: {", ".join(f"{name} {words} x {bits}" for name, words, bits in lists(design))} bits (1r1w).

{_places(design)}

## Registers

32-bit, by word address; a read answers one cycle later.

| address | register | |
|---|---|---|
{_registers(design)}

## Input and output

`in_valid`, `in_ready`, `in_address`, `in_value`, `in_last`: events of layer 0, taken when valid and ready are high.
`in_last` ends the events of {"a sample, which serve all its time steps" if design.once else "a time step"}; no input at
all is one event of value 0. `out_valid`, `out_word`, `out_mask`: spikes of the output layer.
"""


def _memory_row(memory: Memory) -> str:
    parts = ", ".join(
        f"{part.name} {'s' if part.field.signed else 'u'}{part.field.bits}" for part in memory.parts
    )
    start = "zeroed" if memory.zeroed else "image" if memory.name in {"weights", "neurons"} else "any"
    return (
        f"| {memory.index} | {memory.name} | {memory.kind} | {memory.words:,} | {memory.word_bits} |"
        f" {memory.lanes} x ({parts}) | {start} |"
    )


def _places(design: Design) -> str:
    rows = [
        f"| {layer} | {m} x {n} | {w} + r * {m} + i | {b} + n / {design.neuron_lanes} | {t} + i / {design.neuron_lanes} |"
        for layer, (m, n, w, b, t) in enumerate(
            zip(
                design.inputs, design.neurons, design.weight_base, _cumulative(design.neuron_words),
                _cumulative(design.input_words), strict=True,
            )
        )
    ]  # fmt: skip
    table = "\n".join(rows)
    return f"""\
Addresses, for input i and neuron n = K * r + lane:

| layer | inputs x neurons | weights, gradients | neurons | traces |
|---|---|---|---|---|
{table}"""


def _cumulative(sizes: list[int]) -> list[int]:
    return [sum(sizes[:index]) for index in range(len(sizes))]


def _registers(design: Design) -> str:
    r = REGISTERS
    rows = [
        (
            r["CONTROL"],
            "CONTROL",
            "write: bit 0 start, 1 last sample of its batch, 2 learn; bits 31..16 label",
        ),
        (r["STATUS"], "STATUS", "read: bit 0 busy; bits 15..8 time step, 23..16 layer, 31..24 stage"),
        (r["SELECT"], "SELECT", "number of the memory to access while idle"),
        (r["ADDRESS"], "ADDRESS", "word of that memory"),
        (r["ACCESS"], "ACCESS", "write: 1 reads the word into the window, 2 writes the window to the word"),
        (r["WINDOW"], "WINDOW", "32 bits of the word each, lowest first"),
        (r["FACTORS"], "FACTORS", "leak factor of each layer"),
    ]
    for index, tensor in enumerate(TENSORS):
        missing = [layer for layer in range(design.layers) if not counted(design, tensor, layer)]
        note = (
            f"; wraps in layers {', '.join(map(str, missing))}, where no hardware can count"
            if missing
            else ""
        )
        rows.append((r["COUNTS"] + 16 * index, f"COUNTS.{tensor.lower()}", f"overflows of each layer{note}"))
    return "\n".join(f"| {address:#05x} | {name} | {text} |" for address, name, text in rows)
