"""Neuron dynamics over arrays, one pass over memory each; symbols as in docs/algorithm.md."""

from typing import Any

import numpy as np
from numba import njit

from nmsim.stop.protocol import FloatArray


@njit(cache=True, nogil=True)
def advance(
    membrane: FloatArray,
    spikes: FloatArray,
    current: FloatArray,
    theta: FloatArray,
    alpha: np.floating[Any],
    threshold_trace: FloatArray,
    leak_trace: FloatArray,
    keep_threshold_trace: bool,  # noqa: FBT001
    keep_leak_trace: bool,  # noqa: FBT001
) -> None:
    """One time step of the neurons `(B, N)`, in place; theta `(N,)`.

    R = U - theta s;  a~ = alpha a~ + R;  th~ = alpha (th~ - s);  U = alpha R + I;  s = U >= theta.
    """
    for sample in range(membrane.shape[0]):
        for i in range(membrane.shape[1]):
            residual = membrane[sample, i] - theta[i] * spikes[sample, i]
            if keep_leak_trace:
                leak_trace[sample, i] = alpha * leak_trace[sample, i] + residual
            if keep_threshold_trace:
                threshold_trace[sample, i] = alpha * (threshold_trace[sample, i] - spikes[sample, i])
            value = alpha * residual + current[sample, i]
            membrane[sample, i] = value
            spikes[sample, i] = value >= theta[i]


@njit(cache=True, nogil=True)
def add_threshold_gradient(gradient: FloatArray, delta: FloatArray, threshold_trace: FloatArray) -> None:
    """Gradient `(N,)` += sum over samples of delta (th~ - 1); delta and th~ `(B, N)`."""
    for sample in range(delta.shape[0]):
        for i in range(delta.shape[1]):
            gradient[i] += delta[sample, i] * (threshold_trace[sample, i] - 1)


@njit(cache=True, nogil=True)
def unroll(
    membrane: FloatArray, spikes: FloatArray, current: FloatArray, theta: FloatArray, alpha: np.floating[Any]
) -> None:
    """All time steps from rest: fills U and s `(T, B, N)` from currents `(T, B, N)` or static `(1, B, N)`."""
    for t in range(membrane.shape[0]):
        now = min(t, current.shape[0] - 1)
        for sample in range(membrane.shape[1]):
            for i in range(membrane.shape[2]):
                value = current[now, sample, i]
                if t > 0:
                    value += alpha * (membrane[t - 1, sample, i] - theta[i] * spikes[t - 1, sample, i])
                membrane[t, sample, i] = value
                spikes[t, sample, i] = value >= theta[i]


@njit(cache=True, nogil=True)
def backpropagate(
    error: FloatArray,
    phi: FloatArray,
    membrane: FloatArray,
    spikes: FloatArray,
    theta: FloatArray,
    alpha: np.floating[Any],
    through_reset: bool,  # noqa: FBT001
    d_theta: FloatArray,
    d_alpha: FloatArray,
) -> None:
    """Errors through time, last step first: `error` dE/ds `(T, B, N)` becomes delta = dE/dU in place.

    delta[t] = g phi[t] + alpha delta[t+1], with g = dE/ds[t], less alpha theta delta[t+1] unless the reset is
    detached. Sums per neuron `(N,)`: d_theta -= g phi[t] + alpha s[t] delta[t+1], and
    d_alpha += delta[t+1] (U[t] - theta s[t]).
    """
    steps, samples, neurons = error.shape
    for t in range(steps - 1, -1, -1):
        for sample in range(samples):
            for i in range(neurons):
                later = error[t + 1, sample, i] if t + 1 < steps else alpha - alpha
                through_spike = error[t, sample, i]
                if through_reset:
                    through_spike -= alpha * theta[i] * later
                through_spike *= phi[t, sample, i]
                error[t, sample, i] = through_spike + alpha * later
                d_theta[i] -= through_spike + alpha * spikes[t, sample, i] * later
                d_alpha[i] += later * (membrane[t, sample, i] - theta[i] * spikes[t, sample, i])
