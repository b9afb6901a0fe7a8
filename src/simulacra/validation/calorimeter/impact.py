"""The S shape: where a layer sees the shower, against where the particle entered its cell.

Energy is shared between few cells, so that the centre of energy is drawn to the middle of the cell:
against the impact, the centre minus the impact falls and rises again, more so the coarser the
cells. A generator that ignores its impact condition may have the right distribution of centres and
still be flat here. Where cells stand still, the impact is the position in the detector, and a
shower in the wrong place stands out by as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import Calorimeter
from simulacra.validation.metrics.strata import Strata, within_strata

if TYPE_CHECKING:
    from simulacra.validation.sample import Sample

BINS = 16
FEWEST_PER_BIN = 5
"""Events that a bin needs in either sample to be judged."""


@dataclass(frozen=True, slots=True)
class ImpactProfile:
    """The mean centre of energy in bins of the impact, with errors; nan in bins with few events.

    Attributes:
        observable: the centre's name, ``centre_eta.strips``.
        condition: the impact's name, ``impact_eta``.
        edges: of the bins (BINS + 1,), mm.
        reference, reference_error: means and their errors (BINS,), mm.
        generated, generated_error: likewise.
        chi2: sum over the bins that are judged of ((generated - reference) / error)^2.
        ndf: number of these bins.
    """

    observable: str
    condition: str
    edges: FloatArray
    reference: FloatArray
    reference_error: FloatArray
    generated: FloatArray
    generated_error: FloatArray
    chi2: float
    ndf: int

    @property
    def chi2_per_ndf(self) -> float:
        """About 1 where both follow the same profile; nan where no bin is judged."""
        return self.chi2 / self.ndf if self.ndf else math.nan


def impact_profiles(
    reference: Sample, generated: Sample, strata: Strata | None = None
) -> tuple[ImpactProfile, ...]:
    """Return a profile for each layer and axis of a detector with impact conditions.

    Errors are the width in a bin over sqrt(n), so that mixtures of energies have honest ones. With
    the strata of samples that share their conditions, chi2 takes the error of the difference within
    these: the place in the bin is the same in both samples.
    """
    detector = reference.detector
    assert isinstance(detector, Calorimeter)
    return tuple(_profiles(detector, (reference, generated), strata))


def _range(detector: Calorimeter, axis: str, samples: tuple[Sample, Sample]) -> FloatArray:
    """Return between which impacts profiles go: those of a cell, or those that there are."""
    cell = detector.reference_cell
    if cell is not None:
        size = cell[detector.axes.index(axis)]
        return np.array([-size / 2, size / 2])
    impacts = [sample.conditions[f"impact_{axis}"].astype(np.float64) for sample in samples]
    return np.array([min(map(np.min, impacts)), max(map(np.max, impacts))])


def _profiles(
    detector: Calorimeter, samples: tuple[Sample, Sample], strata: Strata | None
) -> Iterator[ImpactProfile]:
    for axis in detector.declared_axes:
        condition = f"impact_{axis}"
        low, high = _range(detector, axis, samples)
        if not low < high:
            continue
        edges = np.linspace(low, high, BINS + 1)
        for layer in detector.layers:
            name = f"centre_{axis}.{layer.name}"
            if name not in samples[0].values:  # the read-out fixes it
                continue
            energy = f"layer_energy.{layer.name}"
            impacts = [s.conditions[condition].astype(np.float64) for s in samples]
            centres = [np.where(s.values[energy] > 0, s.values[name], math.nan) for s in samples]
            (full, full_error), (fast, fast_error) = (
                _profile(edges, *pair) for pair in zip(impacts, centres, strict=True)
            )
            error = np.hypot(full_error, fast_error)
            if strata is not None:
                means = full, fast
                error = _shared_error(edges, impacts, centres, means, strata)
            error = np.where(np.isfinite(full_error + fast_error), error, math.nan)
            # equal events have no error, and no difference
            equal = (error == 0) & (fast == full)
            pulls = (fast - full) / np.where(equal, 1.0, np.where(error > 0, error, math.nan))
            judged = np.isfinite(pulls)
            chi2, ndf = float(np.sum(pulls[judged] ** 2)), int(judged.sum())
            yield ImpactProfile(
                name, condition, edges, full, full_error, fast, fast_error, chi2, ndf
            )


def _shared_error(
    edges: FloatArray,
    impacts: list[FloatArray],
    centres: list[FloatArray],
    means: tuple[FloatArray, FloatArray],
    strata: Strata,
) -> FloatArray:
    """Return the error of the difference of means in each bin (BINS,), given the strata."""
    places = [_places(edges, impact) for impact in impacts]
    away = np.concatenate([c - m[p] for c, m, p in zip(centres, means, places, strict=True)])
    place, own = np.concatenate(places), np.concatenate([strata.reference, strata.generated])
    group = np.unique(own, return_inverse=True)[1].ravel()
    first = np.arange(len(own)) < len(strata.reference)
    errors = np.full(BINS, math.nan)
    for i in range(BINS):
        here = (place == i) & np.isfinite(away)
        if here.any():
            dense = np.unique(group[here], return_inverse=True)[1].ravel()
            errors[i] = within_strata(away[here], dense, first[here])
    return errors


def _places(edges: FloatArray, impact: FloatArray) -> IntArray:
    """Return the bin of each impact."""
    places: IntArray = np.clip(np.searchsorted(edges, impact, side="right") - 1, 0, BINS - 1)
    return places


def _profile(
    edges: FloatArray, impact: FloatArray, values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the mean of the finite values and its error in each bin (BINS,), nan for few."""
    finite = np.isfinite(values)
    impact, values = impact[finite], values[finite]
    place = _places(edges, impact)
    n, first, second = (
        np.bincount(place, weights=weights, minlength=BINS)
        for weights in (np.ones_like(values), values, values**2)
    )
    enough = n >= FEWEST_PER_BIN
    n = np.where(enough, n, math.nan)
    mean = first / n
    variance = np.clip(second / n - mean**2, 0.0, None) * n / (n - 1)
    error = np.sqrt(variance / n)
    return mean, np.where(error > 0, error, math.nan)
