"""Chips of SANA-FE: what it counted on a chip is what nmsim counts on the imported one, and every refusal is a sentence."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import nmsim
from nmsim.cli.verbs import app
from nmsim.cost.table import load_table
from nmsim.counts import Component
from nmsim.errors import ConfigError, DataError, NmsimError
from nmsim.evaluate import Evaluation, evaluate
from nmsim.exchange.sanafe_chip import Choice
from nmsim.mapping.deployment import Deployment
from nmsim.mapping.manual import ManualMapping, ManualSlice, map_manually
from nmsim.network.memory import TrainingNeeds
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.import_chip import import_chip
from nmsim.pipeline.imported import import_activity
from nmsim.rasters import SpikeList

GIVEN = Path(__file__).parent / "sanafe"
TABLE = Choice({"": "table"})
NETWORK = """
network:
  input_shape: [1, 1, 10]
  time_steps: 40
  layers: [{kind: conv, channels: 1, kernel: 1}, {kind: dense, units: 8}, {kind: dense, units: 6}]
"""
# benchmarks/sanafe_small.py: neurons of layer0 on cores 0 and 6 of SANA-FE, which numbers tiles up the columns and cores
# two a tile; here tiles are numbered along the rows from the north-west
PLACES = {0: 4, 1: 5, 2: 0, 3: 1, 4: 6, 5: 7, 6: 2, 7: 3}


def made(tmp_path: Path, choice: Choice = TABLE, change: dict[str, str] | None = None) -> Any:
    text = (GIVEN / "mesh.yaml").read_text()
    for old, new in (change or {}).items():
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "arch.yaml"
    file.write_text(text)
    return import_chip(file, tmp_path / "odd.yaml", choice, overwrite=True)


def replayed(tmp_path: Path) -> Evaluation:
    """SANA-FE's spikes on the imported chip, neurons on the cores on which SANA-FE had them."""
    (tmp_path / "network.yaml").write_text(NETWORK.replace("[1, 1, 10]", "[1, 2, 5]"))
    run = tmp_path / "run"
    import_activity(GIVEN / "spikes.npz", tmp_path / "network.yaml", run, delay_steps=1)
    workload, activity = RunFolder(run).workload(), RunFolder(run).activity("stop")
    chip = nmsim.read_chip(str(made(tmp_path).chip_file))
    slices = (
        ManualSlice(layer=0, core=PLACES[0], rows=(0, 1)), ManualSlice(layer=0, core=PLACES[6], rows=(1, 2)),
        ManualSlice(layer=1, core=PLACES[2], channels=(0, 4)), ManualSlice(layer=1, core=PLACES[5], channels=(4, 8)),
        ManualSlice(layer=2, core=PLACES[7], channels=(0, 3)), ManualSlice(layer=2, core=PLACES[1], channels=(3, 6)),
    )  # fmt: skip
    needs = TrainingNeeds.for_rule("inference")
    mapping = map_manually(workload.network, workload.precision, needs, chip, ManualMapping(slices=slices))
    job = Deployment(workload.network, workload.precision, needs, chip, mapping)
    return evaluate(job, activity, load_table(chip.technology))


def test_energies_equal_those_that_sanafe_summed(tmp_path: Path) -> None:
    told = json.loads((GIVEN / "sanafe.json").read_text())
    found = replayed(tmp_path)
    assert found.audit_passed
    counts = found.perf.counts.select(component=Component.EVENT.value)
    assert counts.total(action="synaptic_op") == told["spikes"]
    assert counts.total(action="axon_out") == told["packets_sent"]
    assert counts.total(action="spike_out") == told["neurons_fired"]
    assert counts.total(action="neuron_update_active") == told["neurons_updated"]
    assert all(counts.total(unit=direction) > 0 for direction in ("north", "east", "south", "west"))
    parts = {
        "soma": ("neuron_update_active", "neuron_update_inactive", "spike_out"),
        "network": ("axon_in", "axon_out", "hop_east_west", "hop_north_south"),
    }
    for name, actions in parts.items():
        own = sum(found.energy.select(action=action).mean_j for action in actions)
        assert own == pytest.approx(told["energy_j"][name], rel=1e-12)
    served = found.energy.select(action="synaptic_op").mean_j
    assert served == pytest.approx(told["energy_j"]["synapse"] + told["energy_j"]["dendrite"], rel=1e-12)
    assert found.energy_j.mean == pytest.approx(told["energy_j"]["total"], rel=1e-12)


def test_a_sum_by_hand(tmp_path: Path) -> None:
    """Two neurons, one spike each, all on one core: prices as the file states them."""
    chip_file = made(
        tmp_path, Choice({"": "shared"}), {"max_neurons_supported: 16": "max_neurons_supported: 64"}
    )
    (tmp_path / "two.yaml").write_text(
        "network: {input_shape: [2], time_steps: 3, layers: [{kind: dense, units: 2}, {kind: dense, units: 4}]}"
    )
    (tmp_path / "spikes.csv").write_text(
        "time_step,layer,neuron\n0,input,1\n1,layer0,0\n2,layer0,1\n,layer1,\n"
    )
    import_activity(tmp_path / "spikes.csv", tmp_path / "two.yaml", tmp_path / "run")
    found = nmsim.simulate(tmp_path / "run", [nmsim.read_chip(str(chip_file.chip_file))]).evaluations[0]
    served = 1 * 2 + 2 * 4
    active = 2 + 1 + 1 + 4 + 4  # layer0 gets an input in step 0 and fires twice; layer1 gets a spike twice
    messages_in, messages_out = 1 + 2, 2
    by_hand = (
        served * (17.0 + 0.9)
        + 3 * 6 * 19.0
        + active * 23.0
        + 2 * 29.0
        + messages_in * 0.7
        + messages_out * 31.0
    )
    entering = (
        found.energy.select(action="hop_east_west").mean_j
        + found.energy.select(action="hop_north_south").mean_j
    )
    assert found.energy_j.mean - entering == pytest.approx(by_hand * 1e-12, rel=1e-12)


