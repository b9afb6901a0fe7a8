"""Correlations between observables at fixed energy: right one by one is not yet right together."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import BoolArray, FloatArray
from simulacra.validation.metrics import Estimate

MOST_OBSERVABLES = 60
"""With more, only the observables of the whole event and the layers' energies are correlated."""
FEWEST_EVENTS = 10
"""Events that an energy needs in either sample to take part."""


@dataclass(frozen=True, slots=True)
class Correlations:
    """Linear correlation coefficients of both samples.

    Attributes:
        names: the observables (k,).
        reference, generated: symmetric matrices (k, k); 0 where an observable is constant.
        rms_difference: root mean square of (generated - reference) off the diagonal.
        expected_rms: what it would be by chance, from the Gaussian error (1 - rho^2) / sqrt(n).
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
    """
    may_lack = np.isin(names, list(optional))
    samples = [np.stack([values[n] for n in names], axis=1) for values in (reference, generated)]
    parts: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    for masks in energies:
        chosen = [_finite_rows(s[mask], may_lack) for s, mask in zip(samples, masks, strict=True)]
        if min(len(rows) for rows in chosen) >= FEWEST_EVENTS:
            for part, rows in zip(parts, chosen, strict=True):
                part.append(_standardised(rows))
    if len(names) < 2 or not parts[0]:
        return None
    first, second = (np.concatenate(part) for part in parts)
    return _compare(tuple(names), first, second)


def _finite_rows(rows: FloatArray, may_lack: BoolArray) -> FloatArray:
    return rows[np.all(np.isfinite(rows) | (np.isnan(rows) & may_lack), axis=1)]


def _standardised(rows: FloatArray) -> FloatArray:
    if np.isnan(rows).any():
        return np.stack([_standardised_column(column) for column in rows.T], axis=1)
    centred = rows - rows.mean(axis=0)
    deviation = centred.std(axis=0)
    # rounding of a constant is no variation
    varies = deviation > 1e-9 * np.max(np.abs(rows), axis=0)
    return np.where(varies, centred / np.where(varies, deviation, 1.0), 0.0)


def _standardised_column(column: FloatArray) -> FloatArray:
    result = np.zeros_like(column)
    known = ~np.isnan(column)
    if known.any():
        result[known] = _standardised(column[known][:, None])[:, 0]
    return result


def _compare(names: tuple[str, ...], first: FloatArray, second: FloatArray) -> Correlations:
    a, b = correlation_matrix(first), correlation_matrix(second)
    upper = np.triu_indices(len(names), 1)
    difference = (b - a)[upper]
    place = int(np.argmax(np.abs(difference)))
    chance = (1 - a[upper] ** 2) ** 2 * (1 / len(first) + 1 / len(second))
    return Correlations(
        names=names,
        reference=a,
        generated=b,
        rms_difference=float(math.sqrt(np.mean(difference**2))),
        expected_rms=float(math.sqrt(np.mean(chance))),
        worst=(names[upper[0][place]], names[upper[1][place]]),
        worst_difference=float(difference[place]),
    )


def correlation_matrix(x: NDArray[np.floating]) -> FloatArray:
    """Return Pearson's coefficients (f, f) of features (n, f); a constant correlates with none."""
    centred = x - x.mean(axis=0, dtype=np.float64)
    width = np.sqrt(np.mean(centred**2, axis=0))
    # rounding leaves a constant with a width of its last digit
    constant = width <= 1e-6 * np.abs(x).max(axis=0)
    scaled = centred / np.where(constant, 1.0, width)
    scaled[:, constant] = 0.0
    # rounding must not make a correlation larger than 1
    result: FloatArray = np.clip(scaled.T @ scaled / len(x), -1.0, 1.0)
    return result


def largest_correlation_difference(
    reference: NDArray[np.floating], generated: NDArray[np.floating], _: object = None
) -> tuple[Estimate]:
    """Return the largest difference of Pearson's coefficients between two features.

    The error is that of this pair, (1 - r^2) / sqrt(n) of either sample; that it is the largest of
    many pairs, which chance alone makes large, the floor shows.
    """
    if min(len(reference), len(generated)) < 3 or reference.shape[1] < 2:
        return (Estimate(math.nan),)
    first, second = correlation_matrix(reference), correlation_matrix(generated)
    difference = np.abs(first - second)
    np.fill_diagonal(difference, 0.0)
    pair = np.unravel_index(np.argmax(difference), difference.shape)
    error = math.hypot(
        (1 - first[pair] ** 2) / math.sqrt(len(reference)),
        (1 - second[pair] ** 2) / math.sqrt(len(generated)),
    )
    return (Estimate(float(difference[pair]), error),)
