"""What a minimum-ionising particle leaves in matter: the scale of the threshold of a hit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulacra.detectors.calorimeter.stack import VACUUM, Material, Slab

LOSSES: Mapping[str, float] = {
    **{"G4_Si": 0.388, "G4_Ge": 0.729, "G4_C": 0.348, "G4_GALLIUM_ARSENIDE": 0.745},
    **{"G4_CADMIUM_TELLURIDE": 0.77, "G4_lAr": 0.2105, "G4_lKr": 0.328, "G4_lXe": 0.371},
    **{"G4_POLYSTYRENE": 0.205, "G4_PLASTIC_SC_VINYLTOLUENE": 0.202, "G4_PLEXIGLASS": 0.230},
    **{"G4_POLYETHYLENE": 0.196, "G4_WATER": 0.199, "G4_PbWO4": 1.02, "G4_BGO": 0.892},
    **{"G4_CESIUM_IODIDE": 0.561, "G4_SODIUM_IODIDE": 0.479, "G4_BARIUM_FLUORIDE": 0.638},
    **{"G4_GLASS_LEAD": 0.781, "G4_SILICON_DIOXIDE": 0.394, "G4_Pyrex_Glass": 0.378},
    **{"G4_Be": 0.295, "G4_Al": 0.436, "G4_Fe": 1.143, "G4_STAINLESS-STEEL": 1.15, "G4_Cu": 1.257},
    **{"G4_BRASS": 1.19, "G4_W": 2.21, "G4_Pb": 1.273, "G4_U": 2.05},
    **{"G4_AIR": 2.19e-4, "G4_Ar": 2.52e-4, VACUUM: 0.0},
}
"""Minimum mean loss dE/dx in MeV/mm (PDG, Atomic and Nuclear Properties of Materials)."""

MIXTURE_LOSS = 0.15
"""Of a mixture, MeV/mm over its density in g/cm3: 1.1 in lead and 2 in plastic, times 0.1."""


def ionisation(material: str, materials: Mapping[str, Material]) -> float | None:
    """Return the minimum mean loss dE/dx in a material, MeV/mm; None where it is not known.

    Args:
        material: of Geant4's, or one of the mixtures.
        materials: the mixtures that slabs may be of.
    """
    mixture = materials.get(material)
    return LOSSES.get(material) if mixture is None else MIXTURE_LOSS * mixture.density


def minimum_ionisation(slabs: Iterable[Slab], materials: Mapping[str, Material]) -> float | None:
    """Return the mean energy (MeV) of a minimum-ionising particle in the sensitive slabs.

    Args:
        slabs: crossed once, perpendicularly; those that are not sensitive count nothing.
        materials: the mixtures that slabs may be of.

    Returns:
        None where the loss in one of the materials is not known.
    """
    total = 0.0
    for slab in slabs:
        if not slab.sensitive:
            continue
        loss = ionisation(slab.material, materials)
        if loss is None:
            return None
        total += loss * slab.thickness
    return total
