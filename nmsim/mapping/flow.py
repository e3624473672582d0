"""How a layer runs on its cores: the dataflow of each phase, chosen by the chip or by the search."""

from dataclasses import dataclass

from nmsim.hardware.dataflow import Dataflow, Flow, FlowChoice


@dataclass(frozen=True, slots=True)
class LayerFlow:
    """The dataflow of one layer, phase by phase."""

    integrate: Flow = "weight_stationary"
    error: Flow = "weight_stationary"
    gradient: Flow = "weight_stationary"

    @classmethod
    def of(cls, dataflow: Dataflow) -> "LayerFlow":
        """What a chip prescribes; where it leaves the choice to a search, weights stay in place."""
        return cls(
            _or_weights(dataflow.integrate), _or_weights(dataflow.error), _or_weights(dataflow.gradient)
        )


def _or_weights(choice: FlowChoice) -> Flow:
    return "weight_stationary" if choice == "searched" else choice
