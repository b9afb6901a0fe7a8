"""The arrays of a parametrisation: what a folder holds, checked, and read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from simulacra.arrays import Array, FloatArray, IntArray
from simulacra.simulators.classical.fastcalosim.longitudinal import KNOTS, Component, Group, Inverse


@dataclass(frozen=True)
class Tables:
    """The parametrisation of g bins of conditions, with at most b bins of the first component.

    Attributes:
        group: which of the g each bin of conditions takes (k,).
        probability: of showers without energy, and of the bins (g, b + 1).
        offset, matrix: of normal numbers (g, b, v), (g, b, v, v).
        low, high, empty, values: inverse distributions (g, b, v), and their knots (g, b, v, 33).
        toys: mean and width of the response as simulated (g, 2).
        response: mean and relative width at the energies, for others of the conditions (2, o, e).
        edges: of the rings in each layer (l, rings + 1), mm.
        chance: lateral histograms (g, b, l, sectors rings).
        hits: energy of a hit over that of its layer, at ``energies`` (g, l, rings).
        energies: mean energy of the layers (g, l), MeV.
    """

    group: IntArray
    probability: Array
    offset: Array
    matrix: Array
    low: Array
    high: Array
    empty: Array
    values: Array
    toys: Array
    response: Array
    edges: Array
    chance: Array
    hits: Array
    energies: Array

    @classmethod
    def of(
        cls,
        groups: Sequence[Group],
        group: IntArray,
        toys: FloatArray,
        response: FloatArray,
        lateral: Mapping[str, Array],
    ) -> Self:
        """Return the tables of groups, whose bins are filled up with zeros to the same number."""
        most = max(g.bins for g in groups)
        variables = len(groups[0].components[0].offset)
        shapes = {
            "offset": (variables,),
            "matrix": (variables, variables),
            "low": (variables,),
            "high": (variables,),
            "empty": (variables,),
            "values": (variables, KNOTS),
        }
        padded = {n: np.zeros((len(groups), most, *shape)) for n, shape in shapes.items()}
        probability = np.zeros((len(groups), most + 1))
        for i, each in enumerate(groups):
            probability[i, : each.bins + 1] = each.probability
            for b, component in enumerate(each.components):
                for name, array in padded.items():
                    source = component if name in ("offset", "matrix") else component.inverse
                    array[i, b] = getattr(source, name)
        single = {n: a.astype(np.float32) for n, a in padded.items()}
        single["empty"] = padded["empty"].astype(bool)
        facts = {n: a.astype(np.float32) for n, a in lateral.items()}
        return cls(group, probability, toys=toys, response=response, **single, **facts)

    @property
    def arrays(self) -> dict[str, Array]:
        """All arrays by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Return the tables among stored arrays."""
        return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})

    def is_consistent(self, layers: int, bins: int, alpha: int) -> bool:
        """Return whether the arrays fit one another, so many layers, bins and sectors."""
        g, b = self.probability.shape[0], self.probability.shape[1] - 1
        v, rings = layers + 1, self.edges.shape[1] - 1
        shapes = {
            "group": (bins,),
            "offset": (g, b, v),
            "matrix": (g, b, v, v),
            "low": (g, b, v),
            "high": (g, b, v),
            "empty": (g, b, v),
            "values": (g, b, v, KNOTS),
            "toys": (g, 2),
            "edges": (layers, rings + 1),
            "chance": (g, b, layers, alpha * rings),
            "hits": (g, layers, rings),
            "energies": (g, layers),
        }
        good = all(getattr(self, name).shape == shape for name, shape in shapes.items())
        good = good and self.response.ndim == 3 and self.response[0].size == bins and b > 0
        good = good and bool(np.all((self.group >= 0) & (self.group < g)))
        good = good and all(np.isfinite(a).all() for a in self.arrays.values())
        whole = np.allclose(self.probability.sum(axis=1), 1)
        positive = all((a >= 0).all() for a in (self.probability, self.chance))
        positive = positive and bool((self.hits > 0).all())
        return good and whole and positive and bool((np.diff(self.edges) >= 0).all())

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The longitudinal parametrisations."""
        return tuple(self._group(i) for i in range(len(self.probability)))

    def _group(self, i: int) -> Group:
        components = tuple(
            Component(
                self.offset[i, b].astype(np.float64),
                self.matrix[i, b].astype(np.float64),
                Inverse(
                    self.low[i, b].astype(np.float64),
                    self.high[i, b].astype(np.float64),
                    self.empty[i, b],
                    self.values[i, b].astype(np.float64),
                ),
            )
            for b in range(self.probability.shape[1] - 1)
        )
        return Group(self.probability[i], components)

    def ladders(self, equal: bool) -> Ladders:
        """Return how hits are drawn.

        Args:
            equal: all hits of a layer have the same energy, whatever the ring.
        """
        g, b, layers, bins = self.chance.shape
        chance = self.chance.reshape(g, b, layers, -1, self.hits.shape[-1]).astype(np.float64)
        hits = self.hits[:, None, :, None, :].astype(np.float64)
        number = (chance / (1.0 if equal else hits)).reshape(-1, bins)
        return Ladders.of(number)


@dataclass(frozen=True, slots=True)
class Ladders:
    """Cumulative lateral histograms of numbers of hits, row after row.

    The row of group i, bin j and layer k is (i b + j) l + k; it rises from its number to the next.

    Attributes:
        upper: ends of the bins (rows bins,).
        mean: mean number of hits of a row, at the mean energy of its layer (rows,).
        bins: in a row.
    """

    upper: FloatArray
    mean: FloatArray
    bins: int

    @classmethod
    def of(cls, number: FloatArray) -> Self:
        """Return those of mean numbers of hits (rows, bins)."""
        mean = number.sum(axis=1)
        upper = np.cumsum(number, axis=1) / np.where(mean > 0, mean, 1.0)[:, None]
        upper[:, -1] = 1.0
        return cls((upper + np.arange(len(mean))[:, None]).ravel(), mean, number.shape[1])

    def drawn(self, row: IntArray, u: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return bins (h,) of histograms by row (h,) from uniform numbers (h,).

        Returns:
            The bins, and what is left of the numbers: uniform within each bin.
        """
        at = row + np.minimum(u, 1 - 1e-9)
        place = np.searchsorted(self.upper, at, side="right")
        below = np.where(place % self.bins > 0, self.upper[place - 1], row)
        left: FloatArray = (at - below) / np.maximum(self.upper[place] - below, 1e-12)
        return place - row * self.bins, left
