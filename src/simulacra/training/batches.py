"""The batches of a training: from features in memory, drawn with replacement."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, cast

import torch
from torch import Generator, Tensor, nn

from simulacra.transforms import Transform
from simulacra.transforms.drawn import integers

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Drawn(Protocol):
    """Events of a batch whose features are made when they are asked for."""

    conditions: Tensor

    def features(self, rng: Generator) -> Tensor:
        """Return what the model learns (n, ...), with fresh noise."""


class Batches(Protocol):
    """Training events as a loop takes them: on its device, the rows of this process."""

    shape: tuple[int, ...]
    """Of the features of an event."""

    def to(self, fabric: Fabric) -> Batches:
        """Return the batches on the device and for the process of Fabric."""

    def draw(self, n: int, rng: Generator) -> Drawn:
        """Return ``n`` events of the next step."""

    def sample(self, n: int, rng: Generator) -> Drawn:
        """Return ``n`` events at random, which are not counted as seen."""

    def conditions(self, n: int, rng: Generator) -> Tensor:
        """Return the encoded conditions of ``n`` events at random (n, conditions)."""

    def state(self) -> dict[str, Tensor]:
        """Return where the batches stand, as named tensors."""

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from :meth:`state`."""


class InMemory:
    """Batches from features that lie in the device's memory.

    Args:
        features: what the model learns (n, ...).
        conditions: encoded conditions (n, conditions).
        transform: makes fresh noise.
    """

    def __init__(self, features: Tensor, conditions: Tensor, transform: Transform) -> None:
        self._features, self._conditions = features, conditions
        self._transform = transform
        self.shape = tuple(features.shape[1:])

    def to(self, fabric: Fabric) -> InMemory:
        """Return the batches on the device of Fabric."""
        device = fabric.device
        if self._features.device == device:
            return self
        return InMemory(
            self._features.to(device),
            self._conditions.to(device),
            on_device(self._transform, device),
        )

    def draw(self, n: int, rng: Generator) -> Rows:
        """Return ``n`` events, drawn with replacement."""
        index = self._index(n, rng)
        return Rows(self._features, index, self._conditions[index], self._transform)

    sample = draw

    def conditions(self, n: int, rng: Generator) -> Tensor:
        """Return the encoded conditions of ``n`` events at random (n, conditions)."""
        return self._conditions[self._index(n, rng)]

    def _index(self, n: int, rng: Generator) -> Tensor:
        return integers(len(self._features), n, rng, self._features.device)

    def state(self) -> dict[str, Tensor]:
        """Return nothing: each batch depends on the generator alone."""
        return {}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Do nothing."""


class Rows:
    """Events of a batch at some rows of features.

    Args:
        features: of all events.
        index: the rows.
        conditions: those of the batch.
        transform: makes fresh noise.
    """

    def __init__(
        self, features: Tensor, index: Tensor, conditions: Tensor, transform: Transform
    ) -> None:
        self._features, self._index, self._transform = features, index, transform
        self.conditions = conditions

    def features(self, rng: Generator) -> Tensor:
        """Return what the model learns (n, ...), with fresh noise."""
        return self._transform.dequantise(self._features[self._index], rng)


def on_device(transform: Transform, device: torch.device) -> Transform:
    """Return a transform whose constants are on a device; itself on the CPU."""
    if device.type == "cpu":
        return transform
    return cast("Transform", copy.deepcopy(cast("nn.Module", transform)).to(device))
