"""Frozen showers: a library of full simulation, whose showers are drawn, scaled and used again.

The method of ATLAS's shower libraries (J. Phys. Conf. Ser. 160 (2009) 012082). Of a sample of the
detector itself the cells are stored: a shower is used where its bin of energy, angles and impact is
asked for, cell by cell. Of a sample of a finer read-out of the same matter the hits are stored,
relative to the particle's line: they are moved to where the particle enters and turned around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.detectors.base import Frozen
from simulacra.detectors.calorimeter.points import Lines, read_out
from simulacra.errors import SimulatorError
from simulacra.particles import OWN_RANGES, PDG, particle_name
from simulacra.simulators.answers import Block
from simulacra.simulators.classical.base import (
    ClassicalSimulator,
    Inputs,
    Made,
    Ranges,
    beam_ranges,
    sample_ranges,
)
from simulacra.simulators.classical.blocks import streams
from simulacra.simulators.classical.library import Bins, Hits, cell_hits, point_hits
from simulacra.statistics.blocks import bounded

BINNED = ("energy", "theta")
"""Conditions in which points are like those of the sample; they are moved and turned in others."""
MOST_HITS = 100_000
"""Hits in a block of events."""
Number = Annotated[int, Field(ge=1, le=1000)]


class FrozenShowersOptions(Frozen):
    """How the library is binned.

    Attributes:
        per_decade: bins of energy in a factor of ten, where the sample's energies are no points.
        theta, phi: bins of angles, where they are conditions; hits are turned in phi instead.
        impact: bins of the impact along each axis, where cells are stored.
        turn: turn hits of particles that come straight by random angles, mirror those of others.
    """

    per_decade: Number = 10
    theta: Number = 4
    phi: Number = 8
    impact: Number = 2
    turn: bool = True


@dataclass(frozen=True, slots=True)
class Reuse:
    """How often showers of a library are used.

    Attributes:
        events: events generated.
        distinct: showers used at least once.
        largest: how often the most frequent one is.
        effective: (Σ n)² / Σ n²: as many independent showers have the same variance of a mean.
    """

    events: int
    distinct: int
    largest: int
    effective: float


@dataclass(frozen=True, repr=False)
class FrozenShowers(ClassicalSimulator):
    """A library of showers of full simulation."""

    options: FrozenShowersOptions

    kind: ClassVar[str] = "frozen-showers"
    summary: ClassVar[str] = "showers of full simulation, stored, scaled and used again"
    reference: ClassVar[str] = "ATLAS, J. Phys. Conf. Ser. 160 (2009) 012082"
    Options: ClassVar[type[Frozen]] = FrozenShowersOptions
    finer: ClassVar[bool] = True

    @classmethod
    def built(cls, inputs: Inputs, options: Frozen) -> Self:
        """Return the library of a sample.

        Raises:
            SimulacraError: there is no sample, or it is of another detector.
        """
        assert isinstance(options, FrozenShowersOptions)
        sample, detector = inputs.required(cls.kind), inputs.detector
        if not isinstance(detector, Calorimeter) or not isinstance(sample.detector, Calorimeter):
            msg = f"{cls.kind} needs a calorimeter, which {detector.name} is not"
            raise SimulatorError(msg)
        same = sample.detector.readout_fingerprint == detector.readout_fingerprint
        if same:
            hits = cell_hits(sample)
        else:
            _require_same_matter(sample.detector, detector)
            hits = point_hits(sample)
        ranges, about = sample_ranges(sample)
        if not same:
            ranges, about = _anywhere(detector, ranges, about)
        bins, order = Bins.of(
            sample, _numbers(detector, options, points=not same), options.per_decade
        )
        inputs.on_note(bins.note)
        made = Made(detector, tuple(map(particle_name, inputs.particles)), ranges, about)
        return cls(made, options, {**hits.take(order).arrays, **bins.arrays})

    def check(self) -> None:
        """Raise a :class:`SimulatorError` where stored arrays do not fit one another."""
        try:
            hits, bins = self.hits, self.bins
            good = hits.is_consistent(self.detector) and bins.is_consistent(len(hits))
        except (KeyError, TypeError, ValueError, IndexError):
            good = False
        if not good:
            msg = "the library's arrays do not fit one another"
            raise SimulatorError(msg)

    @property
    def hits(self) -> Hits:
        """The stored showers."""
        return Hits.of_arrays(self.arrays)

    @property
    def bins(self) -> Bins:
        """Where showers of a bin are in the library."""
        return Bins.of_arrays(self.arrays)

    def describe(self) -> dict[str, Any]:
        """Return the facts on the library."""
        hits, bins = self.hits, self.bins
        facts = super().describe()
        facts.pop("arrays")
        return facts | {
            "showers": len(hits),
            "hits of a shower": round(hits.number / max(len(hits), 1), 1),
            "stored as": "points" if hits.are_points else "cells",
            "bins": bins.note,
        }

    def blocks(self, conditions: Conditions, seed: int) -> Iterator[Block]:
        """Yield response arrays block by block, all rows of the conditions in the end."""
        for number, rows, chosen in self._chosen(conditions, seed):
            yield {"showers": self._block(conditions.take(rows), chosen, seed, number)}

    def reuse(self, conditions: Conditions, seed: int) -> Reuse:
        """Return how often showers are used in the events of these conditions."""
        parts = [chosen for _, _, chosen in self._chosen(conditions, seed)]
        _, counts = np.unique(np.concatenate(parts), return_counts=True)
        effective = counts.sum() ** 2 / np.square(counts).sum()
        return Reuse(int(counts.sum()), len(counts), int(counts.max()), float(effective))

    def _chosen(self, conditions: Conditions, seed: int) -> Iterator[tuple[int, slice, IntArray]]:
        """Yield the number and rows of each block with the showers drawn for them."""
        hits, bins = self.hits, self.bins
        costs = np.full(len(conditions), hits.number / len(hits) + 1)
        for number, rows in enumerate(bounded(costs, MOST_HITS)):
            (rng, _, _) = streams(seed, number, 3)
            part = conditions.take(rows)
            yield number, rows, bins.draw(part, rng.random((len(part), 2)))

    def _block(self, conditions: Conditions, chosen: IntArray, seed: int, number: int) -> Array:
        hits = self.hits
        scale = conditions["energy"].astype(np.float64) / hits.energies[chosen]
        event, place = hits.flat(chosen)
        energy = hits.energy[place].astype(np.float64) * scale[event]
        n, n_cells = len(conditions), self.calorimeter.n_cells
        if not hits.are_points:
            flat = np.bincount(event * n_cells + hits.cell[place], energy, n * n_cells)
            return flat.reshape(n, n_cells).astype(np.float32)
        _, beam, turns = streams(seed, number, 3)
        lines = self._lines(conditions, beam)
        points = hits.around(lines, chosen, event, place, energy, self._turns(turns, n))
        return read_out(self.calorimeter, lines, points)

    def _turns(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return uniform numbers (n,) that say how hits are turned; zeros: they are not."""
        drawn = rng.random(n)
        return drawn if self.options.turn else np.zeros(n)

    def _lines(self, conditions: Conditions, rng: np.random.Generator) -> Lines:
        return Lines.of(self.calorimeter, conditions.columns, rng)


