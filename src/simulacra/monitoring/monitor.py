"""The monitor: thresholds from a reference, and windows of data against it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import special

from simulacra.arrays import FloatArray
from simulacra.errors import EventsError
from simulacra.events import Events, EventSource, require_same_detector
from simulacra.monitoring.channels import kind_of
from simulacra.monitoring.classifier import Classifier
from simulacra.monitoring.conditions import changed_conditions
from simulacra.monitoring.deviations import Family
from simulacra.monitoring.look import Look, Reference
from simulacra.monitoring.result import Finding, Run, WindowResult

HELD_OUT = 0.4
"""Share of the reference that calibrates, and is not fitted."""
SHUFFLES = 8
"""Ways in which the held-out events are cut into windows."""
FEWEST_WINDOWS = 2
"""Disjoint windows of held-out events that a calibration needs."""
FEWEST_EVENTS = 50
"""Events of a window that are judged at least."""
CALIBRATED_AT = (0.2, 0.1, 0.05)
"""Shares of held-out windows at which the combined probability is calibrated, as they allow."""
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
        stretch: errors of each family over the statistical ones, from held-out windows.
        power: exponent by which the combined probability is made right.
        windows: disjoint held-out windows.
        thresholds: of the events' scores, for the same rate per event.
        sample: the held-out events, for the classifier and the conditions.
        conditions: held-out conditions.
        events: of the reference: fitted and held out.
    """

    reference: Reference
    window: int
    rate: float
    stretch: Mapping[str, float]
    power: float
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
        raw = cls(
            fitted,
            window,
            rate,
            {},
            1.0,
            len(sample) // window,
            {},
            sample,
            rest,
            (len(order) - held, len(sample)),
            None,
        )
        stretch, power = _calibrated(raw, sample, rng)
        scores = fitted.event_scores(sample)
        thresholds = {name: float(np.quantile(s, 1 - rate)) for name, s in scores.items()}
        return cls(
            fitted,
            window,
            rate,
            stretch,
            power,
            raw.windows,
            thresholds,
            sample,
            rest,
            raw.events,
            judge,
        )

    @property
    def counted_rate(self) -> float:
        """The smallest rate of false alarms that held-out windows can count."""
        return 1 / max(self.windows, 1)

    @property
    def support(self) -> str:
        """What the rate of false alarms rests on, in words."""
        fitted, held = self.events
        own = f"{self.windows} disjoint windows of {held} held-out reference events"
        if self.rate >= self.counted_rate:
            return f"a rate of {self.rate:g} per window is counted in {own}"
        need = math.ceil(self.window / self.rate / HELD_OUT)
        return (
            f"{own} ({fitted} were fitted) count rates down to {self.counted_rate:.2g}; "
            f"{self.rate:g} rests on Gaussian tails; to count it takes {need:.2g} reference events"
        )

    def families(self, look: Look) -> list[Family]:
        """Return the calibrated deviations of a window."""
        return [
            Family(f.quantity, f.statistic, f.grouping, f.deviations / self.stretch.get(f.name, 1))
            for f in self.reference.families(look)
        ]

    def combined(self, families: Sequence[Family], more: Sequence[float] = ()) -> float:
        """Return the probability of so large a deviation anywhere, all tests counted (Šidák).

        Args:
            families: the deviations.
            more: probabilities of further tests.
        """
        largest = max((_largest(f.deviations) for f in families), default=0.0)
        least = min([_two_sided(largest), *more])
        tests = sum(int(np.isfinite(f.deviations).sum()) for f in families) + len(more)
        p = -math.expm1(tests * math.log1p(-min(least, 1 - 1e-12)))
        return float(p**self.power)

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
        more = [] if auc is None else [auc.p_value]
        p = self.combined(families, more)
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
        """Judge all windows of a run; a rest shorter than half a window is joined to the last."""
        windows = tuple(self.judge(events) for events in self._windows(source))
        return Run(name, len(source), windows)

    def _windows(self, source: EventSource) -> Iterator[Events]:
        n = len(source)
        count = max(1, round(n / self.window))
        edges = [*range(0, count * self.window, self.window), n]
        for start, stop in itertools.pairwise(edges):
            yield source.take(slice(start, stop))


def _calibrated(
    raw: Monitor, sample: Look, rng: np.random.Generator
) -> tuple[dict[str, float], float]:
    """Return the stretch of each family, and the power of the combined probability."""
    windows = []
    for _ in range(SHUFFLES):
        order = rng.permutation(len(sample))
        for i in range(raw.windows):
            rows = order[i * raw.window : (i + 1) * raw.window]
            windows.append(raw.families(sample.take(rows)))
    stretch = {}
    for number, family in enumerate(windows[0]):
        z = np.stack([w[number].deviations for w in windows])
        squares = np.square(z[np.isfinite(z)])
        stretch[family.name] = max(1.0, math.sqrt(squares.mean())) if len(squares) else 1.0
    p_values = [
        raw.combined(
            [
                Family(f.quantity, f.statistic, f.grouping, f.deviations / stretch[f.name])
                for f in families
            ]
        )
        for families in windows
    ]
    return stretch, _power(np.array(p_values), raw.windows)


def _power(p_values: FloatArray, windows: int) -> float:
    """Return the exponent, at most 1, that makes small probabilities as rare as they say."""
    powers = [1.0]
    for share in CALIBRATED_AT:
        if share * windows >= 1 or share == CALIBRATED_AT[0]:
            quantile = float(np.clip(np.quantile(p_values, share), 1e-12, 1 - 1e-9))
            powers.append(math.log(share) / math.log(quantile))
    return min(powers)


def _largest(deviations: FloatArray) -> float:
    finite = np.abs(deviations[np.isfinite(deviations)])
    return float(finite.max()) if len(finite) else 0.0


def _two_sided(deviation: float) -> float:
    return 2 * float(special.ndtr(-abs(deviation)))


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
