"""A word a time step: CRC-32 of every tensor, so that a long co-simulation compares checksums and not every integer.

The checksum is that of IEEE 802.3 (zlib's `crc32`) over the words of one time step in C order, each in two's complement as
`ceil(bits / 8)` bytes, the lowest first; a word whose width is no multiple of eight is sign- or zero-extended.
`docs/testbench/crc32.vh` is the same in Verilog.
"""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmsim.fixedpoint.format import QFormat

CHECKSUM = QFormat(signed=False, total_bits=32, fraction_bits=0)


def checksum(values: NDArray[Any], fmt: QFormat) -> int:
    """CRC-32 of the words of one time step."""
    width = -(-fmt.total_bits // 8)
    flat = np.ravel(values)
    if width in {1, 2, 4, 8} and flat.dtype != object:
        kind = f"<{'i' if fmt.signed else 'u'}{width}"
        return zlib.crc32(flat.astype(kind).tobytes())
    modulus = 1 << 8 * width
    return zlib.crc32(b"".join((int(value) % modulus).to_bytes(width, "little") for value in flat))
