"""Events of two samples that can be looked at next to each other."""

from __future__ import annotations

import numpy as np

from simulacra.validation.sample import Sample


def pairs_of(full: Sample, fast: Sample, number: int) -> tuple[list[tuple[int, int]], bool]:
    """Return places of some events in both samples, from the lowest to the highest scale.

    Where the samples have the same conditions, these are the same places, which is the second
    thing that is returned; otherwise each event has the one with the closest conditions beside it.
    """
    order = np.argsort(full.energies, kind="stable")
    chosen = np.unique(np.linspace(0, len(full) - 1, 2 * number + 1).astype(int)[1::2])
    aligned = len(full) == len(fast) and all(
        np.array_equal(full.conditions[name], fast.conditions[name])
        for name in full.detector.conditions
    )
    places = [int(order[k]) for k in chosen]
    if aligned:
        return [(i, i) for i in places], True
    return [(i, _closest(full, i, fast)) for i in places], False


def _closest(full: Sample, i: int, fast: Sample) -> int:
    """Return the event of ``fast`` whose conditions are closest to those of event ``i``."""
    distance = np.zeros(len(fast))
    for name, spec in full.detector.conditions.items():
        column = fast.conditions[name].astype(np.float64)
        value = float(full.conditions[name][i])
        if spec.role == "log":
            # far more important than anything else
            distance += 100 * np.abs(np.log(column / value))
        elif spec.role == "cyclic":
            distance += (1 - np.cos(column - value)) / 2
        elif spec.role == "categorical":
            distance += column != value
        else:
            distance += np.abs(column - value) / max(float(np.ptp(column)), 1e-9)
    return int(np.argmin(distance))
