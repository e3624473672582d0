"""Spikes recorded in another tool: read, checked, and made into an `Activity` (docs/activity.md)."""

from nmsim.rasters.align import aligned
from nmsim.rasters.csv_file import SpikeList
from nmsim.rasters.raster import Rasters
from nmsim.rasters.read import read_rasters
from nmsim.rasters.to_activity import activity_of

__all__ = ["Rasters", "SpikeList", "activity_of", "aligned", "read_rasters"]
