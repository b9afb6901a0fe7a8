"""Files that are compared: one that does not say its detector is read as of another one's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import EventSource

Opener = Callable[[Detector | None], EventSource]
"""Opens a sample, given the detector that it is of, or None where it has to say that itself."""


def open_partners(
    openers: Mapping[str, Opener], detector: Detector | None = None
) -> dict[str, EventSource]:
    """Return samples that are to be compared, by their names.

    Args:
        openers: what opens each sample; sizes and conditions are checked there.
        detector: the detector, where it was named.

    Raises:
        EventsError: a sample cannot be used, or none of them says its detector.

    Warns:
        UserWarning: a sample was read as of another one's detector.
    """
    opened: dict[str, EventSource] = {}
    refused: dict[str, EventsError] = {}
    for name, opener in openers.items():
        try:
            opened[name] = opener(detector)
        except EventsError as error:
            if detector is not None:
                raise
            refused[name] = error
    if refused and not opened:
        raise next(iter(refused.values()))
    partner = next(iter(opened))
    shared = opened[partner].detector
    for name in refused:
        opened[name] = openers[name](shared.without_particles())
        msg = f"{name} does not say its detector: read as of {shared.name}, as {partner} is"
        warnings.warn(msg, stacklevel=2)
    return {name: opened[name] for name in openers}
