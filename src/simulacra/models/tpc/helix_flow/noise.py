"""The noise of a track's rows, from diffusion, delta electrons and electronics.

Scores of the charge, of both residuals and of the peak are drawn for each row, scaled to the mean
and width in their group of pads, and turned into numbers by the distributions of the rows
(:mod:`simulacra.models.tpc.helix_flow.rows`), each given those before.

Two things are learned by moments instead of likelihood: the mean correlation of neighbours in a
group of pads, given the track, and the mean logarithm of the width there. Few rows make both, and
the likelihood is dominated by the others. The moments are those of the generated charges and
residuals, after all transformations of the scores. Two independent draws give the gradient of the
squared difference of two means without bias.
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
from simulacra.models.tpc.helix_flow.group_widths import SMALLEST, GroupWidths
from simulacra.models.tpc.helix_flow.polynomials import combine, fitted, left_over, smooth_and_rough
from simulacra.models.tpc.helix_flow.rows import RowParameters, shared
from simulacra.models.tpc.helix_flow.scatter import Residuals
from simulacra.models.tpc.helix_flow.smooth import LARGEST_SCORE
from simulacra.transforms.drawn import normal, uniform
from simulacra.transforms.tpc.helix_frame import RESIDUALS, Channel

SCATTERED = ("r_phi", "along z", "charge", "peak")
"""The scores that have a width in each group of pads."""
WHITE = len(SCATTERED) + 1
"""Numbers of white noise for each row: one for each score, one for the kind of the cluster."""
LARGEST_CHARGE_SCORE = 20.0
"""Largest score of a charge."""
MOST_COMMON = 3.0
"""Largest mean score of a track's charges or a group's peaks; training has hardly any larger."""
WIDTH_LIMITS = (math.log(SMALLEST) / 2, 1.0)
"""Smallest and largest logarithm of a width."""
MATCHED = 3
"""How many of SCATTERED, from the first on, have widths that are corrected by moments."""
Window = Callable[[Tensor, Tensor], Charges]
"""Scores of the charge (n, rows) and features of the track to changes of the rows' parameters."""
FARTHEST = 4.0
"""Charges are clamped to this distance in log q in the correlations of neighbours."""


class Trail(NamedTuple):
    """The rows of a track.

    Attributes:
        present: 1 or 0 (n, rows).
        passed: 1 up to the last cluster, else 0 (n, rows).
        basis: polynomials that are orthonormal on the rows passed (n, orders, rows).
    """

    present: Tensor
    passed: Tensor
    basis: Tensor


class Common(NamedTuple):
    """Numbers that the rows of a track have in common.

    Attributes:
        charge: coefficients of the charge's normal scores (n, charge orders).
        widths: logarithms of the widths of scores (n, SCATTERED * groups).
        levels: means of the peaks' scores in each group (n, groups).
    """

    charge: Tensor
    widths: Tensor
    levels: Tensor


class Noise(NamedTuple):
    """The noise of rows.

    Attributes:
        charge: scores of the charge with their upper tail (n, rows).
        peak: log(q_max / q), (n, rows).
        residuals: in rphi and z (n, 2, rows), mm, including their projection on the polynomials.
    """

    charge: Tensor
    peak: Tensor
    residuals: Tensor


