"""Mirror symmetry: a shower right of the middle of its cell is one left of it, seen in a mirror."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from simulacra.detectors import Calorimeter


class Reflections(nn.Module):
    """Folds events so that the particle always hits the upper half of the reference cell.

    A stack of slabs and a beam along its axis have no handedness: mirrored in x or y, an event is
    as likely as before. Folding uses that exactly, and what learns from folded events learns from
    as many as if there were two for each axis.

    An axis is folded where the detector declares an impact along it, its windows lie symmetrically
    and no condition beyond energy, impact and alignment could tell left from right.

    Args:
        detector: a calorimeter.
    """

    mirrors: Tensor

    def __init__(self, detector: Calorimeter) -> None:
        super().__init__()
        self.cells = detector.n_cells
        names = list(detector.conditions)
        axes = [axis for axis in range(2) if _is_symmetric(detector, axis)]
        self.impacts = [names.index(f"impact_{detector.axes[axis]}") for axis in axes]
        self.alignments: list[tuple[int, int]] = []
        for axis in axes:
            states, name = detector.alignment_states[axis], f"alignment_{detector.axes[axis]}"
            self.alignments.append((names.index(name) if states > 1 else -1, states))
        orders = [_mirrored_cells(detector, axis) for axis in axes]
        mirrors = torch.tensor(np.array(orders).reshape(-1, self.cells), dtype=torch.int64)
        self.register_buffer("mirrors", mirrors, persistent=False)

    def fold(self, columns: Tensor) -> Tensor:
        """Return conditions (n, columns) of the mirrored events: no impact is negative."""
        parts = list(torch.split(columns, 1, dim=1))
        for impact, (alignment, states) in zip(self.impacts, self.alignments, strict=True):
            if alignment >= 0:
                turned = states - 1 - parts[alignment]
                parts[alignment] = torch.where(parts[impact] < 0, turned, parts[alignment])
            parts[impact] = parts[impact].abs()
        return torch.cat(parts, dim=1)

    def mirror(self, cells: Tensor, columns: Tensor) -> Tensor:
        """Return cells (n, cells) of the mirrored events, or of the original ones for mirrored.

        Args:
            cells: in the detector's order.
            columns: the conditions before they were folded, (n, columns).
        """
        for impact, order in zip(self.impacts, self.mirrors, strict=True):
            turned = columns[:, impact : impact + 1] < 0
            cells = torch.where(turned, cells[:, order], cells)
        return cells


def _is_symmetric(detector: Calorimeter, axis: int) -> bool:
    states = detector.alignment_states[axis]
    understood = {"energy"} | {
        f"{k}_{name}" for k in ("impact", "alignment") for name in detector.axes
    }
    if f"impact_{detector.axes[axis]}" not in detector.conditions:
        return False
    if states > 1 and f"alignment_{detector.axes[axis]}" not in detector.conditions:
        return False
    offsets = [detector.window_offset(layer, axis) for layer in detector.layers]
    return set(detector.conditions) <= understood and all(
        np.allclose(offset, -offset[::-1]) for offset in offsets
    )


def _mirrored_cells(detector: Calorimeter, axis: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return which cell each cell becomes when the axis is turned round."""
    order = np.arange(detector.n_cells)
    for layer in detector.layers:
        order[layer.cells] = np.flip(order[layer.cells].reshape(layer.shape), axis).ravel()
    return order
