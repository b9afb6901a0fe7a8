"""Lateral histograms of hits around the particle, unfolded from the cells of a sample.

FastCaloSim fills its histograms from hits of full simulation. A sample has cells, which may be
wider than the shower; but the impacts are known and differ. The histogram is the one of maximum
likelihood: hits, uniform within its bins, fall into the cells of each event; the cells' energies
are observed (Richardson and Lucy's iteration).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import FloatArray, IntArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.calorimeter import Layer
from simulacra.detectors.calorimeter.points import Lines, Points, placed
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation

ITERATIONS = 40
"""More would follow the fluctuations of the sample."""
CONVERGED = 1e-6
"""Change of a probability from which on it is taken as found."""
POSITIONS = 6
"""Random positions in a bin of the histogram, for each event."""
FIRST_RING = 0.1
"""Width of the first ring in cells."""
STRAIGHT = 1e-3
"""Sine of the angle of incidence below which the azimuth of histograms is that of the x axis."""
LARGEST_VARIANCE = 0.95
"""Energy of a hit over that of its layer at most: a single hit has 1."""
SMALLEST_HIT = 0.05
"""Energy of a ring's hits over the mean of all rings at least: what is smaller is noise."""


def ring_edges(layer: Layer, rings: int) -> FloatArray:
    """Return the edges (rings + 1,) of rings around the particle in a layer, mm.

    Those of a polar layer itself; else each ring is wider than the one before by the same factor,
    out to the corner of the layer.
    """
    cut = layer.segmentation
    if isinstance(cut, PolarSegmentation):
        edges = np.asarray(cut.r_edges, np.float64)
        return np.concatenate([edges, np.full(max(rings + 1 - len(edges), 0), edges[-1])])
    reach = math.hypot(*(n * c for n, c in zip(layer.shape, cut.cell, strict=True)))
    first = FIRST_RING * min(cut.cell)
    low, high = 1.0, 10.0
    for _ in range(60):  # the factor for which the rings end at the corner
        factor = (low + high) / 2
        ends = first * np.sum(factor ** np.arange(rings))
        low, high = (factor, high) if ends < reach else (low, factor)
    return np.concatenate([[0.0], first * np.cumsum(low ** np.arange(rings))])


def azimuths(lines: Lines) -> FloatArray:
    """Return the azimuth of the plane of incidence (n,), rad; 0 where the particle is straight."""
    direction = lines.direction
    inclined = np.hypot(direction[:, 0], direction[:, 1]) > STRAIGHT
    found: FloatArray = np.where(inclined, np.arctan2(direction[:, 1], direction[:, 0]), 0.0)
    return found


def around(
    lines: Lines,
    depth: FloatArray,
    event: IntArray,
    radius: FloatArray,
    angle: FloatArray,
    energy: FloatArray,
) -> Points:
    """Return points (p,) in the planes of layers, around where the lines cross them.

    Args:
        lines: of the events.
        depth: of the layers' middles (p,), mm.
        event: whose points they are (p,).
        radius: mm (p,).
        angle: from the plane of incidence (p,), rad.
        energy: MeV (p,).
    """
    x, y = lines.at(event, depth)
    turned = angle + azimuths(lines)[event]
    return Points(event, x + radius * np.cos(turned), y + radius * np.sin(turned), depth, energy)


