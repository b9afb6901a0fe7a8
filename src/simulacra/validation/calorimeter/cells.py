"""Sums over the cells of a calorimeter's sample, in one pass: mean showers, profiles, spectrum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.detectors import Calorimeter, Layer
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.events import Events
from simulacra.observables.calorimeter.showers import ring_radii

PER_DECADE = 200
"""Bins of the cell spectrum per factor of ten."""
DECADES = (-45, 39)
"""Powers of ten in MeV between which cells are counted: what single precision holds."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The mean of sums of cells over the incident energy, (k,) each.

    Attributes:
        axis: what they are lined up along: an axis of the detector, ``radius`` or ``depth``.
        places: where along it, mm.
        mean, error: of E / E_inc, and its statistical error.
    """

    axis: str
    places: FloatArray
    mean: FloatArray
    error: FloatArray


@dataclass(slots=True)
class Spectrum:
    """Energies of the cells with energy.

    Attributes:
        counts: in ``PER_DECADE`` logarithmic bins per decade from ``DECADES[0]`` to ``DECADES[1]``.
        total: number of all cells, with energy or without.
        first, second: sums of E and of E², MeV and MeV².
    """

    counts: IntArray = field(
        default_factory=lambda: np.zeros((DECADES[1] - DECADES[0]) * PER_DECADE, np.int64)
    )
    total: int = 0
    first: float = 0.0
    second: float = 0.0

    def add(self, cells: Array) -> None:
        """Count cells, MeV; all must be finite."""
        energies = cells[cells > 0].astype(np.float64)
        places = np.floor((np.log10(energies) - DECADES[0]) * PER_DECADE).astype(np.int64)
        last = len(self.counts) - 1
        self.counts += np.bincount(np.clip(places, 0, last), minlength=last + 1)
        self.total += cells.size
        self.first += float(energies.sum())
        self.second += float(energies @ energies)


@dataclass(frozen=True, slots=True)
class CellSums:
    """What the cells of a sample come to.

    Attributes:
        share: mean of E_cell / E_inc of each cell, (cells,).
        longitudinal: the layers against their depth.
        lateral: by layer, its rows and columns, or its rings.
        spectrum: of all cells.
    """

    share: FloatArray
    longitudinal: Profile
    lateral: Mapping[str, tuple[Profile, ...]]
    spectrum: Spectrum


def cell_sums(detector: Calorimeter, pieces: Iterable[Events]) -> CellSums:
    """Return the sums over events, piece by piece; numbers that are not finite count as 0."""
    lines = {layer.name: _lines(detector, layer) for layer in detector.layers}
    first = {layer.name: _Moments() for layer in detector.layers}
    share, spectrum = np.zeros(detector.n_cells), Spectrum()
    n = 0
    for events in pieces:
        n += len(events)
        inverse = 1 / events.conditions["energy"].astype(np.float64)
        cells = np.nan_to_num(events["showers"], nan=0.0, posinf=0.0, neginf=0.0)
        share += inverse @ cells
        spectrum.add(cells)
        for layer in detector.layers:
            sums = np.concatenate([line.sums for line in lines[layer.name]], axis=1)
            first[layer.name].add((cells[:, layer.cells] @ sums) * inverse[:, None])
    return CellSums(share / max(n, 1), *_profiles(detector, lines, first), spectrum)


@dataclass(frozen=True, slots=True)
class _Line:
    """Sums of a layer's cells along an axis: ``sums`` (cells, k) holds ones and zeros."""

    axis: str
    places: FloatArray
    sums: FloatArray


@dataclass(slots=True)
class _Moments:
    """Number, sum and sum of squares of rows (k,)."""

    n: int = 0
    first: FloatArray | float = 0.0
    second: FloatArray | float = 0.0

    def add(self, rows: FloatArray) -> None:
        self.n += len(rows)
        self.first = self.first + rows.sum(axis=0)
        self.second = self.second + np.square(rows).sum(axis=0)

    def mean_and_error(self) -> FloatArray:
        """Return both, (2, k)."""
        mean = np.asarray(self.first) / self.n
        variance = np.maximum(np.asarray(self.second) / self.n - mean**2, 0.0)
        return np.stack([mean, np.sqrt(variance / self.n)])


def _lines(detector: Calorimeter, layer: Layer) -> list[_Line]:
    """Return what is summed in a layer: all of it, then rows and columns, or rings."""
    whole = np.zeros(layer.cells.stop - layer.cells.start)
    positions = {"depth": whole + layer.depth}
    if isinstance(layer.segmentation, PolarSegmentation):
        positions["radius"] = ring_radii(layer)
    else:
        positions |= dict(zip(detector.axes, (layer.x, layer.y), strict=True))
    lines = []
    for axis, position in positions.items():
        places, group = np.unique(position, return_inverse=True)
        lines.append(_Line(axis, places, (group[:, None] == np.arange(len(places))).astype(float)))
    return lines


def _profiles(
    detector: Calorimeter, lines: Mapping[str, list[_Line]], sums: Mapping[str, _Moments]
) -> tuple[Profile, dict[str, tuple[Profile, ...]]]:
    depths, lateral = [], {}
    for layer in detector.layers:
        own = lines[layer.name]
        ends = np.cumsum([len(line.places) for line in own])[:-1]
        parts = np.split(sums[layer.name].mean_and_error(), ends, axis=1)
        found = [Profile(li.axis, li.places, *part) for li, part in zip(own, parts, strict=True)]
        depths.append(found[0])
        lateral[layer.name] = tuple(found[1:])
    joined = (np.concatenate([getattr(p, k) for p in depths]) for k in ("places", "mean", "error"))
    return Profile("depth", *joined), lateral
