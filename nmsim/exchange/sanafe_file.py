"""Architecture files of SANA-FE (YAML): what they say, checked key by key.

The format is that of SANA-FE 2.2 (Boyle et al., TCAD 44(8) 2025; `arch/` in github.com/SLAM-Lab/SANA-FE): an
`architecture` of tiles, each with cores, each with the units of a fixed pipeline. Energies are in joules, times in seconds.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from nmsim import config
from nmsim.config import Document, Record
from nmsim.errors import DataError

RANGE = re.compile(r"\[(\d+)\.\.(\d+)\]\Z")
SILENT = {"name", "model", "log_energy", "log_latency", "buffer_inside_unit", "topology", "sync_model"}
"""Attributes that change neither an energy nor a time, or are read elsewhere."""

Joules = Annotated[float, Field(ge=0, le=1e-3)]
Seconds = Annotated[float, Field(ge=0, le=1.0)]


def _as_list(value: Any) -> Any:
    """SANA-FE takes one unit where it takes a list of them."""
    return [value] if isinstance(value, dict) else value


class _Part(Record):
    """A part of a file; keys that are not read are kept, to be named."""

    model_config = ConfigDict(extra="allow")

    def unread(self) -> list[str]:
        """Attributes that nothing here stands for."""
        return sorted(set(self.model_extra or {}) - SILENT)


class _Named(_Part):
    name: str

    @property
    def instances(self) -> int:
        """How many of it there are: `tile[0..31]` are 32."""
        found = RANGE.search(self.name)
        return 1 if found is None else int(found[2]) - int(found[1]) + 1

    @property
    def stem(self) -> str:
        """Its name without the range."""
        return self.name.partition("[")[0]


class HopCosts(_Part):
    """A message over one link, by direction; north is towards larger row numbers in SANA-FE."""

    energy_north_hop: Joules
    energy_east_hop: Joules
    energy_south_hop: Joules
    energy_west_hop: Joules
    latency_north_hop: Seconds
    latency_east_hop: Seconds
    latency_south_hop: Seconds
    latency_west_hop: Seconds


class AxonInCosts(_Part):
    """A message that arrives at a core."""

    energy_message_in: Joules
    latency_message_in: Seconds


class SynapseCosts(_Part):
    """A synapse served for a spike."""

    energy_process_spike: Joules
    latency_process_spike: Seconds


class DendriteCosts(_Part):
    """A dendrite updated, which happens for every synapse served; with `update_every_timestep` also without one."""

    energy_update: Joules
    latency_update: Seconds
    update_every_timestep: bool = False
    force_update: bool = False


class SomaCosts(_Part):
    """A neuron looked at in a time step, updated because something reached it, and fired."""

    model: str = ""
    energy_access_neuron: Joules
    latency_access_neuron: Seconds
    energy_update_neuron: Joules
    latency_update_neuron: Seconds
    energy_spike_out: Joules
    latency_spike_out: Seconds


class AxonOutCosts(_Part):
    """A message that a core sends."""

    energy_message_out: Joules
    latency_message_out: Seconds


class AxonIn(_Named):
    """Unit that receives messages."""

    attributes: AxonInCosts


class Synapse(_Named):
    """Unit that looks synapses up."""

    attributes: SynapseCosts


class Dendrite(_Named):
    """Unit that adds currents up."""

    attributes: DendriteCosts


class Soma(_Named):
    """Unit that keeps neurons."""

    attributes: SomaCosts


class AxonOut(_Named):
    """Unit that sends messages."""

    attributes: AxonOutCosts


class CoreAttributes(_Part):
    """Bounds of a core; `buffer_position` the unit before which messages wait for the next time step."""

    buffer_position: str
    max_neurons_supported: int = Field(ge=1, le=2**32)


class Core(_Named):
    """A core and its pipeline."""

    attributes: CoreAttributes
    axon_in: Annotated[tuple[AxonIn, ...], BeforeValidator(_as_list), Field(min_length=1)]
    synapse: Annotated[tuple[Synapse, ...], BeforeValidator(_as_list), Field(min_length=1)]
    dendrite: Annotated[tuple[Dendrite, ...], BeforeValidator(_as_list), Field(min_length=1)]
    soma: Annotated[tuple[Soma, ...], BeforeValidator(_as_list), Field(min_length=1)]
    axon_out: Annotated[tuple[AxonOut, ...], BeforeValidator(_as_list), Field(min_length=1)]


class Tile(_Named):
    """A router and the cores at it."""

    attributes: HopCosts
    core: Annotated[tuple[Core, ...], BeforeValidator(_as_list), Field(min_length=1)]


class Mesh(_Part):
    """Size of the mesh and the barrier at the end of a time step: one time, or times from so many tiles on."""

    width: int = Field(ge=1, le=65_536)
    height: int = Field(ge=1, le=65_536)
    link_buffer_size: int = Field(ge=1, le=1_000_000)
    sync_model: Literal["fixed", "table"] = "fixed"
    latency_sync: Seconds | dict[int, Seconds] = 0.0


class Architecture(_Named):
    """A chip of SANA-FE."""

    attributes: Mesh
    tile: Annotated[tuple[Tile, ...], BeforeValidator(_as_list), Field(min_length=1)]


class _File(_Part):
    architecture: Architecture


def read_architecture(path: Path) -> Architecture:
    """The architecture in a file.

    Raises:
        ConfigError: no such file, no YAML, or a key is missing or out of range.
        DataError: the file describes no architecture, or more tiles than its mesh has places.
    """
    document: Document = config.load(path)
    if "architecture" not in document.data:
        raise DataError(
            f"{path}:1: no key 'architecture' at the top, which an architecture of SANA-FE has; give a file like those in"
            " its folder arch/"
        )
    found = config.build(_File, document).architecture
    places = found.attributes.width * found.attributes.height
    tiles = sum(tile.instances for tile in found.tile)
    for named in _named(found):
        if named.instances < 1:
            raise DataError(f"{path}: the name '{named.name}' counts backwards; write the range as [0..3]")
    if tiles > places:
        raise DataError(
            f"{path}: {tiles} tiles do not fit the mesh of {found.attributes.width} x {found.attributes.height}; make it"
            " larger, or the range of tiles smaller"
        )
    return found


def _named(found: Architecture) -> Iterator[_Named]:
    for tile in found.tile:
        yield tile
        yield from tile.core
