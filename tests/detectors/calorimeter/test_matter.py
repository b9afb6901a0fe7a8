"""Radiation lengths and Molière radii from elements, against the Particle Data Group's tables."""

import math

import pytest

from simulacra.detectors import load_detector
from simulacra.detectors.calorimeter.matter import NIST, matter_of, medium_of
from simulacra.detectors.calorimeter.stack import Material, Slab
from simulacra.errors import DetectorError

# Radiation length (mm), critical energy of the solid or liquid (MeV), Molière radius (mm):
# Particle Data Group, Atomic and Nuclear Properties of Materials.
TABLES = {
    "G4_PbWO4": (8.903, 9.64, 19.59),
    "G4_lAr": (140.0, 32.84, 90.43),
    "G4_Pb": (5.612, 7.43, 16.02),
    "G4_Fe": (17.57, 21.68, 17.19),
    "G4_W": (3.504, 7.97, 9.327),
    "G4_Si": (93.70, 40.19, 49.44),
}


@pytest.mark.parametrize("material", TABLES)
def test_constants_are_those_of_the_tables(material):
    """E_c is Rossi's in the tables; GFlash has a formula of its own for it."""
    length, critical, moliere = TABLES[material]
    matter = matter_of(material, {})
    assert matter.radiation_length == pytest.approx(length, rel=3e-3)
    assert matter.critical_energy == pytest.approx(critical, rel=0.12)
    assert matter.moliere_radius == pytest.approx(moliere, rel=0.13)
    assert matter.moliere_radius == pytest.approx(
        21.2 * matter.radiation_length / matter.critical_energy
    )


def test_mass_fractions_sum_to_one():
    for _, fractions in NIST.values():
        assert sum(fractions.values()) == pytest.approx(1, abs=1e-5)


def test_a_mixture_of_one_is_that_one():
    lead = Material(density=11.35, fractions={"G4_Pb": 1.0})
    assert matter_of("mine", {"mine": lead}) == matter_of("G4_Pb", {})


def test_a_mixture_adds_up_inverse_lengths():
    """Half lead, half argon by mass: 2 / X = 1 / X_lead + 1 / X_argon in g/cm2."""
    half = Material(density=5.0, fractions={"G4_Pb": 0.5, "G4_lAr": 0.5})
    depth = {n: matter_of(n, {}).radiation_length * NIST[n][0] / 10 for n in ("G4_Pb", "G4_lAr")}
    expected = 2 / sum(1 / value for value in depth.values())
    mixed = matter_of("half", {"half": half})
    assert mixed.radiation_length * 5 / 10 == pytest.approx(expected)
    assert mixed.z == pytest.approx((82 + 18) / 2)


def test_what_is_not_known_is_named():
    with pytest.raises(DetectorError, match="composition of G4_GYPSUM is not known"):
        matter_of("G4_GYPSUM", {})


def test_plates_of_one_material_are_that_material():
    lead = matter_of("G4_Pb", {})
    medium = medium_of([Slab(material="G4_Pb", thickness=t) for t in (1, 3)], {})
    assert medium.matter.radiation_length == pytest.approx(lead.radiation_length)
    assert medium.matter.critical_energy == pytest.approx(lead.critical_energy)
    assert medium.matter.moliere_radius == pytest.approx(lead.moliere_radius)
    assert not medium.is_sampling


def test_plates_add_up_their_radiation_lengths():
    accordion = load_detector("atlas-barrel").stack[3]
    medium = medium_of(accordion.slabs, {})
    lengths = sum(s.thickness / matter_of(s.material, {}).radiation_length for s in accordion.slabs)
    assert accordion.period / medium.matter.radiation_length == pytest.approx(lengths)
    assert medium.sampling_frequency == pytest.approx(1 / lengths)
    assert 0.6 < medium.e_mip < 0.8


def test_all_active_plates_are_homogeneous():
    plates = medium_of(load_detector("calogan").stack[0].slabs, {})
    assert math.isinf(plates.sampling_frequency)
    assert (plates.e_mip, plates.sampling_fraction) == (1, 1)
