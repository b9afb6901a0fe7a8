"""Widths of a track's scores in each group of pads.

Scores of the scatter are standard normal over all tracks, but those of one track are correlated: a
delta electron along the track, a second particle close by, or a drift longer than that of the ideal
helix widens all clusters of a group. The root mean square of the scores in a group is therefore
drawn with the smooth numbers, and independent scores are scaled to it. So is the mean score of the
peaks: a stiff track crosses the pads of neighbouring rows at about the same place, which determines
the fraction of charge in the largest pad.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulacra.detectors import TPC

FEWEST = 3
"""Fewest clusters of a group that has a width."""
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
        """Number of groups of pads."""
        return len(self.rows)

    def known(self, present: Tensor) -> Tensor:
        """Return which groups (n, groups) have clusters enough, for rows (n, rows)."""
        return self._sums(present) >= FEWEST

    def log_widths(self, scores: Tensor, present: Tensor) -> Tensor:
        """Return the logarithms of widths (n, channels, groups) of scores (n, channels, rows).

        Args:
            scores: zero on rows that are not present.
            present: 1 or 0 (n, rows).
        """
        count = self._sums(present).clamp_min(1)[:, None]
        return (self._sums(scores.square()) / count).clamp_min(SMALLEST).log() / 2

    def moments(self, values: Tensor, present: Tensor) -> Tensor:
        """Return neighbour correlations and logarithms of widths (n, 2 channels, groups) of values.

        Both are of values (n, channels, rows) minus their mean in a group. A correlation is the sum
        of the products of neighbours over that of the squares, 0 where nothing varies.
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
        """Return scores (n, channels, rows), scaled to given logarithms of widths."""
        change = (widths - self.log_widths(scores, present)) * self.known(present)[:, None]
        return scores * self.on_rows(change.exp())

    def _sums(self, values: Tensor) -> Tensor:
        """Return the sums (..., groups) of values (..., rows)."""
        return torch.stack(
            [part.sum(dim=-1) for part in torch.split(values, self.rows, dim=-1)], dim=-1
        )