def test_times_and_hops_by_direction_are_those_of_the_file(tmp_path: Path) -> None:
    found = made(tmp_path)
    timing = found.chip.core_types[0].event_timing
    assert timing is not None
    assert (timing.synaptic_op_ns, timing.neuron_update_active_ns) == (3.0, 13.0)
    assert found.chip.noc.hop_east_west_ns == (2.0, 4.0)
    assert found.chip.noc.hop_north_south_ns == (1.0, 3.0)
    assert found.chip.barrier.points == ((1, 100.0), (4, 300.0))
    assert len(found.chip.cores()) == 8
    prices = yaml.safe_load(found.prices_file.read_text())["events"]
    assert prices["hop_north_south/south"]["value"] == 3.7
    assert "hop_north_south" not in prices


def test_synapses_by_kind_of_layer(tmp_path: Path) -> None:
    found = made(tmp_path, Choice({"dense": "table", "conv": "shared"}))
    prices = yaml.safe_load(found.prices_file.read_text())["events"]
    assert (prices["synaptic_op/dense"]["value"], prices["synaptic_op/conv"]["value"]) == (13.9, 17.9)


def test_tiles_keep_their_corner_of_the_mesh(tmp_path: Path) -> None:
    found = made(tmp_path, change={"tile[0..3]": "tile[0..2]"})
    assert found.chip.core_types[0].tiles == ((0, 1), (0, 0), (1, 1))


def test_what_has_no_counterpart_is_said(tmp_path: Path) -> None:
    notes = made(tmp_path, change={"model: accumulator,": "model: accumulator, taps: 3,"}).notes
    assert any("attribute 'taps' has no counterpart" in note for note in notes)
    assert any("soma units stimuli" in note for note in notes)
    assert any("synapse units shared are left out" in note for note in notes)
    assert all("\n" not in note for note in notes)


@pytest.mark.parametrize(
    ("choice", "change", "said"),
    [
        (Choice(), {}, "core 'core' has the synapse units table, shared at different costs; say which serves with"),
        (Choice({"": "tables"}), {}, "--synapse tables: core 'core' has no such unit; use one of table, shared"),
        (Choice({"sparse": "table"}), {}, "--synapse sparse=...: there are the kinds dense and conv"),
        (TABLE, {"tile[0..3]": "tile[0..8]"}, "9 tiles do not fit the mesh of 2 x 2"),
        (TABLE, {"tile[0..3]": "tile[3..0]"}, "counts backwards"),
        (TABLE, {"        energy_north_hop: 1.1e-12\n": ""}, r"arch.yaml:\d+: architecture.tile.*energy_north_hop"),
        (TABLE, {"energy_north_hop: 1.1e-12": "energy_north_hop: 1.1"}, "value 1.1: must be less than or equal to 0.001"),
        (TABLE, {"energy_north_hop: 1.1e-12": "energy_north_hop: cheap"}, "must be a number"),
        (TABLE, {"energy_north_hop: 1.1e-12": "energy_north_hop: -1.0e-12"}, "greater than or equal to 0"),
        (TABLE, {"architecture:": "archtecture:"}, "no key 'architecture' at the top"),
        (TABLE, {"architecture:": "architecture: ["}, "not valid YAML"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, choice: Choice, change: dict[str, str], said: str
) -> None:
    with pytest.raises((ConfigError, DataError)) as caught:
        made(tmp_path, choice, change)
    assert re.search(said, str(caught.value)), str(caught.value)
    assert not (tmp_path / "odd.yaml").exists()


def test_nothing_is_written_over_unasked(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(NmsimError, match="there is a file already; give another --out, or --overwrite"):
        import_chip(tmp_path / "arch.yaml", tmp_path / "odd.yaml", TABLE)


def test_the_commands_from_the_file_to_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SANA-FE's own spike trace: neurons as `group.number`, steps from 1, an input that was silent."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network.yaml").write_text(NETWORK)
    commands = (
        f"import-chip {GIVEN / 'mesh.yaml'} --synapse table",
        "check-config odd_mesh.yaml",
        (
            f"import-activity {GIVEN / 'spikes.csv'} --network network.yaml --columns time_step=timestep --layers input="
            " --first-step 1 --delay-steps 1 --out run"
        ),
        "simulate run --chip odd_mesh.yaml --model both",
        "report run",
    )
    for command in commands:
        done = CliRunner().invoke(app, command.split())
        assert done.exit_code == 0, (command, done.output, done.exception)
    assert (tmp_path / "run" / "report.html").exists()


def test_names_and_steps_of_a_list(tmp_path: Path) -> None:
    (tmp_path / "network.yaml").write_text(NETWORK)
    text = (GIVEN / "spikes.csv").read_text().replace("layer1.", "hidden.")
    (tmp_path / "spikes.csv").write_text(text)
    how = SpikeList({"time_step": "timestep"}, 1, layers={"input": "", "layer1": "hidden"})
    found = import_activity(
        tmp_path / "spikes.csv",
        tmp_path / "network.yaml",
        tmp_path / "run",
        delay_steps=(0, 1, 1),
        spike_list=how,
    )
    assert sum(int(layer.mask("spikes").sum()) for layer in found.layers) == 210
