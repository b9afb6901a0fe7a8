"""Where tracks have clusters, end and turn: drawn with a hazard per row, learned by likelihood."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from simulacra.models.marginals import logit_of
from simulacra.models.track_rows import RowParameters, survival

TYPICAL_ROWS = 20
"""Rows that count as much in the loss as one number of a track."""


def presence(parameters: RowParameters, log_chance: Tensor, white: Tensor) -> Tensor:
    """Return which rows have a cluster (n, rows), 1 or 0: up to the last, which has one."""
    beyond = (survival(parameters.ends) > log_chance).to(white.dtype)
    first = torch.ones_like(beyond[:, :1])
    until = torch.cat([first, beyond[:, :-1]], dim=1)
    last = until - torch.cat([beyond[:, :-1], 0 * first], dim=1)
    found = (logit_of(white) + parameters.present > 0).to(white.dtype)
    return torch.maximum(until * found, last)


def error_of_presence(parameters: RowParameters, present: Tensor) -> Tensor:
    """Return the mean of -log P(presence), for a typical number of rows.

    The last row with a cluster is where the track ends: before it every row may have one.
    """
    number = torch.arange(present.shape[1], device=present.device)
    last = torch.where(present > 0, number, -1).amax(dim=1, keepdim=True)
    before = (number < last).to(present.dtype)
    ends_here = ((number == last) & (number < len(number) - 1)).to(present.dtype)
    holes = functional.binary_cross_entropy_with_logits(
        parameters.present, present, reduction="none"
    )
    errors = _error_of_hazards(parameters.ends, before, ends_here) + before * holes
    return errors.sum(dim=1).mean() / TYPICAL_ROWS


def error_of_turns(parameters: RowParameters, channels: Tensor, broken: Tensor) -> Tensor:
    """Return the mean of -log P(turn) of broken tracks, for a typical number of rows."""
    present, turned = channels[:, 0], channels[:, 5] * channels[:, 0]
    already = turned.cumsum(dim=1)
    before = present * (already == 0).to(present.dtype)
    here = turned * (already == 1).to(present.dtype)
    errors = _error_of_hazards(parameters.turns, before, here)
    return (errors * broken).sum(dim=1).mean() / TYPICAL_ROWS


def _error_of_hazards(hazards: Tensor, before: Tensor, here: Tensor) -> Tensor:
    """Return -log P (n, rows) of no event ``before`` and one ``here``, for logits of hazards."""
    return before * functional.softplus(hazards) + here * functional.softplus(-hazards)
