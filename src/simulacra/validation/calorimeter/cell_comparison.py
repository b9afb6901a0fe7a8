"""Mean showers compared: their profiles along and across, their cells, the spectrum of cells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulacra.validation.calorimeter.cells import CellSums, Profile
from simulacra.validation.metrics.record import Estimate
from simulacra.validation.metrics.separation import separation

JOINED = 10
"""Bins of the spectrum that are one here: 20 a decade."""


@dataclass(frozen=True, slots=True)
class CellComparison:
    """How the mean showers and the cells of two samples compare.

    Attributes:
        profiles: chi2/ndf of ``longitudinal`` and of each ``axis.layer``: 1 where nothing differs.
            The error is that of independent points; rows of one shower are not quite independent.
        spectrum: separation power of the spectra of cells with energy.
        empty: part of the cells without energy, (reference, generated).
        missing: part of the mean reference shower in cells that the generated events never hit,
            and likewise the other way round: dead cells. By chance, close to 0.
    """

    profiles: Mapping[str, Estimate]
    spectrum: float
    empty: tuple[float, float]
    missing: tuple[float, float]


def compare_cells(reference: CellSums, generated: CellSums) -> CellComparison:
    """Return how the cells of a generated sample compare with a reference."""
    profiles = {"longitudinal": _chi2(reference.longitudinal, generated.longitudinal)}
    for layer, lines in reference.lateral.items():
        for first, second in zip(lines, generated.lateral[layer], strict=True):
            profiles[f"{first.axis}.{layer}"] = _chi2(first, second)
    counts = [s.spectrum.counts.reshape(-1, JOINED).sum(axis=1) for s in (reference, generated)]
    first_empty, second_empty = (
        1 - float(s.spectrum.counts.sum()) / s.spectrum.total for s in (reference, generated)
    )
    filled = all(count.any() for count in counts)
    return CellComparison(
        profiles=profiles,
        spectrum=float(separation(counts[0], counts[1])) if filled else math.nan,
        empty=(first_empty, second_empty),
        missing=(_missing(reference, generated), _missing(generated, reference)),
    )


def _chi2(reference: Profile, generated: Profile) -> Estimate:
    error = np.hypot(reference.error, generated.error)
    judged = error > 0
    ndf = int(judged.sum())
    if not ndf:
        return Estimate(math.nan)
    pulls = (generated.mean - reference.mean)[judged] / error[judged]
    return Estimate(float(np.mean(pulls**2)), math.sqrt(2 / ndf))


def _missing(sums: CellSums, others: CellSums) -> float:
    total = float(sums.share.sum())
    return float(sums.share[others.share == 0].sum()) / total if total > 0 else math.nan
