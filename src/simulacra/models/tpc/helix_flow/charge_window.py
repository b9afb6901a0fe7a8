"""Dependence of a row's residuals and peak on its charge and those of its two neighbours.

The centre of gravity of few electrons scatters more than that of many. A delta electron leaves a
large charge in one row or two, and may lie far from the track. The scatter of a cluster, the
probabilities of outliers and pulled clusters, and the largest pad therefore depend on three
charges: a small network slides over the rows, with features of the track and of the pad group.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.detectors import TPC
from simulacra.models.blocks.networks import dense
from simulacra.models.tpc.helix_flow.group_widths import row_groups

LARGEST_CHARGE = 6.0
"""Scores are clamped to this on both sides."""
SEEN = 3
"""Rows in the window."""
BENDS = (
    ((0, 1, 0), (-9.0, -1.0, 1.0, 2.0, 3.0)),
    ((1, 0, 0), (-9.0, 1.0, 2.5)),
    ((0, 0, 1), (-9.0, 1.0, 2.5)),
    ((1, 1, 0), (4.0,)),
)
"""Initial hidden units: weights of the inner, own and outer charge, and thresholds of their sum.
Delta electrons are rare; units that have to move to their charges first learn them late."""


class Charges(NamedTuple):
    """Changes of a row's parameters by the charges, (n, rows) each.

    Attributes:
        rise: the outer neighbour's score minus the inner one's, plus a correction.
        z, r_phi: of the logarithms of the scatter.
        outlier, pulled: of the logits of these kinds.
        tilt: of the slope of the rphi residual in the z residual.
        peak, peak_scale: of log(q_max / q), and of the logarithm of its scatter.
    """

    rise: Tensor
    z: Tensor
    r_phi: Tensor
    outlier: Tensor
    pulled: Tensor
    tilt: Tensor
    peak: Tensor
    peak_scale: Tensor


class ChargeWindow(nn.Module):
    """A network that is given the charges of a row and its two neighbours.

    Args:
        detector: a time-projection chamber.
        track: number of features of the track.
        width: hidden units.
    """

    def __init__(self, detector: TPC, track: int, width: int) -> None:
        super().__init__()
        self.register_buffer("group", row_groups(detector), persistent=False)
        self.width = width
        self.enter = nn.Linear(SEEN, width, bias=False)
        self.place = nn.Embedding(len(detector.pad_rows), width)
        self.track = dense((track, 32, width), nn.SiLU)
        self.leave = nn.Linear(width, len(Charges._fields), bias=False)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.place.weight)
        self._bend()

    def forward(self, scores: Tensor, track: Tensor) -> Charges:
        """Return the changes for scores (n, rows), 0 where there is no cluster."""
        n, rows = scores.shape
        padded = functional.pad(scores.clamp(-LARGEST_CHARGE, LARGEST_CHARGE), (1, 1))
        seen = [padded[:, :-2], padded[:, 1:-1], padded[:, 2:]]
        # hidden units come first: each is one contiguous table
        hidden = self.enter.weight @ torch.stack(seen).view(SEEN, n * rows)
        hidden = hidden.view(self.width, n, rows)  # large: changed in place
        hidden.add_(self.track(track).mT[:, :, None]).add_(self.place(self.group).mT[:, None])
        hidden.relu_()
        changes = self.leave.weight @ hidden.view(self.width, n * rows)
        rise, *further = changes.view(-1, n, rows).unbind(0)
        return Charges(rise + seen[2] - seen[0], *further)

    def _bend(self) -> None:
        """Initialise the hidden units with BENDS, as many as there are."""
        bends = [(weights, bend) for weights, group in BENDS for bend in group]
        with torch.no_grad():
            for unit, (weights, bend) in enumerate(bends[: self.width]):
                self.enter.weight[unit] = torch.tensor(weights, dtype=torch.float32)
                self.place.weight[:, unit] = -bend
