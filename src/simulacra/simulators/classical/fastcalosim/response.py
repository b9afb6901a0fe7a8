"""Mean and width of the response between the energies of a sample: cubic splines in ln E."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.interpolate import CubicSpline, UnivariateSpline

from simulacra.arrays import FloatArray

FEWEST = 5
"""Energies that a smoothing spline needs; fewer ones are taken as they are."""
ERROR_OF_WIDTH = 0.962
"""Error of σ_eff over σ / √n, of normal numbers: that of half the distance of two quantiles."""


def effective_width(values: FloatArray) -> float:
    """Return half of the central interval that holds 68.3 % of the values (n,)."""
    low, high = np.quantile(values, [0.1587, 0.8413])
    return float(high - low) / 2


def smoothed(ln_energy: FloatArray, values: FloatArray, errors: FloatArray) -> FloatArray:
    """Return values (e,) of a smoothing spline at the energies (e,).

    It is as smooth as errors (e,) allow: the squared deviations, over errors, sum to their number.
    """
    if len(values) < FEWEST or not np.all(errors > 0):
        return values
    with warnings.catch_warnings():
        # where a cubic fits within errors there is no more to do
        warnings.simplefilter("ignore", UserWarning)
        spline = UnivariateSpline(ln_energy, values, 1 / errors, k=3, s=len(values))
    found: FloatArray = spline(ln_energy)
    return found


def between(ln_energy: FloatArray, values: FloatArray, at: FloatArray) -> FloatArray:
    """Return the function that has values (e,) at energies (e,), at others (n,).

    A natural cubic spline; below the first energy constant, above the last linear, as FastCaloSim.
    """
    if len(values) == 1:
        return np.full(len(at), values[0])
    if len(values) == 2:
        inside: FloatArray = np.interp(at, ln_energy, values)
        slope = (values[1] - values[0]) / (ln_energy[1] - ln_energy[0])
    else:
        spline = CubicSpline(ln_energy, values, bc_type="natural")
        inside = spline(np.clip(at, ln_energy[0], ln_energy[-1]))
        slope = float(spline(ln_energy[-1], 1))
    found: FloatArray = inside + slope * np.maximum(at - ln_energy[-1], 0.0)
    return found
