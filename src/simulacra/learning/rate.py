"""How many events per second Geant4 makes, measured after it has started."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor

from simulacra.fullsim.verb import simulate
from simulacra.learning.plan import Request

LONGEST, PART = 60.0, 0.02
"""Seconds and part of the time that the measurement takes, about and at most."""
SEED = 2**31
"""Of the measurement: its events are thrown away, and are none of those of any other step."""


def measured_rate(
    request: Request,
    executor: Executor,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return the events per second of Geant4.

    Args:
        request: what is simulated.
        executor: processes that are at hand.
        clock: returns seconds.
    """

    def seconds(n: int) -> float:
        start = clock()
        simulate(
            request.detector,
            request.particle,
            request.energy,
            n,
            SEED + request.seed,
            physics=request.physics,
            executor=executor,
        )
        return max(clock() - start, 1e-6)

    limit = min(PART * 3600 * request.hours, LONGEST)
    n = 2 * request.workers
    seconds(n)  # the first events pay for the start of Geant4
    while True:
        taken = seconds(n)
        if taken >= limit / 3:
            return n / taken
        n *= 2
