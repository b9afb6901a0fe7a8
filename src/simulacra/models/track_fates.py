"""Where tracks have clusters, end and turn: drawn with a hazard per row, learned by likelihood.

A track that has come so far ends in a row with the probability 1 - exp(-rate), so that sums of
rates say how far it comes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

TYPICAL_ROWS = 20
"""Rows that count as much in the loss as one number of a track."""
SMALLEST_RATE = 1e-7


class Rates(NamedTuple):
    """What decides on which rows a track has clusters, all (n, rows).

    Attributes:
        ends: logarithm of the rate at which it ends.
        turns: likewise, at which a broken track turns back.
        present: normal score of the probability of a cluster in a row that the track passes.
    """

    ends: Tensor
    turns: Tensor
    present: Tensor


class Presence(NamedTuple):
    """Which rows have a cluster, and which are not beyond the last one: 1 or 0, (n, rows)."""

    present: Tensor
    passed: Tensor


def step(x: Tensor) -> Tensor:
    """Return 1 where x is positive, else 0, in x's own type: faster than a comparison."""
    return x.sign().clamp_min(0.0)


def drawn_presence(rates: Rates, lifetime: Tensor, white: Tensor) -> Presence:
    """Return where a track has clusters: up to its last row, which has one.

    Args:
        rates: of the rows.
        lifetime: exponentially distributed (n, 1).
        white: standard normal (n, rows).
    """
    beyond = step(lifetime - rates.ends.exp().cumsum(dim=1))
    passed = torch.cat([torch.ones_like(lifetime), beyond[:, :-1]], dim=1)
    last = passed.clone()
    last[:, :-1] -= beyond[:, :-1]
    return Presence(torch.maximum(passed * step(white + rates.present), last), passed)


def drawn_turns(rates: Rates, lifetime: Tensor) -> Tensor:
    """Return 1 in the rows (n, rows) from which on a track has turned back, else 0."""
    return step(rates.turns.exp().cumsum(dim=1) - lifetime)


def passed_rows(present: Tensor) -> Tensor:
    """Return 1 in the rows (n, rows) up to the last cluster, else 0."""
    return present.flip(1).cummax(dim=1).values.flip(1)


def number_passed(passed: Tensor) -> Tensor:
    """Return how many rows tracks have passed (n,), for 1 or 0 (n, rows)."""
    return passed.sum(dim=1).long()


def error_of_presence(rates: Rates, present: Tensor) -> Tensor:
    """Return the mean of -log P(presence), for a typical number of rows.

    The last row with a cluster is where the track ends: before it every row may have one.
    """
    passed = passed_rows(present)
    before = torch.cat([passed[:, 1:], torch.zeros_like(passed[:, :1])], dim=1)
    ends_here = passed - before
    ends_here[:, -1] = 0  # there every track ends
    holes: Tensor = -torch.special.log_ndtr((2 * present - 1) * rates.present)
    errors = _error_of_rates(rates.ends, before, ends_here) + before * holes
    return errors.sum(dim=1).mean() / TYPICAL_ROWS


def error_of_turns(rates: Rates, channels: Tensor, broken: Tensor) -> Tensor:
    """Return the mean of -log P(turn) of broken tracks, for a typical number of rows."""
    present, turned = channels[:, 0], channels[:, 5] * channels[:, 0]
    already = turned.cumsum(dim=1)
    before = present * (already == 0).to(present.dtype)
    here = turned * (already == 1).to(present.dtype)
    errors = _error_of_rates(rates.turns, before, here)
    return (errors * broken).sum(dim=1).mean() / TYPICAL_ROWS


def _error_of_rates(log_rates: Tensor, before: Tensor, here: Tensor) -> Tensor:
    """Return -log P (n, rows) of no event ``before`` and one ``here``."""
    rates = log_rates.exp()
    return before * rates - here * (-torch.expm1(-rates)).clamp_min(SMALLEST_RATE).log()
