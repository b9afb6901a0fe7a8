"""Events as a monitor looks at them: deviations of each event from what its conditions predict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import special
from sklearn.covariance import ledoit_wolf

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.detectors import Detector
from simulacra.events import Events
from simulacra.monitoring.channels import OCCUPANCY, Channels, kind_of
from simulacra.monitoring.deviations import (
    CAP,
    Family,
    event_sums,
    of_counts,
    of_events,
    of_scores,
    sums,
)
from simulacra.monitoring.given import Frame, Scores, means, probabilities
from simulacra.monitoring.result import OBSERVABLE
from simulacra.observables import observables_of, observe
from simulacra.validation.classifiers.table import log_energy


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Events (n) against a reference.

    Attributes:
        group: energy groups (n,).
        present: channels with a signal (n, channels).
        probability: of a signal (n, channels).
        channels: normal scores of channels by quantity, (n, channels); nan where none.
        observables: normal scores (n, observables); nan where none.
        groupings: groups of channels, (n, channels) or (1, channels).
    """

    group: IntArray
    present: BoolArray
    probability: FloatArray
    channels: Mapping[str, FloatArray]
    observables: FloatArray
    groupings: Mapping[str, IntArray]

    def __len__(self) -> int:
        return len(self.group)

    def take(self, rows: IntArray | slice) -> Look:
        """Return some of the events."""
        return Look(
            self.group[rows],
            self.present[rows],
            self.probability[rows],
            {name: scores[rows] for name, scores in self.channels.items()},
            self.observables[rows],
            {name: g if len(g) == 1 else g[rows] for name, g in self.groupings.items()},
        )

    def table(self) -> FloatArray:
        """Return all deviations as features (n, f); 0 where there is none."""
        parts = [self.observables, self.present - self.probability, *self.channels.values()]
        return np.nan_to_num(np.concatenate(parts, axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What a reference predicts for given conditions.

    Attributes:
        detector: the detector.
        frame: the conditions as columns.
        numbers: events of each energy group (groups,).
        occupancy: coefficients of the probability of a signal (f, channels).
        channels: scores of the channels' values, by name.
        observables: scores of the observables.
        third: skewness of the scores of the observables (groups, observables).
        fourth: variance of the squared scores of the observables (groups, observables).
        precision: inverse covariance of the observables' scores.
        moments: of the events' sums over groups of several channels, by quantity and grouping:
            variance and third moment in each energy group, (2, groups, parts).
    """

    detector: Detector
    frame: Frame
    numbers: IntArray
    occupancy: FloatArray
    channels: Mapping[str, Scores]
    observables: Scores
    third: FloatArray
    fourth: FloatArray
    precision: FloatArray
    moments: Mapping[tuple[str, str], FloatArray]

    @classmethod
    def fit(cls, events: Events) -> Self:
        """Fit the predictions to full simulation, or to events of a simulator."""
        frame = Frame.of(events)
        group = frame.group_of(events)
        columns = frame.columns(events, group)
        seen = kind_of(events.detector).channels(events)
        values, defined = _observables(events)
        observables = Scores.fit(columns, group, values, defined)
        scores = np.nan_to_num(observables.of(columns, group, values, defined))
        covariance, _ = ledoit_wolf(scores)
        clipped = np.clip(scores, -CAP, CAP)
        square = means(clipped**2, defined, group)
        fourth = means((clipped**2 - square[group]) ** 2, defined, group)
        whole = np.ones_like(seen.present)
        signal = Scores.fit(columns, group, seen.present.astype(np.float64), whole)
        fitted = cls(
            detector=events.detector,
            frame=frame,
            numbers=np.bincount(group, minlength=len(frame.groups)),
            occupancy=signal.coefficients,
            channels={
                name: Scores.fit(columns, group, v, seen.present) for name, v in seen.values.items()
            },
            observables=observables,
            third=means(clipped**3, defined, group),
            fourth=np.maximum(fourth, 1e-3),
            precision=np.linalg.inv(covariance + 1e-6 * np.eye(len(covariance))),
            moments={},
        )
        return replace(fitted, moments=fitted._moments(fitted.look(events)))

    def look(self, events: Events) -> Look:
        """Return events against the reference; those of energies that it lacks are left out."""
        group = self.frame.group_of(events)
        known = group >= 0
        if not known.all():
            events, group = events.take(known), group[known]
        columns = self.frame.columns(events, group)
        seen: Channels = kind_of(self.detector).channels(events)
        values, defined = _observables(events)
        return Look(
            group,
            seen.present,
            probabilities(columns, self.occupancy, int(self.numbers.sum())),
            {
                name: scores.of(columns, group, seen.values[name], seen.present)
                for name, scores in self.channels.items()
            },
            self.observables.of(columns, group, values, defined),
            seen.groupings,
        )

    def ratio(self, look: Look) -> float:
        """Return the events of the reference that count for a window, over those of the window.

        At the window's mixture of energies: few events of the reference at a frequent energy of
        the window count little.
        """
        share = np.bincount(look.group, minlength=len(self.numbers)) / len(look)
        return float(1 / np.sum(share**2 / np.maximum(self.numbers, 1)) / len(look))

    def families(self, look: Look) -> list[Family]:
        """Return all deviations of a window, before they are calibrated."""
        ratio, names = self.ratio(look), self.names
        found = []
        for grouping, groups in look.groupings.items():
            n = len(names[grouping])
            of_many = n < look.present.shape[1]
            for name, values in _quantities(look).items():
                if of_many:
                    moments = self.moments[name, grouping][:, look.group]
                    deviations = of_events(values, groups, n, ratio, *moments)
                elif name == OCCUPANCY:
                    deviations = _counted(look, groups, n, ratio)
                else:
                    deviations = of_scores(values, groups, n, ratio)[0]
                statistic = "number" if name == OCCUPANCY else "mean"
                found.append(Family(name, statistic, grouping, deviations))
        each = np.arange(look.observables.shape[1])[None, :]
        shape = self.third[look.group].mean(axis=0), self.fourth[look.group].mean(axis=0)
        mean, width = of_scores(look.observables, each, each.size, ratio, *shape)
        found.append(Family("value", "mean", OBSERVABLE, mean))
        found.append(Family("value", "width", OBSERVABLE, width))
        return found

    def _moments(self, look: Look) -> dict[tuple[str, str], FloatArray]:
        """Return the moments of the events' sums over groups of several channels."""
        found = {}
        for grouping, groups in look.groupings.items():
            n = len(self.names[grouping])
            if n >= look.present.shape[1]:
                continue
            for name, values in _quantities(look).items():
                total, has = event_sums(values, groups, n)
                found[name, grouping] = np.stack(
                    [means(total**power, has, look.group) for power in (2, 3)]
                )
        return found

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The names of the groups of each grouping, and of the observables."""
        observables = tuple(o.name for o in observables_of(self.detector))
        return {**kind_of(self.detector).names(self.detector), OBSERVABLE: observables}

    def event_scores(self, look: Look) -> dict[str, FloatArray]:
        """Return the scores of each event (n,), high for one that is strange.

        - ``density``: the squared distance of the observables' normal scores from zero in units
          of their covariance: minus twice the logarithm of a Gaussian density.
        - ``channels``: the largest deviation of a single channel, of its value or of its presence.
        """
        g = np.nan_to_num(look.observables)
        density = np.einsum("ni,ij,nj->n", g, self.precision, g)
        chance = np.where(look.present, look.probability, 1 - look.probability)
        surprise = -special.ndtri(np.minimum(chance, 1.0) / 2)
        largest = surprise.max(axis=1)
        for scores in look.channels.values():
            largest = np.maximum(largest, np.nan_to_num(np.abs(scores)).max(axis=1))
        return {"density": density, "channels": largest}


def _quantities(look: Look) -> dict[str, FloatArray]:
    """Return what is summed over groups (n, channels): zero on average, nan where nothing counts.

    The occupancy is last.
    """
    scores = {name: np.clip(scores, -CAP, CAP) for name, scores in look.channels.items()}
    return {**scores, OCCUPANCY: look.present - look.probability}


def _counted(look: Look, groups: IntArray, number: int, ratio: float) -> FloatArray:
    """Return the deviations of the numbers of signals of each group."""
    observed = sums(look.present.astype(np.float64), groups, number)
    expected = sums(look.probability, groups, number)
    most = sums(np.ones_like(look.probability), groups, number)
    return of_counts(observed, expected, most, ratio)


def _observables(events: Events) -> tuple[FloatArray, BoolArray]:
    """Return the observables (n, q) on their axes, energies as logarithms; which are defined."""
    table = observables_of(events.detector)
    with np.errstate(all="ignore"):
        values = observe(events, table)
        columns = np.stack(
            [
                log_energy(values[o.name]) if o.unit == "MeV" else o.axis.places(values[o.name])
                for o in table
            ],
            axis=1,
        )
    defined = np.isfinite(columns)
    return np.where(defined, columns, 0.0), defined
