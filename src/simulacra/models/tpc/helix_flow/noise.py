"""The noise of a track's rows: what diffusion, delta electrons and electronics add to the smooth.

Scores of charge, of the scatter along z and across, and of the largest pad's part are drawn for
each row, brought to the level and the spread that their group of pads has, and turned into numbers
by the rows' distributions (:mod:`simulacra.models.tpc.helix_flow.rows`), each given those before.

How much neighbours have in common is not learned by likelihood, which asks how most rows hang
together, but by moments: the mean correlation of neighbours in a group of pads, given the track,
shall be what it is in full simulation, with all that happens to the scores afterwards. So shall the
mean logarithm of how far they scatter, to which scores are stretched. Two independent draws give
the gradient of the squared difference of two means without bias.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from simulacra.detectors import TPC
from simulacra.models.blocks.networks import dense
from simulacra.models.tpc.helix_flow.charge_window import Charges, ChargeWindow
from simulacra.models.tpc.helix_flow.polynomials import combine, fitted, left_over, smooth_and_rough
from simulacra.models.tpc.helix_flow.rows import RowParameters, shared
from simulacra.models.tpc.helix_flow.scatter import Off
from simulacra.models.tpc.helix_flow.smooth import LARGEST_SCORE
from simulacra.models.tpc.helix_flow.spread import SMALLEST, GroupSpread
from simulacra.transforms.drawn import normal, uniform
from simulacra.transforms.tpc.helix_frame import OFF, Channel

SPREADS = ("across", "along z", "charge", "peak")
"""What scatters more or less than is typical in each group of pads."""
WHITE = len(SPREADS) + 1
"""Numbers of white noise for each row: one for each of them, and one for the kind of a cluster."""
MOST_STRAYED = 20.0
"""Largest score of a charge."""
MOST_COMMON = 3.0
"""Largest mean score of a track's charges, or of a group's peaks; training has hardly any."""
SPREAD_LIMITS = (math.log(SMALLEST) / 2, 1.0)
"""Smallest that is measured, and largest; likewise."""
MATCHED = 3
"""How many of SPREADS, from the first on, are stretched."""
FARTHEST = 4.0
"""Charges farther off than this, in log q, count as that far in correlations of neighbours."""


class Trail(NamedTuple):
    """Where a track has clusters.

    Attributes:
        present: 1 or 0 (n, rows).
        passed: 1 up to the last cluster, else 0 (n, rows).
        basis: polynomials that are orthonormal on the rows passed (n, orders, rows).
    """

    present: Tensor
    passed: Tensor
    basis: Tensor


class Common(NamedTuple):
    """What the rows of a track have in common.

    Attributes:
        charge: coefficients of the charge's normal scores (n, charge orders).
        spreads: logarithms of how much scores scatter, (n, SPREADS * groups).
        levels: means of the peaks' scores in each group (n, groups).
    """

    charge: Tensor
    spreads: Tensor
    levels: Tensor


class Noise(NamedTuple):
    """The noise of rows.

    Attributes:
        charge: scores of the charge, which may stray (n, rows).
        peak: log(q_max / q), (n, rows).
        off: across and along z (n, 2, rows), mm, what is smooth in them not taken out.
    """

    charge: Tensor
    peak: Tensor
    off: Tensor


class TrackNoise(nn.Module):
    """P(noise of the rows | track, rows' parameters, what rows have in common).

    Args:
        detector: a time-projection chamber.
        track: number of features of the track.
        charge_orders: polynomials for the charge.
        width: hidden units of the network for what goes with the charges.
    """

    def __init__(self, detector: TPC, track: int, charge_orders: int, width: int) -> None:
        super().__init__()
        self.spread = GroupSpread(detector)
        self.window = ChargeWindow(detector, track, width)
        self.stretch = dense((track, 32, MATCHED * self.spread.groups), nn.SiLU)
        for parameter in cast("nn.Linear", self.stretch[-1]).parameters():
            nn.init.zeros_(parameter)
        self.charge_orders, self.rows = charge_orders, len(detector.row_radii)
        self.sizes = [charge_orders, len(SPREADS) * self.spread.groups, self.spread.groups]
        """How many numbers :class:`Common` has of each kind."""

    def draw(
        self, parameters: RowParameters, track: Tensor, trail: Trail, common: Common, white: Tensor
    ) -> Noise:
        """Return the noise of rows from white noise (n, WHITE, rows)."""
        return self._drawn(parameters, self.window, track, trail, common, white)

    def common(self, numbers: Tensor, passed: Tensor) -> Common:
        """Return what rows have in common of its numbers (n, numbers), kept within its limits."""
        charge, spreads, levels = torch.split(numbers, self.sizes, dim=1)
        most = MOST_COMMON * passed.sum(dim=1, keepdim=True).sqrt()
        return Common(
            torch.minimum(torch.maximum(charge, -most), most),
            spreads.clamp(*SPREAD_LIMITS),
            levels.clamp(-MOST_COMMON, MOST_COMMON),
        )

    def known(self, present: Tensor, known_charge: Tensor) -> Tensor:
        """Return which of the numbers in common a track has (n, numbers)."""
        groups = self.spread.known(present)
        return torch.cat([known_charge, groups.repeat(1, len(SPREADS) + 1)], dim=1)

    def losses(
        self,
        parameters: RowParameters,
        track: Tensor,
        trail: Trail,
        channels: Tensor,
        coefficients: Tensor,
        kinked: Tensor,
        rng: Generator,
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the likelihoods and the error of neighbours, and what the rows have in common.

        Args:
            parameters: of the rows.
            track: features of the track.
            trail: where it has clusters.
            channels: of :class:`HelixFrame` (n, channels, rows).
            coefficients: what is smooth across and along z (n, 2, orders).
            kinked: 1 for tracks with a kink (n, 1): what is smooth in them and still left teaches
                likelihoods, but not what neighbours share; it would teach all tracks alike.
            rng: of the draws.
        """
        present = trail.present
        with torch.no_grad():
            charge = parameters.charge.scores(channels[:, Channel.CHARGE], MOST_STRAYED) * present
            normal = parameters.tail_given(charge).scores(charge, LARGEST_SCORE) * present
            rough = channels[:, OFF] - combine(trail.basis, coefficients)
            alone = rough / left_over(trail.basis)[:, None]
            across, along_z = (alone * present[:, None]).unbind(1)
        off = Off(across, along_z)
        charges = self.window(charge, track)
        scatter = parameters.scatter.given(charges)
        with torch.no_grad():
            below = uniform(present.shape, rng, present.device)
            inner, scores = scatter.found(off, present, below)
        of_peaks = parameters.peaks(charges)
        with torch.no_grad():
            common = self._common(
                normal,
                Off(*(score.clamp(-LARGEST_SCORE, LARGEST_SCORE) for score in scores)),
                of_peaks.scores(channels[:, Channel.PEAK], LARGEST_SCORE),
                trail,
            )
            found = torch.cat(
                [channels[:, Channel.CHARGE, None] - parameters.charge.location[:, None], rough], 1
            )
        terms = {
            "scatter": -mean_of(scatter.log_density(off, inner), present),
            "charge": -mean_of(_log_density_of_charge(parameters, channels), present),
            "peak": -mean_of(of_peaks.log_density(channels[:, Channel.PEAK]), present),
            "neighbours": self._error_of_neighbours(
                parameters, track, trail, common, found, 1 - kinked, rng
            ),
        }
        return terms, torch.cat(common, dim=1)

    def _drawn(
        self,
        parameters: RowParameters,
        window: Callable[[Tensor, Tensor], Charges],
        track: Tensor,
        trail: Trail,
        common: Common,
        white: Tensor,
    ) -> Noise:
        common = common._replace(spreads=self._stretched(common.spreads, track))
        scores = self._scores(parameters, white, trail, common)
        across, along_z, of_charge, of_peaks = scores.unbind(1)
        basis = trail.basis[:, : self.charge_orders]
        normal = smooth_and_rough(basis, common.charge[:, None], of_charge[:, None])[:, 0]
        normal = normal.clamp(-LARGEST_SCORE, LARGEST_SCORE)  # as those that taught the tails
        charge = parameters.straying(normal * trail.present)
        charges = window(charge, track)
        scatter = parameters.scatter.given(charges)
        kinds = scatter.kinds(white[:, -1])
        kinds = kinds._replace(strayed=kinds.strayed * trail.present)
        off = scatter.drawn(Off(across, along_z), kinds)
        peak = parameters.peaks(charges).values(of_peaks)
        return Noise(charge, peak, torch.stack(off, dim=1))

    def _stretched(self, spreads: Tensor, track: Tensor) -> Tensor:
        """Return spreads (n, SPREADS * groups), stretched by what the moments have taught."""
        stretch = self.stretch(track) / 8
        return spreads + functional.pad(stretch, (0, spreads.shape[1] - stretch.shape[1]))

    def _scores(
        self, parameters: RowParameters, white: Tensor, trail: Trail, common: Common
    ) -> Tensor:
        """Return normal scores (n, SPREADS, rows) of what scatters, from white noise."""
        passed = trail.passed
        across, along_z, of_charge, of_peaks, _ = white.unbind(1)
        off = [
            shared(*pair) for pair in zip((across, along_z), parameters.scatter_share, strict=True)
        ]
        own = self.spread.levels(of_peaks * passed, passed)
        levels = torch.where(self.spread.known(passed), common.levels, own)
        centred = of_peaks - self.spread.on_rows(own)
        scores = torch.stack([*off, of_charge, centred], dim=1)
        spread = common.spreads.view(-1, len(SPREADS), self.spread.groups)
        scores = self.spread.given(scores * passed[:, None], passed, spread)
        scores = scores + functional.pad(self.spread.on_rows(levels)[:, None], (0, 0, 3, 0))
        return scores.clamp(-LARGEST_SCORE, LARGEST_SCORE)

    def _common(self, charge: Tensor, off: Off, peaks: Tensor, trail: Trail) -> Common:
        """Return what rows with normal scores (n, rows) have in common."""
        basis, present = trail.basis[:, : self.charge_orders], trail.present
        coefficients = fitted(basis, charge[:, None], present)
        rough = (charge - combine(basis, coefficients)[:, 0]) / left_over(basis)
        levels = self.spread.levels(peaks * present, present)
        scores = [*off, rough, peaks - self.spread.on_rows(levels)]
        spread = self.spread.of(torch.stack(scores, dim=1) * present[:, None], present)
        return Common(coefficients[:, 0], spread.flatten(1), levels)

    def _error_of_neighbours(
        self,
        parameters: RowParameters,
        track: Tensor,
        trail: Trail,
        common: Common,
        found: Tensor,
        counts: Tensor,
        rng: Generator,
    ) -> Tensor:
        """Return a number whose gradient is that of half the squared differences of means.

        Only what neighbours share and the stretch get a gradient. ``found`` are log q without its
        location, and across and along z without what is smooth (n, 3, rows); tracks count that
        ``counts`` (n, 1) is 1 for.
        """
        shares = parameters.only_shares()
        weights = {name: part.detach() for name, part in self.window.named_parameters()}

        def window(charge: Tensor, track: Tensor) -> Charges:
            found: Charges = functional_call(self.window, weights, (charge, track))
            return found

        def drawn() -> Tensor:
            white = normal((len(track), WHITE, self.rows), rng, track.device)
            noise = self._drawn(shares, window, track, trail, common, white)
            none = noise.off.new_zeros((*noise.off.shape[:2], trail.basis.shape[1]))
            off = smooth_and_rough(trail.basis, none, noise.off)
            charge = shares.charge.values(noise.charge) - shares.charge.location
            charge = charge.clamp(-FARTHEST, FARTHEST)
            return self.spread.moments(torch.cat([charge[:, None], off], dim=1), trail.present)

        with torch.no_grad():
            difference = drawn() - self.spread.moments(found, trail.present)
        known = (self.spread.known(trail.present) * counts)[:, None]
        return mean_of((difference * drawn()).sum(dim=1, keepdim=True), known)


def mean_of(values: Tensor, present: Tensor) -> Tensor:
    """Return the mean of values where there are clusters."""
    return torch.where(present > 0, values, 0.0).sum() / present.sum().clamp_min(1)


def _log_density_of_charge(parameters: RowParameters, channels: Tensor) -> Tensor:
    """Return log p of log q (n, rows), given the rows farther in; it teaches no ``share``."""
    scores, log_slope = parameters.charge.sloped_scores(channels[:, Channel.CHARGE])
    share = parameters.share._replace(inner=parameters.share.inner.detach())
    parameters = parameters._replace(share=share)
    return (
        parameters.tail_given(scores * channels[:, Channel.PRESENT]).log_density(scores) + log_slope
    )
