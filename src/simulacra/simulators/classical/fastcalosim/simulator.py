"""FastCaloSim V2 as a simulator: layer energies, then hits, then cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.detectors.base import Frozen
from simulacra.detectors.calorimeter.points import Lines, offsets, placed, sections_of_layers
from simulacra.errors import SimulatorError
from simulacra.particles import PDG, particle_name
from simulacra.simulators.answers import Block
from simulacra.simulators.classical.base import ClassicalSimulator, Inputs, Made, sample_ranges
from simulacra.simulators.classical.blocks import streams
from simulacra.simulators.classical.fastcalosim.building import parametrised
from simulacra.simulators.classical.fastcalosim.lateral import (
    LARGEST_VARIANCE,
    around,
    mean_beyond_first,
)
from simulacra.simulators.classical.fastcalosim.options import FastCaloSimOptions
from simulacra.simulators.classical.fastcalosim.response import between
from simulacra.simulators.classical.fastcalosim.tables import Ladders, Tables
from simulacra.simulators.classical.library import Bins
from simulacra.statistics.blocks import bounded

MOST_HITS = 200_000
"""Hits in a block of events."""
ROUNDS = 8
"""How often hits of a layer are drawn until one of them lies in a cell."""
STRETCH = 3.0
"""By how much the width of the response is scaled at most, between the energies of a sample."""


@dataclass(frozen=True, repr=False)
class FastCaloSim(ClassicalSimulator):
    """Principal components of layer energies, and hits from lateral histograms."""

    options: FastCaloSimOptions

    kind: ClassVar[str] = "fastcalosim"
    summary: ClassVar[str] = "principal components of layer energies, hits from histograms"
    reference: ClassVar[str] = "ATLAS, AtlFast3, arXiv:2109.02551"
    Options: ClassVar[type[Frozen]] = FastCaloSimOptions

    @classmethod
    def built(cls, inputs: Inputs, options: Frozen) -> Self:
        """Return the parametrisation of a sample.

        Raises:
            SimulacraError: there is no sample, it is too small, or it is of no calorimeter.
        """
        assert isinstance(options, FastCaloSimOptions)
        sample, detector = inputs.required(cls.kind), inputs.detector
        if not isinstance(detector, Calorimeter):
            msg = f"{cls.kind} needs a calorimeter, which {detector.name} is not"
            raise SimulatorError(msg)
        ranges, about = sample_ranges(sample)
        numbers = {"theta": options.theta, PDG: 0}
        numbers = {name: n for name, n in numbers.items() if name in detector.conditions}
        bins, order = Bins.of(sample, numbers, options.per_decade)
        progress, note = inputs.on_progress, inputs.on_note
        arrays = parametrised(sample[order], bins, options, inputs.seed, progress, note)
        made = Made(detector, tuple(map(particle_name, inputs.particles)), ranges, about)
        return cls(made, options, {**bins.arrays, **arrays})

    def check(self) -> None:
        """Raise a :class:`SimulatorError` where stored arrays do not fit one another."""
        detector = self.detector
        try:
            good = isinstance(detector, Calorimeter) and self.tables.is_consistent(
                len(detector.layers), len(self.bins.first), self.options.alpha
            )
            good = good and self.bins.is_consistent(int(self.bins.last.max()))
        except (KeyError, TypeError, ValueError, IndexError):
            good = False
        if not good:
            msg = "the parametrisation's arrays do not fit one another"
            raise SimulatorError(msg)

    @cached_property
    def tables(self) -> Tables:
        """The parametrisation."""
        return Tables.of_arrays(self.arrays)

    @cached_property
    def bins(self) -> Bins:
        """The bins of conditions."""
        return Bins.of_arrays(self.arrays)

    @cached_property
    def ladders(self) -> Ladders:
        """How hits are drawn."""
        return self.tables.ladders(equal=self.options.stochastic is not None)

    def describe(self) -> dict[str, Any]:
        """Return the facts on the parametrisation."""
        facts = super().describe()
        facts.pop("arrays")
        numbers = [int(np.count_nonzero(row[1:])) for row in self.tables.probability]
        return facts | {
            "bins": self.bins.note,
            "PCA bins": " ".join(map(str, numbers)),
            "numbers": sum(array.size for array in self.arrays.values()),
        }

    def blocks(self, conditions: Conditions, seed: int) -> Iterator[Block]:
        """Yield response arrays block by block, all rows of the conditions in the end."""
        for number, rows in enumerate(bounded(self._costs(conditions), MOST_HITS)):
            yield {"showers": self._block(conditions.take(rows), seed, number)}

    def _costs(self, conditions: Conditions) -> FloatArray:
        """Return how many hits each event has, about (n,)."""
        keys = self.bins.keys(conditions, np.full(len(conditions), 0.5))
        group = self.tables.group[keys]
        energies = self.tables.energies[group].astype(np.float64)
        rows = self._rows(group, np.zeros(len(group), np.int64))
        number: FloatArray = (1 + self._mean_beyond_first(rows, group, energies)).sum(axis=1)
        return number

    def _block(self, conditions: Conditions, seed: int, number: int) -> Array:
        choice, normal, count, beam, *rounds = streams(seed, number, 4 + ROUNDS)
        u = choice.random((len(conditions), 2))
        key = self.bins.keys(conditions, u[:, 0])
        group = self.tables.group[key]
        part = self._parts(group, u[:, 1])
        shares, response = self._drawn(group, part, normal)
        energy = conditions["energy"].astype(np.float64)
        response = self._between(conditions, key, group, response)
        layers = shares * (response * energy)[:, None]
        lines = Lines.of(self.calorimeter, conditions.columns, beam)
        rows = self._rows(group, np.maximum(part, 0))
        hits = np.where(
            layers > 0, 1 + count.poisson(self._mean_beyond_first(rows, group, layers)), 0
        )
        return self._cells(lines, layers, hits, rows, group, rounds)

    def _rows(self, group: IntArray, part: IntArray) -> IntArray:
        """Return the rows of lateral histograms of layers (n, l)."""
        _, parts, layers, _ = self.tables.chance.shape
        rows: IntArray = ((group * parts + part) * layers)[:, None] + np.arange(layers)
        return rows

    def _parts(self, group: IntArray, u: FloatArray) -> IntArray:
        """Return bins of the first component (n,), -1 being without energy."""
        edges = np.cumsum(self.tables.probability, axis=1)[:, :-1]
        part: IntArray = np.sum(u[:, None] >= edges[group], axis=1) - 1
        return part

    def _drawn(
        self, group: IntArray, part: IntArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Return shares of layers (n, l) and the response of the bin (n,)."""
        z = rng.standard_normal((len(group), self.tables.offset.shape[2]))
        values = np.zeros_like(z)
        for number in np.unique(group):
            chosen = group == number
            values[chosen] = self.tables.groups[number].drawn(part[chosen], z[chosen])
        return values[:, :-1], values[:, -1]

    def _between(
        self, conditions: Conditions, key: IntArray, group: IntArray, response: FloatArray
    ) -> FloatArray:
        """Return the response (n,), moved and stretched from its bin to the event's energy."""
        mean, width = self.tables.toys[group].T
        ln_energy = np.log(conditions["energy"].astype(np.float64))
        points, others = np.log(self.bins.points), self.tables.response.shape[1]
        here = np.zeros((2, len(key)))
        for other in range(others):
            chosen = key % others == other
            for quantity in range(2):
                values = self.tables.response[quantity, other]
                here[quantity, chosen] = between(points, values, ln_energy[chosen])
        own = np.where(width > 0, width / mean, 1.0)
        stretch = np.where(width > 0, np.clip(here[1] / own, 1 / STRETCH, STRETCH), 1.0)
        moved = here[0] * (1 + (response / mean - 1) * stretch)
        return np.where(response > 0, np.maximum(moved, 0.0), 0.0)

    def _mean_beyond_first(self, rows: IntArray, group: IntArray, layers: FloatArray) -> FloatArray:
        """Return the mean number of hits but one (n, l) for energies of layers (n, l), MeV."""
        energy = np.maximum(layers, 1e-9)
        if self.options.stochastic is None:
            mean = self.ladders.mean[rows] * energy / np.maximum(self.tables.energies[group], 1e-9)
        else:
            mean = 1 / (self.options.stochastic**2 * 1000 / energy + self.options.constant**2)
        variance = 1 / np.clip(mean, 1 / LARGEST_VARIANCE, self.options.most_hits)
        return np.where(layers > 0, mean_beyond_first(variance), 0.0)

    def _cells(
        self,
        lines: Lines,
        layers: FloatArray,
        hits: IntArray,
        rows: IntArray,
        group: IntArray,
        rounds: list[np.random.Generator],
    ) -> Array:
        """Return cells (n, c) that hold the energies of the layers, by hits in them.

        Args:
            lines: of the events.
            layers: energies (n, l), MeV.
            hits: in the layers (n, l).
            rows: of lateral histograms of the layers (n, l).
            group: of the parametrisation (n,).
            rounds: random numbers; a layer none of whose hits is in a cell takes those of the next.
        """
        starts = np.array([layer.cells.start for layer in self.calorimeter.layers])
        sizes = np.diff([*starts, self.calorimeter.n_cells])
        counts = np.zeros((len(lines), self.calorimeter.n_cells))
        for rng in rounds:
            counts += self._drawn_cells(lines, hits, rows, group, rng)
            seen = np.add.reduceat(counts, starts, axis=1)
            hits = np.where((seen == 0) & (layers > 0), np.maximum(hits, ROUNDS), 0)
            if not hits.any():
                break
        else:
            self._nearest(lines, counts, hits)
            seen = np.add.reduceat(counts, starts, axis=1)
        each = layers / np.where(seen > 0, seen, 1.0)
        cells: Array = (counts * np.repeat(each, sizes, axis=1)).astype(np.float32)
        return cells

    def _drawn_cells(
        self,
        lines: Lines,
        hits: IntArray,
        rows: IntArray,
        group: IntArray,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Return the energies of hits in each cell (n, c), in any unit of the layer's own."""
        detector, (n, n_layers) = self.calorimeter, hits.shape
        place = np.repeat(np.arange(hits.size), hits.ravel())
        event, layer = np.divmod(place, n_layers)
        u = rng.random((len(place), 2))
        bins, left = self.ladders.drawn(rows.ravel()[place], u[:, 0])
        sector, ring = np.divmod(bins, self.tables.edges.shape[1] - 1)
        angle = (sector + left) * (2 * np.pi / self.options.alpha)
        low, high = (self.tables.edges[layer, ring + k].astype(np.float64) for k in (0, 1))
        depth = np.array([each.depth for each in detector.layers])[layer]
        radius = low + u[:, 1] * (high - low)
        energy = np.ones(len(place))
        if self.options.stochastic is None:
            energy = self.tables.hits[group[event], layer, ring].astype(np.float64)
        points = around(lines, depth, event, radius, angle, energy)
        cells = np.zeros(n * detector.n_cells)
        for _, chosen, cell in placed(detector, lines, points):
            of_event = event[chosen] * detector.n_cells + cell
            cells += np.bincount(of_event, energy[chosen], len(cells))
        return cells.reshape(n, -1)

    def _nearest(self, lines: Lines, counts: FloatArray, hits: IntArray) -> None:
        """Put a hit of each layer that still has some (n, l) into the cell nearest to the line."""
        for number, (section, layer) in enumerate(sections_of_layers(self.calorimeter)):
            left = np.flatnonzero(hits[:, number])
            if len(left):
                own = Lines(lines.x[left], lines.y[left], lines.direction[left])
                x, y = offsets(self.calorimeter, own, section, layer)
                counts[left, layer.cells.start + np.hypot(x, y).argmin(axis=1)] = 1
