"""Where pieces go, and how much is sent between them."""

from itertools import permutations

import numpy as np
import pytest
from mapping_cases import CONVOLUTIONS, machine

from nmsim.hardware.chip import ChipConfig
from nmsim.mapping.automatic import map_network
from nmsim.mapping.expected_traffic import SPIKE_RATE_PERCENT, overlap, traffic_matrix
from nmsim.mapping.mapping import Slice
from nmsim.mapping.place import CHIP_BORDER_HOPS, hop_matrix, place
from nmsim.mapping.task import Task
from nmsim.network.layers import Conv, Dense, Residual
from nmsim.network.memory import TrainingNeeds
from nmsim.network.precision import Precision
from nmsim.network.published import dense, vgg11
from nmsim.network.spec import NetworkSpec

LINK = {"bits_per_cycle": 8, "latency_cycles": 4}


def hops(chip: ChipConfig) -> np.ndarray:
    return hop_matrix(chip, chip.cores())


def task(network: NetworkSpec, chip: ChipConfig, rule: str = "stop-w") -> Task:
    return Task.of(network, Precision(), TrainingNeeds.for_rule(rule), chip)


def cost(job: Task, pieces: tuple[Slice, ...]) -> int:
    """Bits times hops of everything sent."""
    where = np.array([piece.core for piece in pieces])
    sent = traffic_matrix(job.network, job.plans, pieces, range(len(pieces)), trains=True)
    return int((sent * hops(job.chip)[np.ix_(where, where)]).sum())


def test_hops_on_a_mesh_and_on_a_torus() -> None:
    mesh, torus = (
        hops(machine(mesh={"columns": 4, "rows": 3}, noc={"topology": t})) for t in ("mesh", "torus")
    )
    assert mesh[0].tolist() == [0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5]
    assert torus[0].tolist() == [0, 1, 2, 1, 1, 2, 3, 2, 1, 2, 3, 2]
    assert (mesh == mesh.T).all()


def test_cores_of_one_tile_are_no_hop_apart() -> None:
    assert hops(machine(core_types__0__per_tile=2))[0].tolist() == [0, 0, 1, 1, 1, 1, 2, 2]


def test_crossing_a_chip_border_counts_extra() -> None:
    found = hops(machine(mesh={"columns": 2, "rows": 1}, chips={"columns": 2, "link": LINK}))
    assert found[0].tolist() == [0, 1, 2 + CHIP_BORDER_HOPS, 3 + CHIP_BORDER_HOPS]


def test_spikes_go_to_every_piece_that_sums_them_and_errors_come_back() -> None:
    job = task(dense(4, 8, 6), machine())
    pieces = [Slice(0, 0, 0, 3, 0, 1, 0, 4), Slice(0, 1, 3, 8, 0, 1, 0, 4), Slice(1, 2, 0, 6, 0, 1, 0, 8)]
    forward = SPIKE_RATE_PERCENT * 4  # addresses of 8 neurons take 4 bits
    both = forward + 100 * (4 + 16)  # a delta of 16 bits with its address
    assert traffic_matrix(job.network, job.plans, pieces, range(len(pieces)), trains=False).tolist() == [
        [0, 0, 3 * forward], [0, 0, 5 * forward], [3 * forward, 5 * forward, 0],
    ]  # fmt: skip
    assert traffic_matrix(job.network, job.plans, pieces, range(len(pieces)), trains=True)[0, 2] == 3 * both


def test_a_split_fan_in_sends_partial_sums_to_its_owner() -> None:
    job = task(dense(4, 8), machine())
    pieces = [Slice(0, 0, 0, 8, 0, 1, 0, 2), Slice(0, 1, 0, 8, 0, 1, 2, 4, owner=False)]
    assert (
        traffic_matrix(job.network, job.plans, pieces, range(len(pieces)), trains=False)[0, 1] == 100 * 8 * 32
    )


