"""What full simulation assumes, or does without: told before the work, one line each."""

from __future__ import annotations

from collections.abc import Iterable

from simulacra.detectors import Calorimeter, Detector
from simulacra.fullsim.datasets import lacking
from simulacra.fullsim.settings import EM_PHYSICS, Geant4Settings

SCINTILLATORS = ("G4_POLYSTYRENE", "G4_PLASTIC_SC_VINYLTOLUENE")


def cautions(detectors: Iterable[Detector], settings: Geant4Settings) -> tuple[str, ...]:
    """Return what these detectors and settings do not state or Geant4 lacks, one line each."""
    calorimeters = [detector for detector in detectors if isinstance(detector, Calorimeter)]
    found = list(_of_physics(settings)) if calorimeters else []
    for detector in calorimeters:
        assumed = detector.assumptions if settings.cut is None else detector.assumed_thresholds
        found += assumed
        if settings.physics not in EM_PHYSICS and (plain := _unsaturated(detector)):
            found.append(
                f"{detector.name} states no birks for {', '.join(plain)}: recoil protons of "
                "neutrons count in full, which raises the response to hadrons"
            )
    if missing := lacking(settings.refining_data):
        found.append(
            f"the Geant4 data for {settings.physics} are incomplete: no {', no '.join(missing)}; "
            "the output says so"
        )
    return tuple(found)


def _of_physics(settings: Geant4Settings) -> Iterable[str]:
    if settings.misses_showers:  # a TPC wants ionisation alone
        yield (
            f"{settings.physics} has no hadronic physics: {settings.particle} makes no hadronic "
            "shower; --physics FTFP_BERT has it"
        )


def _unsaturated(detector: Calorimeter) -> list[str]:
    sensitive = {slab.material for section in detector.stack for slab in section.sensitive}
    return sorted(sensitive.intersection(SCINTILLATORS).difference(detector.birks))
