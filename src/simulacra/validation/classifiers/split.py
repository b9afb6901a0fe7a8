"""Which events a classifier learns from, is tuned on and is judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import IntArray
from simulacra.statistics.rounding import without_rounding


@dataclass(frozen=True, slots=True)
class Split:
    """Rows of the joined sample: the reference first, then the generated events."""

    train: IntArray
    held_out: IntArray
    test: IntArray


def matched_split(
    conditions: tuple[NDArray[np.floating], NDArray[np.floating]],
    groups: tuple[IntArray, IntArray],
    parts: tuple[float, float],
    rng: np.random.Generator,
) -> Split:
    """Split two samples so that each part has as many events of either, energy by energy.

    Where one sample has more events of an energy, some are left out: the classifier must tell
    showers apart, not mixtures of energies. Events of both samples with the same conditions, if
    these occur once in each, go to the same part: generated events often take the conditions of
    the reference, and a classifier that remembers the ones it learned from would take every twin
    for the other kind.

    Args:
        conditions: of the reference (n, c) and of the generated events (m, c).
        groups: the energy group of each event, below 0 for events that no part shall have.
        parts: parts of the events to learn from and to tune on; the rest is to be judged by.
        rng: what decides.
    """
    tickets = _tickets(conditions, rng)
    n = len(conditions[0])
    chosen: tuple[list[IntArray], ...] = ([], [], [])
    for group in np.intersect1d(groups[0][groups[0] >= 0], groups[1]):
        rows = [np.flatnonzero(groups[0] == group), n + np.flatnonzero(groups[1] == group)]
        few, many = (own[np.argsort(tickets[own], kind="stable")] for own in sorted(rows, key=len))
        cuts = np.round(np.cumsum(parts) * len(few)).astype(int)
        split = np.split(few, cuts)
        for place, *both in zip(chosen, split, _alongside(split, many, tickets), strict=True):
            place += both
    train, held_out, test = (
        np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64) for parts in chosen
    )
    return Split(train, held_out, test)


def _alongside(
    split: list[IntArray], rows: IntArray, tickets: NDArray[np.float64]
) -> list[IntArray]:
    """Return as many rows for each part: the twins of its own, then others in their order."""
    twin = np.isin(tickets[rows], tickets[np.concatenate(split)])
    rest, found = rows[~twin], []
    for part in split:
        twins = rows[np.isin(tickets[rows], tickets[part])]
        taken, rest = np.split(rest, [len(part) - len(twins)])
        found.append(np.concatenate([twins, taken]))
    return found


def _tickets(
    conditions: tuple[NDArray[np.floating], NDArray[np.floating]], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a random number for each event, the same for twins."""
    columns = np.concatenate(conditions).T
    joined = np.stack([without_rounding(column) for column in columns], axis=1)
    rows, inverse, counts = np.unique(joined, axis=0, return_inverse=True, return_counts=True)
    inverse = inverse.ravel()
    own, shared = rng.random(len(joined)), rng.random(len(rows))
    return np.where(counts[inverse] == 2, shared[inverse], own)
