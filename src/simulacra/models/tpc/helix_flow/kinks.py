"""The row of a track's kink, and its shape orthogonal to the polynomials.

A particle that decays continues in another direction: its deviations are straight up to a row, and
straight beyond it. The remainder of such a bend after projection on the polynomials is one more
shape; a kinked track has a coefficient of it in rphi and one in z.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.models.blocks.networks import dense
from simulacra.models.tpc.helix_flow.polynomials import orthonormal_rest
from simulacra.models.tpc.helix_flow.track_end import number_passed

SPACING = 3
"""Distance in rows of possible kinks."""
NUMBERS = 2
"""Features of a kink's place."""
LEAST_NOISE = 0.3
"""mm; least scatter of the residuals to the polynomials."""


class Kinks(nn.Module):
    """P(row of the kink | track, where it ends), and the shapes of kinks.

    Args:
        radii: of the rows (rows,), in metres.
        polynomials: of tracks that end in each row (rows + 1, orders, rows).
        context: number of features of a track.
    """

    shapes: Tensor
    possible: Tensor
    radii: Tensor

    def __init__(self, radii: Tensor, polynomials: Tensor, context: int) -> None:
        super().__init__()
        at = torch.arange(SPACING, len(radii) - 1, SPACING)
        bends = (radii - radii[at][:, None]).clamp_min(0.0)
        shapes = orthonormal_rest(polynomials, bends)
        self.register_buffer("shapes", shapes, persistent=False)
        self.register_buffer("possible", (shapes != 0).any(dim=2), persistent=False)
        self.register_buffer("radii", radii[at], persistent=False)
        self.rows = dense((context, 32, len(at)), nn.SiLU)

    def found(self, rough: Tensor, present: Tensor, passed: Tensor) -> Tensor:
        """Return the numbers (n,) of the kinks that fit the residuals to the polynomials best.

        Args:
            rough: those residuals in rphi and z (n, 2, rows), mm.
            present: 1 or 0 (n, rows).
            passed: 1 up to the last cluster, else 0 (n, rows).
        """
        rough = rough * present[:, None]
        count = present.sum(dim=1).clamp_min(1)[:, None]
        noise = (rough.abs().sum(dim=2) / count).clamp_min(LEAST_NOISE)
        parts = (rough / noise[..., None]) @ self.shapes[number_passed(passed)].mT
        numbers: Tensor = parts.square().sum(dim=1).argmax(dim=1)
        return numbers

    def drawn(self, context: Tensor, passed: Tensor, white: Tensor) -> Tensor:
        """Return the numbers (n,) of kinks, for normal noise (n, 1)."""
        chances = self._logits(context, passed).softmax(dim=1).cumsum(dim=1)
        below: Tensor = (chances < torch.special.ndtr(white)).sum(dim=1)
        return below.clamp_max(self.possible.shape[1] - 1)

    def errors(self, context: Tensor, passed: Tensor, number: Tensor) -> Tensor:
        """Return -log P (n, 1) of the numbers of kinks."""
        errors = functional.cross_entropy(self._logits(context, passed), number, reduction="none")
        return errors[:, None]

    def shape(self, passed: Tensor, number: Tensor, kinked: Tensor) -> Tensor:
        """Return the shapes (n, rows) of kinks, 0 where a track (n, 1) has none."""
        places = number_passed(passed) * self.shapes.shape[1] + number
        return self.shapes.flatten(0, 1).index_select(0, places) * kinked

    def place(self, passed: Tensor, number: Tensor, kinked: Tensor) -> Tensor:
        """Return the radius of kinks in metres and its square (n, NUMBERS), 0 without a kink."""
        radius = self.radii[number][:, None]
        possible = self.possible[number_passed(passed), number][:, None] * kinked
        return torch.cat([radius, radius.square()], dim=1) * possible

    def _logits(self, context: Tensor, passed: Tensor) -> Tensor:
        logits = cast("Tensor", self.rows(context))
        return torch.where(self.possible[number_passed(passed)], logits, -30.0)
