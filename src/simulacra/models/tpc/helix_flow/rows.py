"""The distributions of a pad row: presence, charge, z and rphi residual, peak of its cluster.

One small network (:mod:`.row_networks`) gives the parameters of all rows.

The order is charge, z residual, rphi residual. The position of the charge within a row moves the
cluster along the track, and with it both residuals: z is larger where the next row has more charge
than the one before (the electrons lie at their common border), and rphi has a part proportional to
z. The remaining scatter depends on the charge: few electrons diffuse farther, and the many of a
delta electron may lie far from the track, in one row or in two.
"""

from __future__ import annotations

import math
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.detectors import TPC
from simulacra.helix import FLATTEST
from simulacra.models.blocks.networks import dense
from simulacra.models.distributions.sinh_arcsinh import SinhArcsinh
from simulacra.models.distributions.upper_tail import UpperTail, above
from simulacra.models.tpc.helix_flow.charge_window import LARGEST_CHARGE, Charges
from simulacra.models.tpc.helix_flow.group_widths import row_groups
from simulacra.models.tpc.helix_flow.row_networks import KnotNetwork, Range
from simulacra.models.tpc.helix_flow.scatter import INWARDS, Kinds, Residuals, Scatter, of_inner
from simulacra.models.tpc.helix_flow.track_end import MOST_CERTAIN, SUREST, Rates
from simulacra.transforms.tpc.track_encoder import FLATNESS, TAN_LAMBDA

TRACKWISE = ("share_knee", "share_wider", "part", "uncertain")
"""Parameters that a track has once."""
GROUPWISE = (
    "charge_skew",
    "charge_tail",
    "charge_reach",
    "share_second",
    "outlier_scale_r_phi",
    "outlier_scale_z",
    "peak_skew",
    "peak_tail",
)
"""Parameters that a track has once for each group of pads."""
LOG_SCALES = (-6.0, 4.0)
"""Smallest and largest, of mm."""
SHARE_KNEES = (0.3, 3.0)
"""Bounds of the knee above which neighbours share more charge."""
MOST_WIDER = 1.5
"""Largest logarithm of the widening of a score by the charge shared with its inner neighbour."""
OUTLIER_SCALES = (2.0, 5.0)
"""Initial scale of outliers in rphi and z, mm."""

ROWWISE = {
    "present": Range(2, 2),
    "turns": Range(4, -5, -MOST_CERTAIN, SUREST),
    "charge": Range(1),
    "charge_scale": Range(1, 0, -4, 2),
    "charge_knee": Range(1, 2, 0.5, 5),
    "share": Range(1 / 2, 0, -0.3, 0.9),
    "share_beyond": Range(1 / 4, 0.15, 0, 0.6),
    "border": Range(1 / 2),
    "z_share": Range(1 / 2, 0, -0.9, 0.9),
    "z": Range(1, -0.7),
    "outlier": Range(2, -6, -MOST_CERTAIN, SUREST),
    "pulled": Range(2, -2, -MOST_CERTAIN, SUREST),
    "r_phi": Range(1, -0.7),
    "r_phi_share": Range(1 / 2, 0, -0.9, 0.9),
    "tilt": Range(1 / 2),
    "peak": Range(1),
    "peak_scale": Range(1, 0, -4, 2),
}
"""Parameters that differ from row to row; the first may be sharp."""


class RowScatter(NamedTuple):
    """The scatter of clusters before their charges are known: (n, rows) or (n, 1).

    Attributes:
        border: z residual in mm per difference of the charge scores of the next row and the last.
        log_scale: logarithms of the scales in mm.
        tilt, outlier_scale, chances, part, uncertain: see :class:`Scatter`.
    """

    border: Tensor
    log_scale: Residuals
    tilt: Tensor
    outlier_scale: Residuals
    chances: Kinds
    part: Tensor
    uncertain: Tensor

    def given(self, charges: Charges) -> Scatter:
        """Return the distribution for charges."""
        r_phi, z = self.log_scale
        changed = Residuals(r_phi + charges.r_phi, z + charges.z)
        return Scatter(
            self.border * charges.rise,
            Residuals(*(log.clamp(*LOG_SCALES).exp() for log in changed)),
            self.tilt + charges.tilt,
            self.outlier_scale,
            Kinds(self.chances.outlier + charges.outlier, self.chances.pulled + charges.pulled),
            self.part,
            self.uncertain,
        )


