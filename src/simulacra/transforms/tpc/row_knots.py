"""Some pad rows that stand for all: what changes slowly along a track is known between them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from simulacra.detectors import TPC

SPACING = 12
"""Rows between two knots, at most."""


def row_knots(detector: TPC) -> tuple[Tensor, Tensor]:
    """Return the knots of a chamber (k,) and the weights (k, rows) of all rows."""
    return interpolation([part.rows for part in detector.pad_rows], SPACING)


def interpolation(counts: Sequence[int], spacing: int) -> tuple[Tensor, Tensor]:
    """Return knots (k,) in groups of rows, and the weights (k, rows) of linear interpolation.

    Each group begins and ends with a knot.
    """
    knots, weights, first = [], [], 0
    for count in counts:
        number = max(math.ceil((count - 1) / spacing), 1) + 1
        places = torch.linspace(0, count - 1, number).round()
        distance = torch.arange(count)[None] - places[:, None]
        after = torch.cat([places.diff(), torch.ones(1)]).clamp_min(1)[:, None]
        before = torch.cat([torch.ones(1), places.diff()]).clamp_min(1)[:, None]
        part = torch.where(distance < 0, 1 + distance / before, 1 - distance / after).clamp_min(0)
        knots.append(places.long() + first)
        weights.append(functional.pad(part, (first, sum(counts) - first - count)))
        first += count
    return torch.cat(knots), torch.cat(weights)
