"""What Geant4 is asked to simulate: the particle, the physics list and the production cut."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from pydantic import Field, field_validator

from simulacra.detectors.base import Frozen
from simulacra.errors import SimulacraError
from simulacra.fullsim import datasets
from simulacra.fullsim.datasets import DataSet
from simulacra.particles import ParticleMixture
from simulacra.units import Length

_DETAILED = (*datasets.ELECTROMAGNETIC, datasets.SHELLS)

# Electromagnetic physics by itself: the constructor's name and the data that it reads.
EM_PHYSICS: dict[str, tuple[str, tuple[DataSet, ...]]] = {
    "opt0": ("G4EmStandardPhysics", datasets.ELECTROMAGNETIC),
    "opt1": ("G4EmStandardPhysics_option1", datasets.ELECTROMAGNETIC),
    "opt2": ("G4EmStandardPhysics_option2", datasets.ELECTROMAGNETIC),
    "opt3": ("G4EmStandardPhysics_option3", _DETAILED),
    "opt4": ("G4EmStandardPhysics_option4", (*_DETAILED, datasets.GOUDSMIT_SAUNDERSON)),
    "gs": ("G4EmStandardPhysicsGS", (*_DETAILED, datasets.GOUDSMIT_SAUNDERSON)),
    "wvi": ("G4EmStandardPhysicsWVI", _DETAILED),
}

PHYSICS = "opt0"
"""The physics list where none is named."""

# The reference lists that Geant4's Python bindings offer.
REFERENCE_LISTS = (
    *("FTFP_BERT", "FTFP_BERT_ATL", "FTFP_BERT_HP", "FTFP_BERT_TRV", "FTFP_INCLXX"),
    *("FTFP_INCLXX_HP", "FTF_BIC", "QBBC", "QGSP_BERT", "QGSP_BERT_HP", "QGSP_BIC"),
    *("QGSP_BIC_AllHP", "QGSP_BIC_HP", "QGSP_FTFP_BERT", "QGSP_INCLXX", "QGSP_INCLXX_HP"),
    *("QGS_BIC", "Shielding"),
)

_FOLLOWED_NEUTRONS = (datasets.NEUTRONS, datasets.DECAYS)
# What a reference list reads beside the data that all of them read.
_READ_BESIDE: dict[str, tuple[DataSet, ...]] = {
    "FTFP_BERT_HP": _FOLLOWED_NEUTRONS,
    "FTFP_BERT_TRV": (datasets.SHELLS, datasets.GOUDSMIT_SAUNDERSON),
    "FTFP_INCLXX": (datasets.CASCADE,),
    "FTFP_INCLXX_HP": (datasets.CASCADE, *_FOLLOWED_NEUTRONS),
    "QBBC": (datasets.PROTON, *datasets.IONS),
    "QGSP_BERT_HP": _FOLLOWED_NEUTRONS,
    "QGSP_BIC_AllHP": (datasets.CHARGED, *_FOLLOWED_NEUTRONS),
    "QGSP_BIC_HP": _FOLLOWED_NEUTRONS,
    "QGSP_INCLXX": (datasets.CASCADE,),
    "QGSP_INCLXX_HP": (datasets.CASCADE, *_FOLLOWED_NEUTRONS),
    "QGS_BIC": (datasets.PROTON,),
    "Shielding": (datasets.PROTON, *datasets.IONS, *_FOLLOWED_NEUTRONS),
}

_ELECTROMAGNETIC_PRIMARIES = (22, 11, -11)
_LEAST_HADRON, _NEUTRAL_PION = 100, 111
"""PDG ids of hadrons and nuclei begin here; a neutral pion is photons before it meets matter."""


class Geant4Settings(Frozen):
    """Settings of the full simulation.

    Attributes:
        particle: name as Geant4 or the PDG spell it (``gamma``, ``e-``, ``pi+``, ``proton``) or
            PDG id; several in turn (``e-,gamma``) or with weights (``e-:2,gamma:1``); None where
            the conditions say it, event by event.
        physics: ``opt0`` to ``opt4``, ``gs``, ``wvi`` (electromagnetic physics only) or one of
            Geant4's reference lists that the bindings have, such as ``FTFP_BERT``.
        cut: production threshold in range, mm; None for the detector's own.

    Raises:
        SimulacraError: the particle or the physics list is unknown.
    """

    particle: str | None = None
    physics: str = PHYSICS
    cut: Annotated[Length, Field(gt=0)] | None = None

    @field_validator("particle")
    @classmethod
    def _known_particle(cls, value: str | None) -> str | None:
        if value is not None:
            ParticleMixture.parse(value)
        return value

    @field_validator("physics")
    @classmethod
    def _known_physics(cls, value: str) -> str:
        if value not in (*EM_PHYSICS, *REFERENCE_LISTS):
            msg = (
                f"unknown physics list {value!r}: give one of "
                f"{', '.join((*EM_PHYSICS, *REFERENCE_LISTS))}"
            )
            raise SimulacraError(msg)
        return value

    @cached_property
    def mixture(self) -> ParticleMixture | None:
        """The particles that are named; None where the conditions say them."""
        return None if self.particle is None else ParticleMixture.parse(self.particle)

    @property
    def pdg(self) -> int | None:
        """The particle's PDG id; None where there are several."""
        ids = () if self.mixture is None else self.mixture.ids
        return ids[0] if len(ids) == 1 else None

    @property
    def decays(self) -> bool:
        """Whether a particle needs decay physics beside the electromagnetic one."""
        ids = None if self.mixture is None else set(self.mixture.ids)
        return ids is None or not ids <= set(_ELECTROMAGNETIC_PRIMARIES)

    @property
    def misses_showers(self) -> bool:
        """Whether a particle is a hadron and the physics list has no hadronic interactions."""
        ids = () if self.mixture is None else self.mixture.ids
        hadrons = [pdg for pdg in ids if abs(pdg) > _LEAST_HADRON and pdg != _NEUTRAL_PION]
        return bool(hadrons) and self.physics in EM_PHYSICS

    def cut_or(self, own: float) -> float:
        """Return the production threshold (mm): what was asked for, else the detector's own."""
        return own if self.cut is None else self.cut

    @property
    def data_sets(self) -> tuple[DataSet, ...]:
        """The data sets that Geant4 reads for this physics list."""
        if self.physics in EM_PHYSICS:
            return EM_PHYSICS[self.physics][1]
        return datasets.HADRONIC + _READ_BESIDE.get(self.physics, ())

    @property
    def refining_data(self) -> tuple[DataSet, ...]:
        """The data sets that Geant4 reads where they are there, and else does without."""
        return () if self.physics in EM_PHYSICS else datasets.REFINING
