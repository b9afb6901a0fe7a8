"""Polynomials that are orthonormal on the rows of a track that hold a cluster.

What scattering and energy loss do to a track is smooth along it, what the read-out adds is not. The
projection on a few polynomials separates the two exactly, whatever rows are missing: the smooth
part is a handful of numbers per track, and the rest is noise, orthogonal to it.

References:
    G. E. Forsythe (1957), Generation and use of orthogonal polynomials for data-fitting, J. SIAM 5,
    74 (the recurrence).
"""

from __future__ import annotations

import torch
from torch import Tensor

FAR = 1e6
"""Farther than any row, in the unit of the positions."""
LEAST_LEFT = 0.05
"""Part of a row's variance that polynomials leave at least, where it is divided by."""
MOST_INDUCED = 0.4
"""Largest correlation that is counted."""
SMALLEST = 1e-6
"""Squared norms below this belong to polynomials that the rows of a track do not tell apart."""


def orthonormal_polynomials(position: Tensor, present: Tensor, number: int) -> Tensor:
    """Return polynomials (n, number, rows), zero on rows without a cluster.

    On the others they are orthonormal. A track with m clusters has m of them; the rest are zero.

    Args:
        position: where the rows lie along the track (n, rows), in any unit.
        present: 1 or 0 (n, rows).
        number: of polynomials, from the constant on.
    """
    count = present.sum(dim=1, keepdim=True)
    away = (1 - present) * FAR
    low = (position + away).amin(dim=1, keepdim=True)
    high = (position - away).amax(dim=1, keepdim=True)
    x = (2 * (position - low) / (high - low).clamp_min(SMALLEST) - 1) * present
    now = present / count.clamp_min(1).sqrt()
    before, norm = torch.zeros_like(now), torch.zeros_like(count)
    found = [now]
    for order in range(1, number):
        shift = (x * now.square()).sum(dim=1, keepdim=True)
        new = (x - shift) * now - norm * before
        square = new.square().sum(dim=1, keepdim=True)
        known = ((count > order) & (square > SMALLEST)).to(new.dtype)
        norm = square.sqrt() * known
        before, now = now, new * (known / norm.clamp_min(SMALLEST))
        found.append(now)
    return torch.stack(found, dim=1)


def leverages(polynomials: Tensor) -> Tensor:
    """Return the part of each row's variance (n, rows) that the polynomials take."""
    return polynomials.square().sum(dim=1)


def neighbours(polynomials: Tensor) -> Tensor:
    """Return the correlation (n, rows - 1) of neighbours that taking the polynomials out makes."""
    left = (1 - leverages(polynomials)).clamp_min(LEAST_LEFT)
    product = (polynomials[..., 1:] * polynomials[..., :-1]).sum(dim=1)
    return (-product / (left[:, 1:] * left[:, :-1]).sqrt()).clamp(-MOST_INDUCED, MOST_INDUCED)


def project(polynomials: Tensor, values: Tensor) -> Tensor:
    """Return the coefficients (n, channels, number) of values (n, channels, rows)."""
    return values @ polynomials.mT


def combine(polynomials: Tensor, coefficients: Tensor) -> Tensor:
    """Return the sums (n, channels, rows) of polynomials with coefficients."""
    return coefficients @ polynomials


def smooth_and_rough(
    polynomials: Tensor, coefficients: Tensor, noise: Tensor
) -> tuple[Tensor, ...]:
    """Return smooth tracks with noise whose own smooth part is taken out, by channel (n, rows).

    Args:
        polynomials: (n, orders, rows).
        coefficients: (n, channels, orders).
        noise: (n, channels, rows).
    """
    coefficients = coefficients - project(polynomials, noise)
    return (noise + combine(polynomials, coefficients)).unbind(1)
