"""Conditions as a network wants them that knows where the cells lie relative to the particle."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from simulacra.detectors import Calorimeter
from simulacra.detectors.calorimeter.segmentation import CartesianSegmentation
from simulacra.detectors.calorimeter.stack import Tube
from simulacra.transforms.base import Slices, slices_of
from simulacra.transforms.calorimeter.line import Line, declared_axes
from simulacra.transforms.calorimeter.reflections import Reflections
from simulacra.transforms.calorimeter.sides import Sides
from simulacra.transforms.encoder import ConditionEncoder

EVENT, WAVES, POSITIONS = "event", "waves", "positions"
"""Blocks of features: the event, in it the place within a cell, and the places of the layers along
either axis."""


class ImpactEncoder(nn.Module):
    """Standardised conditions, waves of the impact, and where each layer lies around it.

    The features are, in this order: those of :class:`ConditionEncoder` for the folded conditions;
    the square of the standardised energy; those of :class:`Sides` where asked for; cos and sin of
    the impact at 1, 2, … ``waves`` half waves in half a cell (:attr:`waves` of them); and for each
    layer and axis the position of the middle of its cells relative to the particle's line in that
    layer, in mm, not standardised (:attr:`positions` of them). Rings have none: those that follow
    the particle lie around its line, and for others a distance along an axis says nothing.

    Args:
        detector: a calorimeter.
        waves: number of waves per axis.
        symmetries: which to fold by. None is for simulators that do not say it: they see positions
            relative to the impact on the front face, whatever the direction.
        sides: whether the place of the particle's line between the sides of the stack is added.
    """

    def __init__(
        self,
        detector: Calorimeter,
        waves: int,
        symmetries: Sequence[str] | None = None,
        *,
        sides: bool = False,
    ) -> None:
        super().__init__()
        self.reflections = Reflections(detector, symmetries)
        self.standard = ConditionEncoder(detector.conditions)
        self.positions = 2 * len(detector.layers)
        names = list(detector.conditions)
        self.energy = self.standard.slices["energy"]
        self.numbers = [math.pi * k for k in range(1, waves + 1)]
        self._impacts: list[int] = []
        self.halves: list[float] = []
        self._of_axis: list[int] = []
        self._alignments: list[int] = []
        declared = declared_axes(detector, symmetries)
        for axis, name in enumerate(detector.axes):
            impact, alignment = f"impact_{name}", f"alignment_{name}"
            self._of_axis.append(names.index(impact) if axis in declared else -1)
            self._alignments.append(names.index(alignment) if alignment in names else -1)
            if axis in declared:
                self._impacts.append(names.index(impact))
                self.halves.append(_half_wave(detector, axis))
            table = [detector.window_offset(layer, axis) for layer in detector.layers]
            offsets = torch.tensor([list(row) for row in table]).T  # (states, layers)
            self.register_buffer(f"offsets_{axis}", offsets.float(), persistent=False)
        self.line = None if symmetries is None else Line(detector)
        self.sides = Sides(detector) if sides else None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order in which :meth:`forward` takes them."""
        return self.standard.names

    @property
    def features(self) -> int:
        """Number of features that :meth:`forward` returns."""
        sides = self.sides.features if self.sides is not None else 0
        return self.standard.features + 1 + sides + self.waves + self.positions

    @property
    def waves(self) -> int:
        """Number of features of the impact within its cell, before the positions."""
        return 2 * len(self.numbers) * len(self._impacts)

    @property
    def slices(self) -> Slices:
        """Where :data:`EVENT` and :data:`POSITIONS` stand, and each condition within the first.

        :data:`WAVES`, the last part of the event, is the place of the impact within its cell.
        """
        event = self.features - self.positions
        return {
            **self.standard.slices,
            **slices_of([(EVENT, event), (POSITIONS, self.positions)]),
            WAVES: slice(event - self.waves, event),
        }

    def fit(self, columns: Tensor) -> None:
        """Set the standardisation from training conditions (n, columns)."""
        self.standard.fit(self.reflections.fold(columns))

    def forward(self, columns: Tensor) -> Tensor:
        """Return features (n, features) of conditions (n, columns)."""
        folded = self.reflections.fold(columns)
        standard = self.standard(folded)
        parts = [standard, standard[:, self.energy].square() / 2]
        if self.sides is not None:
            parts.append(self.sides(folded))
        numbers = folded.new_tensor(self.numbers)
        for impact, half in zip(self._impacts, self.halves, strict=True):
            phase = folded[:, impact : impact + 1] / half * numbers
            parts += [phase.cos(), phase.sin()]
        for axis in range(2):
            position = self._positions(folded, axis)
            parts.append(position if self.line is None else self.line(position, folded, axis))
        return torch.cat(parts, dim=1)

    def _positions(self, folded: Tensor, axis: int) -> Tensor:
        """Return where the layers' windows lie (n, layers) relative to the impact, in mm."""
        offsets = self.get_buffer(f"offsets_{axis}")
        if self._of_axis[axis] < 0:
            return offsets[:1].expand(folded.shape[0], -1)
        alignment = self._alignments[axis]
        states = torch.arange(len(offsets), dtype=folded.dtype, device=folded.device)
        state = folded[:, alignment : alignment + 1] if alignment >= 0 else folded[:, :1] * 0
        impact = folded[:, self._of_axis[axis] : self._of_axis[axis] + 1]
        return (state == states).to(folded.dtype) @ offsets - impact


def lie_alike(detector: Calorimeter, symmetries: Sequence[str] | None) -> bool:
    """Return whether positions are the same for all events."""
    if declared_axes(detector, symmetries):
        return False
    return symmetries is None or not {"theta", "phi"} & set(detector.conditions)


def _half_wave(detector: Calorimeter, axis: int) -> float:
    """Return the size in mm that a half wave fills: half a cell's; of a tube, half its width."""
    if isinstance(detector.volume, Tube):
        return detector.volume.radius
    cells = {
        section.name: section.readout.segmentation.cell[axis]
        for section in detector.readout_sections
        if section.readout is not None
        and isinstance(section.readout.segmentation, CartesianSegmentation)
    }
    if detector.reference in cells:
        return cells[detector.reference] / 2
    return min(cells.values(), default=detector.volume.width[axis]) / 2
