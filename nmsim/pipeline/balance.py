"""Weight scales for a workload: factors at which every layer of its network spikes on its own samples."""

import numpy as np

from nmsim.stop.balance import LayerBalance
from nmsim.stop.balance import balance as balance_network
from nmsim.workload import WorkloadSpec, prepare


def balance(
    workload: WorkloadSpec, *, seed: int = 1, samples: int = 16, spike_rate: float = 0.15
) -> tuple[LayerBalance, ...]:
    """One factor per synaptic layer, from the first training samples; see `nmsim.stop.balance`.

    Raises:
        CheckFailedError: a layer stays almost silent.
        DataError, ConfigError: as `nmsim.workload.prepare`.
    """
    prepared = prepare(workload, seed)
    chosen = np.arange(min(samples, len(prepared.train)))
    return balance_network(
        workload.network, workload.training, prepared.train.batch(chosen, 0), seed, spike_rate
    )
