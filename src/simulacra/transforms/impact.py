"""Conditions as a network wants them that knows where the cells lie relative to the impact."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from simulacra.detectors import Calorimeter
from simulacra.transforms.encoder import ConditionEncoder
from simulacra.transforms.reflections import Reflections


class ImpactEncoder(nn.Module):
    """Standardised conditions, waves of the impact, and where each layer lies around it.

    The features are, in this order: those of :class:`ConditionEncoder` for the folded conditions;
    the square of the standardised energy; cos and sin of the impact at 1, 2, … ``waves`` half
    waves in half a reference cell; and for each layer and axis the position of the window's centre
    relative to the impact, in mm, not standardised (:attr:`positions` of them).

    Args:
        detector: a calorimeter.
        waves: number of waves per axis.
    """

    def __init__(self, detector: Calorimeter, waves: int) -> None:
        super().__init__()
        self.reflections = Reflections(detector)
        self.standard = ConditionEncoder(detector.conditions)
        self.positions = 2 * len(detector.layers)
        names = list(detector.conditions)
        self.energy = self.standard.place("energy")
        self._impacts: list[int] = []
        self._alignments: list[int] = []
        cell = detector.reference_cell or (1.0, 1.0)
        self.numbers = [math.pi * k for k in range(1, waves + 1)]
        self.halves: list[float] = []
        for axis, name in enumerate(detector.axes):
            if detector.reference_cell is not None:
                self._impacts.append(names.index(f"impact_{name}"))
                self.halves.append(cell[axis] / 2)
                alignment = f"alignment_{name}"
                self._alignments.append(names.index(alignment) if alignment in names else -1)
            table = [detector.window_offset(layer, axis) for layer in detector.layers]
            offsets = torch.tensor([list(row) for row in table]).T  # (states, layers)
            self.register_buffer(f"offsets_{axis}", offsets.float(), persistent=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order in which :meth:`forward` takes them."""
        return self.standard.names

    @property
    def features(self) -> int:
        """Number of features that :meth:`forward` returns."""
        waves = 2 * len(self.numbers) * len(self._impacts)
        return self.standard.features + 1 + waves + self.positions

    def fit(self, columns: Tensor) -> None:
        """Set the standardisation from training conditions (n, columns)."""
        self.standard.fit(self.reflections.fold(columns))

    def forward(self, columns: Tensor) -> Tensor:
        """Return features (n, features) of conditions (n, columns)."""
        folded = self.reflections.fold(columns)
        standard = self.standard(folded)
        parts = [standard, standard[:, self.energy : self.energy + 1].square() / 2]
        numbers = folded.new_tensor(self.numbers)
        for impact, half in zip(self._impacts, self.halves, strict=True):
            phase = folded[:, impact : impact + 1] / half * numbers
            parts += [phase.cos(), phase.sin()]
        for axis in range(2):
            parts.append(self._positions(folded, axis))
        return torch.cat(parts, dim=1)

    def _positions(self, folded: Tensor, axis: int) -> Tensor:
        """Return where the layers' windows lie (n, layers) relative to the impact, in mm."""
        offsets = self.get_buffer(f"offsets_{axis}")
        if not self._impacts:
            return offsets.expand(folded.shape[0], -1)
        alignment = self._alignments[axis]
        states = torch.arange(len(offsets), dtype=folded.dtype, device=folded.device)
        state = folded[:, alignment : alignment + 1] if alignment >= 0 else folded[:, :1] * 0
        impact = folded[:, self._impacts[axis] : self._impacts[axis] + 1]
        return (state == states).to(folded.dtype) @ offsets - impact