class ChargeShare(NamedTuple):
    """The correlation of a row's charge with those of rows farther in, (n, rows) or (n, 1).

    Attributes:
        inner: coefficient of the inner neighbour's normal score.
        second: coefficient of the next but one's normal score.
        beyond: coefficient of the excess of the inner neighbour's normal score over a knee.
        knee: that knee.
        wider: logarithm of the widening of the row's own score, per unit of shared score.
    """

    inner: Tensor
    second: Tensor
    beyond: Tensor
    knee: Tensor
    wider: Tensor

    def taken(self, normal: Tensor) -> Tensor:
        """Return the shared scores of rows, for normal scores (n, rows)."""
        next_but_one = of_inner(self.second * normal)
        inner = torch.addcmul(self.inner * normal, self.beyond, above(normal, self.knee))
        return of_inner(inner + next_but_one)


class RowParameters(NamedTuple):
    """The distributions of all rows: tensors (n, rows), or (n, 1) for one value per track.

    Attributes:
        rates: of clusters, and of turning back.
        charge: of log q, as a map from scores with an upper tail.
        charge_tail: of those scores, without the part shared with inner rows.
        share: the part of those scores that is shared with inner rows.
        scatter: of the residuals.
        scatter_share: coefficients of the inner neighbour's white noise in a row's.
        peak: of log(q_max / q).
    """

    rates: Rates
    charge: SinhArcsinh
    charge_tail: UpperTail
    share: ChargeShare
    scatter: RowScatter
    scatter_share: Residuals
    peak: SinhArcsinh

    def only_shares(self) -> RowParameters:
        """Return the same, with gradients of the shared parts only."""
        fixed = cast("RowParameters", _fixed(self))
        return fixed._replace(
            share=fixed.share._replace(inner=self.share.inner), scatter_share=self.scatter_share
        )

    def with_tail(self, normal: Tensor) -> Tensor:
        """Return scores of the charge (n, rows) with their upper tail, for normal ones."""
        return self._tail_given_inner(normal).values(normal)

    def tail_given(self, scores: Tensor) -> UpperTail:
        """Return the distribution of scores of the charge (n, rows), given inner rows."""
        tail = self.charge_tail
        for _ in range(INWARDS):
            tail = self._tail_given_inner(tail.scores(scores, LARGEST_CHARGE))
        return tail

    def _tail_given_inner(self, normal: Tensor) -> UpperTail:
        """Return the distribution of a row's score for the normal ones (n, rows) of inner rows."""
        taken = self.share.taken(normal)
        scale = (self.share.wider * taken).clamp(-MOST_WIDER, MOST_WIDER).exp()
        return self.charge_tail._replace(location=taken, scale=scale)

    def peaks(self, charges: Charges) -> SinhArcsinh:
        """Return the distribution of log(q_max / q), for charges."""
        return self.peak._replace(
            location=self.peak.location + charges.peak,
            log_scale=(self.peak.log_scale + charges.peak_scale).clamp(-8.0, 3.0),
        )


def shared(white: Tensor, share: Tensor) -> Tensor:
    """Return correlated normal scores (n, rows): a moving average of white noise over neighbours.

    Electrons diffuse into the next row.
    """
    return torch.addcmul(white, share, white.roll(1, dims=1)) * (1 + share.square()).rsqrt()


def _fixed(value: object) -> object:
    """Return tensors, and tuples of them, without gradients."""
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, tuple):
        parts = [_fixed(part) for part in value]
        return value._make(parts) if hasattr(value, "_make") else tuple(parts)
    return value


