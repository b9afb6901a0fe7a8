"""Look-up: an event of full simulation whose conditions are among the nearest to those asked for.

The method of Turbosim (Knuteson) and Falcon (arXiv:1605.02684), which store pairs of generated and
reconstructed objects and look the nearest one up. A single nearest event gives a mean response
without fluctuations at fixed conditions; here one of the k nearest is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from simulacra.arrays import Array, BoolArray, FloatArray, IntArray
from simulacra.conditions import Conditions
from simulacra.detectors.base import ConditionSpec, Frozen
from simulacra.errors import EventsError, SimulatorError
from simulacra.particles import particle_name
from simulacra.simulators.answers import Block
from simulacra.simulators.classical.base import ClassicalSimulator, Inputs, Made, sample_ranges
from simulacra.simulators.classical.blocks import streams
from simulacra.statistics.blocks import bounded

PROPORTIONAL: Mapping[str, tuple[str, ...]] = {"calorimeter": ("showers",)}
"""Arrays of the response by kind of detector, all of which scale with the kinetic energy.

A kind without a row is refused: the clusters of a track at another momentum lie elsewhere.
"""
MOST_NUMBERS = 4_000_000
"""Numbers of the response in a block of events."""
OTHER_CATEGORY = 1e3
"""Distance of events of other categories: they are taken only where nothing else is there."""
SCALE_WEIGHT = 10.0
"""How much the distance in energy counts, where users do not say it."""
FAR = 3.0
"""Distances beyond which a gap is refused, in the largest distance between stored neighbours."""
Weight = Annotated[float, Field(gt=0, le=1e3)]


class LookupOptions(Frozen):
    """How the nearest events are found.

    Attributes:
        neighbours: of how many nearest events one is drawn; 1: always the nearest.
        weights: by condition that is no category, how much its distance counts. Without one it is
            1, and 10 for the energy: a shower of another energy, scaled, has the wrong width.
    """

    neighbours: int = Field(default=10, ge=1, le=100_000)
    weights: dict[str, Weight] = Field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Lookup(ClassicalSimulator):
    """Stored events, found by their conditions and scaled to the energy that is asked for."""

    options: LookupOptions

    kind: ClassVar[str] = "lookup"
    summary: ClassVar[str] = "one of the nearest events of full simulation, scaled to the energy"
    reference: ClassVar[str] = "Falcon, arXiv:1605.02684"
    Options: ClassVar[type[Frozen]] = LookupOptions

    @classmethod
    def built(cls, inputs: Inputs, options: Frozen) -> Self:
        """Return the look-up of a sample.

        Raises:
            SimulatorError: there is no sample, the response does not scale with a condition, or an
                option names no condition.
        """
        assert isinstance(options, LookupOptions)
        sample, detector = inputs.required(cls.kind), inputs.detector
        if detector.kind not in PROPORTIONAL:
            msg = (
                f"a look-up scales stored events to the energy asked for; those of {detector.name} "
                f"({detector.kind}) cannot be: a track at another momentum crosses other places"
            )
            raise SimulatorError(msg)
        if unknown := set(options.weights) - set(detector.conditions):
            msg = f"weights: {detector.name} has no condition {min(unknown)!r}"
            raise SimulatorError(msg)
        for name in options.weights:
            if detector.conditions[name].categories is not None:
                msg = f"weights: {name} is a category, which must agree: it has no distance"
                raise SimulatorError(msg)
        stored: dict[str, Array] = {}
        for name in detector.conditions:
            stored[f"condition_{name}"] = sample.conditions[name]
        for name in PROPORTIONAL[detector.kind]:
            stored |= _sparse(name, sample[name])
        ranges, about = sample_ranges(sample)
        made = Made(detector, tuple(map(particle_name, inputs.particles)), ranges, about)
        found = cls(made, options, stored)
        reach = np.array([_largest_gap(tree) for tree in found._trees])
        inputs.on_note(
            f"{len(sample)} events; neighbours are at most {reach[0]:.3g} apart in energy and "
            f"{reach[1]:.3g} in all other conditions, where the range of a condition is its "
            "weight; gaps beyond are outside"
        )
        return cls(made, options, {**stored, "reach": reach})

    def check(self) -> None:
        """Raise a :class:`SimulatorError` where stored arrays do not fit one another."""
        try:
            energy = self.arrays[f"condition_{self.detector.scale}"]
            n = len(energy)
            good = (
                n > 0
                and self.arrays["reach"].shape == (2,)
                and bool(self.arrays["reach"].min() >= 0)
            )
            good = good and all(len(column) == n for column in self._stored.values())
            good = good and bool(np.all(np.isfinite(energy) & (energy > 0)))
            self._stored_conditions.check(self.detector)
            for name in PROPORTIONAL[self.detector.kind]:
                matrix = self._matrix(name)
                matrix.check_format(full_check=True)
                good = good and matrix.shape[0] == n and bool(np.isfinite(matrix.data).all())
        except (KeyError, TypeError, ValueError, IndexError, EventsError):
            good = False
        if not good:
            msg = "the look-up's arrays do not fit one another"
            raise SimulatorError(msg)

    @property
    def _stored(self) -> dict[str, Array]:
        return {n: self.arrays[f"condition_{n}"] for n in self.detector.conditions}

    @property
    def _stored_conditions(self) -> Conditions:
        return Conditions(self._stored)

    def _matrix(self, name: str) -> csr_array:
        """Return a stored array, a row for each event."""
        size = int(np.prod(self.detector.response_arrays[name].shape))
        starts, place, value = (self.arrays[f"{name}_{part}"] for part in PARTS)
        return csr_array((value, place, starts), shape=(len(starts) - 1, size))

    @cached_property
    def _tree(self) -> cKDTree:
        """The stored conditions as points."""
        return cKDTree(self._points(self._stored_conditions, self.detector.conditions))

    @property
    def _parts(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of conditions in which gaps are looked for: the energy, and all others.

        Energies are often points, at which the other conditions lie close.
        """
        scale = self.detector.scale
        return (scale,), tuple(name for name in self.detector.conditions if name != scale)

    @cached_property
    def _trees(self) -> tuple[cKDTree, cKDTree]:
        """The stored conditions of both parts as points."""
        one, other = (cKDTree(self._points(self._stored_conditions, n)) for n in self._parts)
        return one, other

    def _points(self, conditions: Conditions, names: Iterable[str]) -> FloatArray:
        """Return conditions as points (n, axes) whose distances compare.

        The ends of a condition's range are its weight apart: of its logarithm where it is
        log-scaled. A cyclic condition is two axes, on which half a turn is its weight.
        """
        axes = [np.zeros(len(conditions))]  # one that is always there
        for name in names:
            spec = self.detector.conditions[name]
            default = SCALE_WEIGHT if name == self.detector.scale else 1.0
            weight = self.options.weights.get(name, default)
            column = conditions[name].astype(np.float64)
            axes += [weight * axis for axis in _axes(column, spec, self.ranges.get(name))]
        return np.column_stack(axes)

    def describe(self) -> dict[str, Any]:
        """Return the facts on the look-up."""
        facts = super().describe()
        facts.pop("arrays")
        numbers = sum(len(self.arrays[f"{n}_value"]) for n in PROPORTIONAL[self.detector.kind])
        return facts | {
            "events": len(self._stored_conditions),
            "numbers of an event": round(numbers / len(self._stored_conditions), 1),
            "largest gap": [round(float(reach), 4) for reach in self.arrays["reach"]],
        }

    def outside(self, conditions: Conditions) -> BoolArray:
        """Return which rows lie outside the ranges, or in a gap of the sample (n,)."""
        return super().outside(conditions) | (self._gaps(conditions) > 1)

    def require_near(self, conditions: Conditions) -> None:
        """Refuse conditions far outside the ranges, or far from any stored event.

        Raises:
            SimulatorError: a row is.
        """
        super().require_near(conditions)
        far = self._gaps(conditions) > FAR
        if far.any():
            msg = (
                f"{int(far.sum())} events lie in a gap of the sample, more than {FAR:g} times as "
                "far from its events as they are from each other: --extrapolate "
                "(extrapolate=True in Python) generates them all the same"
            )
            raise SimulatorError(msg)

    def _gaps(self, conditions: Conditions) -> FloatArray:
        """Return distances to the nearest stored event (n,), in the largest gap of the sample.

        The larger one of the energy's and of that of all other conditions together.
        Beyond the ends of a range the end counts: how far is allowed there is the ranges' business.
        """
        if not len(conditions):
            return np.zeros(0)
        columns = {n: conditions[n] for n in self.detector.conditions}
        for name, (low, high) in self.ranges.items():
            if self.detector.conditions[name].role != "cyclic":
                columns[name] = np.clip(columns[name], low, high)
        gaps = np.zeros(len(conditions))
        for tree, names, reach in zip(self._trees, self._parts, self.arrays["reach"], strict=True):
            distance, _ = _nearest(tree, self._points(Conditions(columns), names), 1)
            gaps = np.maximum(gaps, distance[:, 0] / max(float(reach), 1e-6))
        return gaps

    def blocks(self, conditions: Conditions, seed: int) -> Iterator[Block]:
        """Yield response arrays block by block, all rows of the conditions in the end."""
        names = PROPORTIONAL[self.detector.kind]
        matrices = {name: self._matrix(name) for name in names}
        size = sum(matrix.shape[1] for matrix in matrices.values())
        scale, shapes = self.detector.scale, self.detector.response_arrays
        for number, rows in enumerate(bounded(np.full(len(conditions), size), MOST_NUMBERS)):
            part = conditions.take(rows)
            (rng,) = streams(seed, number, 1)
            chosen = self.chosen(part, rng)
            factor = part[scale].astype(np.float64) / self._stored[scale][chosen]
            yield {
                name: (factor[:, None] * matrix[chosen].toarray())
                .reshape(len(part), *shapes[name].shape)
                .astype(np.float32)
                for name, matrix in matrices.items()
            }

    def chosen(self, conditions: Conditions, rng: np.random.Generator) -> IntArray:
        """Return the stored event for each row (n,): one of the nearest, all equally likely.

        Events of other categories are among them only where there are none of the row's own.
        """
        k = min(self.options.neighbours, len(self._tree.data))
        distance, place = _nearest(
            self._tree, self._points(conditions, self.detector.conditions), k
        )
        own = distance < OTHER_CATEGORY / 2
        number = np.where(own[:, 0], own.sum(axis=1), k)
        picked = np.minimum((rng.random(len(conditions)) * number).astype(np.int64), number - 1)
        row: IntArray = place[np.arange(len(conditions)), picked]
        return row