def test_only_rows_and_channels_in_common_are_sent() -> None:
    job = task(CONVOLUTIONS, machine())
    pieces = [
        Slice(0, 0, 0, 4, 0, 6, 0, 2), Slice(0, 1, 0, 4, 6, 12, 0, 2),  # upper and lower half of 12 rows
        Slice(1, 2, 0, 6, 0, 1, 0, 4), Slice(1, 3, 0, 6, 1, 2, 0, 4),  # input rows 0..4 and 2..6 of 6
        Slice(2, 4, 0, 5, 0, 1, 0, 12), Slice(2, 5, 0, 5, 0, 1, 12, 24, owner=False),
    ]  # fmt: skip
    upper = overlap(job.plans[0], job.plans[1], pieces, np.array([0, 1]), np.array([2, 3]))
    assert upper.tolist() == [[4 * 6 * 12, 4 * 2 * 12], [4 * 2 * 12, 4 * 6 * 12]]
    flat = overlap(job.plans[1], job.plans[2], pieces, np.array([2, 3]), np.array([4, 5]))
    assert flat.tolist() == [[6, 6], [6, 6]]  # half of the channels, one of two rows of two


def test_both_branches_of_a_residual_are_sent() -> None:
    conv = Conv(kind="conv", channels=2, kernel=1)
    network = NetworkSpec(
        input_shape=(2, 4, 4),
        layers=(conv, Residual(kind="residual", body=(conv,)), Dense(kind="dense", units=3)),
    )
    job = task(network, machine(), "inference")
    pieces = [Slice(layer, layer, 0, 2, 0, 4, 0, 2) for layer in (0, 1)] + [Slice(2, 2, 0, 3, 0, 1, 0, 32)]
    sent = traffic_matrix(network, job.plans, pieces, range(len(pieces)), trains=False)
    assert sent[0, 1] == sent[0, 2] == sent[1, 2] > 0


def test_a_chain_of_layers_goes_from_neighbour_to_neighbour() -> None:
    network = dense(8, 60, 60, 60, 60)
    chip = machine(mesh={"columns": 4, "rows": 1}, core_types__0__neuron_slots=60)
    mapping = map_network(network, Precision(), TrainingNeeds.for_rule("inference"), chip, spread="compact")
    found = [mapping.slices_of(layer)[0].core for layer in range(4)]
    assert found in ([0, 1, 2, 3], [3, 2, 1, 0])


@pytest.mark.parametrize("sizes", [(8, 16, 16, 8), (8, 24, 16), (30, 8, 24, 4)])
def test_four_cores_are_placed_as_well_as_trying_all_places(sizes: tuple[int, ...]) -> None:
    job = task(dense(*sizes), machine(core_types__0__accumulate_lanes=8))
    partition = job.solve("balanced")
    assert partition is not None
    cores = sorted({piece.core for piece in partition.pieces})
    placed = place(job.network, job.plans, partition.pieces, job.chip, trains=True)

    def moved(order: tuple[int, ...]) -> tuple[Slice, ...]:
        seat = dict(zip(cores, order, strict=False))
        return tuple(_at(piece, seat[piece.core]) for piece in partition.pieces)

    best = min(cost(job, moved(order)) for order in permutations(range(4)))
    assert cost(job, placed) == best


def _at(piece: Slice, core: int) -> Slice:
    bounds = (piece.channel_start, piece.channel_stop, piece.row_start, piece.row_stop)
    return Slice(piece.layer, core, *bounds, piece.input_start, piece.input_stop, piece.owner)


def test_placing_spares_a_third_of_the_traffic_of_a_random_placement() -> None:
    core = machine().core_types[0]
    memories = tuple(memory.model_copy(update={"words": 2**18}) for memory in core.memories)
    large = core.model_copy(update={"memories": memories, "neuron_slots": 4096})
    chip = machine(mesh={"columns": 8, "rows": 8}).model_copy(update={"core_types": (large,)})
    job = task(vgg11(), chip, "stop-wtl")
    partition = job.solve("balanced")
    assert partition is not None
    placed = place(job.network, job.plans, partition.pieces, chip, trains=True)
    order = np.random.default_rng(7).permutation(64)
    shuffled = tuple(_at(piece, int(order[piece.core])) for piece in partition.pieces)
    assert cost(job, placed) < 0.65 * cost(job, shuffled)


def test_few_cores_gather_in_a_corner() -> None:
    chip = machine(mesh={"columns": 16, "rows": 16}, core_types__0__accumulate_lanes=8)
    mapping = map_network(dense(40, 32, 10), Precision(), TrainingNeeds(), chip)
    places = [chip.cores()[core] for core in mapping.cores_used]
    assert max(place.column for place in places) <= 2
    assert max(place.row for place in places) <= 2
