"""Rows with clusters, last row and turn of tracks: a hazard per row, learned by likelihood.

A track that has passed the rows before ends in a row with the probability 1 - exp(-rate): it ends
where the sum of rates exceeds an exponentially distributed number.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from simulacra.detectors import TPC
from simulacra.models.tpc.helix_flow.row_networks import KnotNetwork, Range
from simulacra.transforms.tpc.helix_frame import Channel

TYPICAL_ROWS = 20
"""Rows that count as much in the loss as one number of a track."""
SMALLEST_RATE = 1e-7
MOST_CERTAIN, SUREST = 16.0, 6.0
"""Largest logarithm of a rate's inverse, largest normal score."""


class Rates(NamedTuple):
    """Rates of turns and of clusters in the rows that a track passes, all (n, rows).

    Attributes:
        turns: logarithm of the rate at which a displaced or kinked track turns back.
        present: normal score of the probability of a cluster in a row that the track passes.
    """

    turns: Tensor
    present: Tensor


class TrackEnds(nn.Module):
    """Logarithms of the rates at which tracks end in each row.

    Args:
        detector: a time-projection chamber.
        track: number of features of the track.
        width: hidden units.
    """

    def __init__(self, detector: TPC, track: int, width: int) -> None:
        super().__init__()
        self.rates = KnotNetwork(detector, track, width, (Range(4, -5),), sharp=1)

    def forward(self, track: Tensor, rows: Tensor) -> Tensor:
        """Return logarithms (n, rows) for tracks (n, track) and knots (n, ROW_FEATURES, knots)."""
        (log_rates,) = self.rates(track, rows)
        return cast("Tensor", log_rates).clamp(-MOST_CERTAIN, SUREST)


def step(x: Tensor) -> Tensor:
    """Return 1 where x is positive, else 0, in x's own type: faster than a comparison."""
    return x.sign().clamp_min(0.0)


def drawn_passed(log_rates: Tensor, lifetime: Tensor) -> Tensor:
    """Return 1 up to the last row with a cluster, else 0 (n, rows).

    Args:
        log_rates: of ends (n, rows).
        lifetime: exponentially distributed (n, 1).
    """
    beyond = step(lifetime - log_rates.exp().cumsum(dim=1))
    return torch.cat([torch.ones_like(lifetime), beyond[:, :-1]], dim=1)


def last_row(passed: Tensor) -> Tensor:
    """Return 1 in the last row that tracks (n, rows) pass, else 0."""
    last = passed.clone()
    last[:, :-1] -= passed[:, 1:]
    return last


def drawn_presence(rates: Rates, passed: Tensor, white: Tensor) -> Tensor:
    """Return the rows with clusters (n, rows): the last row that a track passes has one.

    Args:
        rates: of the rows.
        passed: 1 up to the last row with a cluster, else 0 (n, rows).
        white: standard normal (n, rows).
    """
    return torch.maximum(passed * step(white + rates.present), last_row(passed))


def drawn_turns(rates: Rates, lifetime: Tensor) -> Tensor:
    """Return 1 in the rows (n, rows) from which on a track has turned back, else 0."""
    return step(rates.turns.exp().cumsum(dim=1) - lifetime)


def passed_rows(present: Tensor) -> Tensor:
    """Return 1 in the rows (n, rows) up to the last cluster, else 0."""
    return present.flip(1).cummax(dim=1).values.flip(1)


def number_passed(passed: Tensor) -> Tensor:
    """Return how many rows tracks have passed (n,), for 1 or 0 (n, rows)."""
    return passed.sum(dim=1).long()


def error_of_ends(log_rates: Tensor, passed: Tensor) -> Tensor:
    """Return the mean of -log P(last row), for a typical number of rows."""
    ends_here = last_row(passed)
    before = passed - ends_here
    ends_here[:, -1] = 0  # there every track ends
    return _error_of_rates(log_rates, before, ends_here).sum(dim=1).mean() / TYPICAL_ROWS


def error_of_presence(rates: Rates, present: Tensor, passed: Tensor) -> Tensor:
    """Return the mean of -log P(presence), for a typical number of rows.

    The last row with a cluster is where the track ends: before it every row may have one.
    """
    before = passed - last_row(passed)
    holes: Tensor = -torch.special.log_ndtr((2 * present - 1) * rates.present)
    return (before * holes).sum(dim=1).mean() / TYPICAL_ROWS


def error_of_turns(rates: Rates, channels: Tensor, broken: Tensor) -> Tensor:
    """Return the mean of -log P(turn) of displaced or kinked tracks, for typical rows."""
    present = channels[:, Channel.PRESENT]
    turned = channels[:, Channel.TURNED] * present
    already = turned.cumsum(dim=1)
    before = present * (already == 0).to(present.dtype)
    here = turned * (already == 1).to(present.dtype)
    errors = _error_of_rates(rates.turns, before, here)
    return (errors * broken).sum(dim=1).mean() / TYPICAL_ROWS


def _error_of_rates(log_rates: Tensor, before: Tensor, here: Tensor) -> Tensor:
    """Return -log P (n, rows) of no event ``before`` and one ``here``."""
    rates = log_rates.exp()
    return before * rates - here * (-torch.expm1(-rates)).clamp_min(SMALLEST_RATE).log()
