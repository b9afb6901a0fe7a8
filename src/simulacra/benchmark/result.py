"""What a benchmark measures: pure data, and how it becomes JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulacra.faces.text import Described
from simulacra.files.json_values import plain
from simulacra.units import format_energy

SCHEMA_VERSION = 2
SMALLEST_POWER = 0.5
"""Power of the energy from which on a time counts as proportional to it."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds per event of a fast simulator at one batch size, one thread on one core.

    Published speed-ups use three denominators; here each has its own name.

    Attributes:
        batch: events asked for at once.
        network: the module or graph alone: tensors in, tensors out.
        simulate: from conditions to checked events in memory.
        service: from conditions to events in a file.
    """

    batch: int
    network: float
    simulate: float
    service: float


@dataclass(frozen=True, slots=True)
class FastResult:
    """One fast simulator.

    Attributes:
        name: its own, or that of its folder or file.
        speeds: one for each batch size.
        cold_start_s: seconds from starting Python to the first event.
        peak_memory_mb: largest resident memory of the process that was timed, MB: Python, its
            libraries, the simulator and the events of the largest batch.
        disk_mb: size of the folder or file, MB; 0 where it is code of a package.
        quality: scores beside full simulation; names and values.
    """

    name: str
    speeds: tuple[Speed, ...]
    cold_start_s: float
    peak_memory_mb: float
    disk_mb: float
    quality: Mapping[str, float]

    @property
    def text(self) -> str:
        """Its least time per event and its quality, in words."""
        best = min(self.speeds, key=lambda speed: speed.service)
        scores = ", ".join(f"{k.replace('_', ' ')} {v:.3g}" for k, v in self.quality.items())
        return f"{best.service:.3g} ms/event in batches of {best.batch}; {scores}"


@dataclass(frozen=True, slots=True)
class FullResult:
    """Geant4 with one physics list.

    Attributes:
        physics: the physics list, its cut and Geant4's version in words.
        ms_per_event: milliseconds per event by energy (or momentum) in MeV, one core, Geant4 warm.
        peak_memory_mb: largest resident memory of the process that ran it, MB: Python, Geant4 and
            its tables, and the events of a run.
    """

    physics: str
    ms_per_event: Mapping[float, float]
    peak_memory_mb: float

    @property
    def text(self) -> str:
        """Its times in words."""
        times = (f"{ms:.3g} ms at {format_energy(e)}" for e, ms in self.ms_per_event.items())
        return ", ".join(times)

    def break_even(self, fast_ms: float) -> float:
        """Return the energy (MeV) above which an answer of ``fast_ms`` is quicker than Geant4.

        The time that a shower takes is proportional to its energy, to a few per cent; the constant
        is the mean over the energies measured. Where it is not (a track takes about as long at any
        momentum), there is no such energy: nan.
        """
        low, high = min(self.ms_per_event), max(self.ms_per_event)
        if self.ms_per_event[high] < self.ms_per_event[low] * (high / low) ** SMALLEST_POWER:
            return math.nan
        per_mev = [ms / energy for energy, ms in self.ms_per_event.items()]
        return fast_ms / (sum(per_mev) / len(per_mev))


@dataclass(frozen=True, slots=True, repr=False)
class Benchmark(Described):
    """A whole benchmark; ``facts`` say on what machine, with which seed and events."""

    fast: tuple[FastResult, ...]
    full: tuple[FullResult, ...]
    facts: Mapping[str, Any]

    def describe(self) -> dict[str, Any]:
        """Return the fastest time and the quality of each simulator, and the machine."""
        facts = self.facts
        return {
            "detector": facts.get("detector"),
            "reference events": facts.get("events"),
            **{result.name: result.text for result in self.fast},
            **{result.physics: result.text for result in self.full},
            "machine": f"one core of {facts.get('processor')}",
        }

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``benchmark.json``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "facts": dict(self.facts),
            "fast": [plain(result) for result in self.fast],
            "full": [plain(result) for result in self.full],
        }
