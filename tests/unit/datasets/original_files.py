"""Small files in the original formats, for tests."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Refusal = Callable[[Callable[[], object]], str]
"""Type of the fixture `refusal`."""


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    """An IDX file of unsigned bytes."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(side.to_bytes(4, "big") for side in array.shape)
    return header + array.tobytes()


def write_mnist(folder: Path, train: int = 20, test: int = 10, side: int = 28) -> Path:
    """A folder of four IDX files, two of them gzip."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for part, count in (("train", train), ("t10k", test)):
        pixels = random.integers(0, 256, (count, side, side), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 10
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels)))
    return folder


def nmnist_bytes(events: list[tuple[int, int, int, int]]) -> bytes:
    """40-bit events of (x, y, p, t)."""
    return b"".join(bytes([x, y]) + (p << 23 | t).to_bytes(3, "big") for x, y, p, t in events)


def aedat2_bytes(events: list[tuple[int, int]]) -> bytes:
    """AEDAT 2.0 of (address, time)."""
    head = b"#!AER-DAT2.0\r\n# created by a test\r\n"
    return head + b"".join(address.to_bytes(4, "big") + t.to_bytes(4, "big") for address, t in events)


def dvs128_address(x: int, y: int, p: int) -> int:
    """Address of an event of the DVS128."""
    return (127 - y) << 8 | (127 - x) << 1 | (1 - p)


def aedat31_packet(
    events: list[tuple[int, int, int, int]], *, overflow: int = 0, valid: int = 1, spare: int = 0
) -> bytes:
    """A polarity packet of (x, y, p, t), with `spare` unused places at its end."""
    fields = [
        (1, 2),
        (0, 2),
        (8, 4),
        (4, 4),
        (overflow, 4),
        (len(events) + spare, 4),
        (len(events), 4),
        (0, 4),
    ]
    head = b"".join(value.to_bytes(size, "little") for value, size in fields)
    body = b"".join(
        (x << 17 | y << 2 | p << 1 | valid).to_bytes(4, "little") + t.to_bytes(4, "little")
        for x, y, p, t in events
    )
    return head + body + bytes(8 * spare)


AEDAT31_HEAD = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n"


_DV_XML = (
    '<dv version="2.0"><node name="outInfo" path="/outInfo/"><node name="0" path="/outInfo/0/">'
    '<attr key="compression" type="string">NONE</attr><attr key="originalOutputName" type="string">events</attr>'
    '<attr key="typeIdentifier" type="string">EVTS</attr><node name="info" path="/outInfo/0/info/">'
    '<attr key="sizeX" type="int">{width}</attr><attr key="sizeY" type="int">{height}</attr>'
    '<attr key="source" type="string">synthetic</attr></node></node></node></dv>'
)


def aedat4_bytes(
    events: list[tuple[int, int, int, int]], width: int = 128, height: int = 128, packet: int = 1000
) -> bytes:
    """An uncompressed AEDAT 4 of (x, y, p, t): two FlatBuffers schemas written out by hand, IOHE and EVTS."""
    text = _DV_XML.format(width=width, height=height).encode()
    head = _words("<I4s5H2xiiqI", 20, b"IOHE", 10, 24, 4, 8, 16, 12, 0, -1, 4)
    head += len(text).to_bytes(4, "little") + text + b"\0"
    content = b"#!AER-DAT4.0\r\n" + len(head).to_bytes(4, "little") + head
    for first in range(0, len(events), packet):
        part = events[first : first + packet]
        body = _words("<I4s3H2xiI4xI", 16, b"EVTS", 6, 8, 4, 8, 8, len(part))
        body += b"".join(_words("<qhhB3x", t, x, y, p) for x, y, p, t in part)
        sized = len(body).to_bytes(4, "little") + body
        content += (0).to_bytes(4, "little") + len(sized).to_bytes(4, "little") + sized
    return content


def _words(layout: str, *values: int | bytes) -> bytes:
    return struct.pack(layout, *values)
