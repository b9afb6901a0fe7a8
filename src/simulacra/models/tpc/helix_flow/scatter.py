"""Where clusters lie beside the smooth track: near it, astray, or dragged along by their neighbour.

Delta electrons put a cluster a centimetre beside its track, ten times as far as diffusion does, and
hardly anything lies in between. One that comes into the next row moves that cluster too, across and
along z alike. So a cluster is of one of three kinds, of which the charges say how likely they are.
Each has a normal distribution; the kind is drawn.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from simulacra.models.distributions.sinh_arcsinh import log_normal
from simulacra.models.tpc.helix_flow.track_end import step

INWARDS = 4
"""Rows farther in that are looked at for what a row has taken over of its inner neighbour."""


class Kinds(NamedTuple):
    """Which clusters have strayed and which were dragged: 1 or 0, (n, rows); the rest is near."""

    strayed: Tensor
    dragged: Tensor


class Off(NamedTuple):
    """Two numbers for each row (n, rows): what is across, and what is along z."""

    across: Tensor
    along_z: Tensor


class Normal(NamedTuple):
    """Mean and standard deviation."""

    mean: Tensor
    scale: Tensor

    def log_density(self, values: Tensor) -> Tensor:
        """Return log p of values."""
        return log_normal(self.scores(values)) - self.scale.log()

    def scores(self, values: Tensor) -> Tensor:
        """Return by how many standard deviations values are above the mean."""
        return (values - self.mean) / self.scale

    def values(self, scores: Tensor) -> Tensor:
        """Return the values of normal scores."""
        return torch.addcmul(self.mean, scores, self.scale)


class Scatter(NamedTuple):
    """The distribution of clusters beside the smooth track, (n, rows), or (n, 1); lengths in mm.

    Attributes:
        location: along z of those near.
        scale: of those near.
        tilt: of across per z.
        far: what is added to the scale of those that have strayed.
        chances: logits of kinds, that of being near is 0.
        part: of its inner neighbour's straying by which a dragged one is moved.
        uncertain: its standard deviation.
    """

    location: Tensor
    scale: Off
    tilt: Tensor
    far: Off
    chances: Kinds
    part: Tensor
    uncertain: Tensor

    def kinds(self, white: Tensor) -> Kinds:
        """Return the kinds of clusters for normal noise (n, rows)."""
        strayed, dragged = (logit.exp() for logit in self.chances)
        total = 1 + strayed + dragged
        below = torch.special.ndtr(white)
        return Kinds(step(strayed / total - below), step(below - 1 + dragged / total))

    def drawn(self, scores: Off, kinds: Kinds) -> Off:
        """Return where clusters of given kinds lie, for normal scores."""
        parts = zip(scores, self.scale, self.far, strict=True)
        strayed = [score * (near + far) * kinds.strayed for score, near, far in parts]
        inner = Off(*(of_inner(by) for by in strayed))
        along_z, moved = self._along_z(kinds, inner)
        found = along_z.values(scores.along_z)
        return Off(self._across(kinds, inner, found - moved).values(scores.across), found)

    def log_density(self, off: Off, inner: Off) -> Tensor:
        """Return log p (n, rows) of where clusters lie, given how far inner neighbours strayed."""
        return torch.logsumexp(self._of_kinds(off, inner), dim=0)

    def found(self, off: Off, present: Tensor, below: Tensor) -> tuple[Off, Off]:
        """Return how far inner neighbours strayed, and the normal scores of clusters.

        Args:
            off: where they lie.
            present: 1 or 0 (n, rows).
            below: uniform noise (n, rows), by which kinds are drawn from how likely they are.
        """
        inner = Off(torch.zeros_like(present), torch.zeros_like(present))
        for _ in range(INWARDS):
            kinds = self._likely(off, inner, below)
            kinds = Kinds(kinds.strayed * present, kinds.dragged * present)
            inner = self._taken_over(off, kinds)
        along_z, moved = self._along_z(kinds, inner)
        across = self._across(kinds, inner, off.along_z - moved)
        return inner, Off(across.scores(off.across), along_z.scores(off.along_z))

    def _taken_over(self, off: Off, kinds: Kinds) -> Off:
        """Return how far inner neighbours have strayed, 0 where they have not."""
        along_z = (off.along_z - self.location) * kinds.strayed
        return Off(of_inner(off.across * kinds.strayed), of_inner(along_z))

    def _likely(self, off: Off, inner: Off, below: Tensor) -> Kinds:
        _, strayed, dragged = torch.softmax(self._of_kinds(off, inner), dim=0)
        return Kinds(step(strayed - below), step(below - 1 + dragged))

    def _of_kinds(self, off: Off, inner: Off) -> Tensor:
        """Return log P(kind) p(off | kind), (kinds, n, rows)."""
        no, yes = torch.zeros_like(self.location), torch.ones_like(self.location)
        chances = torch.log_softmax(torch.stack([no, *self.chances]), dim=0)
        logs = []
        for kinds in (Kinds(no, no), Kinds(yes, no), Kinds(no, yes)):
            along_z, moved = self._along_z(kinds, inner)
            across = self._across(kinds, inner, off.along_z - moved)
            logs.append(along_z.log_density(off.along_z) + across.log_density(off.across))
        return chances + torch.stack(logs)

    def _along_z(self, kinds: Kinds, inner: Off) -> tuple[Normal, Tensor]:
        """Return the distribution along z, and by how much it was moved."""
        dragged = kinds.dragged * inner.along_z
        moved = self.part * dragged
        scale = torch.addcmul(self.scale.along_z, kinds.strayed, self.far.along_z)
        scale = torch.addcmul(scale, self.uncertain, dragged.abs())
        return Normal(self.location + moved, scale), moved

    def _across(self, kinds: Kinds, inner: Off, along_z: Tensor) -> Normal:
        """Return the distribution across, for what z is but for being dragged."""
        dragged = kinds.dragged * inner.across
        scale = torch.addcmul(self.scale.across, kinds.strayed, self.far.across)
        scale = torch.addcmul(scale, self.uncertain, dragged.abs())
        tilted = self.tilt * along_z * (1 - kinds.strayed)
        return Normal(torch.addcmul(tilted, self.part, dragged), scale)


def of_inner(values: Tensor) -> Tensor:
    """Return the inner neighbour's values (n, rows)."""
    return functional.pad(values[:, :-1], (1, 0))
