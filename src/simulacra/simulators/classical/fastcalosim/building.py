"""A sample becomes the arrays of a parametrisation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.points import Lines, offsets, sections_of_layers
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.errors import SimulatorError
from simulacra.events import Events
from simulacra.files.progress import OnProgress
from simulacra.simulators.classical.fastcalosim.lateral import (
    POSITIONS,
    Positions,
    azimuths,
    hit_energies,
    ring_edges,
    unfolded,
)
from simulacra.simulators.classical.fastcalosim.longitudinal import Component, Group, divided
from simulacra.simulators.classical.fastcalosim.options import FastCaloSimOptions
from simulacra.simulators.classical.fastcalosim.response import (
    ERROR_OF_WIDTH,
    effective_width,
    smoothed,
)
from simulacra.simulators.classical.fastcalosim.tables import Tables
from simulacra.simulators.classical.library import Bins
from simulacra.units import format_energy

FEWEST_SHOWERS = 20
"""Of a bin of conditions: correlations of fewer are noise."""
MOST_SHOWERS = 1000
"""Of a bin of conditions for its lateral histograms: more change nothing that is seen."""
TOYS = 20_000
"""Drawn to find the mean and the width of a group as it is simulated."""
SIGNIFICANT = 5.0
"""Errors beyond which an offset of showers to one side is taken as real."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample in the order of its bins of conditions.

    Attributes:
        events: the sample.
        layers: energies of its layers (n, l), MeV.
        response: energy of all layers over that of the particle (n,).
    """

    events: Events
    layers: FloatArray
    response: FloatArray

    @classmethod
    def of(cls, events: Events) -> Sample:
        """Return the sample; cells below 0 count as empty, as in FastCaloSim."""
        cells = np.maximum(events["showers"], 0)
        sums = [
            cells[:, layer.cells].sum(axis=1, dtype=float) for layer in _detector(events).layers
        ]
        layers = np.stack(sums, axis=1)
        energy = events["energy"].astype(np.float64)
        return cls(events, layers, layers.sum(axis=1) / energy)


def _detector(events: Events) -> Calorimeter:
    assert isinstance(events.detector, Calorimeter)
    return events.detector


def parametrised(
    events: Events,
    bins: Bins,
    options: FastCaloSimOptions,
    seed: int,
    on_progress: OnProgress,
    on_note: Callable[[str], None],
) -> dict[str, Array]:
    """Return the arrays of the parametrisation of a sample, but for those of its bins.

    Args:
        events: in the order of the bins.
        bins: of conditions.
        options: how it is parametrised.
        seed: of random positions and of the order of equal values.
        on_progress: called with (phase, parts done, parts in all).
        on_note: called with what was decided, line by line.

    Raises:
        SimulatorError: a bin of conditions has too few showers.
    """
    sample = Sample.of(events)
    starts, group_of_bin = np.unique(bins.first, return_inverse=True)
    rows = [slice(a, bins.last[bins.first == a][0]) for a in starts]
    _require_enough(sample, bins, rows)
    response = _response(sample, bins, group_of_bin, rows)
    rng = np.random.default_rng(seed)
    groups, parts, toys = [], np.zeros(len(events), np.int64), []
    for number, chosen in enumerate(rows):
        group, part, moments = _group(sample, chosen, options, rng)
        groups.append(group)
        parts[chosen] = part
        toys.append(moments)
        on_progress("principal components", number + 1, len(rows))
    lateral = Laterals(sample, parts, options, seed, on_progress).arrays(
        rows, max(g.bins for g in groups)
    )
    for line in _notes(sample, bins, group_of_bin, groups, rows, options):
        on_note(line)
    tables = Tables.of(groups, group_of_bin, np.array(toys), response, lateral)
    return tables.arrays


def _require_enough(sample: Sample, bins: Bins, rows: list[slice]) -> None:
    smallest = min(np.count_nonzero(sample.response[chosen] > 0) for chosen in rows)
    if smallest < FEWEST_SHOWERS:
        msg = (
            f"a bin of {', '.join(('energy', *bins.names))} has {smallest} showers with energy, "
            f"fewer than {FEWEST_SHOWERS}: give a larger sample, or larger bins (--set "
            "per_decade=…, theta=…)"
        )
        raise SimulatorError(msg)


def _group(
    sample: Sample, chosen: slice, options: FastCaloSimOptions, rng: np.random.Generator
) -> tuple[Group, IntArray, tuple[float, float]]:
    """Return the components of the showers of a bin of conditions.

    Returns:
        The group; the bin of the first component of each shower, -1 where there is no energy; mean
        and σ_eff of the response of showers with energy as they are simulated.
    """
    layers, response = sample.layers[chosen], sample.response[chosen]
    lit = response > 0
    shares = layers[lit] / layers[lit].sum(axis=1, keepdims=True)
    shares[:, shares.mean(axis=0) < options.relevant] = 0.0
    total = shares.sum(axis=1, keepdims=True)
    variables = np.column_stack([shares / np.where(total > 0, total, 1.0), response[lit]])
    part, number = divided(variables, options.pca_bins, options.fewest, rng)
    components = tuple(Component.of(variables[part == b], rng) for b in range(number))
    counts = np.bincount(part, minlength=number)
    probability = np.concatenate([[np.sum(~lit)], counts]) / len(lit)
    group = Group(probability, components)
    bins = np.repeat(np.arange(number), np.rint(TOYS * counts / counts.sum()).astype(int))
    toys = group.drawn(bins, rng.standard_normal((len(bins), variables.shape[1])))[:, -1]
    parts = np.full(len(lit), -1)
    parts[lit] = part
    return group, parts, (float(toys.mean()), effective_width(toys))


def _response(sample: Sample, bins: Bins, group_of_bin: IntArray, rows: list[slice]) -> FloatArray:
    """Return mean and σ_eff / mean of the response of showers with energy (2, others, e).

    Smoothed in ln E, for each bin of the other conditions. A rare shower that leaks would widen the
    standard deviation, and with it the whole distribution; it stays as rare as it is.
    """
    energy = sample.events["energy"].astype(np.float64)
    moments = np.zeros((2, 2, len(rows)))
    for number, chosen in enumerate(rows):
        values = sample.response[chosen]
        values = values[values > 0]
        slope = _slope(np.log(energy[chosen][sample.response[chosen] > 0]), values)
        n, mean = len(values), values.mean()
        width = effective_width(values - slope) / mean
        errors = values.std() / np.sqrt(n), ERROR_OF_WIDTH * width / np.sqrt(n)
        moments[:, :, number] = [[mean, errors[0]], [width, errors[1]]]
    ln_energy = np.log(bins.points)
    shape = len(bins.points), -1
    found = np.empty((2, len(group_of_bin) // len(bins.points), len(bins.points)))
    for quantity in range(2):
        values, errors = (m[group_of_bin].reshape(shape).T for m in moments[quantity])
        for row, (value, error) in enumerate(zip(values, errors, strict=True)):
            found[quantity, row] = smoothed(ln_energy, value, error)
    return found


def _slope(ln_energy: FloatArray, values: FloatArray) -> FloatArray:
    """Return how values (n,) change with the energy within a bin: a straight line without mean."""
    away = ln_energy - ln_energy.mean()
    spread = float(np.sum(away**2))
    if spread < 1e-9 * len(away):
        return np.zeros(len(away))
    line: FloatArray = away * (np.sum(away * values) / spread)
    return line


@dataclass(frozen=True, slots=True)
class Laterals:
    """Makes lateral histograms, layer after layer and bin after bin of conditions."""

    sample: Sample
    parts: IntArray
    options: FastCaloSimOptions
    seed: int
    on_progress: OnProgress

    def arrays(self, rows: list[slice], most: int) -> dict[str, Array]:
        """Return histograms (g, b, l, α rings), hits (g, l, rings) and edges (l, rings + 1).

        Args:
            rows: of the sample in each bin of conditions (g).
            most: bins of the first component at most (b).
        """
        detector = _detector(self.sample.events)
        rings = [len(ring_edges(layer, self.options.rings)) - 1 for layer in detector.layers]
        edges = np.array([ring_edges(layer, max(rings)) for layer in detector.layers])
        bins = self.options.alpha * max(rings)
        chance = np.zeros((len(rows), most, len(detector.layers), bins))
        hits = np.zeros((len(rows), len(detector.layers), max(rings)))
        energies = np.zeros(hits.shape[:2])
        for number, chosen in enumerate(rows):
            used = _spread(chosen)
            for place in range(len(detector.layers)):
                rng = np.random.default_rng((self.seed, number, place))
                found = self._layer(used, place, edges[place], most, rng)
                chance[number, :, place], hits[number, place] = found
                energies[number, place] = self.sample.layers[chosen, place].mean()
            self.on_progress("lateral histograms", number + 1, len(rows))
        return {"edges": edges, "chance": chance, "hits": hits, "energies": energies}

    def _layer(
        self, used: IntArray, place: int, edges: FloatArray, most: int, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Return the histograms (b, α rings) and the energies of hits of a layer (rings,)."""
        events, detector = self.sample.events, _detector(self.sample.events)
        layer, bins = detector.layers[place], self.options.alpha * (len(edges) - 1)
        lit = used[(self.sample.layers[used, place] > 0) & (self.parts[used] >= 0)]
        if not len(lit):
            return np.zeros((most, bins)), np.ones(len(edges) - 1)
        cells = np.maximum(events["showers"][lit][:, layer.cells], 0).astype(np.float64)
        lines = Lines.of(detector, events.conditions.take(lit).columns, rng)
        geometry = detector, lines, layer, edges, self.options.alpha
        part = self.parts[lit]
        chance = unfolded(cells, Positions.of(*geometry, POSITIONS, rng), part, most, bins)
        positions = Positions.of(*geometry, POSITIONS, rng), Positions.of(*geometry, POSITIONS, rng)
        weights = tuple(chance[part[p.event], p.bin] for p in positions)
        inside = sum(float(w[p.cell >= 0].sum()) for p, w in zip(positions, weights, strict=True))
        accepted = inside / max(sum(float(w.sum()) for w in weights), 1e-300)
        # hits beyond the cells are lost: as many more are drawn
        hits = hit_energies(cells, positions, (weights[0], weights[1]), edges) * accepted
        return _without_gaps(chance), hits


