"""Radiation length, critical energy and Molière radius of a calorimeter's materials.

They follow from the elements: X0 by Tsai's formula (Particle Data Group, "Passage of particles
through matter", eq. 34.25 and 34.26), critical energy and Molière radius as GFlash has them
(Grindhammer and Peters, hep-ex/0001020).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.detectors.calorimeter.ionisation import ionisation
from simulacra.detectors.calorimeter.stack import Material, Slab
from simulacra.errors import DetectorError

FINE_STRUCTURE = 1 / 137.035999
SCATTERING_ENERGY = 21.2
"""Multiple-scattering energy of Molière's radius, MeV."""
TSAI = 716.408
"""A / (4 α r_e² N_A) for A = 1 g/mol, g/cm2."""
LIGHT: Mapping[int, tuple[float, float]] = {
    1: (5.31, 6.144), 2: (4.79, 5.621), 3: (4.74, 5.805), 4: (4.71, 5.924),
}  # fmt: skip
"""Radiation logarithms of elements for which the Thomas-Fermi model fails."""

ELEMENTS: Mapping[str, tuple[int, float]] = {
    "H": (1, 1.008), "Be": (4, 9.0122), "B": (5, 10.811), "C": (6, 12.011), "N": (7, 14.007),
    "O": (8, 15.999), "F": (9, 18.998), "Na": (11, 22.990), "Mg": (12, 24.305), "Al": (13, 26.982),
    "Si": (14, 28.085), "S": (16, 32.066), "Ar": (18, 39.948), "K": (19, 39.098),
    "Ca": (20, 40.078), "Ti": (22, 47.867), "Cr": (24, 51.996), "Fe": (26, 55.845),
    "Ni": (28, 58.693), "Cu": (29, 63.546), "Zn": (30, 65.395), "Ga": (31, 69.723),
    "Ge": (32, 72.613), "As": (33, 74.922), "Kr": (36, 83.799), "Cd": (48, 112.411),
    "Sn": (50, 118.710), "Te": (52, 127.603), "I": (53, 126.904), "Xe": (54, 131.292),
    "Cs": (55, 132.905), "Ba": (56, 137.327), "Ta": (73, 180.948), "W": (74, 183.842),
    "Au": (79, 196.967), "Pb": (82, 207.217), "Bi": (83, 208.980), "U": (92, 238.029),
}  # fmt: skip
"""Atomic number and mass (g/mol)."""

