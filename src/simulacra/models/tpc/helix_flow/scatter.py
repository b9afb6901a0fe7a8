"""Residuals of clusters to the smooth track: near it, outliers, or pulled by an outlier.

A delta electron displaces a cluster by about a centimetre, ten times as far as diffusion; few
clusters lie in between. A delta electron that reaches the next row displaces the cluster there in
rphi and z as well. A cluster is therefore of one of three kinds, with probabilities that depend on
the charges. The kind is drawn; the residuals of each kind are normal.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from simulacra.models.distributions.sinh_arcsinh import log_normal
from simulacra.models.tpc.helix_flow.track_end import step

INWARDS = 4
"""Passes over the rows that find how far each row is pulled by its inner neighbour."""


class Kinds(NamedTuple):
    """Which clusters are outliers and which are pulled: 1 or 0, (n, rows); the others are near."""

    outlier: Tensor
    pulled: Tensor


class Residuals(NamedTuple):
    """Two numbers for each row (n, rows), in rphi and in z."""

    r_phi: Tensor
    z: Tensor


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
    """The distribution of residuals to the smooth track, (n, rows) or (n, 1); lengths in mm.

    Attributes:
        location: mean z residual of near clusters.
        scale: standard deviations of near clusters.
        tilt: slope of the rphi residual in the z residual.
        outlier_scale: added to the standard deviations of outliers.
        chances: logits of the kinds; that of near clusters is 0.
        part: fraction of the inner neighbour's residual by which a pulled cluster is moved.
        uncertain: standard deviation of that fraction.
    """

    location: Tensor
    scale: Residuals
    tilt: Tensor
    outlier_scale: Residuals
    chances: Kinds
    part: Tensor
    uncertain: Tensor

    def kinds(self, white: Tensor) -> Kinds:
        """Return the kinds of clusters for normal noise (n, rows)."""
        outlier, pulled = (logit.exp() for logit in self.chances)
        total = 1 + outlier + pulled
        below = torch.special.ndtr(white)
        return Kinds(step(outlier / total - below), step(below - 1 + pulled / total))

    def drawn(self, scores: Residuals, kinds: Kinds) -> Residuals:
        """Return the residuals of clusters of given kinds, for normal scores."""
        parts = zip(scores, self.scale, self.outlier_scale, strict=True)
        outlier = [score * (near + added) * kinds.outlier for score, near, added in parts]
        inner = Residuals(*(of_inner(by) for by in outlier))
        z, moved = self._z(kinds, inner)
        found = z.values(scores.z)
        return Residuals(self._r_phi(kinds, inner, found - moved).values(scores.r_phi), found)

    def log_density(self, residuals: Residuals, inner: Residuals) -> Tensor:
        """Return log p (n, rows) of residuals, given those of inner outliers."""
        return torch.logsumexp(self._of_kinds(residuals, inner), dim=0)

    def found(
        self, residuals: Residuals, present: Tensor, below: Tensor
    ) -> tuple[Residuals, Residuals]:
        """Return the residuals of inner outliers, and the normal scores of clusters.

        Args:
            residuals: of the clusters.
            present: 1 or 0 (n, rows).
            below: uniform noise (n, rows) that draws the kinds from their probabilities.
        """
        inner = Residuals(torch.zeros_like(present), torch.zeros_like(present))
        for _ in range(INWARDS):
            kinds = self._likely(residuals, inner, below)
            kinds = Kinds(kinds.outlier * present, kinds.pulled * present)
            inner = self._taken_over(residuals, kinds)
        z, moved = self._z(kinds, inner)
        r_phi = self._r_phi(kinds, inner, residuals.z - moved)
        return inner, Residuals(r_phi.scores(residuals.r_phi), z.scores(residuals.z))

    def _taken_over(self, residuals: Residuals, kinds: Kinds) -> Residuals:
        """Return how far inner neighbours have strayed, 0 where they have not."""
        z = (residuals.z - self.location) * kinds.outlier
        return Residuals(of_inner(residuals.r_phi * kinds.outlier), of_inner(z))

    def _likely(self, residuals: Residuals, inner: Residuals, below: Tensor) -> Kinds:
        _, outlier, pulled = torch.softmax(self._of_kinds(residuals, inner), dim=0)
        return Kinds(step(outlier - below), step(below - 1 + pulled))

    def _of_kinds(self, residuals: Residuals, inner: Residuals) -> Tensor:
        """Return log P(kind) p(residuals | kind), (kinds, n, rows)."""
        no, yes = torch.zeros_like(self.location), torch.ones_like(self.location)
        chances = torch.log_softmax(torch.stack([no, *self.chances]), dim=0)
        logs = []
        for kinds in (Kinds(no, no), Kinds(yes, no), Kinds(no, yes)):
            z, moved = self._z(kinds, inner)
            r_phi = self._r_phi(kinds, inner, residuals.z - moved)
            logs.append(z.log_density(residuals.z) + r_phi.log_density(residuals.r_phi))
        return chances + torch.stack(logs)

    def _z(self, kinds: Kinds, inner: Residuals) -> tuple[Normal, Tensor]:
        """Return the distribution of the z residual, and the shift of pulled clusters in it."""
        pulled = kinds.pulled * inner.z
        moved = self.part * pulled
        scale = torch.addcmul(self.scale.z, kinds.outlier, self.outlier_scale.z)
        scale = torch.addcmul(scale, self.uncertain, pulled.abs())
        return Normal(self.location + moved, scale), moved

    def _r_phi(self, kinds: Kinds, inner: Residuals, z: Tensor) -> Normal:
        """Return the distribution of the rphi residual, given z without the shift."""
        pulled = kinds.pulled * inner.r_phi
        scale = torch.addcmul(self.scale.r_phi, kinds.outlier, self.outlier_scale.r_phi)
        scale = torch.addcmul(scale, self.uncertain, pulled.abs())
        tilted = self.tilt * z * (1 - kinds.outlier)
        return Normal(torch.addcmul(tilted, self.part, pulled), scale)


def of_inner(values: Tensor) -> Tensor:
    """Return the inner neighbour's values (n, rows)."""
    return functional.pad(values[:, :-1], (1, 0))
