"""Epoch selection: how far generated showers are from Geant4's, energy by energy.

Adversarial training peaks and then decays, and losses do not show it. Physics does: for each energy
and observable the distance in mean, in units of Geant4's width, and the logarithm of the ratio of
widths. (The deck found chi2, KS and Anderson-Darling tests of no use for this.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import BoolArray, FloatArray
from simulacra.energies import energy_groups, scale_of
from simulacra.errors import CardError
from simulacra.events import Events
from simulacra.observables import Observable, observables_of, observe

HALF_WEIGHT = 30
"""Events at which an energy has half the weight of one with very many."""
FEWEST = 5
"""Energies with fewer reference events say nothing about a width and are left out."""
SMALLEST_RATIO = 1e-3
"""Ratio of widths below which a collapsed generator is not told apart any more."""


@dataclass(frozen=True, slots=True)
class EnergyScore:
    """The score at one energy: 0 is perfect; response ratios are generated over Geant4."""

    label: str
    events: int
    score: float
    response_mean: float
    response_width: float


class EpochSelection:
    """Judges generated events against the selection events, whose observables it keeps.

    Args:
        reference: the selection events.
        groups: groups of observables; ``width`` takes ``width_eta`` and ``width_phi`` too.

    Raises:
        CardError: a group has no observable.
    """

    def __init__(self, reference: Events, groups: Sequence[str]) -> None:
        self.reference = reference
        self.groups = {group: _members(reference, group) for group in groups}
        self._bins = energy_groups(scale_of(reference), scale=reference.detector.scale)
        chosen = [o for members in self.groups.values() for o in members]
        self._response = next(o for o in observables_of(reference.detector) if o.name == "response")
        self._observables = (*chosen, self._response)
        self._values = observe(reference, self._observables)

    def score(self, generated: Events) -> tuple[float, list[EnergyScore]]:
        """Return the score over all energies, and each energy's.

        An energy with n reference events weighs n / (n + 30).
        """
        values = observe(generated, self._observables)
        scores = []
        for group in self._bins:
            here = group.select(scale_of(self.reference))
            there = group.select(scale_of(generated))
            if np.count_nonzero(here) >= FEWEST:
                scores.append(self._at_energy(group.label, values, here, there))
        weights = np.array([s.events / (s.events + HALF_WEIGHT) for s in scores])
        total = np.average([s.score for s in scores], weights=weights)
        return float(total), scores

    def _at_energy(
        self,
        label: str,
        values: dict[str, FloatArray],
        here: BoolArray,
        there: BoolArray,
    ) -> EnergyScore:
        groups = [
            np.mean([_distance(self._values[o.name][here], values[o.name][there]) for o in members])
            for members in self.groups.values()
        ]
        name = self._response.name
        reference, generated = self._values[name][here], values[name][there]
        return EnergyScore(
            label,
            int(np.count_nonzero(here)),
            float(np.mean(groups)),
            float(generated.mean() / reference.mean()),
            float(generated.std() / reference.std()),
        )


def _members(events: Events, group: str) -> list[Observable]:
    found = [
        o
        for o in observables_of(events.detector)
        if o.group == group or o.group[: len(group) + 1] == f"{group}_"
    ]
    if not found:
        known = sorted({o.group for o in observables_of(events.detector)})
        msg = f"selection.groups: no observables {group!r}; there are {', '.join(known)}"
        raise CardError(msg)
    return found


def _distance(reference: FloatArray, generated: FloatArray) -> float:
    """Return |difference of means| / width + |log ratio of widths|; 0 for a constant reference."""
    width = float(reference.std())
    if width == 0:
        return 0.0
    ratio = max(float(generated.std()) / width, SMALLEST_RATIO)
    return abs(float(generated.mean() - reference.mean())) / width + abs(float(np.log(ratio)))
