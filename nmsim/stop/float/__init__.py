"""STOP in real numbers, float64 or float32, and the parts of it that STBP shares."""

from nmsim.stop.float.engine import FloatEngine
from nmsim.stop.float.gradients import Gradients
from nmsim.stop.float.tensors import LayerTensors

__all__ = ["FloatEngine", "Gradients", "LayerTensors"]
