"""The only place a power of ten is written: factors between the units that appear in names."""

FJ_PER_PJ = 1e3
PJ_PER_J = 1e12
NJ_PER_J = 1e9
UJ_PER_J = 1e6
J_PER_PJ = 1e-12
S_PER_NS = 1e-9
NS_PER_S = 1e9
PS_PER_S = 1e12
PS_PER_NS = 1e3
US_PER_S = 1e6
MS_PER_S = 1e3
US_PER_MS = 1000
W_PER_UW = 1e-6
W_PER_MW = 1e-3
MM2_PER_UM2 = 1e-6
UM_PER_MM = 1000
HZ_PER_MHZ = 1e6
BITS_PER_BYTE = 8
BITS_PER_KIB = 8 * 1024
BYTES_PER_MB = 1e6

_PREFIXES = ((1e-15, "f"), (1e-12, "p"), (1e-9, "n"), (1e-6, "u"), (1e-3, "m"), (1.0, ""),
             (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"))  # fmt: skip


def prefix(value: float) -> tuple[float, str]:
    """Factor and SI prefix that suit a value, e.g. `(1e-9, "n")` for 3.2e-7; `(1.0, "")` for zero.

    >>> prefix(3.2e-7)
    (1e-09, 'n')
    """
    fitting = [entry for entry in _PREFIXES if abs(value) >= entry[0] * (1 - 1e-12)]
    if value == 0:
        return 1.0, ""
    return fitting[-1] if fitting else _PREFIXES[0]


def scaled(value: float, unit: str, digits: int = 3) -> str:
    """Text of an SI value with the prefix that suits people, e.g. `scaled(3.2e-7, "J")` is `320 nJ`.

    >>> scaled(3.2e-7, "J")
    '320 nJ'
    >>> scaled(125000, "Hz")
    '125 kHz'
    """
    factor, name = prefix(float(f"{value:.{digits}g}"))
    return f"{float(f'{value / factor:.{digits}g}'):g} {name}{unit}"
