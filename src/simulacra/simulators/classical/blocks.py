"""Random numbers of events in blocks, which do not depend on later events."""

from __future__ import annotations

import numpy as np


def streams(seed: int, block: int, n: int) -> tuple[np.random.Generator, ...]:
    """Return ``n`` independent generators of a block.

    Each quantity that is drawn for event after event has its own: the numbers of the first events
    are then the same whatever comes after them.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(block,))
    return tuple(np.random.Generator(np.random.SFC64(child)) for child in sequence.spawn(n))
