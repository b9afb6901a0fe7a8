r"""Resolution and linearity of a calorimeter: fits to the response against the energy.

The relative width follows :math:`\sigma / E = a / \sqrt{E} \oplus b \oplus c / E` (sampling,
constant and noise term, added in quadrature; E in GeV, so that a is in sqrt(GeV) and c in GeV).

References:
    Particle Data Group, Review of Particle Physics (2024), section 35.10, eq. 35.41.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit, nnls

from simulacra.arrays import BoolArray, FloatArray
from simulacra.units import GEV
from simulacra.validation.metrics.moments import Moments
from simulacra.validation.metrics.record import Estimate

if TYPE_CHECKING:
    from simulacra.validation.result import GroupResult

TERMS = ("a", "b", "c")
FEWEST_ENERGIES = 4


@dataclass(frozen=True, slots=True)
class ResolutionFit:
    """The terms of one sample.

    Attributes:
        terms: a, b and c with their errors; 0 without an error for a term that is not resolved,
            no errors at all where the fit does not converge.
        unresolved: terms that are zero at the minimum: the widths do not ask for them.
        squares: a², b² and c² of the linear fit to the squared widths, with errors: unbiased, and
            negative by chance where a term is small.
        chi2: sum of squared pulls at the minimum.
        ndf: number of energies minus number of resolved terms.
    """

    terms: Mapping[str, Estimate]
    unresolved: tuple[str, ...]
    squares: Mapping[str, Estimate]
    chi2: float
    ndf: int

    def width(self, energy: FloatArray) -> FloatArray:
        """Return the fitted relative width at energies in GeV."""
        return np.sqrt(_design(energy) @ [self.terms[name].value ** 2 for name in TERMS])


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolution and the linearity of both samples.

    Attributes:
        reference, generated: the fits.
        pulls: (generated - reference) / error of the square of each term: defined for terms that
            one of the samples does not have, too.
        nonlinearity: the largest |mean response / its weighted average - 1|, (reference,
            generated).
    """

    reference: ResolutionFit
    generated: ResolutionFit
    pulls: Mapping[str, float]
    nonlinearity: tuple[float, float]


def resolution_of(energies: Sequence[GroupResult], primary: str) -> Resolution | None:
    """Return the fits to the primary observable at some energies.

    None with fewer than four energies that have a width with an error in both samples.
    """
    rows = [
        (group.energy / GEV, group.comparisons[primary])
        for group in energies
        if group.energy is not None and primary in group.comparisons
    ]
    points = [
        (energy, c.reference, c.generated)
        for energy, c in rows
        if _usable(c.reference) and _usable(c.generated)
    ]
    if len(points) < FEWEST_ENERGIES:
        return None
    energy = np.array([energy for energy, _, _ in points])
    samples = [[reference for _, reference, _ in points], [generated for *_, generated in points]]
    reference, generated = (_fit_moments(energy, sample) for sample in samples)
    pulls = pulls_of(reference, generated)
    first, second = (_nonlinearity(sample) for sample in samples)
    return Resolution(reference, generated, pulls, (first, second))


def _usable(moments: Moments) -> bool:
    return moments.mean.value > 0 and moments.std.error > 0 and math.isfinite(moments.std.error)


def _fit_moments(energy: FloatArray, moments: Sequence[Moments]) -> ResolutionFit:
    mean = np.array([m.mean.value for m in moments])
    width, error = (
        np.array([getattr(m.std, key) for m in moments]) / mean for key in ("value", "error")
    )
    return fit_resolution(energy, width, error)


