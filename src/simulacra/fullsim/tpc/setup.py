"""Full simulation of a TPC: Geant4 brings the particle through the gas, the digitiser the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import TPC
from simulacra.detectors.tpc import SPECIES, VERTEX
from simulacra.fullsim.datasets import Geant4Object
from simulacra.fullsim.settings import Geant4Settings
from simulacra.fullsim.setup import Primaries
from simulacra.fullsim.tpc.clusters import digitise
from simulacra.fullsim.tpc.deposits import Deposits
from simulacra.fullsim.tpc.world import construction


@dataclass(frozen=True, slots=True)
class TPCSetup:
    """How a TPC is simulated. Costs are numbers of tracks."""

    detector: TPC
    chunk_cost: ClassVar[float] = 64.0

    @property
    def fingerprint(self) -> str:
        """The detector's."""
        return self.detector.fingerprint

    @property
    def cut(self) -> float:
        """What the detector's file says (mm)."""
        return self.detector.production_cut

    @property
    def region_cuts(self) -> Mapping[str, float]:
        """None: the detector is one region."""
        return {}

    def costs(self, conditions: Conditions) -> FloatArray:
        """Return ones: all tracks take about the same time."""
        return np.ones(len(conditions))

    def primaries(
        self,
        conditions: Conditions,
        settings: Geant4Settings,  # noqa: ARG002
        stream: np.random.SeedSequence,  # noqa: ARG002
    ) -> Primaries:
        """Return the particles, of which the conditions say everything."""
        # Imported here because its tables take a moment to load.
        from particle import Particle

        pdg = conditions[SPECIES].astype(np.int64)
        transverse = conditions[self.detector.scale].astype(np.float64)
        eta = conditions["pseudorapidity"].astype(np.float64)
        phi = conditions["phi"].astype(np.float64)
        species, index = np.unique(pdg, return_inverse=True)
        mass = np.array([Particle.from_pdgid(code).mass for code in species])[index]
        momentum = transverse * np.cosh(eta)
        direction = np.column_stack([np.cos(phi), np.sin(phi), np.sinh(eta)])
        return Primaries(
            pdg,
            momentum**2 / (np.hypot(momentum, mass) + mass),  # exact for slow particles, too
            direction / np.cosh(eta)[:, None],
            np.column_stack([conditions[name].astype(np.float64) for name in VERTEX]),
        )

    def physics(self, g4: Geant4Object) -> list[Geant4Object]:
        """Return what obeys the limits of the volumes."""
        return [g4.G4StepLimiterPhysics()]

    def construction(self, g4: Geant4Object) -> Geant4Object:
        """Return the chamber in its field."""
        return construction(g4, self.detector)

    def readout(self, g4: Geant4Object, construction: Geant4Object) -> Geant4Object:
        """Return what gives ``clusters`` (n, rows, 5) and ``cluster_mask`` (n, rows)."""
        return _readout(g4, self.detector, construction)


def _readout(g4: Geant4Object, detector: TPC, construction: Geant4Object) -> Geant4Object:
    class Readout(g4.G4UserEventAction):  # type: ignore[misc]
        def load(self, primaries: Primaries, seeds: IntArray) -> None:
            self.streams = np.random.SeedSequence(seeds.ravel().tolist()).spawn(len(primaries))
            arrays = detector.response_arrays
            n = len(primaries)
            self.clusters = np.zeros((n, *arrays["clusters"].shape), np.float32)
            self.mask = np.zeros((n, *arrays["cluster_mask"].shape), np.uint8)
            self.response = {"clusters": self.clusters, "cluster_mask": self.mask}

        def BeginOfEventAction(self, event: Geant4Object) -> None:  # noqa: ARG002
            construction.steps.clear()

        def EndOfEventAction(self, event: Geant4Object) -> None:
            row = event.GetEventID()
            rng = np.random.default_rng(self.streams[row])
            deposits = Deposits.of_steps(construction.steps)
            self.clusters[row], self.mask[row] = digitise(deposits, detector, rng)

    return Readout()
