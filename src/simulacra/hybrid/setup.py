"""All that decides what Geant4 does in a hybrid run; what the worker processes get."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from simulacra.arrays import IntArray
from simulacra.columns import outside_training
from simulacra.fullsim import Geant4Settings
from simulacra.hybrid.regions import Region
from simulacra.hybrid.rules import Entries, Outcome, Rule, first_match
from simulacra.particles import Seen

Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Setup:
    """A world of calorimeters, the rules in it, and what the simulators were trained on.

    Attributes:
        regions: the calorimeters.
        rules: who answers; the first that matches.
        ranges: lowest and highest training value of each condition, by the simulator's name.
        geant4: physics list and cut.
        half_size: half the world's edges (x, y, z), mm.
        own_ranges: by the simulator's name, the PDG id and the condition, ranges of particles that
            had less than the others in training.
        seen: by the simulator's name, values of categories, such as alignments, that it saw.
    """

    regions: tuple[Region, ...]
    rules: tuple[Rule, ...]
    ranges: Mapping[str, Ranges]
    geant4: Geant4Settings
    half_size: tuple[float, float, float]
    own_ranges: Mapping[str, Mapping[int, Ranges]] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)

    @property
    def cut(self) -> float:
        """The smallest of the calorimeters' production thresholds in range, mm."""
        return min(region.detector.cut for region in self.regions)

    @property
    def region_cuts(self) -> Mapping[str, float]:
        """The calorimeters' production thresholds (mm) by name, where they differ."""
        cuts = {region.name: region.detector.cut for region in self.regions}
        return cuts if len(set(cuts.values())) > 1 else {}

    def decide(self, region: Region, entries: Entries) -> tuple[IntArray, IntArray]:
        """Return who answers for particles that enter a region.

        Returns:
            The number of the rule that matches first (n,), or -1 where none does or the rule wants
            full simulation; and the :class:`Outcome` (n,), which counts where there is a rule.
        """
        first = first_match(self.rules, region.name, entries)
        outcome = np.full(len(entries), Outcome.HANDED_OVER, np.int64)
        for number, rule in enumerate(self.rules):
            matched = np.flatnonzero(first == number)
            if not rule.is_fast:
                first[matched] = -1
            elif len(matched):
                outcome[matched] = self._outcomes(rule, region, entries.take(matched))
        return first, outcome

    def _outcomes(self, rule: Rule, region: Region, entries: Entries) -> IntArray:
        outcome = np.full(len(entries), Outcome.HANDED_OVER, np.int64)
        ranges = self.ranges[rule.simulator]
        conditions = region.conditions(entries)
        own = self.own_ranges.get(rule.simulator, {})
        seen = self.seen.get(rule.simulator, {})
        declared = region.detector.conditions
        outside = outside_training(conditions.columns, entries.pdg, ranges, own, seen, declared)
        outcome[outside | ~region.is_described(entries, conditions)] = Outcome.OUTSIDE_TRAINING
        outcome[~region.is_read_out(entries)] = Outcome.OUTSIDE_READOUT
        return outcome

    @cached_property
    def content(self) -> dict[str, Any]:
        """The set-up as JSON has it."""
        return {
            "regions": [
                [r.name, r.detector.fingerprint, list(r.position), r.turn] for r in self.regions
            ],
            "rules": [rule.model_dump(mode="json") for rule in self.rules],
            "ranges": {
                name: {column: list(limits) for column, limits in ranges.items()}
                for name, ranges in self.ranges.items()
            },
            "own_ranges": {
                name: {
                    str(pdg): {column: list(limits) for column, limits in each.items()}
                    for pdg, each in own.items()
                }
                for name, own in self.own_ranges.items()
            },
            "seen": {
                name: {
                    str(pdg): {column: list(values) for column, values in each.items()}
                    for pdg, each in seen.items()
                }
                for name, seen in self.seen.items()
            },
            "geant4": self.geant4.model_dump(mode="json"),
            "cut": self.geant4.cut_or(self.cut),
            "region_cuts": dict(self.region_cuts),
            "half_size": list(self.half_size),
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that the simulation depends on."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()
