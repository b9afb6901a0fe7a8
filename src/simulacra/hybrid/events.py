"""What a hybrid run gives: hits with their origin, who was handed over, and an audit of energy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import Array, BoolArray, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.events import Events
from simulacra.hybrid.primaries import Primaries
from simulacra.hybrid.regions import Region
from simulacra.hybrid.rules import Entries, Outcome

BLOCK = 4096
"""Events that are added up at once: a bound on memory."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Energies in cells, by the primary that they come from and by who simulated them.

    Ordered by primary, then by origin, region and cell. There are many, so the types are small.

    Attributes:
        primary: the row of the primary (h,), int32.
        origin: 0: Geant4; else one more than the simulator's place in the card (h,), uint8.
        region: the region's place in the card (h,), uint8.
        cell: which of all cells of the region's layers (h,), int32.
        energy: energies (h,), MeV, float32.
    """

    primary: NDArray[np.int32]
    origin: NDArray[np.uint8]
    region: NDArray[np.uint8]
    cell: NDArray[np.int32]
    energy: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.primary)

    @classmethod
    def of(
        cls, primary: Array, origin: Array | int, region: Array, cell: Array, energy: Array
    ) -> Hits:
        """Return hits of these columns, in small types."""
        small = (np.int32, np.uint8, np.uint8, np.int32, np.float32)
        columns = np.broadcast_arrays(primary, origin, region, cell, energy)
        return cls(*(c.astype(kind) for c, kind in zip(columns, small, strict=True)))

    @classmethod
    def joined(cls, parts: Sequence[Hits]) -> Hits:
        """Return the hits of all parts in their order."""
        names = [item.name for item in fields(cls)]
        columns = {n: np.concatenate([getattr(part, n) for part in parts]) for n in names}
        keys = ("cell", "region", "origin", "primary")
        order = np.lexsort([columns[name] for name in keys])
        return cls(**{name: column[order] for name, column in columns.items()})


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
class AnswerCount:
    """What one origin answered for.

    Attributes:
        origin: ``full``, or the simulator's name in the card.
        particles: primaries for ``full``, particles handed over for a simulator.
        energy: kinetic energy of the particles handed over, MeV; for ``full`` all other energy.
        response: sum of its hits, MeV.
        seconds: how long it took by the clock; nan where that is not known.
    """

    origin: str
    particles: int
    energy: float
    response: float
    seconds: float


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
        seconds: how long each origin took in this run, by the clock; in memory only, since equal
            runs give equal files.
    """

    primaries: Primaries
    hits: Hits
    requests: Requests
    audit: Audit
    regions: Mapping[str, Events]
    origins: tuple[str, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.primaries.n_events

    def answer_counts(self) -> tuple[AnswerCount, ...]:
        """Return what Geant4 and each simulator answered for."""
        response = np.bincount(self.hits.origin, self.hits.energy, len(self.origins))
        rules = [rule["simulator"] for rule in self.provenance["card"]["rules"]]
        gone = self.requests.handed_over
        other = float((self.audit.brought - self.audit.handed_over).sum())
        counts = [(len(self.primaries), other)]
        for origin in self.origins[1:]:
            numbers = [number for number, name in enumerate(rules) if name == origin]
            mine = gone & np.isin(self.requests.rule, numbers)
            counts.append((int(mine.sum()), float(self.requests.entries.energy[mine].sum())))
        return tuple(
            AnswerCount(origin, n, energy, float(sum_), self.seconds.get(origin, math.nan))
            for origin, (n, energy), sum_ in zip(self.origins, counts, response, strict=True)
        )

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
    layers = _add_up(region.layers.n_cells, number, primaries, hits)
    if region.readout == "layers":
        conditions = Conditions({"energy": primaries.energy_of_events().astype(np.float32)})
        return Events(conditions, {"showers": layers}, region.layers, facts)
    _, entries = primaries.entering(region)
    cells = np.take_along_axis(layers, region.cells(entries.x, entries.y), axis=1)
    return Events(region.conditions(entries), {"showers": cells}, region.detector, facts)


def _add_up(n_cells: int, number: int, primaries: Primaries, hits: Hits) -> NDArray[np.float32]:
    """Return the energies (events, cells) in a region, added up in double precision."""
    event = primaries.event[hits.primary]
    cells = np.zeros((primaries.n_events, n_cells), np.float32)
    for start in range(0, len(cells), BLOCK):
        first, last = np.searchsorted(event, [start, start + BLOCK])
        mine = first + np.flatnonzero(hits.region[first:last] == number)
        block = np.zeros(cells[start : start + BLOCK].shape)
        np.add.at(block, (event[mine] - start, hits.cell[mine]), hits.energy[mine])
        cells[start : start + BLOCK] = block
    return cells