NIST: Mapping[str, tuple[float, Mapping[str, float]]] = {
    "G4_AIR": (1.20479e-3, {"C": 0.000124, "N": 0.755268, "O": 0.231781, "Ar": 0.012827}),
    "G4_Al": (2.699, {"Al": 1}),
    "G4_Ar": (1.66201e-3, {"Ar": 1}),
    "G4_Au": (19.32, {"Au": 1}),
    "G4_BARIUM_FLUORIDE": (4.89, {"Ba": 0.783276, "F": 0.216724}),
    "G4_BGO": (7.13, {"Bi": 0.671017, "Ge": 0.174865, "O": 0.154118}),
    "G4_BRASS": (8.52, {"Cu": 0.57515, "Zn": 0.33415, "Pb": 0.0907}),
    "G4_Be": (1.848, {"Be": 1}),
    "G4_C": (2.0, {"C": 1}),
    "G4_CADMIUM_TELLURIDE": (6.2, {"Cd": 0.468353, "Te": 0.531647}),
    "G4_CESIUM_IODIDE": (4.51, {"Cs": 0.511549, "I": 0.488451}),
    "G4_Cu": (8.96, {"Cu": 1}),
    "G4_Fe": (7.874, {"Fe": 1}),
    "G4_GALLIUM_ARSENIDE": (5.31, {"Ga": 0.48203, "As": 0.51797}),
    "G4_GLASS_LEAD": (
        6.22, {"O": 0.156453, "Si": 0.080866, "Ti": 0.008092, "As": 0.002651, "Pb": 0.751938},
    ),
    "G4_GRAPHITE": (2.21, {"C": 1}),
    "G4_Ge": (5.323, {"Ge": 1}),
    "G4_KAPTON": (1.42, {"C": 0.691128, "H": 0.026363, "N": 0.073271, "O": 0.209238}),
    "G4_MYLAR": (1.4, {"C": 0.625011, "H": 0.041961, "O": 0.333028}),
    "G4_Ni": (8.902, {"Ni": 1}),
    "G4_PLASTIC_SC_VINYLTOLUENE": (1.032, {"C": 0.914709, "H": 0.085291}),
    "G4_PLEXIGLASS": (1.19, {"C": 0.599841, "H": 0.080542, "O": 0.319617}),
    "G4_POLYETHYLENE": (0.94, {"C": 0.856282, "H": 0.143718}),
    "G4_POLYSTYRENE": (1.06, {"C": 0.922577, "H": 0.077423}),
    "G4_Pb": (11.35, {"Pb": 1}),
    "G4_PbWO4": (8.28, {"O": 0.140637, "Pb": 0.455366, "W": 0.403997}),
    "G4_Pyrex_Glass": (
        2.23,
        {
            "B": 0.040064, "O": 0.539561, "Na": 0.028191, "Al": 0.011644, "Si": 0.377219,
            "K": 0.003321,
        },
    ),
    "G4_SILICON_DIOXIDE": (2.32, {"Si": 0.467434, "O": 0.532566}),
    "G4_SODIUM_IODIDE": (3.667, {"Na": 0.153374, "I": 0.846626}),
    "G4_STAINLESS-STEEL": (8.0, {"Fe": 0.7462, "Cr": 0.169, "Ni": 0.0848}),
    "G4_Si": (2.33, {"Si": 1}),
    "G4_Sn": (7.31, {"Sn": 1}),
    "G4_Ta": (16.654, {"Ta": 1}),
    "G4_Ti": (4.54, {"Ti": 1}),
    "G4_U": (18.95, {"U": 1}),
    "G4_W": (19.3, {"W": 1}),
    "G4_WATER": (1.0, {"H": 0.111898, "O": 0.888102}),
    "G4_Zn": (7.133, {"Zn": 1}),
    "G4_lAr": (1.396, {"Ar": 1}),
    "G4_lKr": (2.418, {"Kr": 1}),
    "G4_lXe": (2.953, {"Xe": 1}),
    "G4_Galactic": (1e-25, {"H": 1}),
}  # fmt: skip
"""Density (g/cm3) and mass fractions of Geant4's materials from the tables of NIST."""


def radiation_length(element: str) -> float:
    """Return the radiation length of an element by Tsai's formula, g/cm2.

    Within 0.5 % of the Particle Data Group's tables.
    """
    z, a = ELEMENTS[element]
    elastic, inelastic = LIGHT.get(
        z, (math.log(184.15 * z ** (-1 / 3)), math.log(1194 * z ** (-2 / 3)))
    )
    s = (FINE_STRUCTURE * z) ** 2
    coulomb = s * (1 / (1 + s) + 0.20206 - 0.0369 * s + 0.0083 * s**2 - 0.002 * s**3)
    return TSAI * a / (z * z * (elastic - coulomb) + z * inelastic)


def energy_shares(u: FloatArray) -> FloatArray:
    """Return the electron's share of a converted photon's energy from uniform numbers.

    Bethe and Heitler at complete screening: dσ/dx ∝ 1 − 4/3 x (1 − x).
    """
    x = np.linspace(0, 1, 1025)
    shares: FloatArray = np.interp(u, (x - 2 / 3 * x**2 + 4 / 9 * x**3) * 9 / 7, x)
    return shares


@dataclass(frozen=True, slots=True)
class Matter:
    """A material, or plates of several as one.

    Attributes:
        density: g/cm3.
        z, a: atomic number and mass (g/mol), means by mass.
        radiation_length: mm.
        critical_energy: MeV.
        moliere_radius: mm.
    """

    density: float
    z: float
    a: float
    radiation_length: float
    critical_energy: float
    moliere_radius: float

    @classmethod
    def of_fractions(cls, density: float, fractions: Mapping[str, float]) -> Matter:
        """Return a compound from its elements' mass fractions; ``density`` is in g/cm3."""
        z = sum(part * ELEMENTS[name][0] for name, part in fractions.items())
        a = sum(part * ELEMENTS[name][1] for name, part in fractions.items())
        depth = 1 / sum(part / radiation_length(name) for name, part in fractions.items())
        length = 10 * depth / density
        critical = 2.66 * (depth * z / a) ** 1.1
        return cls(density, z, a, length, critical, SCATTERING_ENERGY * length / critical)