class TrackNoise(nn.Module):
    """P(noise of the rows | track, rows' parameters, numbers in common).

    Args:
        detector: a time-projection chamber.
        track: number of features of the track.
        charge_orders: polynomials for the charge.
        width: hidden units of the network of the charges.
    """

    def __init__(self, detector: TPC, track: int, charge_orders: int, width: int) -> None:
        super().__init__()
        self.widths = GroupWidths(detector)
        self.window = ChargeWindow(detector, track, width)
        self.stretch = dense((track, 32, MATCHED * self.widths.groups), nn.SiLU)
        for parameter in cast("nn.Linear", self.stretch[-1]).parameters():
            nn.init.zeros_(parameter)
        self.charge_orders, self.rows = charge_orders, len(detector.row_radii)
        self.sizes = [charge_orders, len(SCATTERED) * self.widths.groups, self.widths.groups]
        """How many numbers :class:`Common` has of each kind."""

    def draw(
        self,
        parameters: RowParameters,
        track: Tensor,
        trail: Trail,
        common: Common,
        white: Tensor,
        window: Window | None = None,
    ) -> Noise:
        """Return the noise of rows from white noise (n, WHITE, rows).

        Args:
            parameters: of the rows.
            track: features of the track.
            trail: its rows.
            common: numbers that the rows have in common.
            white: the white noise.
            window: in the place of the model's own, as one without gradients.
        """
        common = common._replace(widths=self._stretched(common.widths, track))
        scores = self._scores(parameters, white, trail, common)
        r_phi, z, of_charge, of_peaks = scores.unbind(1)
        basis = trail.basis[:, : self.charge_orders]
        normal = smooth_and_rough(basis, common.charge[:, None], of_charge[:, None])[:, 0]
        normal = normal.clamp(-LARGEST_SCORE, LARGEST_SCORE)  # as those that taught the tails
        charge = parameters.with_tail(normal * trail.present)
        charges = (window or self.window)(charge, track)
        scatter = parameters.scatter.given(charges)
        kinds = scatter.kinds(white[:, -1])
        kinds = kinds._replace(outlier=kinds.outlier * trail.present)
        residuals = scatter.drawn(Residuals(r_phi, z), kinds)
        peak = parameters.peaks(charges).values(of_peaks)
        return Noise(charge, peak, torch.stack(residuals, dim=1))

    def common(self, numbers: Tensor, passed: Tensor) -> Common:
        """Return the numbers in common (n, numbers) by name, clamped to their limits."""
        charge, widths, levels = torch.split(numbers, self.sizes, dim=1)
        most = MOST_COMMON * passed.sum(dim=1, keepdim=True).sqrt()
        return Common(
            torch.minimum(torch.maximum(charge, -most), most),
            widths.clamp(*WIDTH_LIMITS),
            levels.clamp(-MOST_COMMON, MOST_COMMON),
        )

    def known(self, present: Tensor, known_charge: Tensor) -> Tensor:
        """Return which of the numbers in common a track has (n, numbers)."""
        groups = self.widths.known(present)
        return torch.cat([known_charge, groups.repeat(1, len(SCATTERED) + 1)], dim=1)

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
        """Return the loss terms, and the numbers that the rows have in common.

        Args:
            parameters: of the rows.
            track: features of the track.
            trail: its rows.
            channels: of :class:`HelixFrame` (n, channels, rows).
            coefficients: of the polynomials in rphi and z (n, 2, orders).
            kinked: 1 for tracks with a kink (n, 1). They do not enter the moments: their smooth
                remainder is a correlation of neighbours that other tracks do not have.
            rng: of the draws.
        """
        present = trail.present
        with torch.no_grad():
            charge = (
                parameters.charge.scores(channels[:, Channel.CHARGE], LARGEST_CHARGE_SCORE)
                * present
            )
            normal = parameters.tail_given(charge).scores(charge, LARGEST_SCORE) * present
            rough = channels[:, RESIDUALS] - combine(trail.basis, coefficients)
            alone = rough / left_over(trail.basis)[:, None]
            r_phi, z = (alone * present[:, None]).unbind(1)
        residuals = Residuals(r_phi, z)
        charges = self.window(charge, track)
        scatter = parameters.scatter.given(charges)
        with torch.no_grad():
            below = uniform(present.shape, rng, present.device)
            inner, scores = scatter.found(residuals, present, below)
        of_peaks = parameters.peaks(charges)
        with torch.no_grad():
            common = self._common(
                normal,
                Residuals(*(score.clamp(-LARGEST_SCORE, LARGEST_SCORE) for score in scores)),
                of_peaks.scores(channels[:, Channel.PEAK], LARGEST_SCORE),
                trail,
            )
            found = torch.cat(
                [channels[:, Channel.CHARGE, None] - parameters.charge.location[:, None], rough], 1
            )
        terms = {
            "scatter": -mean_of(scatter.log_density(residuals, inner), present),
            "charge": -mean_of(_log_density_of_charge(parameters, channels), present),
            "peak": -mean_of(of_peaks.log_density(channels[:, Channel.PEAK]), present),
            "neighbours": self._error_of_neighbours(
                parameters, track, trail, common, found, 1 - kinked, rng
            ),
        }
        return terms, torch.cat(common, dim=1)

    def _stretched(self, widths: Tensor, track: Tensor) -> Tensor:
        """Return logarithms of widths (n, SCATTERED * groups), corrected as learned by moments."""
        stretch = self.stretch(track) / 8
        return widths + functional.pad(stretch, (0, widths.shape[1] - stretch.shape[1]))

    def _scores(
        self, parameters: RowParameters, white: Tensor, trail: Trail, common: Common
    ) -> Tensor:
        """Return normal scores (n, SCATTERED, rows), from white noise."""
        passed = trail.passed
        r_phi, z, of_charge, of_peaks, _ = white.unbind(1)
        residuals = [
            shared(*pair) for pair in zip((r_phi, z), parameters.scatter_share, strict=True)
        ]
        own = self.widths.levels(of_peaks * passed, passed)
        levels = torch.where(self.widths.known(passed), common.levels, own)
        centred = of_peaks - self.widths.on_rows(own)
        scores = torch.stack([*residuals, of_charge, centred], dim=1)
        widths = common.widths.view(-1, len(SCATTERED), self.widths.groups)
        scores = self.widths.given(scores * passed[:, None], passed, widths)
        scores = scores + functional.pad(self.widths.on_rows(levels)[:, None], (0, 0, 3, 0))
        return scores.clamp(-LARGEST_SCORE, LARGEST_SCORE)

    def _common(self, charge: Tensor, residuals: Residuals, peaks: Tensor, trail: Trail) -> Common:
        """Return the numbers in common of rows with normal scores (n, rows)."""
        basis, present = trail.basis[:, : self.charge_orders], trail.present
        coefficients = fitted(basis, charge[:, None], present)
        rough = (charge - combine(basis, coefficients)[:, 0]) / left_over(basis)
        levels = self.widths.levels(peaks * present, present)
        scores = [*residuals, rough, peaks - self.widths.on_rows(levels)]
        widths = self.widths.log_widths(torch.stack(scores, dim=1) * present[:, None], present)
        return Common(coefficients[:, 0], widths.flatten(1), levels)

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

        Only the shared parts and the widths' corrections get a gradient. ``found`` are log q minus
        its location and the residuals minus their polynomials (n, 3, rows). Tracks enter where
        ``counts`` (n, 1) is 1.
        """
        shares = parameters.only_shares()
        weights = {name: part.detach() for name, part in self.window.named_parameters()}

        def window(charge: Tensor, track: Tensor) -> Charges:
            found: Charges = functional_call(self.window, weights, (charge, track))
            return found

        def drawn() -> Tensor:
            white = normal((len(track), WHITE, self.rows), rng, track.device)
            noise = self.draw(shares, track, trail, common, white, window)
            none = noise.residuals.new_zeros((*noise.residuals.shape[:2], trail.basis.shape[1]))
            residuals = smooth_and_rough(trail.basis, none, noise.residuals)
            charge = shares.charge.values(noise.charge) - shares.charge.location
            charge = charge.clamp(-FARTHEST, FARTHEST)
            return self.widths.moments(
                torch.cat([charge[:, None], residuals], dim=1), trail.present
            )

        with torch.no_grad():
            difference = drawn() - self.widths.moments(found, trail.present)
        known = (self.widths.known(trail.present) * counts)[:, None]
        return mean_of((difference * drawn()).sum(dim=1, keepdim=True), known)


def mean_of(values: Tensor, present: Tensor) -> Tensor:
    """Return the mean of values where there are clusters."""
    return torch.where(present > 0, values, 0.0).sum() / present.sum().clamp_min(1)


def _log_density_of_charge(parameters: RowParameters, channels: Tensor) -> Tensor:
    """Return log p of log q (n, rows), given inner rows; without a gradient of ``share.inner``."""
    scores, log_slope = parameters.charge.sloped_scores(channels[:, Channel.CHARGE])
    share = parameters.share._replace(inner=parameters.share.inner.detach())
    parameters = parameters._replace(share=share)
    return (
        parameters.tail_given(scores * channels[:, Channel.PRESENT]).log_density(scores) + log_slope
    )
