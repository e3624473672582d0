"""Deployment: a network under a learning rule, mapped onto a chip: what a performance model runs."""

from dataclasses import dataclass
from functools import lru_cache

from nmsim.errors import ConfigError, NotModelledError
from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.mapping import Mapping
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.spec import NetworkSpec

KEPT = 64
"""Needs on chips that are kept: mapping, search and evaluation of a design ask for the same."""


@dataclass(frozen=True)
class Deployment:
    """A job for the models of time and price; `nmsim.deploy` makes one, `nmsim.evaluate` runs it on an activity.

    One deployment serves any number of activities of its network, with both performance models and any price table.
    `needs` are those of the rule with the chip's options in them (`needs_on`); `mapping` says which core holds what.
    """

    network: NetworkSpec
    precision: Precision
    needs: TrainingNeeds
    chip: ChipConfig
    mapping: Mapping

    @property
    def rule(self) -> str:
        """Name of the learning rule, or `inference`."""
        return self.needs.rule


@lru_cache(maxsize=KEPT)
def needs_on(needs: TrainingNeeds, chip: ChipConfig) -> tuple[TrainingNeeds, tuple[str, ...]]:
    """Needs of a rule with the chip's options in them, and what the reader of a report should know about that.

    The only place where the two meet.

    Raises:
        ConfigError: the chip keeps no gradient where the training needs one.
        NotModelledError: an artificial network on cores that are described by what a spike costs them.
    """
    options, notes = chip.options, []
    timed = next((core.name for core in chip.core_types if core.event_timing is not None), None)
    if needs.artificial and timed is not None:
        raise NotModelledError(
            f"chip '{chip.name}': core type '{timed}' is described by the time of a spike's events and has none for a"
            " multiply-accumulate, so an artificial network on it is not modelled; choose a chip of lanes and memories, such"
            " as edge-28nm"
        )
    changes: dict[str, object] = {
        "double_buffered": options.schedule != "sequential",
        "keep_static_current": needs.static_input and options.static_input_once,
    }
    if needs.carries == "history":
        changes["stbp_history"] = options.stbp_history
    if needs.trains:
        kept = options.weight_gradient in {"on_chip", "off_chip"}
        changes["update"] = "accumulate" if kept else options.weight_gradient
        if needs.update != changes["update"]:
            notes.append(
                f"the chip's weight gradient is '{options.weight_gradient}', but the activity comes from a"
                f" training that updates by '{needs.update}'"
            )
    if changes.get("update") == "in_place" and needs.momentum:
        raise ConfigError(
            f"{chip.name}: options.weight_gradient: 'in_place' keeps no gradient, but the training has momentum;"
            " set momentum to 0 or choose another option"
        )
    if changes.get("update", "accumulate") != "accumulate" and needs.centralized:
        raise ConfigError(
            f"{chip.name}: options.weight_gradient: '{changes['update']}' does not keep the whole gradient that"
            " gradient_centralization needs; switch that off or choose on_chip or off_chip"
        )
    return TrainingNeeds.model_validate({**needs.model_dump(), **changes}), tuple(notes)
