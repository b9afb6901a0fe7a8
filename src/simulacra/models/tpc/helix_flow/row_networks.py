"""Parameters of all rows by a small network that is evaluated at some of them, the knots.

The parameters change little from one row to the next: the network is given how the ideal helix
crosses the knots and features of the track; between knots its outputs are interpolated. Only the
rates of clusters and track ends may change sharply: functions of the distance to the helix's
farthest point and to the end of the drift volume are added to them, with coefficients that a linear
layer gives for the track.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.detectors import TPC
from simulacra.models.blocks.networks import dense
from simulacra.models.tpc.helix_flow.group_widths import row_groups
from simulacra.transforms.tpc.row_knots import row_knots
from simulacra.transforms.tpc.track_encoder import DRIFT, REACH, ROW_FEATURES

EDGES = (20.0, 300.0, 10.0, 300.0)
"""Scales of sharp changes, mm: two of the reach beyond the row, two of the drift length."""


class Range(NamedTuple):
    """Meaning of an output x of the network: offset + scale x, clamped to bounds."""

    scale: float
    offset: float = 0.0
    low: float = -1e4
    high: float = 1e4


class KnotNetwork(nn.Module):
    """Numbers for each row, given the track and how it meets the rows.

    Args:
        detector: a time-projection chamber.
        track: features of the track.
        width: hidden units.
        outputs: meaning of the numbers.
        sharp: how many of them, the first, may change sharply.
    """

    constants: Tensor
    weights: Tensor
    ranges: Tensor

    def __init__(
        self, detector: TPC, track: int, width: int, outputs: Sequence[Range], sharp: int
    ) -> None:
        super().__init__()
        knots, weights = row_knots(detector)
        self.register_buffer("weights", weights.mT.contiguous(), persistent=False)
        radii = torch.from_numpy(detector.row_radii).float()[:, None]
        group = functional.one_hot(row_groups(detector)).float()
        constants = torch.cat([group, 2 * radii / radii[-1] - 1], dim=1)
        self.register_buffer("constants", constants[knots], persistent=False)
        self.register_buffer("ranges", torch.tensor(list(outputs)).mT, persistent=False)
        self.row = nn.Linear(ROW_FEATURES, width)
        self.place = nn.Linear(constants.shape[1], width, bias=False)
        self.track = dense((track, 64, width), nn.SiLU)
        self.leave = dense((width, width, len(outputs)), nn.SiLU)
        self.wide = nn.Linear(track, len(outputs), bias=False)
        self.number_sharp = sharp
        self.sharp = nn.Linear(track, sharp * len(EDGES))

    def forward(self, track: Tensor, rows: Tensor) -> list[Tensor]:
        """Return each number for all rows (n, rows).

        Args:
            track: (n, track).
            rows: how the helix meets the knots (n, ROW_FEATURES, knots).
        """
        hidden = self.row(rows.mT) + self.place(self.constants)
        hidden = functional.silu(hidden + self.track(track)[:, None])
        scale, offset, low, high = self.ranges
        at_knots = torch.addcmul(offset, self.leave(hidden) + self.wide(track)[:, None], scale)
        at_knots = torch.minimum(torch.maximum(at_knots, low), high)
        values = self.between(at_knots.permute(2, 0, 1))
        sharp = self._sharp(track, self.between(rows[:, [REACH, DRIFT]].transpose(0, 1)))
        return [a + b for a, b in zip(values, sharp, strict=False)] + values[len(sharp) :]

    def between(self, at_knots: Tensor) -> list[Tensor]:
        """Return values at the knots (numbers, n, knots) interpolated to all rows (n, rows)."""
        # one product for each number: results stay in the cache
        knots = at_knots.contiguous().unbind(0)
        return [functional.linear(values, self.weights) for values in knots]

    def _sharp(self, track: Tensor, edges: Sequence[Tensor]) -> list[Tensor]:
        """Return the terms added to the numbers that may change sharply, (n, rows) each."""
        reach, drift = edges
        seen = [
            functional.softsign(edge * (1000.0 / scale))
            for edge, scale in zip((reach, reach, drift, drift), EDGES, strict=True)
        ]
        weights = self.sharp(track).view(-1, self.number_sharp, len(EDGES), 1)
        sums = []
        for number in range(self.number_sharp):
            total = seen[0] * weights[:, number, 0]
            for place in range(1, len(EDGES)):
                total = torch.addcmul(total, seen[place], weights[:, number, place])
            sums.append(total)
        return sums