def matter_of(material: str, materials: Mapping[str, Material]) -> Matter:
    """Return the constants of a slab's material.

    Args:
        material: one of Geant4's names, ``G4_Pb``, or of the mixtures.
        materials: the mixtures that a detector declares.

    Raises:
        DetectorError: the composition of the material, or of a part of it, is not known.
    """
    mixture = materials.get(material)
    if mixture is None:
        density, fractions = _known(material)
        return Matter.of_fractions(density, fractions)
    fractions = {}
    for name, part in mixture.fractions.items():
        for element, share in _known(name)[1].items():
            fractions[element] = fractions.get(element, 0.0) + part * share
    return Matter.of_fractions(mixture.density, fractions)


def _known(material: str) -> tuple[float, Mapping[str, float]]:
    if material not in NIST:
        msg = (
            f"the composition of {material} is not known: declare it under 'materials' as a "
            f"mixture of {', '.join(sorted(NIST)[:3])}, …"
        )
        raise DetectorError(msg)
    return NIST[material]


@dataclass(frozen=True, slots=True)
class Medium:
    """Plates that repeat, as one medium.

    Attributes:
        matter: the constants of the whole; ``z`` and ``a`` are weighted by mass.
        sampling_frequency: radiation lengths of the medium over the thickness of absorber and
            active plate, F_s; infinite where everything is active.
        e_mip: ratio of the signals of an electron and of a minimum-ionising particle,
            1 / (1 + 0.007 (Z_absorber − Z_active)); 1 where everything is active.
        sampling_fraction: part of a minimum-ionising particle's loss in the active plates.
        active: thickness of one active plate, mm; 0 without any.
    """

    matter: Matter
    sampling_frequency: float
    e_mip: float
    sampling_fraction: float
    active: float

    @property
    def is_sampling(self) -> bool:
        """Whether there are active and passive plates."""
        return math.isfinite(self.sampling_frequency)


def medium_of(slabs: Sequence[Slab], materials: Mapping[str, Material]) -> Medium:
    """Return the medium that plates make together.

    Mass fractions w weigh Z and A; 1/X0 and E_c/X0 are weighted by thickness, as in
    hep-ex/0001020: 1/X0 = Σ d_i/X0_i / Σ d_i, E_c = X0 Σ d_i E_c,i/X0_i / Σ d_i, and
    1/R_M = Σ d_i/R_M,i / Σ d_i.

    Raises:
        DetectorError: the composition of a material is not known.
    """
    parts = [matter_of(slab.material, materials) for slab in slabs]
    thickness = np.array([slab.thickness for slab in slabs])
    share = thickness / thickness.sum()
    mass = share * [part.density for part in parts]
    weight = mass / mass.sum()
    lengths = np.array([part.radiation_length for part in parts])
    critical = np.array([part.critical_energy for part in parts])
    length = 1 / float(np.sum(share / lengths))
    whole = Matter(
        density=float(mass.sum()),
        z=float(np.sum(weight * [part.z for part in parts])),
        a=float(np.sum(weight * [part.a for part in parts])),
        radiation_length=length,
        critical_energy=length * float(np.sum(share * critical / lengths)),
        moliere_radius=SCATTERING_ENERGY / float(np.sum(share * critical / lengths)),
    )
    active = np.array([slab.sensitive for slab in slabs])
    if not active.any():
        return Medium(whole, math.inf, 1.0, 0.0, 0.0)
    if active.all():
        return Medium(whole, math.inf, 1.0, 1.0, 0.0)
    pairs = int(active.sum())
    loss = thickness * [_loss(slab.material, materials) for slab in slabs]
    z = np.array([part.z for part in parts])
    mean_z = [float(np.average(z[mask], weights=mass[mask])) for mask in (~active, active)]
    return Medium(
        whole,
        sampling_frequency=length * pairs / float(thickness.sum()),
        e_mip=1 / (1 + 0.007 * (mean_z[0] - mean_z[1])),
        sampling_fraction=float(loss[active].sum() / loss.sum()),
        active=float(thickness[active].mean()),
    )


def _loss(material: str, materials: Mapping[str, Material]) -> float:
    loss = ionisation(material, materials)
    if loss is None:
        msg = f"the minimum ionisation of {material} is not known: declare it under 'materials'"
        raise DetectorError(msg)
    return loss
