"""What the charge in a row and in its neighbours says about everything else that the row answers.

Few electrons scatter the centre of gravity more than many do. A delta electron's charge stands out,
in one row or in two, and may lie far from the track. So how far a cluster scatters, how likely it
strays or follows its inner neighbour, and its largest pad go with three charges: a small network
slides over them, with what is known of the track and of the group of pads.
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
"""Score beyond which it does not matter how much larger a charge is."""
SEEN = 3
"""Rows that are looked at."""
BENDS = (
    ((0, 1, 0), (-9.0, -1.0, 1.0, 2.0, 3.0)),
    ((1, 0, 0), (-9.0, 1.0, 2.5)),
    ((0, 0, 1), (-9.0, 1.0, 2.5)),
    ((1, 1, 0), (4.0,)),
)
"""Where training begins: weights of the inner, the own and the outer charge, and the sums from
which on hidden units answer. Delta electrons are rare, and units that must be moved there first
would learn of them late."""


class Charges(NamedTuple):
    """Scores of the charge and what follows from them, (n, rows) each.

    Attributes:
        rise: the outer neighbour's score minus the inner one's, and what goes with it.
        along_z, across: change of the logarithm of the scatter.
        strayed, dragged: of the logits of straying, and of following the inner neighbour.
        tilt: of how much across follows z.
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
    """A network for each row that sees its charge and its neighbours'.

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
        """Return what follows from scores (n, rows), 0 where there is no cluster."""
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
        """Let hidden units begin with BENDS, as many as there are."""
        bends = [(weights, bend) for weights, group in BENDS for bend in group]
        with torch.no_grad():
            for unit, (weights, bend) in enumerate(bends[: self.width]):
                self.enter.weight[unit] = torch.tensor(weights, dtype=torch.float32)
                self.place.weight[:, unit] = -bend
