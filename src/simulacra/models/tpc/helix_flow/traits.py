"""Traits of a track: a few numbers that are drawn first and condition everything else.

Radiated photons and decays make all deviations of a track large together, and decay products ionise
less than a slow kaon. A track may be *displaced* (its helix is far from the ideal one, as after a
decay before the chamber) or *kinked* (a decay in the chamber); its deviations in rphi and in z have
one size each.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.models.blocks.networks import dense
from simulacra.models.distributions.marginals import logit_of
from simulacra.models.distributions.sinh_arcsinh import SinhArcsinh

CHOICES = 3
"""Whether a track has clusters, is displaced, and is kinked."""
SIDES = 2
"""rphi and z: radiated photons change the first, kinks both."""
SIZES = (-3.0, 9.0)
"""Logarithms of the size of deviations over the typical one that can occur."""
TRAITS = 2 + SIDES
"""Features that traits add to those of the track."""
OF_TRAITS = CHOICES + SIDES
"""Numbers of noise for them."""


class Traits(NamedTuple):
    """Traits of tracks.

    Attributes:
        displaced: whether the effective helix is far from the ideal one, 1 or 0 (n, 1).
        kinked: whether deviations from the effective helix are large, 1 or 0 (n, 1).
        log_size: logarithms of the deviations' sizes in rphi and z over typical ones (n, SIDES).
    """

    displaced: Tensor
    kinked: Tensor
    log_size: Tensor

    @property
    def broken(self) -> Tensor:
        """Whether a track is displaced or kinked (n, 1)."""
        return torch.maximum(self.displaced, self.kinked)

    def concatenated(self, track: Tensor) -> Tensor:
        """Return the features of tracks and their traits (n, track + TRAITS)."""
        return torch.cat([track, self.displaced, self.kinked, self.log_size / 4], dim=1)


class TrackTraits(nn.Module):
    """P(seen, displaced, kinked, sizes | track), each given those before.

    Args:
        track: number of features of the track.
    """

    def __init__(self, track: int) -> None:
        super().__init__()
        self.choices = dense((track, 32, 32, CHOICES + 1), nn.SiLU)
        self.sizes = nn.ModuleList(
            dense((track + 2 + before, 32, 32, 4), nn.SiLU) for before in range(SIDES)
        )

    def drawn(self, track: Tensor, white: Tensor) -> tuple[Tensor, Traits]:
        """Return whether tracks are seen (n, 1), and their traits.

        Args:
            track: features (n, track).
            white: normal noise (n, OF_TRAITS).
        """
        choices, of_sizes = torch.split(white, [CHOICES, SIDES], dim=1)
        below_seen, below_displaced, below_kinked = torch.split(logit_of(choices), 1, dim=1)
        seen, displaced, kinked, change = torch.split(self.choices(track), 1, dim=1)
        is_displaced = (below_displaced < displaced).to(track.dtype)
        is_kinked = (below_kinked < kinked + is_displaced * change).to(track.dtype)
        known = torch.cat([track, is_displaced, is_kinked], dim=1)
        for place, network in enumerate(self.sizes):
            size = _of_size(network(known)).values(of_sizes[:, place, None])
            known = torch.cat([known, size.clamp(*SIZES)], dim=1)
        traits = Traits(is_displaced, is_kinked, known[:, -SIDES:])
        return (below_seen < seen).to(track.dtype), traits

    def losses(
        self, track: Tensor, seen: Tensor, traits: Traits, sized: Tensor
    ) -> dict[str, Tensor]:
        """Return the means of -log P of traits; of sizes where they are measured (n, SIDES).

        Displaced and kinked enter the loss for seen tracks only, as they are drawn for those.
        """
        chances, change = self.choices(track).tensor_split([CHOICES], dim=1)
        of_kink = chances[:, -1:] + traits.displaced * change
        choices = torch.cat([seen, traits.displaced, traits.kinked], dim=1)
        known = torch.cat([track, traits.displaced, traits.kinked, traits.log_size], dim=1)
        of_sizes = [
            _of_size(network(known[:, : place - SIDES])).log_density(known[:, place - SIDES, None])
            for place, network in enumerate(self.sizes)
        ]
        sizes = torch.where(sized, torch.cat(of_sizes, dim=1), 0.0)
        return {
            "choices": functional.binary_cross_entropy_with_logits(
                torch.cat([chances[:, :-1], of_kink], dim=1),
                choices,
                torch.cat([torch.ones_like(seen), seen, seen], dim=1),
            ),
            "size": -sizes.sum(dim=1).mean(),
        }


def _of_size(outputs: Tensor) -> SinhArcsinh:
    location, log_scale, skew, log_tail = torch.split(outputs, 1, dim=1)
    return SinhArcsinh(
        location * 2,
        log_scale.clamp(-3.0, 3.0),
        skew.clamp(-3.0, 3.0),
        log_tail.clamp(-1.0, 1.0),
    )
