"""The formulas of GFlash: longitudinal profile, its fluctuations, radial profile, spots.

Depths t are in radiation lengths, radii in Molière radii, y = E / E_c; E in GeV where it stands
alone. Constants: Grindhammer and Peters, hep-ex/0001020, appendix. Geant4's copy differs in six
places, which are not followed here: see ``docs/classical.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammainc

from simulacra.arrays import FloatArray
from simulacra.detectors.calorimeter.matter import Medium

SMALLEST_ALPHA, SMALLEST_T = 1.1, 1.0
"""Bounds of single showers, as in Geant4: below, the profile has no maximum."""
LARGEST_SIGMA = 0.5
SMALLEST_ARGUMENT = 0.1
"""Bound of logarithms' arguments and of 1/σ's slope, as in Geant4: showers near E_c."""
CONVERSION = 9 / 7
"""Mean free path of a photon until it converts, radiation lengths."""
SPREAD = 0.027
"""Stochastic term of a sampling calorimeter over √(active mm / sampling fraction), in √GeV.

Livan and Wigmans, Calorimetry for Collider Physics (2019), section 4.
"""


@dataclass(frozen=True, slots=True)
class Longitudinal:
    """The distribution of (ln T, ln α) at energies (n,): means, widths and correlation."""

    mean_t: FloatArray
    mean_alpha: FloatArray
    sigma_t: FloatArray
    sigma_alpha: FloatArray
    correlation: FloatArray

    def drawn(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return T and α (n,) from independent normal numbers (2, n)."""
        plus = np.sqrt((1 + self.correlation) / 2)
        minus = np.sqrt((1 - self.correlation) / 2)
        t = np.exp(self.mean_t + self.sigma_t * (plus * z[0] + minus * z[1]))
        alpha = np.exp(self.mean_alpha + self.sigma_alpha * (plus * z[0] - minus * z[1]))
        return np.maximum(t, SMALLEST_T), np.maximum(alpha, SMALLEST_ALPHA)


def longitudinal(
    energy: FloatArray, medium: Medium, slant: FloatArray | float = 1.0
) -> Longitudinal:
    """Return the distribution of (ln T, ln α) of electrons.

    Args:
        energy: (n,), MeV.
        medium: a homogeneous or a sampling one.
        slant: cosine of the angle of incidence (n,): plates seem thicker by its inverse.
    """
    log_y = np.log(np.maximum(energy / medium.matter.critical_energy, 1.0))
    z = medium.matter.z
    t = _above(log_y - 0.812)
    alpha = _above(0.81 + (0.458 + 2.26 / z) * log_y)
    if not medium.is_sampling:
        sigma_t = 1 / _above(-1.4 + 1.26 * log_y)
        sigma_alpha = 1 / _above(-0.58 + 0.86 * log_y)
        correlation = 0.705 - 0.023 * log_y
    else:
        frequency = medium.sampling_frequency * slant
        t = _above(t - 0.55 / frequency - 0.69 * (1 - medium.e_mip))
        alpha = _above(alpha - 0.476 / frequency)
        sigma_t = 1 / _above(-2.5 + 1.25 * log_y)
        sigma_alpha = 1 / _above(-0.82 + 0.79 * log_y)
        correlation = 0.784 - 0.023 * log_y
    return Longitudinal(
        np.log(t),
        np.log(alpha),
        np.minimum(sigma_t, LARGEST_SIGMA),
        np.minimum(sigma_alpha, LARGEST_SIGMA),
        correlation,
    )


def _above(value: FloatArray) -> FloatArray:
    bounded: FloatArray = np.maximum(value, SMALLEST_ARGUMENT)
    return bounded


def contained(t: FloatArray, maximum: FloatArray, alpha: FloatArray) -> FloatArray:
    """Return the fraction of the energy up to depths t, all of shapes that broadcast."""
    fraction: FloatArray = gammainc(alpha, (alpha - 1) / maximum * np.maximum(t, 0.0))
    return fraction


