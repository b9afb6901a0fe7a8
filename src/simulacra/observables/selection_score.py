"""Epoch selection: how far generated events are from Geant4's, energy by energy.

Adversarial training peaks and then decays, and losses do not show it. Physics does: for each energy
and observable the distance in mean, in units of Geant4's width, and the logarithm of the ratio of
widths; or chi2 of their histograms, as FastCaloGAN chooses (Ghosh & Rousseau 2019 found chi2,
KS and Anderson-Darling tests of no use for this). Energies stand for the detector's scale:
transverse momenta in a TPC.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from scipy.stats import wasserstein_distance

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.energies import EnergyGroup, energy_groups, scale_of
from simulacra.errors import CardError, EventsError
from simulacra.events import Events
from simulacra.observables import (
    Observable,
    fixed_observables,
    observables_of,
    observe,
    selection_groups,
)
from simulacra.observables.kinds import kind_of
from simulacra.statistics.histograms import binning_of, chi2_of_counts
from simulacra.statistics.rounding import is_constant

HALF_WEIGHT = 30
"""Events at which an energy has half the weight of one with very many."""
FEWEST = 5
"""Energies with fewer reference events say nothing about a width and are left out."""
SMALLEST_RATIO = 1e-3
"""Ratio of widths below which a collapsed generator is not told apart any more."""
HALVINGS = 8
"""Random halvings of the reference that its own score is an average of."""
UNDEFINED = 2 * abs(math.log(SMALLEST_RATIO))
"""Distance of an observable that no generated event defines, and the reference's do."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Events of a range of the scale, and of one class where the detector's kind has classes.

    Attributes:
        energies: the range.
        classes: the name of the condition that tells classes; empty: there are none.
        value: of that condition.
    """

    energies: EnergyGroup
    classes: str = ""
    value: int = 0

    @property
    def label(self) -> str:
        """The energies, and the class."""
        beside = f", {self.classes} {self.value}" if self.classes else ""
        return self.energies.label + beside

    def select(self, events: Events) -> BoolArray:
        """Return which events belong to the group (n,)."""
        chosen = self.energies.select(scale_of(events))
        return chosen & (events.conditions[self.classes] == self.value) if self.classes else chosen


def _groups_of(events: Events) -> list[_Group]:
    """Return the groups in which generated events are judged apart."""
    ranges = energy_groups(scale_of(events), scale=events.detector.scale)
    name = kind_of(events.detector).classes
    if not name:
        return [_Group(energies) for energies in ranges]
    values = np.unique(events.conditions[name]).astype(int).tolist()
    return [_Group(energies, name, value) for energies in ranges for value in values]


@dataclass(frozen=True, slots=True)
class EnergyScore:
    """The score at one energy: 0 is perfect; ratios are generated over Geant4."""

    label: str
    events: int
    score: float
    primary_mean: float
    primary_width: float


class EpochSelection:
    """Judges generated events against the selection events, whose observables it keeps.

    Args:
        reference: the selection events.
        groups: groups of observables; ``width`` takes ``width_eta`` and ``width_phi`` too. Without
            them, those of the detector's kind.
        measure: a key of :data:`MEASURES`.

    Raises:
        CardError: a group has no observable.
        EventsError: no energy has enough events.
    """

    def __init__(
        self,
        reference: Events,
        groups: Sequence[str] | None = None,
        measure: Literal["moments", "chi2", "emd"] = "moments",
    ) -> None:
        self.reference = reference
        self._measure = MEASURES[measure]
        groups = groups or selection_groups(reference.detector)
        self.groups = {group: _members(reference, group) for group in groups}
        self._bins = _groups_of(reference)
        counts = [np.count_nonzero(group.select(reference)) for group in self._bins]
        if max(counts, default=0) < FEWEST:
            msg = f"too few selection events: at least one energy needs {FEWEST}"
            raise EventsError(msg)
        chosen = [o for members in self.groups.values() for o in members]
        self.primary = observables_of(reference.detector)[0]
        self._observables = (*chosen, self.primary)
        self._values = observe(reference, self._observables)

    def score(self, generated: Events) -> tuple[float, list[EnergyScore]]:
        """Return the score over all energies, and each energy's; nan for broken numbers.

        An energy with n reference events weighs n / (n + 30).
        """
        values = observe(generated, self._observables)
        broken = np.nan if any(not np.isfinite(a).all() for a in generated.response.values()) else 0
        scores = []
        for group in self._bins:
            here = group.select(self.reference)
            there = group.select(generated)
            if np.count_nonzero(here) >= FEWEST:
                scores.append(self._at_energy(group.label, values, here, there))
        weights = np.array([s.events / (s.events + HALF_WEIGHT) for s in scores])
        total = np.average([s.score for s in scores], weights=weights)
        return float(total + broken), scores

    def row(self, generated: Events) -> dict[str, float]:
        """Return the score over all energies as ``score``, and each energy's three numbers."""
        score, energies = self.score(generated)
        row = {"score": score}
        for energy in energies:
            row[f"score {energy.label}"] = energy.score
            row[f"{self.primary.name} mean {energy.label}"] = energy.primary_mean
            row[f"{self.primary.name} width {energy.label}"] = energy.primary_width
        return row

    def floor(self, repeat: int, rng: np.random.Generator) -> float:
        """Return about the score of independent full simulation, below which scores are chance.

        It is that of random halves of the reference against each other. Distances fall as the
        square root of the numbers of events, chi2 per degree of freedom does not.

        Args:
            repeat: generated events for each of the reference.
            rng: draws the halves.
        """
        scores, weights = [], []
        for group in self._bins:
            here = np.flatnonzero(group.select(self.reference))
            if len(here) < FEWEST:
                continue
            for _ in range(HALVINGS):
                first, second = np.array_split(rng.permutation(here), 2)
                scores.append(self._at_energy(group.label, self._values, first, second).score)
                weights.append(len(here) / (len(here) + HALF_WEIGHT))
        falls = math.sqrt((1 + 1 / repeat) / 4) if self._measure is not _chi2_per_ndf else 1.0
        return falls * float(np.average(scores, weights=weights))

    def _at_energy(
        self,
        label: str,
        values: dict[str, FloatArray],
        here: BoolArray | IntArray,
        there: BoolArray | IntArray,
    ) -> EnergyScore:
        groups = [
            np.mean([self._distance(o, values, here, there) for o in members])
            for members in self.groups.values()
        ]
        name = self.primary.name
        reference, generated = (
            _defined(self.primary, v) for v in (self._values[name][here], values[name][there])
        )
        return EnergyScore(
            label,
            int(np.count_nonzero(here)),
            float(np.mean(groups)),
            *_ratios(reference, generated),
        )

    def _distance(
        self,
        o: Observable,
        values: dict[str, FloatArray],
        here: BoolArray | IntArray,
        there: BoolArray | IntArray,
    ) -> float:
        pair = (
            o.axis.places(_defined(o, array))
            for array in (self._values[o.name][here], values[o.name][there])
        )
        return self._measure(*pair)


