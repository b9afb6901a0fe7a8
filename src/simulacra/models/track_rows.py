"""What a pad row answers: whether there is a cluster, how far it scatters, how much charge it has.

One small network sees, row by row, how the ideal helix meets the row and what the track is like.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.detectors import Tpc
from simulacra.models.networks import dense
from simulacra.models.sinh_arcsinh import SinhArcsinh

ROWWISE, TRACKWISE = 14, 11
"""Parameters that differ from row to row, and those that a track has once."""
SHARP = 3
"""The first of them may change from one row to the next."""
KNOT_SPACING = 9
"""Rows between those that a network sees."""
MOST_CERTAIN = 16.0
"""Largest logit."""


class RowParameters(NamedTuple):
    """The distributions of all rows: tensors (n, rows), or (n, 1) of what a track has once.

    Attributes:
        ends: logit of the probability that the track ends here, if it has come so far.
        turns: likewise, that from here on a broken track has turned back.
        present: logit of the probability of a cluster in a row that the track passes.
        across, along_z: log of the scatter in mm; the first two coefficients of its change with
            the charge's score; tails.
        charge: of log q.
        share: how much of a row's charge score its inner neighbour has in common with it.
        peak: of log(q_max / q) at the mean charge.
        peak_changes: the first two coefficients of the change of its location with the charge's
            score, and of its log scale.
        along_z_share: as ``share``, of the scatter along z.
    """

    ends: Tensor
    turns: Tensor
    present: Tensor
    across: tuple[Tensor, Tensor, Tensor, Tensor]
    along_z: tuple[Tensor, Tensor, Tensor, Tensor]
    charge: SinhArcsinh
    share: Tensor
    peak: SinhArcsinh
    peak_changes: tuple[Tensor, Tensor, Tensor, Tensor]
    along_z_share: Tensor

    def scatter_across(self, charge: Tensor) -> SinhArcsinh:
        """Return the distribution beside the smooth track, for scores of the charge."""
        return _scatter(self.across, charge)

    def scatter_along_z(self, charge: Tensor) -> SinhArcsinh:
        """Return the distribution along z, for scores of the charge."""
        return _scatter(self.along_z, charge)

    def peaks(self, charge: Tensor) -> SinhArcsinh:
        """Return the distribution of log(q_max / q), for scores of the charge."""
        second = charge.square() - 1
        a, b, c, d = self.peak_changes
        return self.peak._replace(
            location=self.peak.location + a * charge + b * second,
            log_scale=(self.peak.log_scale + c * charge + d * second).clamp(-8.0, 3.0),
        )


def shared(white: Tensor, share: Tensor) -> Tensor:
    """Return normal scores (n, rows) of which neighbours share a part, from white noise.

    Electrons diffuse into the next row; a moving average of white noise does as they do.
    """
    return (white + share * white.roll(1, dims=1)) / (1 + share.square()).sqrt()


def log_density_of_neighbours(
    scores: Tensor, share: Tensor, induced: Tensor | float = 0.0
) -> Tensor:
    """Return log of how much likelier scores (n, rows - 1) make their inner neighbours.

    Args:
        scores: standard normal, (n, rows).
        share: as in :func:`shared`, (n, rows) or (n, 1).
        induced: a correlation of neighbours that the scores have besides (n, rows - 1).
    """
    correlation = share / (1 + share.square())
    correlation = correlation.expand_as(scores)[:, 1:] + induced
    a, b = scores[:, :-1], scores[:, 1:]
    rest = 1 - correlation.square()
    square = correlation.square() * (a.square() + b.square()) - 2 * correlation * a * b
    return -(rest.log() + square / rest) / 2


def survival(hazards: Tensor) -> Tensor:
    """Return log of the probability (n, rows) of no event up to a row, for logits of hazards."""
    return -hazards.exp().log1p().cumsum(dim=1)


def _scatter(parameters: tuple[Tensor, Tensor, Tensor, Tensor], charge: Tensor) -> SinhArcsinh:
    log_scale, first, second, log_tail = parameters
    zero = charge.new_zeros(())
    log_scale = log_scale + first * charge + second * (charge.square() - 1)
    return SinhArcsinh(zero, log_scale.clamp(-6.0, 6.0), zero, log_tail)


class RowNetwork(nn.Module):
    """Parameters of all rows.

    What a row answers changes little from one row to the next: a network sees some rows of each
    group of pads, and between them the parameters are interpolated. Only where a track ends, turns
    or has holes may be sharp: to that, each row's own features are added, with weights that the
    track gives.

    Args:
        detector: a time-projection chamber.
        track: number of features of the track.
        row: number of features of a row.
        width: hidden units.
    """

    charge_centre: Tensor
    charge_spread: Tensor
    peak_centre: Tensor
    peak_spread: Tensor
    constants: Tensor
    knots: Tensor
    between: Tensor

    def __init__(self, detector: Tpc, track: int, row: int, width: int) -> None:
        super().__init__()
        counts = [part.rows for part in detector.pad_rows]
        knots, between = interpolation(counts, KNOT_SPACING)
        self.register_buffer("knots", knots, persistent=False)
        self.register_buffer("between", between, persistent=False)
        group = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
        radii = torch.from_numpy(detector.row_radii).float()[:, None]
        constants = torch.cat([functional.one_hot(group).float(), 2 * radii / radii[-1] - 1], dim=1)
        self.register_buffer("constants", constants[knots], persistent=False)
        self.row = nn.Linear(row, width)
        self.place = nn.Linear(constants.shape[1], width, bias=False)
        self.track = dense((track, 64, width), nn.SiLU)
        self.leave = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, ROWWISE))
        self.wide = nn.Linear(track, ROWWISE, bias=False)
        self.once = dense((track, 32, TRACKWISE), nn.SiLU)
        self.sharp = nn.Linear(track, SHARP * row)
        for name in ("charge", "peak"):
            self.register_buffer(f"{name}_centre", torch.zeros(()))
            self.register_buffer(f"{name}_spread", torch.ones(()))

    def fit(self, charge: Tensor, peak: Tensor) -> None:
        """Set the typical charge and peak from the values of all clusters."""
        for name, values in (("charge", charge), ("peak", peak)):
            self.get_buffer(f"{name}_centre").copy_(values.mean())
            self.get_buffer(f"{name}_spread").copy_(values.std().clamp_min(1e-3))

    def forward(self, track: Tensor, rows: Tensor) -> RowParameters:
        """Return the distributions.

        Args:
            track: (n, track).
            rows: (n, features, rows).
        """
        hidden = self.row(rows[:, :, self.knots].mT) + self.place(self.constants)
        hidden = functional.silu(hidden + self.track(track)[:, None])
        at_knots = self.leave(hidden) + self.wide(track)[:, None]
        smooth = at_knots.mT @ self.between
        sharp = self.sharp(track).view(-1, SHARP, rows.shape[1]) @ rows
        rowwise = [*(smooth[:, :SHARP] + sharp).unbind(1), *smooth[:, SHARP:].unbind(1)]
        return self._distributions(rowwise, torch.split(self.once(track), 1, dim=1))

    def _distributions(self, rows: Sequence[Tensor], track: Sequence[Tensor]) -> RowParameters:
        ends, turns, present, across, along_z, charge, charge_scale, share, peak, *changes = rows
        return RowParameters(
            ends=(4 * ends - 5).clamp(-MOST_CERTAIN, MOST_CERTAIN),
            turns=(4 * turns - 5).clamp(-MOST_CERTAIN, MOST_CERTAIN),
            present=(4 * present + 3).clamp(-MOST_CERTAIN, MOST_CERTAIN),
            across=_scatter_of(across, changes[0], track[0], track[1]),
            along_z=_scatter_of(along_z, changes[1], track[2], track[3]),
            charge=SinhArcsinh(
                self.charge_centre + self.charge_spread * charge,
                self.charge_spread.log() + charge_scale.clamp(-4.0, 2.0),
                track[4].clamp(-2.0, 2.0),
                (track[5] / 2).clamp(-1.0, 1.0),
            ),
            share=(share / 2).tanh(),
            peak=SinhArcsinh(
                self.peak_centre + self.peak_spread * peak,
                self.peak_spread.log() + track[6].clamp(-4.0, 2.0),
                track[7].clamp(-2.0, 2.0),
                (track[8] / 2).clamp(-1.0, 1.0),
            ),
            peak_changes=(
                self.peak_spread * changes[2] / 2,
                self.peak_spread * changes[3] / 4,
                changes[4] / 4,
                track[9] / 8,
            ),
            along_z_share=(track[10] / 2).tanh(),
        )


def _scatter_of(
    log_scale: Tensor, first: Tensor, second: Tensor, log_tail: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return log_scale - 0.7, first / 4, second / 8, (log_tail / 2).clamp(-1.0, 1.0)


def interpolation(counts: Sequence[int], spacing: int) -> tuple[Tensor, Tensor]:
    """Return knots (k,) in groups of rows, and the weights (k, rows) of linear interpolation.

    Each group begins and ends with a knot.
    """
    knots, weights, first = [], [], 0
    for count in counts:
        number = max(math.ceil((count - 1) / spacing), 1) + 1
        places = torch.linspace(0, count - 1, number).round()
        distance = torch.arange(count)[None] - places[:, None]
        after = torch.cat([places.diff(), torch.ones(1)]).clamp_min(1)[:, None]
        before = torch.cat([torch.ones(1), places.diff()]).clamp_min(1)[:, None]
        part = torch.where(distance < 0, 1 + distance / before, 1 - distance / after).clamp_min(0)
        knots.append(places.long() + first)
        weights.append(functional.pad(part, (first, sum(counts) - first - count)))
        first += count
    return torch.cat(knots), torch.cat(weights)
