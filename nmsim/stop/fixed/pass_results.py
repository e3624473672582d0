"""What a pass leaves with its worker, taken over in one call of compiled code: small arrays cost more calls than work."""

from nmsim.fixedpoint.compiled import kernel


def take_bounds(total, bounds, limits):
    """Add the bounds of a pass to those so far, and empty them; whether none exceeds its limit. All are `(L, 4)`."""
    within = True
    for index in range(len(total)):
        for k in range(len(total[index])):
            total[index, k] += bounds[index, k]
            bounds[index, k] = 0
            within = within and total[index, k] <= limits[index, k]
    return within


def take_results(spikes, counts, tally, start, stop, own_spikes, own_counts, own_tally):
    """Copy output spikes of a pass to rows `start..stop-1` of `spikes`; add up and empty its overflows and its tally.

    `spikes (B, C)`, `counts (L, tensors)` and `tally (2, C + 1)` are of a batch, the others of a worker.
    """
    for sample in range(stop - start):
        for output in range(spikes.shape[1]):
            spikes[start + sample, output] = own_spikes[sample, output]
    for index in range(counts.shape[0]):
        for tensor in range(counts.shape[1]):
            counts[index, tensor] += own_counts[index, tensor]
            own_counts[index, tensor] = 0
    for spike in range(2):
        for spiking in range(tally.shape[1]):
            tally[spike, spiking] += own_tally[spike, spiking]
            own_tally[spike, spiking] = 0


def count_correct(spikes, labels):
    """Samples whose label is the first of their outputs with most spikes; `spikes (B, C)` in C order, `labels (B,)`."""
    correct = 0
    for sample in range(labels.size):
        best = 0
        for output in range(spikes.shape[1]):
            if spikes[sample, output] > spikes[sample, best]:
                best = output
        correct += best == labels[sample]
    return correct


TAKE_BOUNDS, TAKE_RESULTS, COUNT_CORRECT = kernel(take_bounds), kernel(take_results), kernel(count_correct)
