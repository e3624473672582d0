"""Answers: what every verb prints with `--json`; `nmsim schema answers` gives their JSON Schema."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from nmsim.cli.output import show_json
from nmsim.config.record import DescribedSchema

Cell = str | int | float | bool | None


class Answer(BaseModel):
    """Base of the answers: no other keys."""

    model_config = ConfigDict(extra="forbid")

    def show(self) -> None:
        """Print it as JSON."""
        show_json(self.model_dump(mode="json"))


class Failure(Answer):
    """What ended a command."""

    kind: str
    """Name of the error's class; `SystemError` where the system refused something, `Defect` for one of nmsim."""
    exit_code: int
    sentences: list[str]
    """One per mistake: place, value, rule, remedy."""


class ErrorAnswer(Answer):
    """Any verb that fails."""

    schema_name: str = Field(alias="schema", pattern="^nmsim/error-1$")
    error: Failure


class FilesAnswer(Answer):
    """Verbs that write files."""

    folder: str
    files: int
    """How many were written."""


class Checked(Answer):
    """One configuration file that is valid."""

    name: str
    kind: str
    hash: str


class TrainAnswer(Answer):
    """A run that was trained."""

    folder: str
    workload: str
    seed: int
    epochs: int
    train_loss: float
    train_accuracy: float
    test_accuracy: float | None
    stamp: str
    """`dead`, `untrained` or empty."""
    warnings: list[str]


class ImportedAnswer(Answer):
    """Spikes that were imported."""

    folder: str
    samples: int
    time_steps: int
    layers: int
    spikes: int


class ImportedNetworkAnswer(Answer):
    """A network of another tool that became a run."""

    folder: str
    layers: int
    weights: int
    neurons: int
    weight_formats: list[str]
    membrane_formats: list[str]
    real_accuracy: float
    """In real numbers, on the same held-out samples as `fixed_accuracy`."""
    fixed_accuracy: float
    test_samples: int
    notes: list[str]


class ImportedChipAnswer(Answer):
    """A chip of another tool: a chip file and its price table."""

    chip_file: str
    prices_file: str
    tiles: int
    cores: int
    neuron_slots: int
    notes: list[str]


class ExportedAnswer(Answer):
    """A network that was written for other tools."""

    file: str
    format: str
    notes: list[str]


class KeptAnswer(Answer):
    """A run that was kept as one file."""

    file: str
    workload: str
    seed: int
    size_bytes: int


class RestoredAnswer(Answer):
    """A kept run that is a folder again, its accuracy measured on this machine."""

    folder: str
    workload: str
    seed: int
    how: str
    """The command that made it."""
    accuracy: float
    kept_accuracy: float | None
    """When it was kept."""
    test_samples: int
    same_data: bool
    agrees: bool


class RtlComparison(Answer):
    """What was compared between RTL and engine, where nothing differs."""

    integers: int
    overflow_counters: int
    cycles: dict[str, Any] | None
    """By stage, beside the models; absent where cycles were not asked for."""


class RtlAnswer(Answer):
    """A core that was written, and what was checked of it."""

    folder: str
    verified: RtlComparison | None
    area: dict[str, Any] | None
    """What `rtl-area.json` holds, with `--synth`."""


class VectorsAnswer(FilesAnswer):
    """Golden vectors."""

    words: int
    size_bytes: int
    checked: bool
    """Whether they were replayed from the files, and agreed."""


class ReplayAnswer(Answer):
    """Golden vectors that were replayed: every word agrees with the engine."""

    files: int
    words: int


class DoctorCheck(Answer):
    """One line of `nmsim doctor`."""

    ok: bool
    detail: str


class StudyAnswer(Answer):
    """Totals of a study."""

    space: str
    designs: int
    status: dict[str, int]
    feasible: int
    front: list[int]
    chosen: int | None
    designs_of_the_front: list[dict[str, Any]]
    simulated: int


class MappingAnswer(Answer):
    """A mapping that was searched."""

    slices: list[dict[str, Any]]
    flows: list[dict[str, Any]]
    objective: str
    energy_j: float
    latency_s: float
    times_better_than: dict[str, float]
    words_filled: dict[str, float]
    notes: list[str]


def answers() -> dict[str, TypeAdapter[Any]]:
    """Verb to the type of its answer; `error` is that of any verb that fails."""
    from nmsim.cost.listing import Listed
    from nmsim.report.summary import Summary

    rows = list[dict[str, Cell]]
    kinds: dict[str, Any] = {
        "error": ErrorAnswer, "run": Summary, "train": TrainAnswer, "simulate": rows, "report": Summary | StudyAnswer,
        "compare": rows, "import-activity": ImportedAnswer, "map": MappingAnswer, "sweep": StudyAnswer,
        "search": StudyAnswer, "reference": FilesAnswer, "export-vectors": VectorsAnswer, "init": FilesAnswer,
        "list": dict[str, dict[str, str]], "check-config": list[Checked], "costs": list[Listed],
        "doctor": dict[str, DoctorCheck], "validate": ReplayAnswer | dict[str, Any], "formats": dict[str, Any],
        "balance": list[dict[str, Cell]], "synapses": list[dict[str, Any]], "import-network": ImportedNetworkAnswer,
        "import-chip": ImportedChipAnswer, "export-network": ExportedAnswer, "keep": KeptAnswer, "restore": RestoredAnswer,
        "rtl": RtlAnswer,
    }  # fmt: skip
    return {verb: TypeAdapter(kind) for verb, kind in kinds.items()}


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) whose properties are the answers of the verbs."""
    found, defs = TypeAdapter.json_schemas(
        [(verb, "serialization", adapter) for verb, adapter in answers().items()],
        title="Answers of nmsim with --json",
        schema_generator=DescribedSchema,
    )
    properties = {verb: schema for (verb, _), schema in found.items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **defs, "properties": properties}
