"""CPU time of calls: on a machine that is shared, the clock measures the others."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def cpu_ms(call: Callable[[], object], seconds: float) -> float:
    """Return the median CPU time of a call in ms: at least three calls, then until time is up."""
    call()  # the first call pays for what is only set up once
    times: list[float] = []
    while len(times) < 3 or sum(times) < seconds:
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times) * 1000
