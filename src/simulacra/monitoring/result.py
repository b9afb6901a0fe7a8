"""Results of a monitor: windows, runs and their summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulacra.arrays import FloatArray

OBSERVABLE = "observable"
"""The grouping of observables, which is no part of the detector."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A deviation of a window.

    Attributes:
        where: the channel, the detector cell, the layer, the chamber, or the observable.
        quantity: ``occupancy``, ``energy``, ``charge`` …; ``value`` of an observable.
        statistic: ``number``, ``mean`` or ``width``.
        grouping: what ``where`` is one of.
        deviation: in standard errors, with its sign.
    """

    where: str
    quantity: str
    statistic: str
    grouping: str
    deviation: float

    @property
    def text(self) -> str:
        """The finding in words."""
        return f"{self.where}: {self.quantity} {self.statistic} {self.deviation:+.1f} sigma"


@dataclass(frozen=True, slots=True, eq=False)
class WindowResult:
    """The verdict on a window.

    Attributes:
        events: in the window.
        left_out: of energies that the reference lacks.
        p_value: probability of so large a deviation anywhere; None where it is not judged.
        alarm: whether that is below the rate.
        findings: the largest deviations.
        changed: conditions whose distributions differ from the reference's.
        above: events whose score is above its threshold, by score.
        auc: of the classifier, where there is one.
        reason: why the window is not judged; empty where it is.
        channels: the largest deviation of each channel, for a map.
    """

    events: int
    left_out: int
    p_value: float | None
    alarm: bool
    findings: tuple[Finding, ...]
    changed: tuple[str, ...]
    above: Mapping[str, int]
    auc: float | None
    reason: str
    channels: FloatArray = field(default_factory=lambda: np.zeros(0))

    @property
    def place(self) -> Finding | None:
        """The largest deviation of a part of the detector; None where there is none."""
        return next((f for f in self.findings if f.grouping != OBSERVABLE), None)

    @property
    def text(self) -> str:
        """The verdict in words; changed conditions are always named."""
        if self.reason:
            return self.reason
        words = "ALARM" if self.alarm else "no alarm"
        if self.alarm and self.findings:
            words += f": {self.findings[0].text}"
            if self.place is not None and self.place is not self.findings[0]:
                words += f"; first place {self.place.text}"
        if self.changed:
            names = ", ".join(self.changed)
            words += f"; the beam changed ({names}), expectations are those of this window's own"
        if self.left_out:
            words += f"; {self.left_out} events of energies that the reference lacks are left out"
        return words

    def facts(self) -> dict[str, Any]:
        """Return the verdict as JSON has it."""
        return {
            "events": self.events,
            "left_out": self.left_out,
            "p_value": self.p_value,
            "alarm": self.alarm,
            "verdict": self.text,
            "where": None if self.place is None else self.place.where,
            "findings": [
                {
                    "where": f.where,
                    "what": f"{f.quantity} {f.statistic}",
                    "kind": f.grouping,
                    "deviation": round(f.deviation, 3),
                }
                for f in self.findings
            ],
            "changed_conditions": list(self.changed),
            "events_above_threshold": dict(self.above),
            "classifier_auc": self.auc,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """The windows of a run.

    Attributes:
        name: of the run.
        events: number of events.
        windows: in order.
    """

    name: str
    events: int
    windows: tuple[WindowResult, ...]

    @property
    def alarms(self) -> int:
        """The number of windows with an alarm."""
        return sum(window.alarm for window in self.windows)

    @property
    def worst(self) -> WindowResult:
        """The window with the least probability."""
        return min(self.windows, key=lambda w: 1.0 if w.p_value is None else w.p_value)

    def facts(self) -> dict[str, Any]:
        """Return the run as JSON has it."""
        return {
            "run": self.name,
            "events": self.events,
            "alarms": self.alarms,
            "windows": [window.facts() for window in self.windows],
        }
