"""What preprocessing of a response offers to whatever trains or generates with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from torch import Generator, Tensor

Response = dict[str, Tensor]
Slices = Mapping[str, slice]
"""Names of blocks of columns, and where they stand along the second axis."""


def slices_of(widths: Iterable[tuple[str, int]]) -> Slices:
    """Return the places of named blocks that follow one another.

    Example:
        >>> slices_of([("energy", 1), ("phi", 2)])["phi"]
        slice(1, 3, None)
    """
    slices: dict[str, slice] = {}
    start = 0
    for name, width in widths:
        slices[name] = slice(start, start + width)
        start += width
    return slices


class Encoder(Protocol):
    """A module that makes network features of conditions in physical units."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order in which it takes them."""

    @property
    def features(self) -> int:
        """Number of features that it returns."""

    @property
    def slices(self) -> Slices:
        """Where its features stand, by name; models cut them by these."""

    def fit(self, columns: Tensor) -> None:
        """Set the constants from training conditions (n, columns)."""

    def __call__(self, columns: Tensor) -> Tensor:
        """Return features (n, features) of conditions (n, columns)."""


class Transform(Protocol):
    """An invertible map between the response in physical units and what a network models.

    :meth:`forward` is the same for equal events. Where a network needs noise in place of exact
    zeros, or an event is as likely turned about the beam, training asks :meth:`dequantise` for that
    anew for every batch.
    """

    def fit(self, response: Response, columns: Tensor) -> None:
        """Set the constants from training events."""

    def forward(self, response: Response, columns: Tensor) -> Tensor:
        """Return what the network models, first axis the event."""

    def dequantise(self, features: Tensor, rng: Generator) -> Tensor:
        """Return features of :meth:`forward` with fresh noise, or turns, wherever they belong."""

    def inverse(self, features: Tensor, columns: Tensor) -> Response:
        """Return the response in physical units."""
