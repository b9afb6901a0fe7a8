"""Monotone piecewise linear maps that flatten the sharp features of a sample."""

from __future__ import annotations

import torch
from torch import Tensor

from simulacra.errors import EventsError


def quantile_knots(values: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Return knots (number,) of a map from values to normal scores, by the sample's quantiles.

    Args:
        values: the sample (n,), finite.
        number: of knots; fewer different ones are repeated at the end, which changes nothing.

    Raises:
        EventsError: there are fewer than two different values.
    """
    levels = (torch.arange(number, dtype=torch.float64) + 0.5) / number
    ordered = values.double().sort().values
    places = (levels * len(ordered)).long().clamp_max(max(len(ordered) - 1, 0))
    knots = ordered[places]
    new = torch.cat([torch.ones(1, dtype=torch.bool), knots.diff() > 0])
    if len(ordered) < 2 or new.sum() < 2:
        msg = "quantiles need a sample of different values"
        raise EventsError(msg)
    scores = torch.special.ndtri(levels)
    knots, scores = knots[new], scores[new]
    rest = number - len(knots)
    return torch.cat([knots, knots[-1:].expand(rest)]), torch.cat(
        [scores, scores[-1:].expand(rest)]
    )


def piecewise_linear(x: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Return the function that is ``values`` at ``knots``, linear between and beyond them.

    Built of ramps, so that it exports; with knots and values exchanged it is its inverse.

    Args:
        x: where (n, features).
        knots: ascending (features, k); equal ones at the end count once.
        values: likewise.
    """
    steps, rises = knots.diff(dim=1), values.diff(dim=1)
    slopes = torch.where(steps > 0, rises / torch.where(steps > 0, steps, 1.0), 0.0)
    # beyond the last different knot the last slope goes on
    last = (steps > 0).sum(dim=1, keepdim=True) - 1
    places = torch.arange(steps.shape[1], device=x.device)
    slopes = slopes.gather(1, torch.minimum(places, last).clamp_min(0))
    bends = slopes.diff(dim=1)
    ramps = (x[:, :, None] - knots[:, 1:-1]).clamp_min(0.0)
    return values[:, 0] + slopes[:, 0] * (x - knots[:, 0]) + (ramps * bends).sum(dim=2)
