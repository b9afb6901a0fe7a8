"""Maps that flatten sharp features of a spectrum and leave its broad course as it is.

A single particle that crosses a layer of argon leaves a certain energy there, whatever the shower
is like: cell energies have edges and peaks at fixed places in MeV. A distribution that only knows
where it lies and how wide it is smears them. With p the density of the logarithm x and p~ the same
density smoothed, the map with the slope p / p~ takes them out: what follows p before follows
something as smooth as p~ after, and where p is smooth nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor, nn

from simulacra.arrays import FloatArray

BIN = 0.05
"""Of the histogram of x."""
SMOOTH = 0.8
"""Standard deviation in x over which the course counts as broad."""
FEWEST = 20_000
"""Values below which the map is the identity."""
STEEPEST = 5.0
"""Largest slope, and its inverse the smallest."""
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

    def fit(self, samples: Sequence[Tensor]) -> None:
        """Set the maps from the values of each group (n,), all finite."""
        for number, sample in enumerate(samples):
            if len(sample) < FEWEST:
                continue
            edges, u = _flat(sample.double().numpy())
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


def _flat(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return edges in x and their u; the highest edge stays where it is."""
    low, high = float(values.min()), float(values.max())
    number = max(int(np.ceil((high - low) / BIN)), 2)
    counts, edges = np.histogram(values, number, (low, high))
    width = SMOOTH * number / (high - low)
    broad = gaussian_filter1d(counts.astype(np.float64), width, mode="reflect")
    # some counts on either side, so that the sparse ends follow neither their fluctuations
    few = FEWEST / 1000
    slope = np.clip((counts + few) / (broad + few), 1 / STEEPEST, STEEPEST)
    u = np.concatenate([[0.0], np.cumsum(slope * np.diff(edges))])
    return edges, u - u[-1] + edges[-1]