def _defined(observable: Observable, values: FloatArray) -> FloatArray:
    """Return the values of the events that define the observable."""
    return values[~np.isnan(values)] if observable.optional else values


def _members(events: Events, group: str) -> list[Observable]:
    found = [
        o
        for o in observables_of(events.detector)
        if o.group == group or o.group[: len(group) + 1] == f"{group}_"
    ]
    if not found:
        known = sorted({o.group for o in observables_of(events.detector)})
        if group in {o.group for o in fixed_observables(events.detector)}:
            msg = f"selection.groups: the read-out alone fixes {group!r}; there are "
            raise CardError(msg + ", ".join(known))
        msg = f"selection.groups: no observables {group!r}; there are {', '.join(known)}"
        raise CardError(msg)
    return found


def _ratios(reference: FloatArray, generated: FloatArray) -> tuple[float, float]:
    """Return the ratios of means and of widths; nan where they are undefined."""
    if not len(reference) or not len(generated):
        return math.nan, math.nan
    mean = generated.mean() / reference.mean() if reference.mean() else math.nan
    width = math.nan if is_constant(reference) else generated.std() / reference.std()
    return float(mean), float(width)


def _distance(reference: FloatArray, generated: FloatArray) -> float:
    """Return |difference of means| / width + |log ratio of widths|; 0 for a constant reference.

    A reference that varies by rounding alone is constant: its width is no scale for anything.
    """
    if not len(reference) or is_constant(reference):
        return 0.0
    width = float(reference.std())
    if not len(generated):
        return UNDEFINED
    ratio = max(float(generated.std()) / width, SMALLEST_RATIO)
    return abs(float(generated.mean() - reference.mean())) / width + abs(float(np.log(ratio)))


def _chi2_per_ndf(reference: FloatArray, generated: FloatArray) -> float:
    """Return chi2 per degree of freedom in bins of the reference; 0 for a constant reference."""
    if is_constant(reference):
        return 0.0
    if not len(generated):
        return UNDEFINED
    binning = binning_of(reference)
    chi2, ndf = chi2_of_counts(binning.counts(reference), binning.counts(generated))
    return chi2 / ndf if ndf else 0.0


def _earth_mover(reference: FloatArray, generated: FloatArray) -> float:
    """Return the earth mover's distance over the reference's width; 0 for a constant reference."""
    if not len(reference) or is_constant(reference):
        return 0.0
    if not len(generated):
        return UNDEFINED
    return float(wasserstein_distance(reference, generated)) / float(reference.std())


MEASURES: Mapping[str, Callable[[FloatArray, FloatArray], float]] = MappingProxyType(
    {"moments": _distance, "chi2": _chi2_per_ndf, "emd": _earth_mover}
)
"""How far an observable is off, by the name that a card gives it."""
