"""Polynomials that are orthonormal on the rows of a track, from the first to its last cluster.

What scattering and energy loss do to a track is smooth along it, what the read-out adds is not. The
projection on a few polynomials separates the two exactly: the smooth part is a handful of numbers
per track, and the rest is noise, orthogonal to it. The polynomials, in the radius of the rows,
depend only on where a track ends: there is a table of them. Where rows are missing in between, the
coefficients are those of least squares.

References:
    G. E. Forsythe (1957), Generation and use of orthogonal polynomials for data-fitting, J. SIAM 5,
    74 (the recurrence).
"""

from __future__ import annotations

import torch
from torch import Tensor

LEAST_LEFT = 0.05
"""Part of a row's variance that polynomials leave at least, where it is divided by."""
LEAST_REST = 1e-3
"""Part of a function that polynomials leave at least, if it is not to count as one of them."""
RIDGE = 1e-4
"""Keeps coefficients finite that the clusters of a track do not tell apart."""


def polynomial_table(radii: Tensor, number: int) -> Tensor:
    """Return polynomials (rows + 1, number, rows), orthonormal on the first m rows in table m.

    Beyond them they are zero. On m rows there are m of them; the rest are zero.

    Args:
        radii: of the rows (rows,), in any unit.
        number: of polynomials, from the constant on.
    """
    rows, radii = len(radii), radii.double()
    inside = torch.ones(rows + 1, rows, dtype=radii.dtype).tril(-1)
    count = inside.sum(dim=1, keepdim=True)
    last = radii[(count[:, 0].long() - 1).clamp_min(0)][:, None]
    x = (2 * (radii - radii[0]) / (last - radii[0]).clamp_min(1e-6) - 1) * inside
    now = inside / count.clamp_min(1).sqrt()
    before, norm = torch.zeros_like(now), torch.zeros_like(count)
    found = [now]
    for order in range(1, number):
        shift = (x * now.square()).sum(dim=1, keepdim=True)
        new = (x - shift) * now - norm * before
        norm = new.norm(dim=1, keepdim=True) * (count > order)
        before, now = now, torch.where(norm > 0, new / norm.clamp_min(1e-9), 0.0)
        found.append(now)
    return torch.stack(found, dim=1).float()


def orthonormal_rest(polynomials: Tensor, functions: Tensor) -> Tensor:
    """Return what polynomials leave of functions, of length 1 (tables, functions, rows).

    Functions of which they leave hardly anything are 0.

    Args:
        polynomials: (tables, orders, rows), as of :func:`polynomial_table`.
        functions: (functions, rows); of each table only the rows count that it has.
    """
    polynomials = polynomials.double()
    inside = (polynomials[:, :1] != 0).to(polynomials.dtype)
    rest = functions.double() * inside
    length = rest.norm(dim=2, keepdim=True)
    for _ in range(2):  # once leaves what rounding leaves
        rest = rest - (rest @ polynomials.mT) @ polynomials
    left = rest.norm(dim=2, keepdim=True)
    return torch.where(left > LEAST_REST * length, rest / left.clamp_min(1e-12), 0.0).float()


def leverages(polynomials: Tensor) -> Tensor:
    """Return the part of each row's variance (n, rows) that the polynomials take."""
    return polynomials.square().sum(dim=1)


def left_over(polynomials: Tensor) -> Tensor:
    """Return the part of each row's standard deviation (n, rows) that the polynomials leave."""
    return (1 - leverages(polynomials)).clamp_min(LEAST_LEFT).sqrt()


def fitted(polynomials: Tensor, values: Tensor, present: Tensor) -> Tensor:
    """Return the coefficients (n, channels, number) that fit values best on the rows present.

    Args:
        polynomials: (n, number, rows).
        values: (n, channels, rows), zero on rows that are not present.
        present: 1 or 0 (n, rows).
    """
    seen = polynomials * present[:, None]
    products = seen @ polynomials.mT
    absent = 1 - polynomials.square().sum(dim=2).clamp_max(1)  # orders that a track does not have
    products = products + torch.diag_embed(absent + RIDGE)
    solution: Tensor = torch.linalg.solve(products, seen @ values.mT)
    return solution.mT


def project(polynomials: Tensor, values: Tensor) -> Tensor:
    """Return the coefficients (n, channels, number) of values (n, channels, rows)."""
    return (polynomials @ values.mT).mT


def combine(polynomials: Tensor, coefficients: Tensor) -> Tensor:
    """Return the sums (n, channels, rows) of polynomials with coefficients."""
    return coefficients @ polynomials


def smooth_and_rough(polynomials: Tensor, coefficients: Tensor, noise: Tensor) -> Tensor:
    """Return smooth tracks with noise whose own smooth part is taken out, (n, channels, rows).

    Args:
        polynomials: (n, orders, rows).
        coefficients: (n, channels, orders).
        noise: (n, channels, rows).
    """
    coefficients = coefficients - project(polynomials, noise)
    return torch.baddbmm(noise, coefficients, polynomials)
