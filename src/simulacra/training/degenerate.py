"""Samples that no distribution can be learned from, or no epoch be chosen by."""

from __future__ import annotations

import numpy as np

from simulacra.errors import EventsError
from simulacra.events import Events


def check_sample(events: Events, purpose: str) -> None:
    """Refuse a sample without anything to learn, before the first step.

    Args:
        events: the sample.
        purpose: ``training`` or ``selection``, for messages.

    Raises:
        EventsError: an event is not finite, or negative where the detector reads out none; or there
            are fewer than two events, none with a response, or all with the same one.
    """
    events.check()
    events.check_signs()
    arrays = events.response
    if not len(events):
        msg = f"no {purpose} events"
    elif len(events) == 1:
        msg = f"one {purpose} event is too few: one event has no width; give some hundreds at least"
    elif not any(np.any(array) for array in arrays.values()):
        msg = f"all {len(events)} {purpose} events are empty: no {' or '.join(arrays)} at all"
    elif all(np.array_equal(array[1:], array[:-1]) for array in arrays.values()):
        msg = f"all {len(events)} {purpose} events have the same response: there is no width"
    else:
        return
    raise EventsError(msg)
