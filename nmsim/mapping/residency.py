"""What every core keeps of every kind of data, once its pieces are known."""

from collections.abc import Mapping, Sequence

from nmsim.contents import STORED
from nmsim.mapping.mapping import Residencies, Residency, Slice
from nmsim.mapping.room import LayerPlan, Room, Storage
from nmsim.network.memory_table import SHARED


def residency(
    plans: Sequence[LayerPlan], pieces: Sequence[Slice], storage_of: Mapping[int, Storage]
) -> Residencies:
    """Rows in order of core, layer and content; `storage_of` tells where each core keeps its data."""
    rooms = {core: Room(storage_of[core]) for core in sorted({piece.core for piece in pieces})}
    for piece in pieces:
        room = rooms[piece.core]
        room.add(room.storage.demand(plans[piece.layer], piece))
    return Residencies(row for core, room in rooms.items() for row in _rows(core, room))


def _rows(core: int, room: Room) -> list[Residency]:
    names = [memory.name for memory in room.storage.core.memories]
    homes = room.storage.homes
    buffers = [
        Residency(core, SHARED, kind, amount.bits, names[homes[kind]], amount.words)
        for kind, amount in room.buffers.items()
    ]
    kept = [
        Residency(core, layer, kind, amount.bits, names[homes[kind]], amount.words)
        for (layer, kind), amount in room.kept.items()
    ]
    off_chip = [Residency(core, layer, kind, bits, None) for (layer, kind), bits in room.off_chip.items()]
    order = {content: position for position, content in enumerate(STORED)}
    return sorted(
        buffers + kept + off_chip, key=lambda row: (row.layer, order[row.content], row.memory or "")
    )
