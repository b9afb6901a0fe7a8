"""The mean of a track's scores in each group of pads, as a number of its own.

Where a stiff track crosses the pads, and with it the largest pad's part of the charge, changes
little from row to row: scores of one group belong together. Their mean is drawn with the smooth
numbers, and independent scores are moved to it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulacra.detectors import Tpc

FEWEST = 3
"""Clusters in a group from which on it has a level."""


class GroupLevels(nn.Module):
    """Means of scores in each group of pads.

    Args:
        detector: a time-projection chamber.
    """

    members: Tensor

    def __init__(self, detector: Tpc) -> None:
        super().__init__()
        counts = torch.tensor([part.rows for part in detector.pad_rows])
        members = torch.eye(len(counts)).repeat_interleave(counts, dim=0)
        self.register_buffer("members", members, persistent=False)

    @property
    def groups(self) -> int:
        """How many groups of pads there are."""
        return self.members.shape[1]

    def known(self, present: Tensor) -> Tensor:
        """Return which groups (n, groups) have clusters enough, for rows (n, rows)."""
        return present @ self.members >= FEWEST

    def of(self, scores: Tensor, present: Tensor) -> Tensor:
        """Return the means (n, groups) of scores (n, rows) that are zero on rows not present."""
        return (scores @ self.members) / (present @ self.members).clamp_min(1)

    def moved(self, scores: Tensor, present: Tensor, levels: Tensor) -> Tensor:
        """Return scores (n, rows), moved so that groups have levels (n, groups) where they can."""
        change = torch.where(self.known(present), levels - self.of(scores * present, present), 0.0)
        return torch.addmm(scores, change, self.members.mT)
