"""The monitor: thresholds from a reference, and windows of data against it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from simulacra.arrays import FloatArray
from simulacra.errors import EventsError
from simulacra.events import Events, EventSource, require_same_detector
from simulacra.monitoring.channels import kind_of
from simulacra.monitoring.classifier import Classifier
from simulacra.monitoring.conditions import changed_conditions
from simulacra.monitoring.deviations import Family
from simulacra.monitoring.look import Look, Reference
from simulacra.monitoring.result import Finding, Run, WindowResult
from simulacra.monitoring.tails import Calibration, any_of

HELD_OUT = 0.4
"""Share of the reference that calibrates, and is not fitted."""
CALIBRATION = (200, 1000)
"""Windows that are drawn from the held-out events: fewest, most."""
CALIBRATION_EVENTS = 100_000
"""Events of all these windows together, within the numbers above."""
ENOUGH_WINDOWS = 20
"""Disjoint held-out windows from which on a calibration may also lower a probability."""
FEWEST_WINDOWS = 2
"""Disjoint windows of held-out events that a calibration needs."""
FEWEST_EVENTS = 50
"""Events of a window that are judged at least."""
MOST_EVENTS = 20_000
"""Events of a reference that are used."""
MOST_FINDINGS = 4
"""Largest deviations of each grouping that are named."""


@dataclass(frozen=True, slots=True, eq=False)
class Monitor:
    """Judges windows of events by a reference.

    Attributes:
        reference: the predictions.
        window: events of a window.
        rate: the false alarms per window that are asked for.
        calibration: corrections from windows that are drawn from held-out events.
        drawn: the number of these windows.
        windows: disjoint held-out windows.
        thresholds: of the events' scores, for the same rate per event.
        sample: the held-out events, for the classifier and the conditions.
        conditions: held-out conditions.
        events: of the reference: fitted and held out.
    """

    reference: Reference
    window: int
    rate: float
    calibration: Calibration
    drawn: int
    windows: int
    thresholds: Mapping[str, float]
    sample: Look
    conditions: Events
    events: tuple[int, int]
    classifier: Classifier | None

    @classmethod
    def fit(
        cls,
        reference: Events,
        window: int = 1000,
        rate: float = 1e-3,
        seed: int = 1,
        classifier: bool = False,
    ) -> Self:
        """Fit a monitor to fault-free events.

        Args:
            reference: full simulation or events of a simulator, at most 20 000 are used.
            window: events that are judged together.
            rate: false alarms per window.
            seed: of the split into fitted and held-out events.
            classifier: whether a classifier compares each window with the reference, too.

        Raises:
            EventsError: the reference has too few events for such windows.
            DetectorError: such detectors are not monitored.
        """
        kind_of(reference.detector)
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(reference))[:MOST_EVENTS]
        held = int(HELD_OUT * len(order))
        if window < FEWEST_EVENTS or held < FEWEST_WINDOWS * window:
            need = math.ceil(FEWEST_WINDOWS * window / HELD_OUT)
            msg = (
                f"windows of {window} events need {need} reference events (and at least "
                f"{FEWEST_EVENTS} events each); the reference has {len(order)}"
            )
            raise EventsError(msg)
        fitted = Reference.fit(reference.take(order[held:]))
        rest = reference.take(order[:held])
        sample = fitted.look(rest)
        judge = Classifier(sample, seed) if classifier else None
        drawn = [fitted.families(look) for look in _drawn(sample, window, rng)]
        calibration = Calibration.of(drawn, widen=len(sample) < ENOUGH_WINDOWS * window)
        scores = fitted.event_scores(sample)
        thresholds = {name: float(np.quantile(s, 1 - rate)) for name, s in scores.items()}
        return cls(
            reference=fitted,
            window=window,
            rate=rate,
            calibration=calibration,
            drawn=len(drawn),
            windows=len(sample) // window,
            thresholds=thresholds,
            sample=sample,
            conditions=rest,
            events=(len(order) - held, len(sample)),
            classifier=judge,
        )

    @property
    def counted_rate(self) -> float:
        """The smallest rate of false alarms that held-out windows can count."""
        return 1 / max(self.windows, 1)

    @property
    def support(self) -> str:
        """What the rate of false alarms rests on, in words."""
        fitted, held = self.events
        own = (
            f"{self.drawn} windows drawn from {held} held-out reference events ({self.windows} "
            f"disjoint; {fitted} were fitted)"
        )
        if self.rate >= self.counted_rate:
            return f"a rate of {self.rate:g} per window is counted in {own}"
        need = math.ceil(self.window / self.rate / HELD_OUT)
        return (
            f"{own} count rates down to {self.counted_rate:.2g}; {self.rate:g} rests on an "
            f"extrapolated tail; to count it takes {need:.2g} reference events"
        )

    def families(self, look: Look) -> list[Family]:
        """Return the deviations of a window, in corrected standard errors."""
        return self.calibration.stretched(self.reference.families(look))

    def judge(self, events: Events) -> WindowResult:
        """Judge a window of events.

        Raises:
            EventsError: they are of another detector.
        """
        require_same_detector(self.reference.detector, events.detector)
        look = self.reference.look(events)
        left_out = len(events) - len(look)
        changed = changed_conditions(self.conditions, events)
        if len(look) < max(FEWEST_EVENTS, len(events) // 2):
            reason = (
                f"not judged: {left_out} of {len(events)} events have energies that the reference "
                "lacks"
            )
            return WindowResult(len(events), left_out, None, False, (), changed, {}, None, reason)
        families = self.families(look)
        auc = None if self.classifier is None else self.classifier.auc(look)
        p = self.calibration.probability(families)
        if auc is not None:
            p = any_of(min(p, auc.p_value), 2)
        scores = self.reference.event_scores(look)
        above = {name: int((s > self.thresholds[name]).sum()) for name, s in scores.items()}
        return WindowResult(
            events=len(events),
            left_out=left_out,
            p_value=p,
            alarm=p < self.rate,
            findings=_findings(families, self.reference.names),
            changed=changed,
            above=above,
            auc=None if auc is None else auc.value,
            reason="",
            channels=_by_channel(families, next(iter(self.reference.names))),
        )

    def watch(self, source: EventSource, name: str) -> Run:
        """Judge all windows of a run; a rest shorter than half a window is joined to the last.

        Raises:
            EventsError: there are no events, or they are of another detector.
        """
        if not len(source):
            msg = f"{name} has no events"
            raise EventsError(msg)
        windows = tuple(self.judge(events) for events in self._windows(source))
        return Run(name, len(source), windows)

    def _windows(self, source: EventSource) -> Iterator[Events]:
        n = len(source)
        count = max(1, round(n / self.window))
        edges = [*range(0, count * self.window, self.window), n]
        for start, stop in itertools.pairwise(edges):
            yield source.take(slice(start, stop))


def _drawn(sample: Look, window: int, rng: np.random.Generator) -> Iterator[Look]:
    """Yield windows of held-out events, each of different events.

    Each is a fault-free window as any other; together they have the fluctuations of the sample.
    """
    number = int(np.clip(CALIBRATION_EVENTS // window, *CALIBRATION))
    size = min(window, len(sample))
    for _ in range(number):
        yield sample.take(rng.choice(len(sample), size, replace=False))


def _findings(
    families: Sequence[Family], names: Mapping[str, tuple[str, ...]]
) -> tuple[Finding, ...]:
    """Return the largest deviations of each grouping, the largest first."""
    found = [
        Finding(names[f.grouping][i], f.quantity, f.statistic, f.grouping, float(f.deviations[i]))
        for f in families
        for i in np.argsort(-np.nan_to_num(np.abs(f.deviations)))[:MOST_FINDINGS].tolist()
        if np.isfinite(f.deviations[i])
    ]
    found.sort(key=lambda finding: -abs(finding.deviation))
    number = dict.fromkeys(names, 0)
    kept = []
    for finding in found:
        number[finding.grouping] += 1
        if number[finding.grouping] <= MOST_FINDINGS:
            kept.append(finding)
    return tuple(kept)


def _by_channel(families: Sequence[Family], grouping: str) -> FloatArray:
    """Return for each channel its largest deviation with its sign (channels,)."""
    stacked = np.stack([f.deviations for f in families if f.grouping == grouping])
    filled = np.nan_to_num(stacked)
    rows = np.abs(filled).argmax(axis=0)
    largest: FloatArray = filled[rows, np.arange(filled.shape[1])]
    return largest
