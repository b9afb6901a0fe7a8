"""Our model of tracks: a helix, a handful of smooth deviations, and what each pad row adds.

The ideal helix follows from the condition. The helix that the particle really follows differs from
it by five numbers, and what it does beside that one, scattering and losing energy, is smooth along
the track: a few coefficients of orthogonal polynomials. The joint distribution of all these given
the condition is learned by maximum likelihood, one by one, and by a few steps of flow matching that
join them. What diffusion and electronics add differs from row to row: small
networks say how likely a cluster is, how far it scatters and how much charge it has, given how the
helix meets the row. Since the projection on the polynomials is orthogonal, no noise is counted
twice.

Kinks, radiated photons and the like make all smooth deviations of a track large together. How
large, relative to what is typical, is a number of its own, drawn first; given it, the deviations
have light tails.

Tracks that end, because they stop, decay, turn back or leave the drift volume, do so with a hazard
per row. Tracks far off their helix, most of them secondaries of decays, are called broken: whether
a track is so is drawn before all else.

References:
    Ours; flow matching: Lipman et al., arXiv:2210.02747.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.nn import functional

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.marginals import logit_of
from simulacra.models.needs import tpc_for
from simulacra.models.networks import dense
from simulacra.models.sinh_arcsinh import SinhArcsinh
from simulacra.models.track_fates import error_of_presence, error_of_turns, presence
from simulacra.models.track_polynomials import (
    LEAST_LEFT,
    combine,
    leverages,
    neighbours,
    orthonormal_polynomials,
    project,
    smooth_and_rough,
)
from simulacra.models.track_rows import (
    RowNetwork,
    RowParameters,
    log_density_of_neighbours,
    shared,
    survival,
)
from simulacra.models.velocity import Velocity
from simulacra.transforms import HelixFrame, TrackEncoder, Transform
from simulacra.transforms.effective_helix import FEWEST as FEWEST_OF_HELIX
from simulacra.transforms.effective_helix import PARAMETERS
from simulacra.transforms.track_encoder import ROW_FEATURES

LARGEST_SCORE = 5.0
WHITE = 5
"""Numbers of noise for each row: presence, across, along z, charge, peak."""
DRAWN = 5
"""Numbers of noise for the track: whether it is seen, is broken, where it ends and turns, size."""
BROKEN = 8.0
"""Ratio of deviations to their typical size, from which on a track is broken."""
SIZES = (-3.0, 9.0)
"""Logarithms of the ratio that can occur."""
OF_HELIX = (3, 2, 0)
"""Polynomials that are the effective helix's: across, along z, of the charge."""
SEEN = 4
"""Numbers that say how much of a track is seen."""
FEWEST = 200
"""Tracks from which the size of a coefficient is learned before training."""
SMALL = 0.5
"""Of a coefficient, mm: below this there is noise only."""


class HelixFlowConfig(Frozen):
    """The options of the model.

    Attributes:
        orders: polynomials for the deviations from the effective helix, across (of which the first
            three are the circle's own) and along z (two are the line's).
        charge_orders: polynomials for the charge.
        row_width: hidden units of the network for the rows.
        width: hidden units of the networks for the coefficients.
        depth: residual blocks of their velocity.
        steps: steps of its integration.
    """

    kind: Literal["helix-flow"] = "helix-flow"
    orders: int = Field(default=10, ge=5)
    charge_orders: int = Field(default=3, ge=1)
    row_width: int = Field(default=40, ge=1)
    width: int = Field(default=96, ge=1)
    depth: int = Field(default=1, ge=0)
    steps: int = Field(default=3, ge=1)


class Track(NamedTuple):
    """A track taken apart.

    Attributes:
        smooth: the effective helix's parameters, the coefficients of across, along z and the
            charge's scores, one after another (n, smooth).
        known: whether the track has enough clusters to know them.
        noise: across and along z (n, 2, rows), mm, with the variance that a row alone has.
        charge: scores of the charge (n, rows).
    """

    smooth: Tensor
    known: Tensor
    noise: Tensor
    charge: Tensor


