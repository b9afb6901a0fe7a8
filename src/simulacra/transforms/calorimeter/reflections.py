"""Mirror symmetry: a shower right of the middle is one left of it, seen in a mirror."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from simulacra.detectors import Calorimeter
from simulacra.transforms.calorimeter.symmetries import (
    Flip,
    Flipped,
    flipped_by,
    mirror_of,
    mirrored_cells,
    symmetries_or_earlier,
)


class Reflections(nn.Module):
    """Folds events so that particles always come in on one side.

    Folding uses exactly that events are as likely as before when they are mirrored, and what learns
    from folded events learns from as many as if there were two for each axis. In windows the mirror
    stands in the middle of the reference cell, elsewhere in the middle of the detector.

    Args:
        detector: a calorimeter.
        symmetries: which to use; None: those of simulators that do not say it.

    Attributes:
        axes: those that are folded.
        impacts: the columns that tell the sides apart, axis by axis.
    """

    mirrors: Tensor

    def __init__(self, detector: Calorimeter, symmetries: Sequence[str] | None = None) -> None:
        super().__init__()
        self.cells = detector.n_cells
        used = symmetries_or_earlier(detector, symmetries)
        self.axes = [
            axis
            for axis in range(2)
            if mirror_of(detector, axis) in used and flipped_by(detector, axis)
        ]
        self.states = detector.alignment_states
        self.flips: list[tuple[Flipped, ...]] = [flipped_by(detector, axis) for axis in self.axes]
        self.impacts = [flips[0].column for flips in self.flips]
        orders = [mirrored_cells(detector, axis) for axis in self.axes]
        mirrors = torch.tensor(np.array(orders).reshape(-1, self.cells), dtype=torch.int64)
        self.register_buffer("mirrors", mirrors, persistent=False)

    def fold(self, columns: Tensor) -> Tensor:
        """Return conditions (n, columns) of the mirrored events: no impact is negative."""
        parts = list(torch.split(columns, 1, dim=1))
        for axis, flips in zip(self.axes, self.flips, strict=True):
            turned = _is_turned(columns, flips[0])
            for flip in flips:
                kept = parts[flip.column]
                if flip == flips[0] and flip.how is Flip.NEGATIVE:
                    parts[flip.column] = kept.abs()
                else:
                    other = self._flipped(kept, flip.how, axis)
                    parts[flip.column] = torch.where(turned, other, kept)
        return torch.cat(parts, dim=1)

    def mirror(self, cells: Tensor, columns: Tensor) -> Tensor:
        """Return cells (n, cells) of the mirrored events, or of the original ones for mirrored.

        Args:
            cells: in the detector's order.
            columns: the conditions before they were folded, (n, columns).
        """
        for flips, order in zip(self.flips, self.mirrors, strict=True):
            cells = torch.where(_is_turned(columns, flips[0]), cells[:, order], cells)
        return cells

    def _flipped(self, column: Tensor, how: Flip, axis: int) -> Tensor:
        if how is Flip.ALIGNMENT:
            return self.states[axis] - 1 - column
        return math.pi - column if how is Flip.OTHER_AZIMUTH else -column


def _is_turned(columns: Tensor, flip: Flipped) -> Tensor:
    """Return whether events are on the side that is mirrored (n, 1)."""
    column = columns[:, flip.column : flip.column + 1]
    if flip.how is Flip.OPPOSITE_AZIMUTH:
        return column.sin() < 0
    return (column.cos() if flip.how is Flip.OTHER_AZIMUTH else column) < 0
