"""chi2/ndf of two histograms in the bins of the reference."""

from __future__ import annotations

import math

from simulacra.arrays import FloatArray
from simulacra.statistics.histograms import binning_of, chi2_of_counts
from simulacra.validation.metrics.record import UNDEFINED, Estimate


def chi2_per_ndf(reference: FloatArray, generated: FloatArray) -> Estimate:
    """Return chi2/ndf in the bins of the reference; 1 +- its error where nothing differs."""
    binning = binning_of(reference)
    chi2, ndf = chi2_of_counts(binning.counts(reference), binning.counts(generated))
    return Estimate(chi2 / ndf, math.sqrt(2 / ndf)) if ndf else Estimate(UNDEFINED)