def _anywhere(
    detector: Calorimeter, ranges: Ranges, about: Mapping[str, Any]
) -> tuple[Ranges, dict[str, Any]]:
    """Return ranges and facts of a library whose showers are moved to any place of the face."""
    declared = [name for name in BINNED if name in detector.conditions]
    kept = {name: ranges[name] for name in declared if name in ranges}
    own = {
        pdg: {name: limits for name, limits in each.items() if name in declared}
        for pdg, each in about.get(OWN_RANGES, {}).items()
    }
    return beam_ranges(detector) | kept, {OWN_RANGES: own} if any(own.values()) else {}


def _require_same_matter(sample: Calorimeter, detector: Calorimeter) -> None:
    """Raise a :class:`SimulatorError` unless two detectors are built of the same plates."""

    def plates(of: Calorimeter) -> list[Any]:
        every = [
            (s.material, s.thickness) for c in of.stack for _ in range(c.repeat) for s in c.slabs
        ]
        return [every, of.birks, {n: m.model_dump() for n, m in of.materials.items()}]

    if plates(sample) != plates(detector):
        msg = (
            f"the sample is of {sample.name}, whose plates are not those of {detector.name}: a "
            "library needs the detector itself or a finer read-out of the same matter"
        )
        raise SimulatorError(msg)
    if detector.cut != sample.cut:
        msg = f"production cuts differ: {sample.cut:g} mm in the sample, {detector.cut:g} mm"
        raise SimulatorError(msg)


def _numbers(
    detector: Calorimeter, options: FrozenShowersOptions, *, points: bool
) -> Mapping[str, int]:
    """Return the number of bins of each condition but energy; categories have one each."""
    numbers = {"theta": options.theta}
    if not points:
        numbers["phi"] = options.phi
        numbers |= {f"impact_{axis}": options.impact for axis in detector.axes}
        numbers |= {f"alignment_{axis}": 0 for axis in detector.axes}
    numbers[PDG] = 0
    return {name: number for name, number in numbers.items() if name in detector.conditions}
