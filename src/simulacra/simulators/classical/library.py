"""Stored showers: their hits, and the bins in which they are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.spatial import cKDTree

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter, Detector
from simulacra.detectors.calorimeter.points import Lines, Points, offsets, sections_of_layers
from simulacra.energies import energy_groups, scale_of
from simulacra.events import Events

STRAIGHT = 1e-3
"""Sine of the angle of incidence up to which showers are turned by any angle."""
OTHER_CATEGORY = 1e6
"""Distance of bins of other categories, in bins: their showers are never taken."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Energies of showers, hit after hit, shower after shower.

    Attributes:
        starts: where each shower's hits begin, and the end (n + 1,).
        energies: kinetic energies of the particles (n,), MeV.
        azimuths: of the particles' directions (n,), rad.
        energy: of hits (h,), MeV: response of a cell, or deposit in sensitive matter at a point.
        cell: places in the response (h,); none where hits are points.
        x, y: of points relative to the particle's line (h,), mm; none where hits are cells.
        z: depth of points, mm (h,).
    """

    starts: IntArray
    energies: FloatArray
    azimuths: FloatArray
    energy: Array
    cell: Array
    x: Array
    y: Array
    z: Array

    def __len__(self) -> int:
        return len(self.energies)

    @property
    def number(self) -> int:
        """How many hits there are."""
        return len(self.energy)

    @property
    def are_points(self) -> bool:
        """Whether hits are points in space rather than cells."""
        return len(self.cell) == 0 and len(self.x) == len(self.energy)

    @property
    def arrays(self) -> dict[str, Array]:
        """All columns by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Return the hits among stored arrays."""
        return cls(**{name: arrays[name] for name in COLUMNS})

    def is_consistent(self, detector: Detector) -> bool:
        """Return whether the columns fit one another and the detector."""
        ordered = self.starts[0] == 0 and self.starts[-1] == self.number
        ordered = ordered and bool(np.all(np.diff(self.starts) >= 0)) and len(self) > 0
        lengths = {len(self.starts) - 1, len(self), len(self.azimuths)}
        finite = all(
            np.isfinite(a).all() for a in (self.energies, self.energy, self.x, self.y, self.z)
        )
        if self.are_points:
            placed = len(self.y) == len(self.z) == self.number
        else:
            assert isinstance(detector, Calorimeter)
            placed = len(self.cell) == self.number
            placed = placed and bool(np.all((self.cell >= 0) & (self.cell < detector.n_cells)))
        return (
            ordered and len(lengths) == 1 and finite and placed and bool((self.energies > 0).all())
        )

    def take(self, order: IntArray) -> Self:
        """Return the showers in another order."""
        _, place = self.flat(order)
        lengths = np.diff(self.starts)[order]
        rows = {n: getattr(self, n) for n in ("energy", "cell", "x", "y", "z")}
        return replace(
            self,
            starts=np.concatenate([[0], np.cumsum(lengths)]),
            energies=self.energies[order],
            azimuths=self.azimuths[order],
            **{n: column[place] if len(column) else column for n, column in rows.items()},
        )

    def flat(self, chosen: IntArray) -> tuple[IntArray, IntArray]:
        """Return for showers (n,) all their hits: which of the n, and where the hit is (h,)."""
        lengths = np.diff(self.starts)[chosen]
        event = np.repeat(np.arange(len(chosen)), lengths)
        before = np.cumsum(lengths) - lengths
        place = np.arange(len(event)) + (self.starts[:-1][chosen] - before)[event]
        return event, place

    def around(
        self,
        lines: Lines,
        chosen: IntArray,
        event: IntArray,
        place: IntArray,
        energy: FloatArray,
        turns: FloatArray,
    ) -> Points:
        """Return hits as points around the lines of events.

        Args:
            lines: of the n events.
            chosen: showers of the events (n,).
            event: whose hits they are (h,).
            place: of the hits (h,).
            energy: MeV (h,).
            turns: uniform numbers (n,); 0: the shower keeps its side.
        """
        direction = lines.direction
        aside = np.hypot(direction[:, 0], direction[:, 1])
        straight = aside <= STRAIGHT
        azimuth = np.where(straight, 0.0, np.arctan2(direction[:, 1], direction[:, 0]))
        stored = np.where(straight, 0.0, self.azimuths[chosen])
        mirrored = np.where(~straight & (turns > 0.5), -1.0, 1.0)
        x, y = self.x[place].astype(np.float64), self.y[place].astype(np.float64)
        along, across = _turned(x, y, -stored[event])
        angle = np.where(straight, 2 * np.pi * turns, azimuth)
        x, y = _turned(along, across * mirrored[event], angle[event])
        z = self.z[place].astype(np.float64)
        line_x, line_y = lines.at(event, z)
        return Points(event, line_x + x, line_y + y, z, energy)


COLUMNS = ("starts", "energies", "azimuths", "energy", "cell", "x", "y", "z")
_NONE = np.zeros(0, np.float32)


def _turned(x: FloatArray, y: FloatArray, angle: FloatArray) -> tuple[FloatArray, FloatArray]:
    cosine, sine = np.cos(angle), np.sin(angle)
    return x * cosine - y * sine, x * sine + y * cosine


def cell_hits(sample: Events) -> Hits:
    """Return the cells with energy of a sample."""
    event, cell = np.nonzero(sample["showers"])
    energy = sample["showers"][event, cell].astype(np.float32)
    return Hits(
        _starts(event, len(sample)),
        sample["energy"].astype(np.float64),
        np.zeros(len(sample)),
        energy,
        cell.astype(np.int32),
        *([_NONE] * 3),
    )


def point_hits(sample: Events) -> Hits:
    """Return the cells with energy of a sample as points relative to the particles' lines.

    A cell's energy lies in its middle: what is read out by it is coarser than its cells.
    """
    detector, showers = sample.detector, sample["showers"]
    assert isinstance(detector, Calorimeter)
    lines = Lines.of(detector, sample.conditions.columns, np.random.default_rng(0))
    parts = []
    for section, layer in sections_of_layers(detector):
        assert section.readout is not None
        event, cell = np.nonzero(showers[:, layer.cells])
        away = offsets(detector, lines, section, layer)
        energy = showers[:, layer.cells][event, cell] * section.readout.sampling_fraction
        depth = np.full(len(event), layer.depth)
        parts.append(
            np.column_stack([event, energy, away[0][event, cell], away[1][event, cell], depth])
        )
    rows = np.concatenate(parts)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    event, columns = rows[:, 0].astype(np.int64), rows[:, 1:].astype(np.float32).T
    return Hits(
        _starts(event, len(sample)),
        sample["energy"].astype(np.float64),
        np.arctan2(lines.direction[:, 1], lines.direction[:, 0]),
        columns[0],
        np.zeros(0, np.int32),
        *columns[1:],
    )


def _starts(event: IntArray, n: int) -> IntArray:
    starts: IntArray = np.searchsorted(event, np.arange(n + 1)).astype(np.int64)
    return starts


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of conditions, each of which has the showers of its own or of the nearest one.

    Attributes:
        names: of the conditions beside energy.
        points: energies in ascending order, MeV: of the points, or the middles of bins (e,).
        at_points: whether the energies are points; between them one of both is drawn.
        edges: of the other conditions, row by row, filled up with infinity (c, k).
        first, last: showers of each bin (b,), in the order of the library.
        empty: how many bins had none of their own.
        smallest: fewest showers of a bin that had some.
    """

    names: tuple[str, ...]
    points: FloatArray
    at_points: bool
    edges: FloatArray
    first: IntArray
    last: IntArray
    empty: int
    smallest: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of bins of energy and of the other conditions."""
        counts = np.isfinite(self.edges).sum(axis=1) + 1
        return (len(self.points), *counts.tolist())

    @property
    def note(self) -> str:
        """The bins in words."""
        words = f"{len(self.first)} bins of {', '.join(('energy', *self.names))}"
        taken = (
            f"; {self.empty} are empty and take the showers of the nearest" if self.empty else ""
        )
        return f"{words}, {self.smallest} showers in the smallest{taken}"

    @classmethod
    def of(
        cls, sample: Events, numbers: Mapping[str, int], per_decade: int
    ) -> tuple[Self, IntArray]:
        """Return the bins of a sample, and the order in which the library has its showers.

        Args:
            sample: the showers.
            numbers: bins of each condition beside energy; 0: one for each value, a category.
            per_decade: bins of energy in a factor of ten, where energies are no points.
        """
        points, at_points = _energy_points(scale_of(sample), per_decade)
        inner = [_inner_edges(sample.conditions[name], n) for name, n in numbers.items()]
        width = max((len(edges) for edges in inner), default=0)
        edges = np.full((len(inner), width), np.inf)
        for row, values in zip(edges, inner, strict=True):
            row[: len(values)] = values
        nothing = np.zeros(0, np.int64)
        empty = cls(tuple(numbers), points, at_points, edges, nothing, nothing, 0, 0)
        digits = np.column_stack(
            [empty._nearest(scale_of(sample)), *empty._digits(sample.conditions)]
        )
        key = np.ravel_multi_index(tuple(digits.T), empty.shape)
        order = np.argsort(key, kind="stable")
        count = np.bincount(key, minlength=int(np.prod(empty.shape)))
        source = _filled(count, empty.shape, [n == 0 for n in numbers.values()])
        last = np.cumsum(count)
        found = replace(
            empty,
            first=(last - count)[source],
            last=last[source],
            empty=int(np.sum(count == 0)),
            smallest=int(count[count > 0].min()),
        )
        return found, order

    @property
    def arrays(self) -> dict[str, Array]:
        """All columns by name."""
        return {
            "bin_names": np.array(self.names, "U64"),
            "bin_points": self.points,
            "bin_at_points": np.array(self.at_points),
            "bin_edges": self.edges,
            "bin_first": self.first,
            "bin_last": self.last,
            "bin_empty": np.array([self.empty, self.smallest]),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Return the bins among stored arrays."""
        empty, smallest = arrays["bin_empty"].tolist()
        return cls(
            tuple(arrays["bin_names"].tolist()),
            arrays["bin_points"],
            bool(arrays["bin_at_points"]),
            arrays["bin_edges"],
            arrays["bin_first"],
            arrays["bin_last"],
            empty,
            smallest,
        )

    def is_consistent(self, showers: int) -> bool:
        """Return whether each bin has showers of a library of that many."""
        good = len(self.first) == len(self.last) == int(np.prod(self.shape))
        good = good and len(self.names) == len(self.edges) and len(self.points) > 0
        within = (self.first >= 0) & (self.first < self.last) & (self.last <= showers)
        return good and bool(within.all())

    def draw(self, conditions: Conditions, u: FloatArray) -> IntArray:
        """Return a shower for each row (n,) from uniform numbers (n, 2): energy, place in a bin."""
        key = self.keys(conditions, u[:, 0])
        start, number = self.first[key], (self.last - self.first)[key]
        shower: IntArray = start + np.minimum((u[:, 1] * number).astype(np.int64), number - 1)
        return shower

    def keys(self, conditions: Conditions, u: FloatArray) -> IntArray:
        """Return the bin of each row (n,); uniform numbers (n,) choose one of two points."""
        energy = conditions["energy"].astype(np.float64)
        first = self._between(energy, u) if self.at_points else self._nearest(energy)
        key: IntArray = np.ravel_multi_index((first, *self._digits(conditions)), self.shape)
        return key

    def _nearest(self, energy: FloatArray) -> IntArray:
        """Return the bin of energies (n,): whose middle is nearest on a logarithmic scale."""
        middles = np.sqrt(self.points[1:] * self.points[:-1])
        nearest: IntArray = np.searchsorted(middles, energy)
        return nearest

    def _between(self, energy: FloatArray, u: FloatArray) -> IntArray:
        """Return one of the two points around energies (n,), drawn linearly in ln E."""
        place = np.interp(np.log(energy), np.log(self.points), np.arange(len(self.points)))
        place = np.where(np.abs(place - np.rint(place)) < 1e-3, np.rint(place), place)
        lower = np.floor(place)
        drawn: IntArray = (lower + (u < place - lower)).astype(np.int64)
        return drawn

    def _digits(self, conditions: Conditions) -> list[IntArray]:
        return [
            np.searchsorted(edges[np.isfinite(edges)], conditions[name].astype(np.float64))
            for name, edges in zip(self.names, self.edges, strict=True)
        ]


