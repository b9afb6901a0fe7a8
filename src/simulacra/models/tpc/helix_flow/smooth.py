"""The smooth numbers of a track: its effective helix, polynomial coefficients and widths.

They describe scattering and energy loss: the parameters of the effective helix, the coefficients of
polynomials in rphi, in z and of the charge, and the widths of scores in each group of pads. Kinks
and radiated photons make all deviations large together; the size of those in rphi and of those in z
relative to typical ones are therefore drawn first, and given them the coefficients have light
tails. The distribution of each number given the track is learned by maximum likelihood. The normal
scores of the helix's parameters are joined by an autoregressive flow (``triangular_flow``), and the
result with all other scores by a copula (``gaussian_copula``).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.models.blocks.networks import dense
from simulacra.models.distributions.gaussian_copula import GaussianCopula
from simulacra.models.distributions.sinh_arcsinh import SinhArcsinh
from simulacra.models.distributions.triangular_flow import TriangularFlow
from simulacra.models.tpc.helix_flow.traits import SIDES, SIZES, Traits
from simulacra.transforms.tpc.effective_helix import PARAMETERS

LARGEST_SCORE = 5.0
DISPLACED = 8.0
"""Ratio of a helix parameter to its typical size above which a track is displaced."""
KINKED = 3.0
"""Ratio of the deviations' size to the typical one above which a track is kinked."""
FEWEST = 200
"""Tracks with a coefficient that its typical size needs."""
ALIKE = 1e-4
"""Relative singular value below which combinations of features are not fitted: their coefficients
would be huge and of either sign, and lose the digits of single precision."""
MARGIN = 0.1
"""A coefficient may exceed the largest of training by this fraction."""
SMALL = 0.5
"""mm; size of a coefficient below which there is noise only."""
HEAVIEST = (-1.5, -0.4)
"""Logarithms of the heaviest tails: of numbers with a typical size, of numbers of order one."""


