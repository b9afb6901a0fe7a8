"""Correlations between observables at fixed energy: right one by one is not yet right together."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.statistics.rounding import ROUNDING, is_constant
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.metrics.strata import Relabelling, Strata, relabelling

MOST_OBSERVABLES = 60
"""With more, only the observables of the whole event and the layers' energies are correlated."""
FEWEST_EVENTS = 10
"""Events that an energy needs in either sample to take part."""
RELABELLED, MOST_RELABELLED = 20, 20_000
"""Pairs of samples with shared conditions that the expected difference is the mean of, and about
how many events of either sample they have."""


@dataclass(frozen=True, slots=True)
class Correlations:
    """Linear correlation coefficients of both samples.

    Attributes:
        names: the observables (k,).
        reference, generated: symmetric matrices (k, k); 0 where an observable is constant.
        rms_difference: root mean square of (generated - reference) off the diagonal.
        expected_rms: what it would be by chance: of any distribution, from the fourth moments of
            both samples; where conditions are shared, from samples whose events changed places.
        worst: the pair of observables that differs most.
        worst_difference: generated - reference of that pair.
    """

    names: tuple[str, ...]
    reference: FloatArray
    generated: FloatArray
    rms_difference: float
    expected_rms: float
    worst: tuple[str, str]
    worst_difference: float

    def __repr__(self) -> str:
        """Return the differences in one line."""
        return (
            f"Correlations({len(self.names)} observables: rms difference "
            f"{self.rms_difference:.3g}, by chance {self.expected_rms:.3g})"
        )


def correlated_names(groups: Mapping[str, str]) -> tuple[str, ...]:
    """Return the observables to correlate; ``groups`` maps each name to its group."""
    if len(groups) <= MOST_OBSERVABLES:
        return tuple(groups)
    return tuple(n for n, group in groups.items() if group in ("layer_energy", n))


def correlations_of(
    names: Sequence[str],
    reference: Mapping[str, FloatArray],
    generated: Mapping[str, FloatArray],
    energies: Sequence[tuple[BoolArray, BoolArray]],
    optional: Collection[str] = (),
    strata: Strata | None = None,
    rng: np.random.Generator | None = None,
) -> Correlations | None:
    """Return the correlations at fixed energy.

    At each energy every observable is brought to mean 0 and standard deviation 1, then all
    energies are taken together: otherwise everything correlates with the energy.

    Args:
        names: the observables (k,), k > 1.
        reference: observables of the full simulation by name, each (n,).
        generated: likewise, of the events that are judged.
        energies: for each energy, which events of the reference and of the generated have it.
        optional: observables that may be nan: then the value counts as the mean. Elsewhere nan is
            a fault, and the event is left out.
        strata: which events of both samples have equal conditions, where they share them.
        rng: what changes the places of such events.
    """
    may_lack = np.isin(names, list(optional))
    samples = [np.stack([values[n] for n in names], axis=1) for values in (reference, generated)]
    parts: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    places: tuple[list[IntArray], list[IntArray]] = ([], [])
    for masks in energies:
        chosen = [_finite_rows(s, mask, may_lack) for s, mask in zip(samples, masks, strict=True)]
        if min(len(rows) for rows in chosen) >= FEWEST_EVENTS:
            for part, place, s, rows in zip(parts, places, samples, chosen, strict=True):
                part.append(_standardised(s[rows]))
                place.append(rows)
    if len(names) < 2 or not parts[0]:
        return None
    first, second = (np.concatenate(part) for part in parts)
    drawn = None
    if strata is not None:
        here = strata.take(*(np.concatenate(place) for place in places))
        drawn = relabelling(here, RELABELLED, rng or np.random.default_rng(0), MOST_RELABELLED)
    return _compare(tuple(names), first, second, drawn)


def _finite_rows(rows: FloatArray, mask: BoolArray, may_lack: BoolArray) -> IntArray:
    """Return the places of the rows of a mask that count."""
    whole = np.all(np.isfinite(rows) | (np.isnan(rows) & may_lack), axis=1)
    return np.flatnonzero(mask & whole)


def _standardised(rows: FloatArray) -> FloatArray:
    if np.isnan(rows).any():
        return np.stack([_standardised_column(column) for column in rows.T], axis=1)
    centred = rows - rows.mean(axis=0)
    deviation = centred.std(axis=0)
    varies = ~is_constant(rows)
    return np.where(varies, centred / np.where(varies, deviation, 1.0), 0.0)


