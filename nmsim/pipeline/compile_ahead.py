"""A second process that compiles the event-driven model while the first one compiles the training engine.

Numba compiles one function at a time in a process. What one process compiled, any other finds on disk.
"""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nmsim.evaluate import evaluate
from nmsim.mapping.automatic import deploy_network
from nmsim.perf.event.loop import RUN
from nmsim.pipeline.simulate import DEFAULT_CHIP, needs_of, read_chip
from nmsim.pipeline.train import read_workload
from nmsim.stop.fixed.sizing import available_workers
from nmsim.validate.synthetic import synthetic_activity

LOG = logging.getLogger("nmsim")
ANY_WORKLOAD = "mnist-dense"
"""Every job runs the same machine code, so that any may have it made."""


@contextmanager
def event_model_compiled() -> Iterator[None]:
    """Have the machine code of the event-driven model on disk when the block ends, made beside it where it is missing.

    Use it around a training whose activity the model will replay. On one processor nothing is made ahead, and if the other
    process fails, this one compiles when it comes to it.
    """
    if RUN.on_disk or available_workers() < 2:
        yield
        return
    quiet = subprocess.DEVNULL
    beside = subprocess.Popen([sys.executable, "-m", __name__], stdout=quiet, stderr=quiet)  # noqa: S603 - this program
    try:
        yield
        if beside.poll() is None:
            LOG.info("waiting for the event-driven model, which is compiled beside this, once")
            beside.wait()
    finally:
        beside.kill()
        beside.wait()


def main() -> None:
    """Compile by running: one drawn sample of a small job on the default chip."""
    workload, chip = read_workload(ANY_WORKLOAD), read_chip(DEFAULT_CHIP)
    rule = workload.training.rule.name
    activity = synthetic_activity(workload.network, 1, rule=rule)
    job = deploy_network(workload.network, workload.precision, needs_of(workload, rule, activity), chip)
    evaluate(job, activity, model="event")


if __name__ == "__main__":
    main()
