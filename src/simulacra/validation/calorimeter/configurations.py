"""Mean showers of each configuration: every combination of the categorical conditions.

The cells of layers of different widths lie differently under the reference cell, alignment by
alignment. A generator that mixes up two alignments has right distributions all the same; its mean
images do not. Particles are told apart likewise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from simulacra.arrays import BoolArray, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.energies import EnergyGroup, scale_of
from simulacra.events import Events
from simulacra.particles import PDG, names_of
from simulacra.validation.division import Division, Part
from simulacra.validation.metrics.record import UNDEFINED, Baseline, Estimate, Score

if TYPE_CHECKING:
    from simulacra.validation.compared import Compared

BATCHES = 8
"""Random parts of a sample; halves of them are the baseline."""
FEWEST_HITS = 20
"""Events that must hit a cell, in both samples together, for its mean to be judged."""
FEWEST_EVENTS = 4
"""Events of a configuration that an energy needs in either sample to count."""
FEWEST_HALVES = 8
"""Halves of which a layer's baseline is the mean, at least."""
MOST = 64
"""Configurations; of detectors with more, none is looked at."""
MOST_SUMS = 2**25
"""Numbers in each of the two arrays of sums of a sample: 270 MB; where it takes more, no
configuration is looked at."""
PARTICLE = "particle"
MOST_LAYERS = 6
"""Layers whose parts of the energy are compared part by part."""

Mean = tuple[FloatArray, FloatArray]
"""The mean of each cell and its error squared, (cells,) each."""
Batches = IntArray | slice
EVERY = slice(None)


def divisions(detector: Calorimeter) -> tuple[Division, ...]:
    """Return a division by particle and one by all other categorical conditions together."""
    layers = detector.layers if len(detector.layers) <= MOST_LAYERS else ()
    observables = ("response", *(f"fraction.{layer.name}" for layer in layers[:-1]))
    names = {name: spec.categories or () for name, spec in detector.conditions.items()}
    particle = {name: found for name, found in names.items() if name == PDG and found}
    others = {name: found for name, found in names.items() if name != PDG and found}
    return tuple(
        Division(title, observables, parts, by_scale=title == PARTICLE)
        for title, choice in ((PARTICLE, particle), ("alignment", others))
        if 1 < len(parts := tuple(_parts(choice))) <= MOST
    )


def configurations(detector: Calorimeter) -> tuple[Part, ...]:
    """Return a part for each combination of categories of the detector's conditions, or none."""
    if not 1 < _number(detector) <= MOST:
        return ()
    return tuple(_parts(_choice(detector)))


def left_out(detector: Calorimeter, groups: Sequence[EnergyGroup]) -> tuple[str, ...]:
    """Return a note where there are configurations, but too many to look at."""
    number = _number(detector)
    sums = number * len(groups) * BATCHES * detector.n_cells
    if number <= MOST and sums <= MOST_SUMS:
        return ()
    limit = f"at most {MOST}" if number > MOST else f"{sums:.2g} sums, at most {MOST_SUMS:.2g}"
    return (f"mean images of {number} configurations are not compared ({limit})",)


def _choice(detector: Calorimeter) -> dict[str, tuple[int, ...]]:
    return {name: spec.categories for name, spec in detector.conditions.items() if spec.categories}


def _number(detector: Calorimeter) -> int:
    """Return the number of combinations; 1 where no condition has categories."""
    return math.prod(map(len, _choice(detector).values()))


def _parts(choice: Mapping[str, tuple[int, ...]]) -> Iterator[Part]:
    if not choice:
        return
    for values in itertools.product(*choice.values()):
        wanted = dict(zip(choice, values, strict=True))
        yield Part(", ".join(_label(*item) for item in wanted.items()), partial(_has, wanted))


def _label(name: str, value: int) -> str:
    return names_of((value,)) if name == PDG else f"{name.replace('_', ' ')} {value}"


def _has(wanted: Mapping[str, int], conditions: Conditions) -> BoolArray:
    chosen: BoolArray = np.ones(len(conditions), bool)
    for name, value in wanted.items():
        chosen &= conditions[name] == value
    return chosen


@dataclass(frozen=True, slots=True)
class ConfigurationSums:
    """Sums over the events of each configuration, energy and batch.

    Attributes:
        n: events (configurations, energies, batches).
        first, second: sums of E_cell / E_inc and of its square, (..., cells).
        hits: events with energy in a cell (configurations, cells).
    """

    n: IntArray
    first: FloatArray
    second: FloatArray
    hits: IntArray

    def image(self, configuration: int, batches: Batches = EVERY) -> Image:
        """Return the mean image of a configuration at each energy, of some batches."""
        n = self.n[configuration][:, batches].sum(axis=1)
        number = np.maximum(n, 1)[:, None]
        first = self.first[configuration][:, batches].sum(axis=1) / number
        second = self.second[configuration][:, batches].sum(axis=1) / number
        variance = np.maximum(second - first**2, 0.0) / np.maximum(number - 1, 1)
        return Image(n, first, variance)