@dataclass(frozen=True, slots=True)
class Positions:
    """Random positions in the bins of a histogram, and the cells that they lie in.

    Attributes:
        bin: of the histogram (p,).
        event: of the sample (p,).
        cell: within the layer (p,); -1: not read out.
        n_cells: in the layer.
    """

    bin: IntArray
    event: IntArray
    cell: IntArray
    n_cells: int

    @classmethod
    def of(
        cls,
        detector: Calorimeter,
        lines: Lines,
        layer: Layer,
        edges: FloatArray,
        alpha: int,
        each: int,
        rng: np.random.Generator,
    ) -> Positions:
        """Return ``each`` positions in each bin (alpha, rings) for each event."""
        rings, n = len(edges) - 1, len(lines)
        shape = n, alpha, rings, each
        event, sector, ring, _ = (a.ravel() for a in np.indices(shape))
        angle = (sector + rng.random(len(event))) * (2 * np.pi / alpha)
        # one position in each of equal parts of the ring: less noise than anywhere
        part = (np.arange(each) + rng.random(shape)) / each
        radius = edges[ring] + part.ravel() * np.diff(edges)[ring]
        depth, nothing = np.full(len(event), layer.depth), np.zeros(len(event))
        points = around(lines, depth, event, radius, angle, nothing)
        cell = np.full(len(event), -1)
        for _, chosen, flat in placed(detector, lines, points):
            cell[chosen] = flat - layer.cells.start
        inside = layer.cells.stop - layer.cells.start
        return cls(sector * rings + ring, event, cell, inside)

    def model(self, weight: FloatArray, n: int) -> FloatArray:
        """Return shares of the cells (n, c) from weights of the positions (p,); seen ones sum to 1.

        An event whose cells see nothing has zeros.
        """
        inside = self.cell >= 0
        place = self.event[inside] * self.n_cells + self.cell[inside]
        cells = np.bincount(place, weight[inside], n * self.n_cells).reshape(n, -1)
        total = cells.sum(axis=1, keepdims=True)
        shares: FloatArray = cells / np.where(total > 0, total, 1.0)
        return shares


def unfolded(
    energies: FloatArray, positions: Positions, part: IntArray, parts: int, bins: int
) -> FloatArray:
    """Return histograms (parts, bins) of probabilities, one for each part of a sample.

    Args:
        energies: of the cells of the layer (n, c), MeV.
        positions: of hits in the bins of the histogram.
        part: of the sample that each event belongs to (n,).
        parts: how many there are.
        bins: of the histogram.
    """
    n, layer = len(energies), energies.sum(axis=1)
    inside = positions.cell >= 0
    event, cell = positions.event[inside], positions.cell[inside]
    key = (part[positions.event] * bins + positions.bin)[inside]
    place = event * positions.n_cells + cell
    size = parts * bins
    seen = np.bincount(key, layer[event], size) > 0  # bins that some cell with energy sees
    chance = np.where(seen, 1.0, 0.0)
    each = len(positions.bin) / (n * bins)
    flat = energies.ravel()
    for _ in range(ITERATIONS):
        total = chance.reshape(parts, bins).sum(axis=1, keepdims=True)
        chance = (chance.reshape(parts, bins) / np.where(total > 0, total, 1.0)).ravel()
        weight = chance[key] / each
        model = np.bincount(place, weight, len(flat))
        accepted = model.reshape(n, -1).sum(axis=1)
        before = np.where(accepted > 0, layer / np.where(accepted > 0, accepted, 1.0), 0.0)
        ratio = np.where(model > 0, flat / np.where(model > 0, model, 1.0), 0.0)
        found = np.bincount(key, ratio[place], size)
        expected = np.bincount(key, before[event], size)
        factor = np.where(expected > 0, found / np.where(expected > 0, expected, 1.0), 0.0)
        chance = chance * factor
        if np.all(np.abs(chance * (1 - 1 / np.where(factor > 0, factor, 1.0))) < CONVERGED):
            break  # at once where the rings are those of the layer
    total = chance.reshape(parts, bins).sum(axis=1, keepdims=True)
    histograms: FloatArray = chance.reshape(parts, bins) / np.where(total > 0, total, 1.0)
    return histograms