class HelixFlow(nn.Module):
    """P(rows with clusters | track), P(smooth deviations | track, rows), P(noise, charge | ...).

    Features are those of :class:`HelixFrame`, conditions those of :class:`TrackEncoder`.
    """

    scale: Tensor
    highest: Tensor
    range: Tensor

    def __init__(self, config: HelixFlowConfig, detector: Detector, conditions: int) -> None:
        super().__init__()
        chamber = tpc_for(config.kind, detector)
        self.config = config
        self.rows = len(chamber.row_radii)
        self.track = conditions - self.rows * ROW_FEATURES
        self.orders = [config.orders, config.orders, config.charge_orders]
        self.free = [slice(a, b) for a, b in zip(OF_HELIX, self.orders, strict=True)]
        total = PARAMETERS + sum(self.orders) - sum(OF_HELIX)
        self.smooth, fate, context = total, self.track + 2, self.track + 2 + SEEN
        self.of_rows = RowNetwork(chamber, fate, ROW_FEATURES, config.row_width)
        self.fates = dense((self.track, 32, 2), nn.SiLU)
        self.of_size = dense((self.track + 1, 32, 4), nn.SiLU)
        self.of_smooth = dense((context, config.width, 4 * total), nn.SiLU)
        for parameter in self.of_smooth[-1].parameters():
            nn.init.zeros_(parameter)
        self.velocity = Velocity(total, context, config.width, config.depth, mean_flow=False)
        self.register_buffer("scale", torch.zeros(self.track + SEEN + 1, total))
        self.register_buffer("highest", torch.full((total,), 1e3))
        self.register_buffer("range", torch.tensor([[-10.0, -10.0], [10.0, 0.0]]))

    def fit(self, features: Tensor, conditions: Tensor) -> None:
        """Set typical charges, and how the size of the deviations goes with the track.

        The widest range of charges and deviations is that of the training values, widened by half
        of its length (deviations: by their highest): it keeps numbers finite and cuts nothing that
        training could have taught.
        """
        parameters, channels = self._channels(features)
        present, charge, peak = (channels[:, channel] for channel in (0, 3, 4))
        self.of_rows.fit(charge[present > 0], peak[present > 0])
        for place, values in enumerate((charge[present > 0], peak[present > 0])):
            margin = (values.max() - values.min()) / 2
            self.range[0, place], self.range[1, place] = (
                values.min() - margin,
                values.max() + margin,
            )
        track, rows = self._split(conditions)
        polynomials = orthonormal_polynomials(rows[:, 0], present, max(self.orders))
        seen = self._seen(rows, present)
        inputs = functional.pad(torch.cat([track, seen], dim=1), (0, 1), value=1.0).double()
        found = self._smooth(parameters, project(polynomials, channels[:, 1:4])).double()
        known = self._known(polynomials)
        for place in range(self.smooth - self.orders[2]):  # the charge's are of order one
            some = known[:, place]
            if int(some.sum()) > FEWEST:
                size = (found[some, place].square() + SMALL**2).log()[:, None] / 2
                solution = torch.linalg.lstsq(inputs[some], size, driver="gelsd").solution
                self.scale[:, place] = solution[:, 0]
                self.highest[place] = 2 * found[some, place].abs().max()

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the Gaussian noise for ``n`` tracks."""
        return n, DRAWN + self.smooth + self.rows * WHITE

    def sample(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return features (n, 5 + 6 rows) for encoded conditions and noise."""
        track, rows = self._split(conditions)
        noise = noise.clamp(-LARGEST_SCORE, LARGEST_SCORE)
        drawn, smooth, white = noise.tensor_split([DRAWN, DRAWN + self.smooth], dim=1)
        white = white.view(-1, WHITE, self.rows)
        chances = logit_of(drawn)
        chosen = (chances[:, :2] < self.fates(track)).to(track.dtype)
        some, broken = chosen[:, :1], chosen[:, 1:]
        size = self._of_size(track, broken).values(drawn[:, 4:]).clamp(*SIZES)
        fate = torch.cat([track, broken, size / 4], dim=1)
        parameters = self.of_rows(fate, rows)
        log_chances = functional.logsigmoid(chances[:, 2:4])
        present = some * presence(parameters, log_chances[:, :1], white[:, 0])
        turned = broken * (survival(parameters.turns) <= log_chances[:, 1:]).to(track.dtype)
        seen = self._seen(rows, present)
        context = torch.cat([fate, seen], dim=1)
        scores = self.velocity.transport(smooth, context, self.config.steps)
        smooth = self._of_smooth(context, self._typical(track, seen)).values(
            scores.clamp(-LARGEST_SCORE, LARGEST_SCORE)
        )
        smooth = smooth * self._units(track, seen, size)
        smooth = torch.minimum(torch.maximum(smooth, -self.highest), self.highest)
        helix, across, along_z, of_charge = torch.split(smooth, self._sizes, dim=1)
        polynomials = orthonormal_polynomials(rows[:, 0], present, max(self.orders))
        rough = shared(white[:, 3], parameters.share)[:, None]
        charge = smooth_and_rough(polynomials[:, : self.orders[2]], of_charge[:, None], rough)[0]
        white_z = shared(white[:, 2], parameters.along_z_share)
        off = [
            parameters.scatter_across(charge).values(white[:, 1]),
            parameters.scatter_along_z(charge).values(white_z),
        ]
        channels = [
            present,
            *smooth_and_rough(polynomials, self._padded(across, along_z), torch.stack(off, dim=1)),
            parameters.charge.values(charge).clamp(self.range[0, 0], self.range[1, 0]),
            parameters.peaks(charge).values(white[:, 4]).clamp(self.range[0, 1], 0.0),
            turned,
        ]
        return torch.cat([helix, *channels], dim=1)

    def losses(self, features: Tensor, conditions: Tensor, rng: Generator) -> dict[str, Tensor]:
        """Return the likelihood of all parts and the error of the velocity."""
        track, rows = self._split(conditions)
        helix, channels = self._channels(features)
        present, seen = channels[:, 0], self._seen(rows, channels[:, 0])
        with torch.no_grad():
            polynomials = orthonormal_polynomials(rows[:, 0], present, max(self.orders))
            size, broken = self._size(helix, channels, track, seen, polynomials)
            fate = torch.cat([track, broken, size / 4], dim=1)
        parameters = self.of_rows(fate, rows)
        context = torch.cat([fate, seen], dim=1)
        distributions = self._of_smooth(context, self._typical(track, seen))
        with torch.no_grad():
            taken = self._apart(helix, channels, parameters, polynomials)
            smooth = taken.smooth / self._units(track, seen, size)
            scores = distributions.scores(smooth, LARGEST_SCORE)
            fresh = torch.randn(scores.shape, generator=rng).to(scores.device)
            scores = torch.where(taken.known, scores, fresh)
        log_density = distributions.log_density(smooth)
        of_size = self._of_size(track, broken).log_density(size)
        some = (present.sum(dim=1, keepdim=True) > 0).to(present.dtype)
        fates = functional.binary_cross_entropy_with_logits(
            self.fates(track), torch.cat([some, broken], dim=1), reduction="none"
        )
        scatter = parameters.scatter_across(taken.charge).log_density(taken.noise[:, 0])
        along_z = parameters.scatter_along_z(taken.charge)
        scatter = scatter + along_z.log_density(taken.noise[:, 1])
        of_neighbours = log_density_of_neighbours(taken.charge, parameters.share)
        with torch.no_grad():
            scores_z = along_z.scores(taken.noise[:, 1], LARGEST_SCORE)
        of_neighbours = of_neighbours + log_density_of_neighbours(
            scores_z, parameters.along_z_share, neighbours(polynomials)
        )
        of_peaks = parameters.peaks(taken.charge).log_density(channels[:, 4])
        errors = self.velocity.errors(scores, context, rng) * some[:, 0]
        return {
            "fates": fates.mean() + error_of_turns(parameters, channels, broken),
            "presence": error_of_presence(parameters, present),
            "size": -torch.where(taken.known[:, -1:], of_size, 0.0).mean(),
            "smooth": -torch.where(taken.known, log_density, 0.0).mean(),
            "scatter": -_mean_of(scatter, present),
            "charge": -_mean_of(parameters.charge.log_density(channels[:, 3]), present),
            "neighbours": -_mean_of(of_neighbours, present[:, 1:] * present[:, :-1]),
            "peak": -_mean_of(of_peaks, present),
            "velocity": errors.mean(),
        }

    def _split(self, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Return features of the track, and of its rows (n, features, rows)."""
        track, rows = conditions.tensor_split([self.track], dim=1)
        return track, rows.view(-1, ROW_FEATURES, self.rows)

    def _channels(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the effective helix's parameters, and the channels (n, channels, rows)."""
        helix, channels = features.tensor_split([PARAMETERS], dim=1)
        return helix, channels.view(features.shape[0], -1, self.rows)

    @property
    def _sizes(self) -> list[int]:
        """How many smooth numbers are the helix's, across, along z and the charge's."""
        return [PARAMETERS, *(here.stop - here.start for here in self.free)]

    def _seen(self, rows: Tensor, present: Tensor) -> Tensor:
        """Return how much of a track is seen (n, SEEN)."""
        count = present.sum(dim=1, keepdim=True)
        path = rows[:, 0]
        far = (path * present).amax(dim=1, keepdim=True)
        near = (path + (1 - present) * 10).amin(dim=1, keepdim=True)
        ideal = path.amax(dim=1, keepdim=True)
        seen = [count / self.rows, count.clamp_min(1).log() / 5, far - near, far - ideal]
        return torch.cat(seen, dim=1)

    def _of_size(self, track: Tensor, broken: Tensor) -> SinhArcsinh:
        outputs = self.of_size(torch.cat([track, broken], dim=1))
        location, log_scale, skew, log_tail = torch.split(outputs, 1, dim=1)
        return SinhArcsinh(
            location * 2,
            log_scale.clamp(-3.0, 3.0),
            skew.clamp(-3.0, 3.0),
            log_tail.clamp(-1.0, 1.0),
        )

    def _of_smooth(self, context: Tensor, typical: Tensor) -> SinhArcsinh:
        """Return the distributions of the smooth numbers in their units."""
        outputs = self.of_smooth(context).view(-1, 4, self.smooth)
        location, log_scale, skew, log_tail = outputs.unbind(1)
        helix = torch.zeros_like(typical)
        helix[:, :PARAMETERS] = typical[:, :PARAMETERS]
        log_scale = (helix + log_scale).clamp(-6.0, 10.0)
        return SinhArcsinh(
            location * 4 * log_scale.detach().exp(),
            log_scale,
            skew.clamp(-3.0, 3.0),
            log_tail.clamp(-1.5, 1.0),
        )

    def _units(self, track: Tensor, seen: Tensor, size: Tensor) -> Tensor:
        """Return the units of the smooth numbers (n, smooth): the coefficients' typical sizes."""
        typical = self._typical(track, seen)[:, PARAMETERS : -self.orders[2]] + size
        one = torch.zeros_like(size)
        parts = [one.expand(-1, PARAMETERS), typical, one.expand(-1, self.orders[2])]
        return torch.cat(parts, dim=1).exp()

    def _size(
        self, helix: Tensor, channels: Tensor, track: Tensor, seen: Tensor, polynomials: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the logarithm of the deviations' size, and which tracks are broken (n, 1)."""
        found = self._smooth(helix, project(polynomials, channels[:, 1:4]))
        ratios = (found.abs().clamp_min(1e-6).log() - self._typical(track, seen)).clamp_max(12.0)
        known = self._known(polynomials).to(found.dtype)
        here = slice(PARAMETERS, -self.orders[2])
        number = known[:, here].sum(dim=1, keepdim=True)
        squares = ((2 * ratios[:, here]).exp() * known[:, here]).sum(dim=1, keepdim=True)
        size = (squares / number.clamp_min(1)).clamp_min(1e-4).log() / 2
        size = torch.where(number > 0, size, 0.0).clamp(*SIZES)
        far = (ratios[:, :PARAMETERS] > math.log(BROKEN)).any(dim=1, keepdim=True)
        return size, (far | (size > math.log(BROKEN))).to(found.dtype)

    def _typical(self, track: Tensor, seen: Tensor) -> Tensor:
        """Return the logarithms of the typical sizes of deviations (n, orders)."""
        typical = torch.cat([track, seen], dim=1) @ self.scale[:-1] + self.scale[-1]
        return typical.clamp(-5.0, 12.0)

    def _apart(
        self, helix: Tensor, channels: Tensor, parameters: RowParameters, polynomials: Tensor
    ) -> Track:
        """Take tracks apart into smooth coefficients and noise."""
        charge = parameters.charge.scores(channels[:, 3], LARGEST_SCORE) * channels[:, 0]
        values = torch.stack([channels[:, 1], channels[:, 2], charge], dim=1)
        noise = []
        for channel, orders in enumerate(self.orders[:2]):
            basis = polynomials[:, :orders]
            left = (1 - leverages(basis)).clamp_min(LEAST_LEFT).sqrt()
            smooth = combine(basis, project(basis, values[:, channel, None]))[:, 0]
            noise.append((values[:, channel] - smooth) / left)
        found = self._smooth(helix, project(polynomials, values))
        return Track(found, self._known(polynomials), torch.stack(noise, dim=1), charge)

    def _padded(self, *free: Tensor) -> Tensor:
        """Return the coefficients (n, channels, orders), zero where they are the helix's own."""
        padded = [
            functional.pad(part, (here.start, max(self.orders) - here.stop))
            for part, here in zip(free, self.free, strict=False)
        ]
        return torch.stack(padded, dim=1)

    def _smooth(self, helix: Tensor, coefficients: Tensor) -> Tensor:
        """Return the smooth numbers (n, smooth) of coefficients (n, channels, orders)."""
        parts = zip(coefficients.unbind(1), self.free, strict=True)
        return torch.cat([helix, *(part[:, here] for part, here in parts)], dim=1)

    def _known(self, polynomials: Tensor) -> Tensor:
        """Return which of the smooth numbers a track has (n, smooth)."""
        known = (polynomials != 0).any(dim=2)
        of_helix = known[:, FEWEST_OF_HELIX - 1, None].expand(-1, PARAMETERS)
        return self._smooth(of_helix, known[:, None].expand(-1, len(self.free), -1))


def _mean_of(values: Tensor, present: Tensor) -> Tensor:
    return torch.where(present > 0, values, 0.0).sum() / present.sum().clamp_min(1)


def encoder(config: HelixFlowConfig, detector: Detector) -> TrackEncoder:
    """Return the conditions as the model wants them."""
    return TrackEncoder(tpc_for(config.kind, detector))


def transform(config: HelixFlowConfig, detector: Detector) -> Transform:
    """Return the preprocessing: deviations from the ideal helix."""
    return HelixFrame(tpc_for(config.kind, detector))
