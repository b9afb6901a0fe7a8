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
BROKEN = 8.0
"""Ratio of deviations to their typical size, from which on a track is broken."""
SIZES = (-3.0, 9.0)
"""Logarithms of the ratio that can occur."""
FEWEST = 200
"""Tracks from which the size of a coefficient is learned before training."""
ALIKE = 1e-4
"""Combinations of features that vary less than this are left alone: their weights would be huge,
of either sign, and cost all digits of single precision."""
SMALL = 0.5
"""Of a coefficient, mm: below this there is noise only."""
HEAVIEST = (-1.5, -0.4)
"""Logarithms of the heaviest tails: of what has a typical size, of what is of order one."""
SIDES = 2
"""Across and along z: radiated photons change the one, kinks both."""
FATE = 1 + SIDES
"""Numbers that are drawn of a track before its rows: whether it is broken, and its sizes."""


class Size(NamedTuple):
    """How large the deviations of tracks are.

    Attributes:
        log: logarithm of those across and along z over the typical ones (n, SIDES).
        broken: whether a track is broken (n, 1).
    """

    log: Tensor
    broken: Tensor


class SmoothNumbers(nn.Module):
    """P(size | track), P(smooth numbers | track, size, rows with clusters).

    Args:
        sides: how many of the numbers are coefficients across and along z, in mm. They have a
            typical size, as have the helix's parameters, which come first.
        pure: how many are of order one, the last.
        track: features of a track.
        seen: numbers that say how much of it is seen.
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
        seen: int,
        width: int,
        depth: int,
        steps: int,
    ) -> None:
        super().__init__()
        sized = PARAMETERS + sum(sides)
        self.sized, self.number, self.steps = sized, sized + pure, steps
        context = track + FATE + seen
        side = torch.eye(SIDES).repeat_interleave(torch.tensor(sides), dim=0)
        self.register_buffer("side", side, persistent=False)
        heaviest = torch.tensor(HEAVIEST).repeat_interleave(torch.tensor([sized, pure]))
        self.register_buffer("heaviest", heaviest, persistent=False)
        self.of_sizes = nn.ModuleList(
            dense((track + 1 + before, 32, 4), nn.SiLU) for before in range(SIDES)
        )
        self.shapes = dense((context, width, 4 * self.number), nn.SiLU)
        for parameter in self.shapes[-1].parameters():
            nn.init.zeros_(parameter)
        self.velocity = Velocity(self.number, context, width, depth, mean_flow=False)
        self.register_buffer("scale", torch.zeros(track + seen + 1, sized))
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
                self.highest[place] = 2 * values.abs().max()

    def typical(self, track: Tensor, seen: Tensor) -> Tensor:
        """Return the logarithms of the typical sizes (n, sized)."""
        typical = torch.cat([track, seen], dim=1) @ self.scale[:-1] + self.scale[-1]
        return typical.clamp(-5.0, 12.0)

    def size(self, found: Tensor, known: Tensor, typical: Tensor) -> Size:
        """Return the size of tracks whose smooth numbers (n, number) are given."""
        ratios = (found[:, : self.sized].abs().clamp_min(1e-6).log() - typical).clamp_max(12.0)
        here = known[:, PARAMETERS : self.sized].to(found.dtype)
        number = here @ self.side
        squares = ((2 * ratios[:, PARAMETERS:]).exp() * here) @ self.side
        size = (squares / number.clamp_min(1)).clamp_min(1e-4).log() / 2
        size = torch.where(number > 0, size, 0.0).clamp(*SIZES)
        far = (ratios[:, :PARAMETERS] > math.log(BROKEN)).any(dim=1, keepdim=True)
        large = (size > math.log(BROKEN)).any(dim=1, keepdim=True)
        return Size(size, (far | large).to(found.dtype))

    def sample_size(self, track: Tensor, broken: Tensor, noise: Tensor) -> Size:
        """Return the size of tracks, from normal noise (n, SIDES)."""
        known = torch.cat([track, broken], dim=1)
        sizes: list[Tensor] = []
        for network, white in zip(self.of_sizes, torch.split(noise, 1, dim=1), strict=True):
            of_size = _of_size(network(torch.cat([known, *sizes], dim=1)))
            sizes.append(of_size.values(white).clamp(*SIZES))
        return Size(torch.cat(sizes, dim=1), broken)

    def sample(self, track: Tensor, size: Size, seen: Tensor, noise: Tensor) -> Tensor:
        """Return smooth numbers for noise, (n, number) each."""
        context, typical = torch.cat([fate(track, size), seen], dim=1), self.typical(track, seen)
        scores = self.velocity.transport(noise, context, self.steps)
        smooth = self._shapes(context, typical).values(scores.clamp(-LARGEST_SCORE, LARGEST_SCORE))
        smooth = smooth * self._units(typical, size)
        return torch.minimum(torch.maximum(smooth, -self.highest), self.highest)

    def losses(
        self,
        found: Tensor,
        known: Tensor,
        track: Tensor,
        size: Size,
        seen: Tensor,
        rng: Generator,
    ) -> dict[str, Tensor]:
        """Return the likelihoods of size and numbers, and the error of the velocity."""
        context, typical = torch.cat([fate(track, size), seen], dim=1), self.typical(track, seen)
        shapes = self._shapes(context, typical)
        with torch.no_grad():
            smooth = found / self._units(typical, size)
            scores = shapes.scores(smooth, LARGEST_SCORE)
            fresh = torch.randn(scores.shape, generator=rng).to(scores.device)
            scores = torch.where(known, scores, fresh)
        before = torch.cat([track, size.broken, size.log], dim=1)
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
    return torch.cat([track, size.broken, size.log / 4], dim=1)
