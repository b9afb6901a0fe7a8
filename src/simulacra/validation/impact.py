"""The S shape: where a layer sees the shower, against where the particle entered its cell.

Energy is shared between few cells, so that the centre of energy is drawn to the middle of the cell:
against the impact, the centre minus the impact falls and rises again, more so the coarser the
cells. A generator that ignores its impact condition may have the right distribution of centres and
still be flat here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors import Calorimeter

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


def impact_profiles(reference: Sample, generated: Sample) -> tuple[ImpactProfile, ...]:
    """Return a profile for each layer and axis of a detector with impact conditions.

    Errors are the spread in a bin over sqrt(n), so that mixtures of energies have honest ones.
    """
    detector = reference.detector
    assert isinstance(detector, Calorimeter)
    if detector.reference_cell is None:
        return ()
    return tuple(_profiles(detector, (reference, generated)))


def _profiles(detector: Calorimeter, samples: tuple[Sample, Sample]) -> Iterator[ImpactProfile]:
    cell = detector.reference_cell
    assert cell is not None
    for axis, size in zip(detector.axes, cell, strict=True):
        condition = f"impact_{axis}"
        edges = np.linspace(-size / 2, size / 2, BINS + 1)
        for layer in detector.layers:
            name = f"centre_{axis}.{layer.name}"
            if name not in samples[0].values:  # the read-out fixes it
                continue
            energy = f"layer_energy.{layer.name}"
            (full, full_error), (fast, fast_error) = (
                _profile(
                    edges,
                    sample.conditions[condition].astype(np.float64),
                    np.where(sample.values[energy] > 0, sample.values[name], math.nan),
                )
                for sample in samples
            )
            pulls = (fast - full) / np.hypot(full_error, fast_error)
            judged = np.isfinite(pulls)
            chi2, ndf = float(np.sum(pulls[judged] ** 2)), int(judged.sum())
            yield ImpactProfile(
                name, condition, edges, full, full_error, fast, fast_error, chi2, ndf
            )


def _profile(
    edges: FloatArray, impact: FloatArray, values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the mean of the finite values and its error in each bin (BINS,), nan for few."""
    finite = np.isfinite(values)
    impact, values = impact[finite], values[finite]
    place = np.clip(np.searchsorted(edges, impact, side="right") - 1, 0, BINS - 1)
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
