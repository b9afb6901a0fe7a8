"""How much the clusters of a track scatter in each group of pads, as a number of its own.

Scores of the scatter are standard normal over all tracks, but those of one track belong together: a
delta electron that flies along, a branch close by, a drift longer than the ideal helix says make
all clusters of a group scatter more. The root mean square of a group's scores is such a number; it
is drawn with the smooth ones, and independent scores are scaled to it. Where scores of a group have
a mean of their own, so is that: where a stiff track crosses the pads, and with it the largest pad's
part of the charge, changes little from row to row.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulacra.detectors import TPC

FEWEST = 3
"""Clusters in a group from which on it has a spread."""
SMALLEST = 1e-4


def row_groups(detector: TPC) -> Tensor:
    """Return the number of each row's group of pads (rows,)."""
    counts = torch.tensor([part.rows for part in detector.pad_rows])
    return torch.arange(len(counts)).repeat_interleave(counts)


class GroupWidths(nn.Module):
    """Logarithms of the root mean square of scores in each group of pads.

    Args:
        detector: a time-projection chamber.
    """

    group: Tensor

    def __init__(self, detector: TPC) -> None:
        super().__init__()
        self.rows = [part.rows for part in detector.pad_rows]
        self.register_buffer("group", row_groups(detector), persistent=False)

    @property
    def groups(self) -> int:
        """How many groups of pads there are."""
        return len(self.rows)

    def known(self, present: Tensor) -> Tensor:
        """Return which groups (n, groups) have clusters enough, for rows (n, rows)."""
        return self._sums(present) >= FEWEST

    def log_widths(self, scores: Tensor, present: Tensor) -> Tensor:
        """Return the spreads (n, channels, groups) of scores (n, channels, rows).

        Args:
            scores: zero on rows that are not present.
            present: 1 or 0 (n, rows).
        """
        count = self._sums(present).clamp_min(1)[:, None]
        return (self._sums(scores.square()) / count).clamp_min(SMALLEST).log() / 2

    def moments(self, values: Tensor, present: Tensor) -> Tensor:
        """Return correlations of neighbours and spreads (n, 2 channels, groups) of values.

        Of values (n, channels, rows) without their mean in a group: the sum of the products of
        neighbours over that of the squares, 0 where nothing varies; and the logarithm of the root
        mean square.
        """
        values = values * present[:, None]
        centred = (values - self.on_rows(self.levels(values, present[:, None]))) * present[:, None]
        parts = torch.split(centred, self.rows, dim=-1)
        products = [(part[..., 1:] * part[..., :-1]).sum(dim=-1) for part in parts]
        squares = self._sums(centred.square()).clamp_min(SMALLEST)
        correlations = torch.stack(products, dim=-1) / squares
        return torch.cat([correlations, self.log_widths(centred, present)], dim=1)

    def levels(self, scores: Tensor, present: Tensor) -> Tensor:
        """Return the means (..., groups) of scores (..., rows), zero on rows not present."""
        return self._sums(scores) / self._sums(present).clamp_min(1)

    def on_rows(self, values: Tensor) -> Tensor:
        """Return values of groups (..., groups) on their rows (..., rows)."""
        return values.index_select(-1, self.group)

    def given(self, scores: Tensor, present: Tensor, widths: Tensor) -> Tensor:
        """Return scores (n, channels, rows), scaled so that they have a given spread."""
        change = (widths - self.log_widths(scores, present)) * self.known(present)[:, None]
        return scores * self.on_rows(change.exp())

    def _sums(self, values: Tensor) -> Tensor:
        """Return the sums (..., groups) of values (..., rows)."""
        return torch.stack(
            [part.sum(dim=-1) for part in torch.split(values, self.rows, dim=-1)], dim=-1
        )
