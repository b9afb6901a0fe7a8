"""The smooth numbers of a track: how its helix and what it does beside it differ from the ideal.

A handful of numbers says how a track scatters and loses energy: the effective helix's parameters,
the coefficients of polynomials across and along z, those of the charge, and by how much clusters
scatter more or less than is typical in each group of pads. Kinks, radiated photons and the like
make all deviations large together: how large across and how large along z, relative to what is
typical, are numbers of their own, drawn first; given them, they have light tails. Each number's
distribution given the track is learned by maximum likelihood, and flow matching joins their normal
scores.

References:
    Ours; flow matching: Lipman et al., arXiv:2210.02747.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from simulacra.models.networks import dense
from simulacra.models.sinh_arcsinh import SinhArcsinh
from simulacra.models.velocity import Velocity
from simulacra.transforms.effective_helix import PARAMETERS

LARGEST_SCORE = 5.0
FAR = 8.0
"""Ratio of a helix parameter to its typical size, from which on a track is far off."""
KINKED = 3.0
"""Likewise, of the deviations from the helix that it follows: from there on, it has a kink."""
SIZES = (-3.0, 9.0)
"""Logarithms of the ratio that can occur."""
FEWEST = 200
"""Tracks from which the size of a coefficient is learned before training."""
ALIKE = 1e-4
"""Combinations of features that vary less than this are left alone: their weights would be huge,
of either sign, and cost all digits of single precision."""
MARGIN = 0.1
"""Of what training has, by which a coefficient may be larger than in training."""
SMALL = 0.5
"""Of a coefficient, mm: below this there is noise only."""
HEAVIEST = (-1.5, -0.4)
"""Logarithms of the heaviest tails: of what has a typical size, of what is of order one."""
SIDES = 2
"""Across and along z: radiated photons change the one, kinks both."""
FATE = 2 + SIDES
"""Numbers that are drawn of a track before its rows: whether it is broken, how, and its sizes."""


Where = tuple[Tensor, Tensor]
"""How much of a track is seen, and where its kink is."""


class Size(NamedTuple):
    """How large the deviations of tracks are.

    Attributes:
        log: logarithm of those across and along z over the typical ones (n, SIDES).
        far: whether the helix that a track follows is far off the ideal one (n, 1).
        kinked: whether its deviations from that are large (n, 1).
    """

    log: Tensor
    far: Tensor
    kinked: Tensor

    @property
    def broken(self) -> Tensor:
        """Whether a track is either (n, 1)."""
        return torch.maximum(self.far, self.kinked)


class SmoothNumbers(nn.Module):
    """P(size | track), P(smooth numbers | track, size, rows with clusters).

    Args:
        sides: how many of the numbers are coefficients across and along z, in mm. They have a
            typical size, as have the helix's parameters, which come first.
        pure: how many are of order one, the last.
        track: features of a track.
        seen: numbers that say how much of it is seen, and of those that say where its kink is.
        width, depth, steps: of the networks; see :class:`HelixFlowConfig`.
    """

    scale: Tensor
    highest: Tensor
    side: Tensor
    heaviest: Tensor

    def __init__(
        self,
        sides: tuple[int, int],
        pure: int,
        track: int,
        seen: tuple[int, int],
        width: int,
        depth: int,
        steps: int,
    ) -> None:
        super().__init__()
        sized = PARAMETERS + sum(sides)
        self.sized, self.number, self.steps = sized, sized + pure, steps
        self.kinds = [PARAMETERS, sum(sides), pure]
        context = track + FATE + sum(seen)
        side = torch.eye(SIDES).repeat_interleave(torch.tensor(sides), dim=0)
        self.register_buffer("side", side, persistent=False)
        heaviest = torch.tensor(HEAVIEST).repeat_interleave(torch.tensor([sized, pure]))
        self.register_buffer("heaviest", heaviest, persistent=False)
        self.of_sizes = nn.ModuleList(
            dense((track + 2 + before, 32, 32, 4), nn.SiLU) for before in range(SIDES)
        )
        self.shapes = dense((context, width, width, 4 * self.number), nn.SiLU)
        for parameter in self.shapes[-1].parameters():
            nn.init.zeros_(parameter)
        self.velocity = Velocity(self.number, context, width, depth, mean_flow=False)
        self.register_buffer("scale", torch.zeros(track + seen[0] + 1, sized))
        self.register_buffer("highest", torch.full((self.number,), 1e3))

    def fit(self, found: Tensor, known: Tensor, track: Tensor, seen: Tensor) -> None:
        """Set how the size of the deviations goes with the track, and the largest that occur.

        Args:
            found: smooth numbers of training tracks (n, number); those of order one are ignored.
            known: which of them a track has.
            track: features of the tracks.
            seen: how much of them is seen.
        """
        inputs = functional.pad(torch.cat([track, seen], dim=1), (0, 1), value=1.0).double()
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

    def typical(self, track: Tensor, seen: Tensor) -> Tensor:
        """Return the logarithms of the typical sizes (n, sized)."""
        typical = torch.cat([track, seen], dim=1) @ self.scale[:-1] + self.scale[-1]
        return typical.clamp(-5.0, 12.0)

    def size(self, found: Tensor, known: Tensor, typical: Tensor) -> Size:
        """Return the size of tracks whose smooth numbers (n, number) are given."""
        ratios = (found[:, : self.sized].abs().clamp_min(1e-6).log() - typical).clamp_max(12.0)
        size = self._log_size((2 * ratios[:, PARAMETERS:]).exp(), known).clamp(*SIZES)
        far = (ratios[:, :PARAMETERS] > math.log(FAR)).any(dim=1, keepdim=True)
        kinked = (size > math.log(KINKED)).any(dim=1, keepdim=True)
        return Size(size, far.to(found.dtype), kinked.to(found.dtype))

    def sample_size(self, track: Tensor, far: Tensor, kinked: Tensor, noise: Tensor) -> Size:
        """Return the size of tracks, from normal noise (n, SIDES)."""
        known = torch.cat([track, far, kinked], dim=1)
        sizes: list[Tensor] = []
        for network, white in zip(self.of_sizes, torch.split(noise, 1, dim=1), strict=True):
            of_size = _of_size(network(torch.cat([known, *sizes], dim=1)))
            sizes.append(of_size.values(white).clamp(*SIZES))
        return Size(torch.cat(sizes, dim=1), far, kinked)

    def sample(
        self, track: Tensor, size: Size, where: Where, known: Tensor, noise: Tensor
    ) -> Tensor:
        """Return smooth numbers for noise, (n, number) each, of which some are known.

        The coefficients are of the size that was drawn, exactly.
        """
        context = torch.cat([fate(track, size), *where], dim=1)
        typical = self.typical(track, where[0])
        scores = self.velocity.transport(noise, context, self.steps)
        smooth = self._shapes(context, typical).values(scores.clamp(-LARGEST_SCORE, LARGEST_SCORE))
        helix, sides, pure = torch.split(smooth, self.kinds, dim=1)
        excess = self._log_size(sides.square(), known) @ self.side.mT
        smooth = torch.cat([helix, sides * (-excess).exp(), pure], dim=1)
        smooth = smooth * self._units(typical, size)
        return torch.minimum(torch.maximum(smooth, -self.highest), self.highest)

    def losses(
        self,
        found: Tensor,
        known: Tensor,
        track: Tensor,
        size: Size,
        where: Where,
        rng: Generator,
    ) -> dict[str, Tensor]:
        """Return the likelihoods of size and numbers, and the error of the velocity."""
        context = torch.cat([fate(track, size), *where], dim=1)
        typical = self.typical(track, where[0])
        shapes = self._shapes(context, typical)
        with torch.no_grad():
            smooth = found / self._units(typical, size)
            scores = shapes.scores(smooth, LARGEST_SCORE)
            fresh = torch.randn(scores.shape, generator=rng).to(scores.device)
            scores = torch.where(known, scores, fresh)
        before = torch.cat([track, size.far, size.kinked, size.log], dim=1)
        of_sizes = [
            _of_size(network(before[:, : place - SIDES])).log_density(size.log[:, place, None])
            for place, network in enumerate(self.of_sizes)
        ]
        sized = known[:, PARAMETERS : self.sized].to(found.dtype) @ self.side > 0
        errors = self.velocity.errors(scores, context, rng) * known.any(dim=1)
        return {
            "size": -torch.where(sized, torch.cat(of_sizes, dim=1), 0.0).sum(dim=1).mean(),
            "smooth": -torch.where(known, shapes.log_density(smooth), 0.0).mean(),
            "velocity": errors.mean(),
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

    def _units(self, typical: Tensor, size: Size) -> Tensor:
        """Return the units of the smooth numbers (n, number): the coefficients' typical sizes."""
        sizes = typical[:, PARAMETERS:] + size.log @ self.side.mT
        return functional.pad(sizes, (PARAMETERS, self.number - self.sized)).exp()


def _of_size(outputs: Tensor) -> SinhArcsinh:
    location, log_scale, skew, log_tail = torch.split(outputs, 1, dim=1)
    return SinhArcsinh(
        location * 2,
        log_scale.clamp(-3.0, 3.0),
        skew.clamp(-3.0, 3.0),
        log_tail.clamp(-1.0, 1.0),
    )


def fate(track: Tensor, size: Size) -> Tensor:
    """Return the features of a track with what has been drawn of it, (n, track + FATE)."""
    return torch.cat([track, size.far, size.kinked, size.log / 4], dim=1)
