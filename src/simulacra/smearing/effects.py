"""What thin matter does to particles: scattering, ionisation, bremsstrahlung, conversion.

Energies and momenta in MeV (c = 1), thickness in radiation lengths or mm along the path.
"""

from __future__ import annotations

import numpy as np

from simulacra.arrays import BoolArray, FloatArray

ELECTRON = 0.51099895
"""Mass of the electron, MeV."""
PAIRS = 7 / 9
"""Conversions of a photon of high energy in a radiation length (Particle Data Group)."""
IONISATION = 1e-5
"""Mean excitation energy over Z, MeV (Bloch)."""
MINIMUM = 3.5
"""βγ of a minimum-ionising particle."""


def highland_angle(
    momentum: FloatArray, energy: FloatArray, charge: FloatArray, depth: FloatArray
) -> FloatArray:
    """Return the width θ_0 (n,) of the scattering angle in a plane, rad.

    θ_0 = 13.6 MeV / (β p) z √x (1 + 0.038 ln(x z² / β²)), x in radiation lengths
    (Highland; Lynch and Dahl; Particle Data Group, "Passage of particles through matter").
    0 for neutral particles.
    """
    beta = momentum / energy
    thick = np.where(depth > 0, depth, 1.0)
    z = np.where(charge == 0, 1.0, np.abs(charge))
    angle = 13.6 / (beta * momentum) * z * np.sqrt(thick)
    angle *= np.maximum(1 + 0.038 * np.log(thick * z**2 / beta**2), 0.0)
    return np.where((charge != 0) & (depth > 0), angle, 0.0)


def bethe(momentum: FloatArray, mass: FloatArray, z: float) -> FloatArray:
    """Return the mean loss dE/dx (n,), relative: the shape of Bethe's formula, no density effect.

    (1/β²) (½ ln(2 m_e β²γ² T_max / I²) − β²), I = 10 eV Z (Particle Data Group).
    """
    gamma_beta = momentum / mass
    gamma = np.sqrt(1 + gamma_beta**2)
    beta_2 = (gamma_beta / gamma) ** 2
    ratio = ELECTRON / mass
    largest = 2 * ELECTRON * gamma_beta**2 / (1 + 2 * gamma * ratio + ratio**2)
    argument = 2 * ELECTRON * gamma_beta**2 * largest / (IONISATION * z) ** 2
    shape: FloatArray = (np.log(np.maximum(argument, np.e**2)) / 2 - beta_2) / beta_2
    return shape


def ionisation_loss(
    momentum: FloatArray,
    mass: FloatArray,
    charge: FloatArray,
    minimum: float,
    z: float,
    path: FloatArray,
) -> FloatArray:
    """Return the mean energy (n,) that charged particles leave on paths (n,) in mm, MeV.

    Bethe's formula, scaled so that at βγ = 3.5 it is the table's minimum. Electrons and positrons
    lose the minimum everywhere.

    Args:
        momentum: (n,), MeV.
        mass: (n,), MeV.
        charge: (n,).
        minimum: mean loss of a minimum-ionising particle, MeV/mm.
        z: mean atomic number of the matter.
        path: in the matter (n,), mm.
    """
    heavy = mass > 2 * ELECTRON
    m = np.where(heavy, mass, 100.0)
    shape = bethe(momentum, m, z) / bethe(MINIMUM * m, m, z)
    return minimum * path * charge**2 * np.where(heavy, shape, 1.0)


def radiated(depth: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the part (n,) of its energy that an electron keeps in radiation lengths (n,).

    Bethe and Heitler: −ln of it follows a Γ distribution of shape x / ln 2, whose mean energy kept
    is exp(−x).
    """
    kept: FloatArray = np.exp(-rng.gamma(np.maximum(depth, 0.0) / np.log(2)))
    return kept


def converts(depth: FloatArray, rng: np.random.Generator) -> BoolArray:
    """Return which photons become pairs in depths (n,) in radiation lengths: 1 − exp(−7/9 x)."""
    pairs: BoolArray = rng.random(len(depth)) < -np.expm1(-PAIRS * depth)
    return pairs