def _nearest(tree: cKDTree, points: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """Return distances and rows (n, k) of the k nearest points of a tree, the nearest first."""
    distance, row = tree.query(points, k=[*range(1, k + 1)])
    return np.asarray(distance, np.float64), np.asarray(row, np.int64)


PARTS = ("starts", "place", "value")


def _sparse(name: str, array: Array) -> dict[str, Array]:
    """Return an array (n, …) without its zeros."""
    matrix = csr_array(array.reshape(len(array), -1).astype(np.float32))
    parts: tuple[Array, ...] = (
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data,
    )
    return {f"{name}_{part}": values for part, values in zip(PARTS, parts, strict=True)}


def _axes(
    column: FloatArray, spec: ConditionSpec, limits: tuple[float, float] | None
) -> list[FloatArray]:
    """Return the coordinates of one condition, each (n,)."""
    if spec.categories is not None:
        number = np.searchsorted(np.sort(spec.categories), column).astype(np.float64)
        return [OTHER_CATEGORY * number]
    if spec.role == "cyclic":
        return [np.cos(column) / 2, np.sin(column) / 2]
    assert limits is not None
    low, high = limits
    if spec.role == "log":
        column, low, high = np.log(column), np.log(low), np.log(high)
    return [(column - low) / (high - low if high > low else 1.0)]


def _largest_gap(tree: cKDTree) -> float:
    """Return the largest distance of a point to the nearest other place of its category."""
    places = np.unique(tree.data, axis=0)
    if len(places) < 2:
        return 0.0
    nearest = _nearest(cKDTree(places), places, 2)[0][:, 1]
    own = nearest[nearest < OTHER_CATEGORY / 2]
    return float(own.max()) if len(own) else 0.0