@dataclass(frozen=True, slots=True)
class Image:
    """Mean E_cell / E_inc (energies, cells), its error squared, and the events (energies,)."""

    n: IntArray
    mean: FloatArray
    variance: FloatArray

    def weighted(self, share: FloatArray) -> Mean:
        """Return mean and error squared (cells,) where energies have these shares (energies,)."""
        return share @ self.mean, share**2 @ self.variance


@dataclass(frozen=True, slots=True)
class ConfigurationSum:
    """What sums the events of each configuration: energy by energy, so that mixtures may differ."""

    groups: tuple[EnergyGroup, ...]

    def __call__(self, detector: Calorimeter, pieces: Iterable[Events]) -> ConfigurationSums:
        """Return the sums over events, piece by piece.

        Numbers that are not finite count as 0. Batches are drawn with a seed of their own.
        """
        parts, rng = configurations(detector), np.random.default_rng(0)
        shape = len(parts), len(self.groups), BATCHES
        n, hits = np.zeros(shape, np.int64), np.zeros((len(parts), detector.n_cells), np.int64)
        first, second = (np.zeros((*shape, detector.n_cells)) for _ in range(2))
        for events in pieces:
            energies, batch = scale_of(events), rng.integers(BATCHES, size=len(events))
            cells = np.nan_to_num(events["showers"], nan=0.0, posinf=0.0, neginf=0.0)
            cells = cells / energies[:, None]
            for i, part in enumerate(parts):
                of_part = part.select(events.conditions)
                hits[i] += np.count_nonzero(cells[of_part], axis=0)
                for j, group in enumerate(self.groups):
                    chosen = of_part & group.select(energies)
                    own, places = cells[chosen], batch[chosen]
                    member = (places == np.arange(BATCHES)[:, None]).astype(np.float64)
                    n[i, j] += member.sum(axis=1).astype(np.int64)
                    first[i, j] += member @ own
                    second[i, j] += member @ own**2
        return ConfigurationSums(n, first, second, hits)


def compared_images(one: Image, other: Image) -> tuple[Mean, Mean] | None:
    """Return mean and error squared (cells,) of two images in the mixture of the first.

    Energies with few events in either count for neither; None where that are all.
    """
    enough = (one.n >= FEWEST_EVENTS) & (other.n >= FEWEST_EVENTS)
    if not enough.any():
        return None
    share = np.where(enough, one.n, 0) / one.n[enough].sum()
    return one.weighted(share), other.weighted(share)


def configuration_scores(compared: Compared) -> tuple[Score, ...]:
    """Return chi2/ndf of the mean image of each configuration and layer, the worst first.

    chi2 sums the squares of the differences of mean E_cell / E_inc over their errors, in the
    reference's mixture of energies: about 1 where nothing differs, less where the samples share
    their conditions. Cells of a shower are correlated, hence the error is the scatter of random
    halves of the reference against each other, whose mean is the baseline. The worst lies most
    errors above its baseline.
    """
    detector = compared.detector
    assert isinstance(detector, Calorimeter)
    parts = configurations(detector)
    if not parts or left_out(detector, compared.groups):
        return ()
    total = ConfigurationSum(compared.groups)
    full, fast = (sample.summed(total) for sample in (compared.full, compared.fast))
    scores = [
        score
        for i, part in enumerate(parts)
        for score in _scores(detector, part.label, i, full, fast)
    ]
    return tuple(sorted(scores, key=lambda s: -s.excess))


def _scores(
    detector: Calorimeter, label: str, i: int, full: ConfigurationSums, fast: ConfigurationSums
) -> Iterator[Score]:
    """Yield the score of each layer of one configuration, where both have enough events."""
    images = compared_images(full.image(i), fast.image(i))
    if images is None:
        return
    halves = [compared_images(*(full.image(i, half) for half in pair)) for pair in _halves()]
    judged = full.hits[i] + fast.hits[i] >= FEWEST_HITS
    n = int(full.n[i].sum()), int(fast.n[i].sum())
    for layer in detector.layers:
        cells = np.flatnonzero(judged[layer.cells]) + layer.cells.start
        own = np.array([_chi2(cells, *pair) for pair in halves if pair is not None])
        own = own[np.isfinite(own)]
        if not len(cells) or len(own) < FEWEST_HALVES:
            continue
        scatter = float(own.std(ddof=1))
        yield Score(
            "mean_image",
            "mean image, χ²/ndf",
            f"{label}: {layer.name}",
            Estimate(_chi2(cells, *images), scatter),
            Baseline("halves", Estimate(float(own.mean()), scatter), (n[0] // 2, n[0] // 2)),
            n,
        )


def _halves() -> Iterator[tuple[IntArray, IntArray]]:
    """Yield each way to halve the batches once."""
    for rest in itertools.combinations(range(1, BATCHES), BATCHES // 2 - 1):
        one = np.array([0, *rest])
        yield one, np.setdiff1d(np.arange(BATCHES), one)


def _chi2(cells: IntArray, one: Mean, other: Mean) -> float:
    variance = (one[1] + other[1])[cells]
    filled = variance > 0
    if not filled.any():
        return UNDEFINED
    difference = (one[0] - other[0])[cells]
    return float(np.mean(difference[filled] ** 2 / variance[filled]))