def _without_gaps(chance: FloatArray) -> FloatArray:
    """Return histograms (b, bins); those of bins without energy are the mean of the others."""
    filled = chance.sum(axis=1) > 0
    if not filled.any():
        return chance
    return np.where(filled[:, None], chance, chance[filled].mean(axis=0))


def _spread(chosen: slice) -> IntArray:
    """Return at most :data:`MOST_SHOWERS` rows of a slice, equally far apart."""
    n = chosen.stop - chosen.start
    number = min(n, MOST_SHOWERS)
    rows: IntArray = chosen.start + np.arange(number) * n // number
    return rows


def _notes(
    sample: Sample,
    bins: Bins,
    group_of_bin: IntArray,
    groups: list[Group],
    rows: list[slice],
    options: FastCaloSimOptions,
) -> Iterator[str]:
    """Yield what the sample bore out, line by line."""
    yield bins.note
    others = len(group_of_bin) // len(bins.points)
    for number in sorted({group.bins for group in groups}):
        of = [i for i, group in enumerate(groups) if group.bins == number]
        places = np.flatnonzero(np.isin(group_of_bin, of)) // others
        energies = sorted({format_energy(float(e)) for e in bins.points[places]}, key=_first_number)
        showers = min(rows[i].stop - rows[i].start for i in of)
        few = "" if number == options.pca_bins else f": fewer than {options.fewest} showers each"
        yield f"{number} PCA bins at {', '.join(energies)} ({showers} showers or more){few}"
    yield from _angles(sample.events, bins, options)
    yield from _one_side(sample)


