"""`vectors.vh`: the numbers of the manifest that a Verilog bench needs, as constants and constant functions of the layer."""

from collections.abc import Callable
from typing import Any

from nmsim.fixedpoint.leap import leap, rows, state_before
from nmsim.fixedpoint.lfsr import Role, offset
from nmsim.network.precision import TENSORS
from nmsim.stop.fixed.layer_formats import LayerFormats
from nmsim.stop.fixed.tensor import Tensor
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import FixedSide

HEADER = "vectors.vh"
TITLE = """\
// Numbers of this run, for test benches; manifest.json says more. Include it inside a module.
// Shapes and formats are constant functions of the layer, counted from 0: layer_inputs(1), weight_bits(1).
// _bits: width of a word; _fraction: its fraction bits. A rate is mantissa * 2^-shift, the batch's mean included.
"""


def header_text(chip: FixedSide, training: TrainingSpec, samples: int, rates: dict[str, Any]) -> str:
    """Content of `vectors.vh`; `rates` is the section `learning` of the manifest."""
    constants = {
        "LAYERS": len(chip.formats),
        "TIME_STEPS": chip.network.time_steps,
        "SAMPLES": samples,
        "BATCH": training.batch_size,
        "UPDATES": samples // training.batch_size,
        "INPUT_BITS": chip.input_format.total_bits,
        "INPUT_FRACTION": chip.input_format.fraction_bits,
    }
    for name in ("weight", "threshold", "leak_factor"):
        constants |= {f"{name.upper()}_{key.upper()}": value for key, value in rates[name].items()}
    lines = [f"localparam {name} = {value};" for name, value in constants.items()]
    for name, value in _by_layer().items():
        cases = " ".join(f"{index}: {name} = {value(own)};" for index, own in enumerate(chip.formats))
        lines.append(
            f"function integer {name}(input integer layer); begin\n"
            f"  case (layer) {cases} default: {name} = 0; endcase\nend endfunction"
        )
    states = " ".join(
        f"{index}: weight_draw_state = 16'h{state_before(offset(chip.seed, index, Role.WEIGHT)):04x};"
        for index in range(len(chip.formats))
    )
    lines.append(
        "// State of the draw register before the first draw of the first update of a layer's weights.\n"
        "function [15:0] weight_draw_state(input integer layer); begin\n"
        f"  case (layer) {states} default: weight_draw_state = 0; endcase\nend endfunction"
    )
    parities = " ".join(
        f"next_draw[{bit}] = ^(state & 16'h{row:04x});" for bit, row in enumerate(rows(leap(1)))
    )
    lines.append(
        "// One draw: sixteen shifts of the register as one matrix.\n"
        f"function [15:0] next_draw(input [15:0] state); begin\n  {parities}\nend endfunction"
    )
    return TITLE + "\n".join(lines) + "\n"


def _by_layer() -> dict[str, Callable[[LayerFormats], int]]:
    found: dict[str, Callable[[LayerFormats], int]] = {
        "layer_inputs": lambda own: own.layer.inputs,
        "layer_neurons": lambda own: own.layer.neurons,
        "layer_weights": lambda own: own.layer.weights,
        "layer_biases": lambda own: own.layer.biases,
        "layer_input_bits": lambda own: own.input.format().total_bits,
        "layer_input_fraction": lambda own: own.input.fraction_bits,
    }
    for name in TENSORS:
        found[f"{name}_bits"] = lambda own, name=name: getattr(own.precision, name).format.total_bits  # type: ignore[misc]
        found[f"{name}_fraction"] = lambda own, name=name: getattr(own.precision, name).format.fraction_bits  # type: ignore[misc]
    for name, tensor in (
        ("current", Tensor.CURRENT),
        ("error_sum", Tensor.ERROR_SUM),
        ("weight_gradient", Tensor.WEIGHT_GRADIENT),
        ("threshold_gradient", Tensor.THRESHOLD_GRADIENT),
        ("leak_gradient", Tensor.LEAK_GRADIENT),
        ("bias_gradient", Tensor.BIAS_GRADIENT),
        ("static_gradient", Tensor.STATIC_GRADIENT),
    ):
        found[f"{name}_bits"] = lambda own, tensor=tensor: own.accumulator(tensor).total_bits  # type: ignore[misc]
        found[f"{name}_fraction"] = lambda own, tensor=tensor: own.accumulator(tensor).fraction_bits  # type: ignore[misc]
    return found
