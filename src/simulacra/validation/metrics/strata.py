"""Events of two samples that share their conditions, and how samples differ that do.

``generate --like`` takes the conditions of the reference, so that much of what makes two samples
differ by chance is the same in both. What is left follows from a permutation: where the generator
is perfect, events with equal conditions may change places between the samples.

References:
    E. L. Lehmann, J. P. Romano, Testing Statistical Hypotheses (2005), section 15.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.statistics.rounding import without_rounding

OWN = -1
"""The stratum of events whose conditions the other sample lacks."""
FEWEST_SHARED = 0.5
"""Part of the smaller sample that must have partners before conditions count as shared."""
FEW = 16
"""Events of a stratum up to which thinning takes it whole or not at all."""


@dataclass(frozen=True, slots=True)
class Strata:
    """Groups of events with equal conditions.

    Attributes:
        reference, generated: the group of each event, (n,) and (m,); ``OWN`` for events whose
            conditions the other sample lacks.
    """

    reference: IntArray
    generated: IntArray

    def take(self, reference: IntArray, generated: IntArray) -> Strata:
        """Return the groups of some events of either sample."""
        return Strata(self.reference[reference], self.generated[generated])

    @property
    def are_shared(self) -> bool:
        """Whether most events of the smaller sample have a partner, in more than one group.

        In one group alone nothing is shared but the group itself: the samples are independent.
        """
        smaller = min((self.reference, self.generated), key=len)
        both = np.intersect1d(self.reference, self.generated)
        both = both[both != OWN]
        return len(both) > 1 and np.isin(smaller, both).mean() >= FEWEST_SHARED


def strata_of(reference: Conditions, generated: Conditions) -> Strata:
    """Return which events of two samples have equal conditions, up to rounding."""
    names = tuple(reference.columns)
    joined = np.concatenate([c.matrix(names) for c in (reference, generated)])
    columns = [without_rounding(column) for column in joined.T]
    _, group = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    first, second = np.split(group.ravel(), [len(reference)])
    both = np.intersect1d(first, second)
    return Strata(*(np.where(np.isin(own, both), own, OWN) for own in (first, second)))


@dataclass(frozen=True, slots=True)
class Relabelling:
    """Pairs of samples in which events with equal conditions have changed places at random.

    Attributes:
        reference, generated: places of the events that take part, (k,) and (l,): all, or a part
            where there are very many.
        strata: their groups, (k + l,), from 0 on.
        labels: whether an event is in the first sample of each pair, (k + l, pairs).
        part: k over the number of reference events; squared distances of the whole samples are
            smaller than those of their parts by this factor.
    """

    reference: IntArray
    generated: IntArray
    strata: IntArray
    labels: BoolArray
    part: float

    def joined(self, reference: FloatArray, generated: FloatArray) -> FloatArray:
        """Return the values of the events that take part, (k + l, ...)."""
        return np.concatenate([reference[self.reference], generated[self.generated]])

    def deviation(self, joined: FloatArray) -> float:
        """Return the standard deviation of the difference of two means.

        Args:
            joined: values (k + l,), the mean of either sample taken off; nan for those that do not
                count.
        """
        known = np.isfinite(joined)
        first = np.arange(len(joined)) < len(self.reference)
        value = within_strata(joined[known], self.strata[known], first[known])
        return float(np.sqrt(self.part) * value)


def within_strata(values: FloatArray, strata: IntArray, first: BoolArray) -> float:
    r"""Return the standard deviation of the difference of two means, given the strata.

    The variance of each stratum, from the events of both samples, counts
    :math:`m_s / m^2 + n_s / n^2` times; a stratum of one event counts by its square.

    Args:
        values: (k,), the mean of either sample taken off.
        strata: of each value, from 0 on.
        first: whether it is of the first sample.
    """
    n, m = np.count_nonzero(first), np.count_nonzero(~first)
    if not n or not m:
        return float("nan")
    number, total, square, own = (
        np.bincount(strata, weights) for weights in (None, values, values**2, first)
    )
    alone = number < 2
    spread = np.maximum(square - np.where(alone, 0.0, total**2 / np.maximum(number, 1)), 0.0)
    variance = spread / np.maximum(number - 1, 1)
    return float(np.sqrt(np.sum(variance * (own / n**2 + (number - own) / m**2))))


def relabelling(
    strata: Strata, pairs: int, rng: np.random.Generator, most: int | None = None
) -> Relabelling:
    """Draw pairs of samples.

    Args:
        strata: of all events of both samples.
        pairs: their number.
        rng: what decides.
        most: events of either sample that take part, about.
    """
    joined = np.concatenate([strata.reference, strata.generated])
    _, group = np.unique(joined, return_inverse=True)
    group = group.ravel()
    n = len(strata.reference)
    chosen = np.arange(len(group))
    if most is not None and max(n, len(group) - n) > most:
        chosen = _thinned(group, most / max(n, len(group) - n), rng)
        group = np.unique(group[chosen], return_inverse=True)[1].ravel()
    first = chosen < n
    labels = np.empty((len(group), pairs), bool)
    order = np.lexsort((first, group))
    for column in labels.T:
        # equal groups in a random order: the labels of their members, dealt anew
        column[np.argsort(group + rng.random(len(group)))] = first[order]
    reference, generated = chosen[first], chosen[~first] - n
    return Relabelling(reference, generated, group, labels, len(reference) / max(n, 1))


def _thinned(group: IntArray, part: float, rng: np.random.Generator) -> IntArray:
    """Return places of about a part of the events; small groups stay together."""
    small = np.bincount(group)[group] <= FEW
    tickets = np.where(small, rng.random(group.max() + 1)[group], rng.random(len(group)))
    chosen: IntArray = np.flatnonzero(tickets < part)
    return chosen
