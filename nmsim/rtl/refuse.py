"""What the RTL cannot build, each in one sentence."""

from nmsim.errors import ConfigError
from nmsim.hardware.core import Core
from nmsim.stop.spec import TrainingSpec
from nmsim.validate.numerics.fixed_side import FixedSide


def check(chip: FixedSide, training: TrainingSpec, core: Core) -> None:
    """Refuse a network, a training section or lanes that no core can be built for.

    Raises:
        ConfigError: what is asked for is not built.
    """
    _network(chip)
    _training(chip, training)
    _lanes(core)


def _network(chip: FixedSide) -> None:
    neuron = chip.network.neuron
    if neuron.integrates or neuron.reset != "subtract":
        what = "leak_factor: 1" if neuron.integrates else "reset: zero"
        raise ConfigError(
            f"nmsim rtl: neuron.{what} is not built in RTL; use a leak factor below 1 and reset: subtract"
        )
    for node in chip.network.nodes[1:]:
        if node.kind != "dense":
            raise ConfigError(
                f"nmsim rtl: layer kind '{node.kind}' is not built in RTL; only dense layers are, so use a dense network"
            )
    for own in chip.formats:
        if own.layer.bias:
            raise ConfigError(
                f"nmsim rtl: the biases of layer {own.layer.index} are not built in RTL; use bias: false"
            )
        if own.scalar or own.precision.trace_threshold > 0:
            what = "static_trace: scalar" if own.scalar else "trace_threshold"
            raise ConfigError(
                f"nmsim rtl: precision.{what} of layer {own.layer.index} is not built in RTL; leave it out"
            )
        if own.layer.threshold_count != own.layer.neurons and own.layer.neurons > 1:
            raise ConfigError(
                f"nmsim rtl: layer {own.layer.index} shares one threshold, which is not built in RTL;"
                " use threshold_sharing: neuron"
            )
    if any(mask is not None and not mask.all() for mask in chip.parameters.mask):
        raise ConfigError("nmsim rtl: pruned synapses are not built in RTL; export a run without a mask")


def _training(chip: FixedSide, training: TrainingSpec) -> None:
    if training.rule.through_time:
        raise ConfigError("nmsim rtl: rule stbp is not built in RTL; use a rule of STOP, such as stop-wtl")
    if training.momentum > 0:
        raise ConfigError("nmsim rtl: momentum is not built in RTL; use --set training.momentum=0")
    if training.gradient_centralization:
        raise ConfigError(
            "nmsim rtl: gradient_centralization is not built in RTL; use --set training.gradient_centralization=false"
        )
    if training.update == "factored":
        raise ConfigError(
            "nmsim rtl: update 'factored' is not built in RTL; use --set training.update=accumulate: the same bits"
        )
    if training.update == "in_place" and any(own.precision.weight_used is not None for own in chip.formats):
        raise ConfigError(
            "nmsim rtl: weight_used with update 'in_place' is not built in RTL; use update accumulate or drop weight_used"
        )


def _lanes(core: Core) -> None:
    if core.event_timing is not None:
        raise ConfigError(
            f"nmsim rtl: core type '{core.name}' is described by the times of whole events, which no datapath follows from;"
            " give a chip with lanes"
        )
    for name, lanes in (
        ("accumulate_lanes", core.accumulate_lanes),
        ("mac_lanes", core.mac_lanes),
        ("neuron_lanes", core.neuron_lanes),
        ("update_lanes", core.update_lanes),
    ):
        if lanes & (lanes - 1):
            raise ConfigError(
                f"nmsim rtl: core type '{core.name}' has {lanes} {name}, which is no power of two; use"
                f" {1 << (lanes.bit_length() - 1)}"
            )
    if core.accumulate_lanes != core.mac_lanes:
        raise ConfigError(
            f"nmsim rtl: core type '{core.name}' has {core.accumulate_lanes} accumulate_lanes and {core.mac_lanes}"
            " mac_lanes, but one array of multipliers serves both; make them equal"
        )