def _standardised_column(column: FloatArray) -> FloatArray:
    result = np.zeros_like(column)
    known = ~np.isnan(column)
    if known.any():
        result[known] = _standardised(column[known][:, None])[:, 0]
    return result


def _compare(
    names: tuple[str, ...], first: FloatArray, second: FloatArray, drawn: Relabelling | None
) -> Correlations:
    a, b = correlation_matrix(first), correlation_matrix(second)
    upper = np.triu_indices(len(names), 1)
    difference = (b - a)[upper]
    place = int(np.argmax(np.abs(difference)))
    if drawn is None:
        variances = ((x, r, len(x)) for x, r in ((first, a), (second, b)))
        chance = np.sum([correlation_variance(x, r)[upper] / n for x, r, n in variances], axis=0)
    else:
        chance = _relabelled_squares(first, second, drawn)[upper]
    return Correlations(
        names=names,
        reference=a,
        generated=b,
        rms_difference=float(math.sqrt(np.mean(difference**2))),
        expected_rms=float(math.sqrt(np.mean(chance))),
        worst=(names[upper[0][place]], names[upper[1][place]]),
        worst_difference=float(difference[place]),
    )


def correlation_variance(x: NDArray[np.floating], coefficients: FloatArray) -> FloatArray:
    r"""Return n times the variance (f, f) of the coefficients of features (n, f).

    For any distribution, from fourth moments of standardised features: each event adds
    :math:`x y - \rho (x^2 + y^2) / 2` to a coefficient. For a Gaussian it is
    :math:`(1 - \rho^2)^2`.

    References:
        A. B. Owen, Empirical Likelihood (2001), section 3.4.
    """
    z = _scaled(x)
    squares, n = z**2, len(x)
    fourth = np.mean(squares**2, axis=0)
    both = squares.T @ squares / n
    odd = (z * squares).T @ z / n
    variance = (
        both
        - coefficients * (odd + odd.T)
        + coefficients**2 * (fourth[:, None] + fourth + 2 * both) / 4
    )
    result: FloatArray = np.maximum(variance, 0.0)
    return result


def _relabelled_squares(first: FloatArray, second: FloatArray, drawn: Relabelling) -> FloatArray:
    """Return the mean squared differences (f, f) of samples whose events changed places."""
    joined = drawn.joined(first, second)
    total = np.zeros((first.shape[1],) * 2)
    for labels in drawn.labels.T:
        a, b = (correlation_matrix(rows) for rows in (joined[labels], joined[~labels]))
        total += (b - a) ** 2
    mean: FloatArray = total * drawn.part / drawn.labels.shape[1]
    return mean


def correlation_matrix(x: NDArray[np.floating]) -> FloatArray:
    """Return Pearson's coefficients (f, f) of features (n, f); a constant correlates with none."""
    scaled = _scaled(x)
    # rounding must not make a correlation larger than 1
    result: FloatArray = np.clip(scaled.T @ scaled / len(x), -1.0, 1.0)
    return result


def _scaled(x: NDArray[np.floating]) -> FloatArray:
    """Return features (n, f) with mean 0 and deviation 1; constants are 0."""
    centred = x - x.mean(axis=0, dtype=np.float64)
    width = np.sqrt(np.mean(centred**2, axis=0))
    # rounding leaves a constant with a width of its last digit
    constant = width <= ROUNDING * np.abs(x).max(axis=0)
    scaled: FloatArray = centred / np.where(constant, 1.0, width)
    scaled[:, constant] = 0.0
    return scaled


def largest_correlation_difference(
    reference: NDArray[np.floating], generated: NDArray[np.floating], _: object = None
) -> tuple[Estimate]:
    """Return the largest difference of Pearson's coefficients between two features.

    The error is that of this pair for independent samples; that it is the largest of many pairs,
    which chance alone makes large, the baseline shows.
    """
    if min(len(reference), len(generated)) < 3 or reference.shape[1] < 2:
        return (Estimate(math.nan),)
    first, second = correlation_matrix(reference), correlation_matrix(generated)
    difference = np.abs(first - second)
    np.fill_diagonal(difference, 0.0)
    pair = tuple(map(int, np.unravel_index(np.argmax(difference), difference.shape)))
    variances = (
        float(correlation_variance(x[:, list(pair)], r[np.ix_(pair, pair)])[0, 1]) / len(x)
        for x, r in ((reference, first), (generated, second))
    )
    return (Estimate(float(difference[pair]), math.sqrt(sum(variances))),)