def _first_number(energy: str) -> tuple[str, float]:
    number, _, unit = energy.partition(" ")
    return unit, float(number)


def _angles(events: Events, bins: Bins, options: FastCaloSimOptions) -> Iterator[str]:
    for name, edges in zip(bins.names, bins.edges, strict=True):
        if name == "theta":
            values = events["theta"]
            width = (values.max() - values.min()) / options.theta
            if width > 0:
                yield (
                    f"theta: {np.isfinite(edges).sum() + 1} bins of {width:.3g} rad; within a bin "
                    "all angles have the same layer energies"
                )


def _one_side(sample: Sample) -> Iterator[str]:
    """Yield along which axis showers lie beside their particles by more than their errors.

    Histograms over all azimuths reproduce it; no symmetry is used.
    """
    events, detector = sample.events, _detector(sample.events)
    lines = Lines.of(detector, events.conditions.columns, np.random.default_rng(0))
    moment, total = np.zeros((2, len(events))), np.zeros(len(events))
    for section, layer in sections_of_layers(detector):
        cells = np.maximum(events["showers"][:, layer.cells], 0)
        if isinstance(layer.segmentation, PolarSegmentation) and layer.segmentation.alpha == 1:
            continue  # whole rings have no sides
        away = offsets(detector, lines, section, layer)
        moment += [np.sum(cells * axis, axis=1) for axis in away]
        total += cells.sum(axis=1)
    angle = azimuths(lines)
    across = moment[1] * np.cos(angle) - moment[0] * np.sin(angle)
    if not np.any(total > 0):
        return
    across = across[total > 0] / total[total > 0]
    mean, error = float(across.mean()), float(across.std() / np.sqrt(len(across)))
    if abs(mean) > SIGNIFICANT * error:
        yield f"showers lie {mean:.3g} ± {error:.2g} mm beside the plane of incidence"
    else:
        yield f"both sides of the plane of incidence are alike: {mean:.2g} ± {error:.2g} mm apart"