class RowNetwork(nn.Module):
    """Parameters of all rows.

    Args:
        detector: a time-projection chamber.
        track: number of features of the track.
        width: hidden units.
    """

    charge_centre: Tensor
    charge_spread: Tensor
    peak_centre: Tensor
    peak_spread: Tensor
    log_pitch: Tensor
    group: Tensor

    def __init__(self, detector: TPC, track: int, width: int) -> None:
        super().__init__()
        group = row_groups(detector)
        self.register_buffer("group", group, persistent=False)
        pitch = torch.tensor([part.pitch for part in detector.pad_rows])[group]
        self.register_buffer("log_pitch", pitch.log() - pitch.log().mean(), persistent=False)
        self.rowwise = KnotNetwork(detector, track, width, tuple(ROWWISE.values()), sharp=1)
        self.once = dense((track, 32, len(TRACKWISE)), nn.SiLU)
        self.groups = len(detector.pad_rows)
        self.by_group = dense((track, 32, len(GROUPWISE) * self.groups), nn.SiLU)
        for name in ("charge", "peak"):
            self.register_buffer(f"{name}_centre", torch.zeros(()))
            self.register_buffer(f"{name}_spread", torch.ones(()))

    def fit(self, charge: Tensor, peak: Tensor) -> None:
        """Set the typical charge and peak from the values of all clusters."""
        for name, values in (("charge", charge), ("peak", peak)):
            self.get_buffer(f"{name}_centre").copy_(values.mean())
            self.get_buffer(f"{name}_spread").copy_(values.std().clamp_min(1e-3))

    def typical_charge(self, track: Tensor, rows: Tensor) -> Tensor:
        """Return log q (n, rows) of a typical dE/dx: proportional to the path in the row."""
        log_slope = track[:, TAN_LAMBDA, None].square().log1p() / 2
        (flatness,) = self.rowwise.between(rows[None, :, FLATNESS])
        steep = flatness.clamp_max(-math.log(FLATTEST))
        return steep + (log_slope + self.charge_centre) + self.log_pitch

    def forward(self, track: Tensor, rows: Tensor, charge: Tensor) -> RowParameters:
        """Return the distributions.

        Args:
            track: (n, track).
            rows: features of the helix at the knots (n, ROW_FEATURES, knots).
            charge: log q (n, rows) of the track's dE/dx.
        """
        values = dict(zip(ROWWISE, self.rowwise(track, rows), strict=True))
        once = zip(TRACKWISE, torch.split(self.once(track), 1, dim=1), strict=True)
        groups = torch.split(self.by_group(track), self.groups, dim=1)
        shapes = zip(GROUPWISE, groups, strict=True)
        return self._distributions(values, dict(once), dict(shapes), charge)

    def _shape(self, name: str, shapes: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        skew, log_tail = shapes[f"{name}_skew"], shapes[f"{name}_tail"]
        return self._on_rows(skew.clamp(-2.0, 2.0)), self._on_rows((log_tail / 2).clamp(-1.0, 1.0))

    def _on_rows(self, by_group: Tensor) -> Tensor:
        """Return the values of groups of pads (n, groups) on all rows (n, rows)."""
        return by_group.index_select(1, self.group)

    def _distributions(
        self,
        row: dict[str, Tensor],
        once: dict[str, Tensor],
        shapes: dict[str, Tensor],
        charge: Tensor,
    ) -> RowParameters:
        charge_spread, peak_spread = self.charge_spread, self.peak_spread
        outlier_scale = [
            functional.softplus(shapes[f"outlier_scale_{name}"] + typical)
            for name, typical in zip(Residuals._fields, OUTLIER_SCALES, strict=True)
        ]
        return RowParameters(
            rates=Rates(
                row["turns"],
                row["present"].clamp(-SUREST, SUREST),
            ),
            charge=SinhArcsinh(
                torch.addcmul(charge, row["charge"], charge_spread),
                row["charge_scale"] + charge_spread.log(),
                *self._shape("charge", shapes),
            ),
            charge_tail=UpperTail(
                torch.zeros_like(self.charge_centre),
                torch.ones_like(self.charge_centre),
                row["charge_knee"],
                self._on_rows(functional.softplus(shapes["charge_reach"] - 1)),
            ),
            share=ChargeShare(
                row["share"],
                self._on_rows(shapes["share_second"] / 8),
                row["share_beyond"],
                (once["share_knee"] / 2 + 1).clamp(*SHARE_KNEES),
                once["share_wider"] / 8,
            ),
            scatter=RowScatter(
                row["border"],
                Residuals(row["r_phi"], row["z"]),
                row["tilt"],
                Residuals(*(self._on_rows(by) for by in outlier_scale)),
                Kinds(row["outlier"], row["pulled"]),
                once["part"] / 2 + 0.5,
                functional.softplus(once["uncertain"] - 1),
            ),
            scatter_share=Residuals(row["r_phi_share"], row["z_share"]),
            peak=SinhArcsinh(
                torch.addcmul(self.peak_centre, row["peak"], peak_spread),
                row["peak_scale"] + peak_spread.log(),
                *self._shape("peak", shapes),
            ),
        )
