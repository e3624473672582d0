"""Between samples: how long the chip waits for the next one, and what it draws meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmsim.cost.energy import CLOCK, HOST, STATIC
from nmsim.hardware.host import RealTime

FloatArray = NDArray[np.float64]
PHASE = "idle"
"""Phase of the energy table for the time between samples."""


@dataclass(frozen=True)
class Idle:
    """Time between the end of a sample and the arrival of the next `(S,)`.

    `awake_s` at full standing power, `asleep_s` at `share` of it by component (`static`, `clock`, `host`).
    """

    awake_s: FloatArray
    asleep_s: FloatArray
    share: Mapping[str, float]

    @classmethod
    def of(cls, real_time: RealTime, latency_s: FloatArray) -> "Idle":
        """What is left of each period; nothing where a sample takes longer than one."""
        left_s = np.maximum(1 / real_time.arrival_hz - latency_s, 0.0)
        mode = real_time.between_samples
        awake_s = left_s if mode == "clocked" else np.minimum(left_s, real_time.wake_up_s)
        share = {
            STATIC: real_time.gated_leakage_share if mode == "power_gated" else 1.0,
            CLOCK: 1.0 if mode == "clocked" else 0.0,
            HOST: 1.0,
        }
        return cls(awake_s, left_s - awake_s, share)

    def seconds(self, component: str) -> FloatArray:
        """Time at full power that costs as much `(S,)`."""
        return self.awake_s + self.asleep_s * self.share.get(component, 1.0)
