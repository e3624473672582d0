"""Which kind of file it is."""

from pathlib import Path

from nmsim.errors import ConfigError, DataError
from nmsim.network.spec import NetworkSpec
from nmsim.rasters.csv_file import SpikeList, read_csv
from nmsim.rasters.npz_file import read_npz
from nmsim.rasters.raster import Rasters


def read_rasters(path: Path, network: NetworkSpec, how: SpikeList | None = None) -> Rasters:
    """Rasters of a network from an `.npz`, a `.csv` file or a folder of them; `how` says how lists of spikes are written.

    Raises:
        ConfigError: `how` describes a list, and the file is an `.npz`.
        DataError: the file is missing, broken, or does not fit the network.
    """
    if path.is_dir():
        return read_csv(path, network, how)
    if not path.is_file():
        raise DataError(f"{path}: no such file; give the .npz or .csv file of the recording")
    if path.suffix == ".npz":
        if how not in (None, SpikeList()):
            raise ConfigError(
                f"{path}: columns, layers, first step, dt and spike bits describe lists of spikes, and this file holds"
                " arrays; leave them out (an .npz says its 'spike_bits' itself)"
            )
        return read_npz(path, network)
    if path.suffix == ".csv":
        return read_csv(path, network, how)
    raise DataError(
        f"{path}: rasters come as .npz or .csv, not as '{path.suffix}'; rename or convert the file"
    )
