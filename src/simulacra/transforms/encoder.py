"""Conditions in physical units to the features that networks take."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from simulacra.detectors import ConditionSpec
from simulacra.transforms.base import Slices, slices_of

ENCODED, PHYSICAL = "encoded", "physical"
"""Blocks of :class:`EncodedAndPhysical`."""


class ConditionEncoder(nn.Module):
    """Conditions in physical units to network features.

    ``log`` columns become standardised logarithms, ``linear`` ones are standardised, ``cyclic``
    ones become cosine and sine, ``categorical`` ones one-hot. The order is the detector's.

    Args:
        specs: the conditions that a detector declares, in order.
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, specs: Mapping[str, ConditionSpec]) -> None:
        super().__init__()
        self.specs = dict(specs)
        self.register_buffer("offset", torch.zeros(len(specs)))
        self.register_buffer("scale", torch.ones(len(specs)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order in which :meth:`forward` takes them."""
        return tuple(self.specs)

    @property
    def features(self) -> int:
        """Number of features that :meth:`forward` returns."""
        return sum(map(_width, self.specs.values()))

    @property
    def slices(self) -> Slices:
        """Where the features of each condition stand."""
        return slices_of((name, _width(spec)) for name, spec in self.specs.items())

    def fit(self, columns: Tensor) -> None:
        """Set the standardisation from training conditions (n, columns)."""
        for i, spec in enumerate(self.specs.values()):
            if spec.role in ("log", "linear"):
                column = columns[:, i].double()
                column = column.log() if spec.role == "log" else column
                spread = column.std() if len(column) > 1 else torch.tensor(0.0)
                self.offset[i] = column.mean()
                self.scale[i] = torch.where(spread > 0, 1 / spread, 1.0)

    def forward(self, columns: Tensor) -> Tensor:
        """Return features (n, features) of conditions (n, columns)."""
        parts = []
        for i, spec in enumerate(self.specs.values()):
            column = columns[:, i : i + 1]
            if spec.role == "categorical":
                categories = torch.tensor(spec.categories, dtype=column.dtype, device=column.device)
                parts.append((column == categories).to(column.dtype))
            elif spec.role == "cyclic":
                parts.append(torch.cat([column.cos(), column.sin()], dim=1))
            else:
                value = column.log() if spec.role == "log" else column
                parts.append((value - self.offset[i]) * self.scale[i])
        return torch.cat(parts, dim=1)


class EncodedAndPhysical(nn.Module):
    """Features of a :class:`ConditionEncoder`, and after them the columns as they came.

    For models with a loss in physical units; what their networks see are the first features.

    Args:
        specs: the conditions that a detector declares, in order.
    """

    def __init__(self, specs: Mapping[str, ConditionSpec]) -> None:
        super().__init__()
        self.standard = ConditionEncoder(specs)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order in which :meth:`forward` takes them."""
        return self.standard.names

    @property
    def features(self) -> int:
        """Number of features that :meth:`forward` returns."""
        return self.standard.features + len(self.names)

    @property
    def slices(self) -> Slices:
        """Where :data:`ENCODED` and :data:`PHYSICAL` columns stand."""
        return slices_of([(ENCODED, self.standard.features), (PHYSICAL, len(self.names))])

    def fit(self, columns: Tensor) -> None:
        """Set the standardisation from training conditions (n, columns)."""
        self.standard.fit(columns)

    def forward(self, columns: Tensor) -> Tensor:
        """Return features (n, features) of conditions (n, columns)."""
        return torch.cat([self.standard(columns), columns], dim=1)


def _width(spec: ConditionSpec) -> int:
    """Return the number of a condition's features."""
    return len(spec.categories) if spec.categories else 2 if spec.role == "cyclic" else 1
