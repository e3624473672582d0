"""Passes of the bit-accurate engine on a device of PyTorch: the same integers as the compiled kernels."""
