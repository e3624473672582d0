"""A trained run as a file for other tools: a NIR graph, or plain arrays."""

from pathlib import Path
from typing import Literal

from nmsim.errors import RunError
from nmsim.exchange.array_file import write_arrays
from nmsim.exchange.nir_export import DT_S, write_nir
from nmsim.pipeline.folder import RunFolder
from nmsim.pipeline.start import trained_parameters

Format = Literal["nir", "npz"]


def export_network(run: Path, file: Path, to: Format, dt_s: float = DT_S) -> tuple[str, ...]:
    """Write the trained parameters of a run as real numbers; sentences that a user has to know.

    Raises:
        RunError: there is no finished run, or it holds imported spikes and no parameters.
        DataError: the network has a part that the format lacks.
    """
    folder = RunFolder(run)
    workload = folder.workload()
    if workload.recorded:
        raise RunError(
            f"{run}: holds spikes that another tool recorded, and no weights; export a trained run"
        )
    parameters = trained_parameters(folder)
    if to == "nir":
        return write_nir(file, workload.network, parameters, dt_s)
    write_arrays(file, parameters)
    return (f"the network is described in {folder.workload_file}: read it back with --network",)
