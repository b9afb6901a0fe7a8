"""A plain neural spline flow of all numbers of a track, for comparison with ``helix-flow``.

The frame, the encoded conditions and the rows with a cluster are those of ``helix-flow``: it draws
whether a track has clusters, its last row by a hazard, and the rows without a cluster before that.
Five parameters of the helix and four numbers for each row are then one vector, which the coupling
flow of zuko draws, given the conditions and the rows. Each number is standardised after an inverse
hyperbolic sine of its robust scale. Numbers of rows without a cluster are white noise in training.
No track crosses a row for the second time.
"""

from __future__ import annotations

import torch
import zuko
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.nn import functional

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.networks import dense
from simulacra.models.requirements import tpc_for
from simulacra.models.system import System
from simulacra.models.tpc.helix_flow.row_networks import KnotNetwork, Range
from simulacra.models.tpc.helix_flow.track_end import (
    Rates,
    TrackEnds,
    drawn_passed,
    drawn_presence,
    error_of_ends,
    error_of_presence,
    passed_rows,
)
from simulacra.transforms import HelixFrame, TrackEncoder
from simulacra.transforms.tpc.effective_helix import PARAMETERS
from simulacra.transforms.tpc.helix_frame import Channel
from simulacra.transforms.tpc.track_encoder import ROW_FEATURES, ROWS, TRACK

DRAWN = (Channel.R_PHI, Channel.Z, Channel.CHARGE, Channel.PEAK)
LARGEST = 6.0
"""Of a standardised number; where asinh of it is taken, this is far."""
LEAST_SCALE = 1e-3


class SplineFlowConfig(Frozen):
    """The options: coupling layers, hidden units of each of two layers, bins of a spline."""

    kind: str = "spline-flow"
    transforms: int = Field(default=3, ge=1)
    width: int = Field(default=32, ge=1)
    bins: int = Field(default=4, ge=2)


class SplineFlow(nn.Module, System):
    """P(rows with clusters | track) as in ``helix-flow``, P(all numbers | track, rows) by zuko."""

    Config = SplineFlowConfig
    serves = "tpc"
    loop = "likelihood"
    centre: Tensor
    scale: Tensor
    mean: Tensor
    width: Tensor

    def __init__(self, config: SplineFlowConfig, detector: Detector, conditions: int) -> None:
        super().__init__()
        chamber = tpc_for(config.kind, detector)
        self.rows = len(chamber.row_radii)
        self.slices = TrackEncoder(chamber).slices
        track = self.slices[TRACK].stop
        self.some = dense((track, 32, 1), nn.SiLU)
        self.ends = TrackEnds(chamber, track, 16)
        self.present = KnotNetwork(chamber, track, 32, (Range(2, 2),), sharp=1)
        self.numbers = PARAMETERS + len(DRAWN) * self.rows
        self.flow = zuko.flows.NSF(
            self.numbers,
            conditions + self.rows,
            bins=config.bins,
            transforms=config.transforms,
            passes=2,
            randperm=True,
            hidden_features=(config.width, config.width),
            activation=nn.SiLU,
        )
        for name, value in (("centre", 0.0), ("scale", 1.0), ("mean", 0.0), ("width", 1.0)):
            self.register_buffer(name, torch.full((self.numbers,), value))

    def fit(self, features: Tensor, conditions: Tensor) -> None:  # noqa: ARG002
        """Set how numbers are standardised."""
        numbers, known, _ = self._decomposed(features)
        numbers = torch.where(known, numbers, torch.nan)
        low, centre, high = (numbers.nanquantile(q, dim=0) for q in (0.16, 0.5, 0.84))
        self.centre.copy_(centre.nan_to_num())
        self.scale.copy_(((high - low) / 2).nan_to_num().clamp_min(LEAST_SCALE))
        values = torch.asinh((numbers - self.centre) / self.scale)
        self.mean.copy_(values.nanmean(dim=0).nan_to_num())
        square = (values - self.mean).square().nanmean(dim=0)
        self.width.copy_(square.nan_to_num(1.0).sqrt().clamp_min(LEAST_SCALE))

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the Gaussian noise for ``n`` tracks."""
        return n, 2 + self.rows + self.numbers

    def sample(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return features (n, 5 + 6 rows) for encoded conditions and noise."""
        track, at_rows = self._split(conditions)
        of_some, of_end, white, base = noise.split([1, 1, self.rows, self.numbers], dim=1)
        some = (torch.special.ndtr(of_some) < self.some(track).sigmoid()).to(noise.dtype)
        lifetime = -torch.special.log_ndtr(of_end)
        passed = some * drawn_passed(self.ends(track, at_rows), lifetime)
        present = drawn_presence(self._rates(track, at_rows), passed, white)
        values = self.flow(torch.cat([conditions, present], dim=1)).transform.inv(base)
        values = (values.clamp(-LARGEST, LARGEST) * self.width + self.mean).sinh()
        helix, rows = (values * self.scale + self.centre).tensor_split([PARAMETERS], dim=1)
        r_phi, z, charge, peak = rows.view(-1, len(DRAWN), self.rows).unbind(1)
        channels = (present, r_phi, z, charge, peak.clamp_max(0.0), present * 0)
        return torch.cat([helix, *channels], dim=1)

    def losses(self, features: Tensor, conditions: Tensor, rng: Generator) -> dict[str, Tensor]:
        """Return the errors of the rows with clusters, and of the numbers."""
        track, at_rows = self._split(conditions)
        numbers, known, present = self._decomposed(features)
        values = (torch.asinh((numbers - self.centre) / self.scale) - self.mean) / self.width
        white = torch.randn(values.shape, generator=rng)
        values = torch.where(known, values.clamp(-LARGEST, LARGEST), white)
        flow = self.flow(torch.cat([conditions, present], dim=1))
        passed = passed_rows(present)
        some = present.amax(dim=1, keepdim=True)
        return {
            "some": functional.binary_cross_entropy_with_logits(self.some(track), some),
            "ends": error_of_ends(self.ends(track, at_rows), passed),
            "presence": error_of_presence(self._rates(track, at_rows), present, passed),
            "numbers": -flow.log_prob(values).mean() / self.numbers,
        }

    def _rates(self, track: Tensor, at_rows: Tensor) -> Rates:
        (present,) = self.present(track, at_rows)
        return Rates(present, present.clamp(-6.0, 6.0))

    def _split(self, conditions: Tensor) -> tuple[Tensor, Tensor]:
        track, rows = (conditions[:, self.slices[name]] for name in (TRACK, ROWS))
        return track, rows.view(len(rows), ROW_FEATURES, -1)

    def _decomposed(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return all numbers, which of them are known (n, numbers), and the rows present."""
        helix, channels = features.tensor_split([PARAMETERS], dim=1)
        channels = channels.view(len(channels), len(Channel), self.rows)
        present = channels[:, Channel.PRESENT]
        numbers = torch.cat([helix, channels[:, list(DRAWN)].flatten(1)], dim=1)
        ones = torch.ones_like(helix)
        known = torch.cat([ones, present.repeat(1, len(DRAWN))], dim=1) > 0
        return numbers, known, present

    @staticmethod
    def transform_for(config: SplineFlowConfig, detector: Detector) -> HelixFrame:
        """Return the preprocessing of ``helix-flow``."""
        return HelixFrame(tpc_for(config.kind, detector))

    @staticmethod
    def encoder_for(config: SplineFlowConfig, detector: Detector) -> TrackEncoder:
        """Return the conditions as ``helix-flow`` wants them."""
        return TrackEncoder(tpc_for(config.kind, detector))