@dataclass(frozen=True, slots=True)
class Radial:
    """Two components of the radial profile: radii of core and tail, and the core's share."""

    core: FloatArray
    tail: FloatArray
    share: FloatArray

    def density(self, r: FloatArray) -> FloatArray:
        """Return f(r) = dE / (E dr) at radii r in Molière radii."""
        core, tail = (2 * r * size**2 / (r**2 + size**2) ** 2 for size in (self.core, self.tail))
        found: FloatArray = self.share * core + (1 - self.share) * tail
        return found

    def within(self, r: FloatArray) -> FloatArray:
        """Return the fraction of the energy within radii r in Molière radii."""
        core, tail = (r**2 / (r**2 + size**2) for size in (self.core, self.tail))
        found: FloatArray = self.share * core + (1 - self.share) * tail
        return found


def radial(
    tau: FloatArray, energy: FloatArray, medium: Medium, slant: FloatArray | float = 1.0
) -> Radial:
    """Return the radial profile at relative depths τ.

    Args:
        tau: depth over that of the centre of gravity.
        energy: MeV, of a shape that broadcasts with ``tau``.
        medium: a homogeneous or a sampling one.
        slant: cosine of the angle of incidence.
    """
    z, log_e = medium.matter.z, np.log(energy / 1000)
    core = 0.0251 + 0.00319 * log_e + (0.1162 - 0.000381 * z) * tau
    k1, k2, k3, k4 = 0.659 - 0.00309 * z, 0.645, -2.59, 0.3585 + 0.0421 * log_e
    tail = k1 * (np.exp(k3 * (tau - k2)) + np.exp(k4 * (tau - k2)))
    p1, p2, p3 = 2.632 - 0.00094 * z, 0.401 + 0.00187 * z, 1.313 - 0.0686 * log_e
    position = (p2 - tau) / np.maximum(p3, SMALLEST_ARGUMENT)
    share = p1 * np.exp(position - np.exp(position))
    if medium.is_sampling:
        frequency, lost = medium.sampling_frequency * slant, 1 - medium.e_mip
        core = core - 0.0203 * lost + 0.0397 / frequency * np.exp(-tau)
        tail = tail - 0.14 * lost - 0.495 / frequency * np.exp(-tau)
        share = share + lost * (0.348 - 0.642 / frequency * np.exp(-((tau - 1) ** 2)))
    return Radial(
        np.maximum(core, SMALLEST_RADIUS), np.maximum(tail, SMALLEST_RADIUS), np.clip(share, 0, 1)
    )


SMALLEST_RADIUS = 1e-3
"""Bound of both radii, in Molière radii: polynomials in ln E fall below zero at low energies."""


def relative_depth(
    t: FloatArray, maximum: FloatArray, alpha: FloatArray, mean_log_alpha: FloatArray
) -> FloatArray:
    """Return τ = t over the depth of the centre of gravity, of shapes that broadcast."""
    mean = np.exp(mean_log_alpha)
    tau: FloatArray = t / maximum * (alpha - 1) / alpha * mean / np.maximum(mean - 1, 0.1)
    return tau


def stochastic_term(medium: Medium) -> float:
    """Return the stochastic term of a sampling medium, √GeV; 0 of a homogeneous one."""
    if not medium.is_sampling:
        return 0.0
    return float(SPREAD * np.sqrt(medium.active / medium.sampling_fraction))


def number_of_spots(energy: FloatArray, medium: Medium, stochastic: float) -> FloatArray:
    """Return the mean number of spots (n,) of showers of energies (n,), MeV."""
    e = energy / 1000
    if medium.is_sampling and stochastic > 0:
        return 10.3 / stochastic * e**0.959
    spots: FloatArray = 93 * np.log(medium.matter.z) * e**0.876
    return spots


def spot_profile(
    maximum: FloatArray, alpha: FloatArray, medium: Medium
) -> tuple[FloatArray, FloatArray]:
    """Return T and α of the longitudinal profile of the spots, of that of the energy."""
    z = medium.matter.z
    if medium.is_sampling:
        scale_t, scale_alpha = 0.813 + 0.0019 * z, 0.844 + 0.0026 * z
    else:
        scale_t, scale_alpha = 0.698 + 0.00212 * z, 0.639 + 0.00334 * z
    return maximum * scale_t, np.maximum(alpha * scale_alpha, SMALLEST_ALPHA)