def hit_energies(
    energies: FloatArray,
    positions: tuple[Positions, Positions],
    weights: tuple[FloatArray, FloatArray],
    edges: FloatArray,
) -> FloatArray:
    """Return the energy of a hit over that of its layer in each ring, from fluctuations (rings,).

    Hits of ring b have the number Poisson(p_b / ε_b) and the energy ε_b each. The share f of a cell
    that expects m of the layer's energy then has the variance Σ_b ε_b p_b (A_b (1 - 2 m) + m²),
    where A_b is the part of the ring in the cell. Variances are summed over cells with similar mean
    radius; ε ≥ 0 follows by Richardson and Lucy's iteration. Two independent models of m leave
    their own noise out. Energies are relative to the mean energy of the layer, and fall as 1 / E.

    Args:
        energies: of the cells of the layer (n, c), MeV; each event has some.
        positions: two independent samples of positions.
        weights: of these positions (p,).
        edges: of the rings (rings + 1,), mm.
    """
    n, rings = len(energies), len(edges) - 1
    layer = energies.sum(axis=1)
    one, other = (p.model(w, n) for p, w in zip(positions, weights, strict=True))
    shares = energies / layer[:, None]
    used = (one.sum(axis=1) > 0) & (other.sum(axis=1) > 0)
    found = (shares - one) * (shares - other) * (layer / layer.mean())[:, None] * used[:, None]
    mean = np.sqrt(np.maximum(one * other, 0))
    kind, crossing = np.zeros(one.shape, np.int64), np.zeros((rings, rings))
    for each, weight in zip(positions, weights, strict=True):
        inside = each.cell >= 0
        event, cell, ring = each.event[inside], each.cell[inside], each.bin[inside] % rings
        place = event * each.n_cells + cell
        held = np.bincount(event, weight[inside], n)
        part = weight[inside] / held[event]
        radius = (edges[ring] + edges[ring + 1]) / 2
        total = np.bincount(place, part, one.size)
        moment = np.bincount(place, part * radius, one.size)
        kind = np.searchsorted(edges[1:-1], moment / np.maximum(total, 1e-300)).reshape(one.shape)
        of_kind = kind.ravel()[place] * rings + ring
        factor = part * (1 - 2 * mean.ravel()[place]) * used[event]
        crossing += np.bincount(of_kind, factor, rings**2).reshape(rings, rings) / 2
        by_ring = np.bincount(event * rings + ring, part * used[event], n * rings)
        squares = np.bincount(
            (np.arange(n)[:, None] * rings + kind).ravel(), (mean**2).ravel(), n * rings
        )
        crossing += squares.reshape(n, rings).T @ by_ring.reshape(n, rings) / 2
    variances: FloatArray = np.bincount(kind.ravel(), found.ravel(), rings).astype(np.float64)
    return _positive_solution(crossing, variances)


def _positive_solution(matrix: FloatArray, sums: FloatArray) -> FloatArray:
    """Return x > 0 (rings,) for which matrix (rings, rings) x is about sums (rings,)."""
    matrix, sums = np.maximum(matrix, 0.0), np.maximum(sums, 0.0)
    whole = matrix.sum()
    if whole <= 0 or sums.sum() <= 0:
        return np.full(len(sums), 1e-6)
    average = sums.sum() / whole
    x, norm = np.full(len(sums), average), matrix.sum(axis=0)
    for _ in range(ITERATIONS):
        expected = matrix @ x
        ratio = np.where(expected > 0, sums / np.where(expected > 0, expected, 1.0), 1.0)
        x = x * np.where(norm > 0, (ratio @ matrix) / np.where(norm > 0, norm, 1.0), 1.0)
    found: FloatArray = np.clip(x, SMALLEST_HIT * average, LARGEST_VARIANCE)
    return found


def mean_beyond_first(variance: FloatArray) -> FloatArray:
    """Return μ for which 1 + Poisson(μ) hits have the mean of 1/N that is asked for.

    That mean is (1 - exp(-μ)) / μ.
    """
    mu = np.geomspace(1e-3, 1e7, 4000)
    inverse = -np.expm1(-mu) / mu
    found: FloatArray = np.interp(-variance, -inverse, mu)
    return found