def fit_resolution(energy: FloatArray, width: FloatArray, error: FloatArray) -> ResolutionFit:
    """Return the terms that describe relative widths.

    The squares are linear in a², b² and c², which cannot be negative: non-negative least squares
    finds which of them are positive, and these are then fitted to the widths themselves, whose
    errors are Gaussian. Each error is that of the fit in the resolved terms.

    Args:
        energy: E in GeV (n,), n > 3.
        width: sigma / E (n,).
        error: of the width (n,), positive.
    """
    weight = 1 / (2 * width * error)  # the error of the square, to first order
    squares, _ = nnls(_design(energy) * weight[:, None], width**2 * weight)
    # what changes no width by a thousandth of its error is zero
    seen = np.max(_design(energy) * squares * weight[:, None], axis=0) > 1e-3
    values, errors = _refine(energy, width, error, np.sqrt(squares), seen)
    fitted = np.sqrt(_design(energy) @ values**2)
    terms = {
        name: Estimate(float(v), float(e)) for name, v, e in zip(TERMS, values, errors, strict=True)
    }
    return ResolutionFit(
        terms=terms,
        unresolved=tuple(name for name, s in zip(TERMS, seen, strict=True) if not s),
        squares=_fit_squares(energy, width, error / width),
        chi2=float(np.sum(((width - fitted) / error) ** 2)),
        ndf=len(energy) - int(seen.sum()),
    )


def _fit_squares(
    energy: FloatArray, width: FloatArray, relative: FloatArray
) -> dict[str, Estimate]:
    """Return a², b² and c² by linear least squares, without a limit.

    Args:
        energy: E in GeV (n,).
        width: sigma / E (n,).
        relative: errors of the widths over these (n,).
    """
    design, fitted = _design(energy), width**2
    for _ in range(3):
        # errors from the fit: those of the points are small where a width is small by chance
        weight = 1 / (2 * fitted * relative)
        weighted = design * weight[:, None]
        found = np.linalg.lstsq(weighted, width**2 * weight, rcond=None)[0]
        line = design @ found
        fitted = np.where(line > 0.1 * width**2, line, width**2)
    covariance = np.linalg.pinv(weighted.T @ weighted)
    errors = np.sqrt(np.diag(covariance))
    return {n: Estimate(float(v), float(e)) for n, v, e in zip(TERMS, found, errors, strict=True)}


def _design(energy: FloatArray) -> FloatArray:
    """Return the squares' dependence on energy (n, 3): 1 / E, 1 and 1 / E²."""
    return np.stack([1 / energy, np.ones_like(energy), 1 / energy**2], axis=1)


def _refine(
    energy: FloatArray, width: FloatArray, error: FloatArray, start: FloatArray, seen: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return the terms (3,) and their errors (3,), nan for those that stay at zero.

    Where the fit does not converge, the terms are the start and no error is known.
    """
    values, errors = np.zeros(3), np.full(3, math.nan)
    if not np.any(seen):
        return values, errors
    design = _design(energy)[:, seen]

    def model(_: FloatArray, *terms: float) -> FloatArray:
        return cast("FloatArray", np.sqrt(design @ np.square(terms)))

    values[seen] = start[seen]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)  # no covariance: errors are infinite
        try:
            best, covariance = curve_fit(
                model, energy, width, p0=start[seen], sigma=error, absolute_sigma=True
            )
        except RuntimeError:  # too many steps
            return values, errors
    values[seen] = np.abs(best)
    spread = np.sqrt(np.diag(covariance))
    errors[seen] = np.where(np.isfinite(spread), spread, math.nan)
    return values, errors


def pulls_of(reference: ResolutionFit, generated: ResolutionFit) -> dict[str, float]:
    """Return the difference of the square of each term over its error."""
    return {name: _pull(reference.squares[name], generated.squares[name]) for name in TERMS}


def _pull(reference: Estimate, generated: Estimate) -> float:
    error = math.hypot(reference.error, generated.error)
    return (generated.value - reference.value) / error if error > 0 else math.nan


def _nonlinearity(moments: Sequence[Moments]) -> float:
    mean, error = (np.array([getattr(m.mean, key) for m in moments]) for key in ("value", "error"))
    average = np.average(mean, weights=1 / error**2)
    return float(np.max(np.abs(mean / average - 1)))