class SmoothNumbers(nn.Module):
    """P(smooth numbers | track, its traits, rows with clusters).

    Args:
        sides: how many of the numbers are coefficients in rphi and in z, in mm. They have a
            typical size, as have the helix's parameters, which come first.
        pure: how many are of order one, the last.
        features: of the track, on which typical sizes depend.
        context: features on which the distributions depend.
        width: hidden units.
        rank: of the correlations; see :class:`GaussianCopula`.
    """

    scale: Tensor
    highest: Tensor
    side: Tensor
    heaviest: Tensor

    def __init__(
        self,
        sides: tuple[int, int],
        pure: int,
        features: int,
        context: int,
        width: int,
        rank: int,
    ) -> None:
        super().__init__()
        sized = PARAMETERS + sum(sides)
        self.sized, self.number = sized, sized + pure
        self.kinds = [PARAMETERS, sum(sides), pure]
        side = torch.eye(SIDES).repeat_interleave(torch.tensor(sides), dim=0)
        self.register_buffer("side", side, persistent=False)
        heaviest = torch.tensor(HEAVIEST).repeat_interleave(torch.tensor([sized, pure]))
        self.register_buffer("heaviest", heaviest, persistent=False)
        self.shapes = dense((context, width, width, 4 * self.number), nn.SiLU)
        for parameter in self.shapes[-1].parameters():
            nn.init.zeros_(parameter)
        self.of_helix = TriangularFlow(PARAMETERS, context, width, LARGEST_SCORE)
        self.copula = GaussianCopula(self.number, context, rank, width)
        self.register_buffer("scale", torch.zeros(features + 1, sized))
        self.register_buffer("highest", torch.full((self.number,), 1e3))

    def fit(self, found: Tensor, known: Tensor, features: Tensor) -> None:
        """Fit typical sizes of the deviations to the track's features, and set the largest ones.

        Args:
            found: smooth numbers of training tracks (n, number); those of order one are ignored.
            known: which of them a track has.
            features: of the tracks.
        """
        inputs = functional.pad(features, (0, 1), value=1.0).double()
        for place in range(self.sized):
            some = known[:, place]
            if int(some.sum()) > FEWEST:
                values = found[some, place].double()
                size = (values.square() + SMALL**2).log()[:, None] / 2
                solution = torch.linalg.lstsq(
                    inputs[some], size, rcond=ALIKE, driver="gelsd"
                ).solution
                self.scale[:, place] = solution[:, 0]
                self.highest[place] = (1 + MARGIN) * values.abs().max()

    def typical(self, features: Tensor) -> Tensor:
        """Return the logarithms of the typical sizes (n, sized)."""
        typical = features @ self.scale[:-1] + self.scale[-1]
        return typical.clamp(-5.0, 12.0)

    def traits(self, found: Tensor, known: Tensor, typical: Tensor) -> Traits:
        """Return the traits of tracks with given smooth numbers (n, number)."""
        ratios = (found[:, : self.sized].abs().clamp_min(1e-6).log() - typical).clamp_max(12.0)
        size = self._log_size((2 * ratios[:, PARAMETERS:]).exp(), known).clamp(*SIZES)
        displaced = (ratios[:, :PARAMETERS] > math.log(DISPLACED)).any(dim=1, keepdim=True)
        kinked = (size > math.log(KINKED)).any(dim=1, keepdim=True)
        return Traits(displaced.to(found.dtype), kinked.to(found.dtype), size)

    def sizes_known(self, known: Tensor) -> Tensor:
        """Return which of their sizes tracks have (n, SIDES), for the numbers they have."""
        return known[:, PARAMETERS : self.sized].to(self.side.dtype) @ self.side > 0

    def sample(
        self, context: Tensor, typical: Tensor, log_size: Tensor, known: Tensor, noise: Tensor
    ) -> Tensor:
        """Return smooth numbers for noise, (n, number) each, of which some are known.

        The coefficients are of the size that was drawn, exactly.
        """
        white, others = self.copula.drawn(noise, context).tensor_split([PARAMETERS], dim=1)
        scores = torch.cat([self.of_helix.drawn(white, context), others], dim=1)
        smooth = self._shapes(context, typical).values(scores.clamp(-LARGEST_SCORE, LARGEST_SCORE))
        helix, sides, pure = torch.split(smooth, self.kinds, dim=1)
        excess = self._log_size(sides.square(), known) @ self.side.mT
        smooth = torch.cat([helix, sides * (-excess).exp(), pure], dim=1)
        smooth = smooth * self._units(typical, log_size)
        return torch.minimum(torch.maximum(smooth, -self.highest), self.highest)

    def losses(
        self, found: Tensor, known: Tensor, context: Tensor, typical: Tensor, log_size: Tensor
    ) -> dict[str, Tensor]:
        """Return the loss terms of single numbers, of the helix's flow and of the copula."""
        shapes = self._shapes(context, typical)
        with torch.no_grad():
            smooth = found / self._units(typical, log_size)
            scores = shapes.scores(smooth, LARGEST_SCORE)
            helix, others = scores.tensor_split([PARAMETERS], dim=1)
        white, of_helix = self.of_helix.whitened(helix, context)
        white = white.detach().clamp(-LARGEST_SCORE, LARGEST_SCORE)
        scores = torch.cat([white, others], dim=1)
        return {
            "smooth": -torch.where(known, shapes.log_density(smooth), 0.0).mean(),
            "helix": (of_helix * known[:, 0]).mean(),
            "copula": self.copula.errors(scores, known, context).mean(),
        }

    def _log_size(self, squares: Tensor, known: Tensor) -> Tensor:
        """Return the logarithms of root mean squares (n, SIDES) of known coefficients' squares."""
        here = known[:, PARAMETERS : self.sized].to(squares.dtype)
        number = here @ self.side
        means = ((squares * here) @ self.side) / number.clamp_min(1)
        return torch.where(number > 0, means.clamp_min(1e-4).log() / 2, 0.0)

    def _shapes(self, context: Tensor, typical: Tensor) -> SinhArcsinh:
        """Return the distributions of the smooth numbers in their units."""
        outputs = self.shapes(context).view(-1, 4, self.number)
        location, log_scale, skew, log_tail = outputs.unbind(1)
        helix = functional.pad(typical[:, :PARAMETERS], (0, self.number - PARAMETERS))
        log_scale = (helix + log_scale).clamp(-6.0, 10.0)
        return SinhArcsinh(
            location * 4 * log_scale.detach().exp(),
            log_scale,
            skew.clamp(-3.0, 3.0),
            torch.maximum(log_tail.clamp_max(1.0), self.heaviest),
        )

    def _units(self, typical: Tensor, log_size: Tensor) -> Tensor:
        """Return the units of the smooth numbers (n, number): the coefficients' typical sizes."""
        sizes = typical[:, PARAMETERS:] + log_size @ self.side.mT
        return functional.pad(sizes, (PARAMETERS, self.number - self.sized)).exp()
