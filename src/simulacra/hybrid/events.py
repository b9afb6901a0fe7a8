"""What a hybrid run gives: hits with their origin, who was handed over, and an audit of energy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulacra.arrays import Array, BoolArray, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.events import Events
from simulacra.hybrid.primaries import Primaries
from simulacra.hybrid.regions import Region
from simulacra.hybrid.rules import Entries, Outcome


@dataclass(frozen=True, slots=True)
class Hits:
    """Energies in cells, by the primary that they come from and by who simulated them.

    Ordered by primary, then by origin, region and cell.

    Attributes:
        primary: the row of the primary (h,).
        origin: 0: Geant4; else one more than the simulator's place in the card (h,).
        region: the region's place in the card (h,).
        cell: which of all cells of the region's layers (h,).
        energy: energies (h,), MeV.
    """

    primary: IntArray
    origin: IntArray
    region: IntArray
    cell: IntArray
    energy: FloatArray

    def __len__(self) -> int:
        return len(self.primary)

    @classmethod
    def ordered(
        cls, primary: Array, origin: Array, region: Array, cell: Array, energy: Array
    ) -> Hits:
        """Return hits in their order."""
        order = np.lexsort((cell, region, origin, primary))
        primary, origin, region, cell = (
            column[order].astype(np.int64) for column in (primary, origin, region, cell)
        )
        return cls(primary, origin, region, cell, energy[order].astype(np.float64))


@dataclass(frozen=True, slots=True)
class Requests:
    """Particles for which a rule wants a simulator to answer, in the order that they came.

    Attributes:
        primary: the row of the primary that they come from (t,).
        region: the region that they enter (t,).
        rule: the rule that matched (t,).
        outcome: the :class:`Outcome` (t,): only what was handed over left full simulation.
        entries: what they are and how they enter.
    """

    primary: IntArray
    region: IntArray
    rule: IntArray
    outcome: IntArray
    entries: Entries

    def __len__(self) -> int:
        return len(self.primary)

    @property
    def handed_over(self) -> BoolArray:
        """Which of the particles left full simulation (t,)."""
        gone: BoolArray = self.outcome == Outcome.HANDED_OVER
        return gone


@dataclass(frozen=True, slots=True)
class Audit:
    """Where the energy of each event went (n_events,), MeV.

    Energy is what particles could release in matter: kinetic energy, and the rest mass of what
    decays or annihilates. For electromagnetic physics, brought = deposited + escaped + handed over.

    Attributes:
        brought: by the primaries.
        deposited: in all matter that Geant4 simulated, read out or not.
        escaped: with what left the world, neutrinos included.
        handed_over: with what simulators answer for.
    """

    brought: FloatArray
    deposited: FloatArray
    escaped: FloatArray
    handed_over: FloatArray

    @property
    def imbalance(self) -> FloatArray:
        """The energy that is missing or too much (n_events,), relative to what was brought."""
        missing = self.brought - self.deposited - self.escaped - self.handed_over
        balance: FloatArray = missing / np.maximum(self.brought, np.finfo(float).tiny)
        return balance

    @property
    def largest_imbalance(self) -> float:
        """The largest imbalance of any event, regardless of its sign."""
        return float(np.abs(self.imbalance).max(initial=0.0))


@dataclass(frozen=True, slots=True)
class RuleCount:
    """What came of one rule: particles by outcome, and the kinetic energy handed over, MeV."""

    rule: int
    simulator: str
    handed_over: int
    energy: float
    outside_training: int
    outside_readout: int


@dataclass(frozen=True, slots=True)
class HybridEvents:
    """Events of several calorimeters, partly from Geant4 and partly from fast simulators.

    Attributes:
        primaries: what the events began with.
        hits: energies in cells with their origin.
        requests: the particles that rules wanted to hand over, and what became of them.
        audit: where the energy went.
        regions: what each region read out, as events of a detector.
        origins: the names of the origins; the first is ``full``.
        provenance: how the events were made; ``card`` is the card.
    """

    primaries: Primaries
    hits: Hits
    requests: Requests
    audit: Audit
    regions: Mapping[str, Events]
    origins: tuple[str, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.primaries.n_events

    def rule_counts(self) -> tuple[RuleCount, ...]:
        """Return what came of each rule that names a simulator."""
        counts = []
        for number, rule in enumerate(self.provenance["card"]["rules"]):
            if rule["simulator"] not in self.origins[1:]:
                continue
            asked = self.requests.rule == number
            n = np.bincount(self.requests.outcome[asked], minlength=len(Outcome)).tolist()
            gone = asked & self.requests.handed_over
            energy = float(self.requests.entries.energy[gone].sum())
            counts.append(RuleCount(number, rule["simulator"], n[0], energy, n[1], n[2]))
        return tuple(counts)

    @property
    def handed_over_share(self) -> float:
        """The share of the energy brought that was handed over."""
        return float(self.audit.handed_over.sum() / self.audit.brought.sum())


def read_out(
    region: Region, number: int, primaries: Primaries, hits: Hits, facts: Mapping[str, Any]
) -> Events:
    """Return what a region reads out: all cells of its layers, or those around the impact.

    Args:
        region: the region.
        number: its place in the card.
        primaries: what the events began with.
        hits: the hits of all regions.
        facts: how the events were made.

    Raises:
        DetectorError: a window leaves its layer.
    """
    mine = hits.region == number
    event = primaries.event[hits.primary[mine]]
    layers = np.zeros((primaries.n_events, region.layers.n_cells))
    np.add.at(layers, (event, hits.cell[mine]), hits.energy[mine])
    if region.readout == "layers":
        energy = primaries.energy_of_events().astype(np.float32)
        return _events({"energy": energy}, layers, region.layers, facts)
    _, entries = region.entries(
        primaries.pdg, primaries.energy, primaries.position, primaries.direction
    )
    cells = np.take_along_axis(layers, region.cells(entries.x, entries.y), axis=1)
    return _events(region.conditions(entries).columns, cells, region.detector, facts)


def _events(
    columns: Mapping[str, Any], cells: FloatArray, detector: Calorimeter, facts: Mapping[str, Any]
) -> Events:
    return Events(Conditions(columns), {"showers": cells.astype(np.float32)}, detector, facts)
