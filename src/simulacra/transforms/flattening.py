"""Maps after which a spectrum is made of normal distributions.

A single particle that crosses a layer of argon leaves a certain energy there, whatever the shower
is like: the energies of cells have edges and tails at fixed places in MeV. A distribution that only
knows where it lies, how wide and how skewed it is, smears them. What is common to all cells of a
layer at all energies is taken out beforehand: with p the density of the logarithm x of a cell's
energy, pooled over cells and events, and q the density that it would have if each cell were
log-normal at each energy, the map with the slope p / q makes them so, as far as one map can.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from scipy.special import ndtr
from torch import Tensor, nn

from simulacra.arrays import FloatArray, IntArray

BIN = 0.05
"""Of the histogram of x."""
SMOOTH = 2.0
"""Standard deviation in bins over which the slope is smoothed."""
ROUNDS = 4
"""The classes' means and widths change with the map: so often it is found anew."""
FEWEST = 20_000
"""Values below which the map is the identity."""
FEW = 20
"""Counts on either side of the ratio, so that sparse ends do not follow their fluctuations."""
STEEPEST = 5.0
"""Largest slope, and its inverse the smallest."""
LEAST_WIDTH = 0.1
"""Of a cell's logarithm."""
KNOTS = 512


class Flattening(nn.Module):
    """One map for each of some groups of features: x to u by :meth:`forward`, and back.

    Args:
        group: which group each feature belongs to (features,).
    """

    group: Tensor
    start: Tensor
    step: Tensor
    table: Tensor

    def __init__(self, group: Tensor) -> None:
        super().__init__()
        groups = int(group.max()) + 1
        self.register_buffer("group", group, persistent=False)
        self.register_buffer("start", torch.full((groups,), -1.0))
        self.register_buffer("step", torch.full((groups,), 2.0 / (KNOTS - 1)))
        self.register_buffer("table", torch.linspace(-1, 1, KNOTS).expand(groups, -1).clone())

    def fit(self, values: Tensor, classes: Tensor) -> None:
        """Set the maps.

        Args:
            values: (n, features); infinite ones are left out.
            classes: to which class of alike events each belongs (n,), from 0.
        """
        full = torch.isfinite(values)
        number_of_classes = int(classes.max()) + 1
        for number in range(len(self.table)):
            here = torch.nonzero(self.group == number)[:, 0]
            some = full[:, here]
            if int(some.sum()) < FEWEST:
                continue
            alike = torch.arange(len(here)) * number_of_classes + classes[:, None]
            edges, u = _flat(values[:, here][some].double().numpy(), alike[some].numpy())
            grid = np.linspace(u[0], u[-1], KNOTS)
            self.start[number], self.step[number] = float(u[0]), float(grid[1] - grid[0])
            self.table[number] = torch.from_numpy(np.interp(grid, u, edges)).float()

    def forward(self, x: Tensor) -> Tensor:
        """Return u of x (n, features), all finite."""
        parts = []
        for feature in range(x.shape[1]):
            number = int(self.group[feature])
            table = self.table[number].to(x.dtype)
            found = torch.searchsorted(table, x[:, feature].contiguous()) - 1
            place = found.clamp(0, KNOTS - 2)
            low, high = table[place], table[place + 1]
            part = (x[:, feature] - low) / (high - low)
            inside = self.start[number] + self.step[number] * (place + part.clamp(0.0, 1.0))
            beyond = (x[:, feature] - table[-1]).clamp_min(0) + (
                x[:, feature] - table[0]
            ).clamp_max(0)
            parts.append(inside + beyond)
        return torch.stack(parts, dim=1)

    def inverse(self, u: Tensor) -> Tensor:
        """Return x of u (n, features); beyond the table it goes on with the slope 1."""
        start, step = self.start[self.group], self.step[self.group]
        place = (u - start) / step
        inside = place.clamp(0, KNOTS - 1)
        index = inside.floor().clamp_max(KNOTS - 2)
        flat = index.long() + self.group * KNOTS
        table = self.table.flatten()
        low, high = table[flat], table[flat + 1]
        return low + (inside - index) * (high - low) + (place - inside) * step


def _flat(values: FloatArray, alike: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return edges in x and their u; the highest edge stays where it is."""
    low, high = float(values.min()), float(values.max())
    number = max(int(np.ceil((high - low) / BIN)), 2)
    counts, edges = np.histogram(values, number, (low, high))
    steps = np.diff(edges)
    slope = np.ones(number)
    for _ in range(ROUNDS):
        u = np.concatenate([[0.0], np.cumsum(slope * steps)])
        expected = _normal_counts(np.interp(values, edges, u), alike, u)
        ratio = np.log((counts + FEW) / (expected + FEW))
        slope = slope * np.exp(gaussian_filter1d(ratio, SMOOTH, mode="nearest"))
        slope = np.clip(slope, 1 / STEEPEST, STEEPEST)
    u = np.concatenate([[0.0], np.cumsum(slope * steps)])
    return edges, u - u[-1] + edges[-1]


def _normal_counts(u: FloatArray, alike: IntArray, edges: FloatArray) -> FloatArray:
    """Return the counts in bins that values would have if alike ones were normal."""
    events = np.bincount(alike)
    some = np.flatnonzero(events)
    n = events[some]
    mean = np.bincount(alike, u)[some] / n
    square = np.bincount(alike, u**2)[some] / n - mean**2
    width = np.sqrt(np.maximum(square, LEAST_WIDTH**2))
    below = np.zeros(len(edges))
    for part in np.array_split(np.arange(len(some)), max(len(some) // 1000, 1)):
        z = (edges[:, None] - mean[part]) / width[part]
        below += ndtr(z) @ n[part]
    expected: FloatArray = np.diff(below)
    return expected