def _energy_points(energy: FloatArray, per_decade: int) -> tuple[FloatArray, bool]:
    """Return the energies of points, or the middles of logarithmic bins; and which they are."""
    groups = energy_groups(energy)
    if all(group.low == group.high for group in groups):
        return np.array([group.energy for group in groups]), True
    low, high = np.log(energy.min()), np.log(energy.max())
    number = max(int(np.ceil((high - low) / np.log(10) * per_decade)), 1)
    return np.exp(low + (np.arange(number) + 0.5) * (high - low) / number), False


def _inner_edges(column: Array, number: int) -> FloatArray:
    """Return the edges between bins: equally wide ones, or one bin for each value."""
    values = column.astype(np.float64)
    if number == 0:
        distinct = np.unique(values)
        return (distinct[1:] + distinct[:-1]) / 2
    return np.linspace(values.min(), values.max(), number + 1)[1:-1]


def _filled(count: IntArray, shape: tuple[int, ...], categories: list[bool]) -> IntArray:
    """Return for each bin the nearest one with showers, of the same categories (b,)."""
    weight = np.array([1.0, *[OTHER_CATEGORY if each else 1.0 for each in categories]])
    places = np.column_stack(np.unravel_index(np.arange(count.size), shape)) * weight
    full = np.flatnonzero(count)
    _, nearest = cKDTree(places[full]).query(places)
    source: IntArray = full[nearest]
    return source
