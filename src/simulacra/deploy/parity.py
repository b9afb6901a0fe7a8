"""How well an exported file agrees with the simulator that it was made of.

Both answer the same conditions and the same noise. A difference is given relative to the largest
value of the event, array by array: the hottest cell of a shower, the farthest coordinate of a
track. Single precision leaves about 1e-7 of that in either; relative to a cell that holds a
millionth of its shower it says nothing.

Where a model decides that something is exactly zero, a value at the threshold can fall on either
side in either. Such events are counted apart: what is left of them is not a matter of precision. So
are those of which single precision says no more, as of a track that just touches a pad row: they
differ by more than is allowed, and torch's own answer is farther than a tenth of that from its
answer in double precision, ten times as far as answers usually are.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import torch
from torch import Tensor

from simulacra.arrays import Array, BoolArray, FloatArray
from simulacra.conditions import Conditions
from simulacra.models.surrogate import Surrogate
from simulacra.runtime import Column, Contract, Runtime

LARGEST = 1e-5
"""Largest difference of files that agree."""
EXPOSED = 1e-6
"""Rounding of torch's own answer from which on single precision may say no more than that."""
UNDECIDED = 0.01
"""Part of the events that may be counted apart."""
TINIEST = 1e-30
"""Below this an event holds nothing that could be compared."""


@dataclass(frozen=True, slots=True)
class Parity:
    """The result of a comparison.

    Attributes:
        events: number of events compared.
        largest: largest difference, relative to the event's largest value, over the events that
            are not counted apart.
        undecided: number of the others: different numbers are zero, or single precision does not
            tell.
    """

    events: int
    largest: float
    undecided: int

    @property
    def agrees(self) -> bool:
        """Whether the file is as good as what it was made of."""
        return self.largest <= LARGEST and self.undecided <= UNDECIDED * self.events


def compare(
    surrogate: Surrogate,
    runtime: Runtime,
    conditions: Conditions,
    batches: Sequence[int] = (1, 100, 1000),
    seed: int = 1,
) -> Parity:
    """Return how an exported file agrees with the surrogate that it was made of.

    Args:
        surrogate: with torch.
        runtime: the exported file.
        conditions: what both answer.
        batches: numbers of events given to the file at once, taken in turn.
        seed: of the noise.
    """
    columns, noise = _inputs(surrogate, conditions, seed)
    expected = _answers(surrogate, columns, noise)
    found = _in_batches(runtime, columns.numpy(), noise.numpy(), batches)
    differences, decided = _differences(expected, found)
    if differences[decided].max(initial=0.0) > LARGEST:  # or double precision is not asked for
        rounded, alike = _rounding(surrogate, columns, noise, expected)
        decided &= alike & ((differences <= LARGEST) | (rounded <= EXPOSED))
    largest = float(differences[decided].max(initial=0.0))
    return Parity(len(columns), largest, int((~decided).sum()))


def rounding(surrogate: Surrogate, conditions: Conditions, seed: int = 1) -> float:
    """Return how far torch's own answers are from those in double precision, as in a comparison."""
    columns, noise = _inputs(surrogate, conditions, seed)
    rounded, alike = _rounding(surrogate, columns, noise, _answers(surrogate, columns, noise))
    return float(rounded[alike].max(initial=0.0))


def _rounding(
    surrogate: Surrogate, columns: Tensor, noise: Tensor, single: dict[str, Array]
) -> tuple[FloatArray, BoolArray]:
    """Return how far torch's answers are from those in double precision, and where zeros agree."""
    twice = copy.deepcopy(surrogate).double()
    return _differences(_answers(twice, columns.double(), noise.double()), single)


def _inputs(surrogate: Surrogate, conditions: Conditions, seed: int) -> tuple[Tensor, Tensor]:
    columns = surrogate.columns(conditions)
    rng = torch.Generator().manual_seed(seed)
    return columns, torch.randn(surrogate.model.noise_shape(len(columns)), generator=rng)


def _answers(surrogate: Surrogate, columns: Tensor, noise: Tensor) -> dict[str, Array]:
    with torch.inference_mode():
        return {name: array.numpy() for name, array in surrogate(columns, noise).items()}


def _differences(
    expected: dict[str, Array], found: dict[str, Array]
) -> tuple[FloatArray, BoolArray]:
    """Return the relative differences of events (n,), and in which the same numbers are zero."""
    n = len(next(iter(expected.values())))
    differences, alike = np.zeros(n), np.ones(n, dtype=bool)
    for name, array in expected.items():
        alike &= _same_zeros(array, found[name])
        differences = np.maximum(differences, relative_difference(array, found[name]))
    return differences, alike


def _in_batches(
    runtime: Runtime, columns: Array, noise: Array, batches: Sequence[int]
) -> dict[str, Array]:
    parts, start = [], 0
    for batch in cycle(batches):
        here = slice(start, start + batch)
        parts.append(runtime.run(columns[here], noise[here]))
        start += batch
        if start >= len(columns):
            break
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def relative_difference(expected: Array, found: Array) -> FloatArray:
    """Return the largest difference in each event (n,), relative to its largest value."""
    expected, found = (a.reshape(len(a), -1).astype(np.float64) for a in (expected, found))
    largest = np.abs(expected).max(axis=1, initial=0.0)
    difference: FloatArray = np.abs(found - expected).max(axis=1, initial=0.0)
    difference /= np.maximum(largest, TINIEST)
    return difference


def _same_zeros(expected: Array, found: Array) -> BoolArray:
    same: BoolArray = ((expected != 0) == (found != 0)).reshape(len(expected), -1).all(axis=1)
    return same


def typical_conditions(contract: Contract, n: int, seed: int) -> Conditions:
    """Return conditions spread evenly over what an exported file was trained for."""
    rng = np.random.default_rng(seed)
    return Conditions({column.name: _values(column, n, rng) for column in contract.columns})


def _values(column: Column, n: int, rng: np.random.Generator) -> Array:
    if column.categories is not None:
        return rng.choice(np.array(column.categories), n)
    if column.role == "cyclic" or column.range is None:
        return rng.uniform(-np.pi, np.pi, n)
    low, high = column.range
    if column.role == "log":
        return np.exp(rng.uniform(np.log(low), np.log(high), n))
    return rng.uniform(low, high, n)
