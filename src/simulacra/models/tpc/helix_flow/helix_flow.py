"""A flow of tracks: the effective helix, smooth deviations from it, and the noise of each pad row.

The ideal helix follows from the condition. The effective helix differs from it by five numbers;
scattering and energy loss deviate from the effective helix smoothly, by a few coefficients of
orthogonal polynomials (:mod:`.smooth`). Diffusion and electronics differ from row to row: small
networks give the distributions of presence, residuals and charge of each row, given how the helix
crosses it (:mod:`.rows`). The noise is orthogonal to the polynomials, so that it is not counted
twice.

The traits of a track are drawn first: whether it is displaced (most of these are secondaries of
decays) or kinked (:mod:`.kinks`). Then follows its end, because it stops, decays, turns back or
leaves the drift volume, with a hazard per row (:mod:`.track_end`), and its truncated dE/dx, which
its charges reproduce exactly, since the separation of species depends on it (:mod:`.dedx`).
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.nn import functional

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.errors import EventsError
from simulacra.models.distributions.marginals import logit_of
from simulacra.models.requirements import pad_rows_for, tpc_for
from simulacra.models.system import Recommended, System
from simulacra.models.tpc.helix_flow.dedx import OF_DEDX, EnergyLoss, log_truncated_mean
from simulacra.models.tpc.helix_flow.kinks import NUMBERS, Kinks
from simulacra.models.tpc.helix_flow.noise import WHITE, TrackNoise, Trail
from simulacra.models.tpc.helix_flow.polynomials import (
    combine,
    fitted,
    polynomial_table,
    smooth_and_rough,
)
from simulacra.models.tpc.helix_flow.rows import RowNetwork, RowParameters
from simulacra.models.tpc.helix_flow.smooth import LARGEST_SCORE, MARGIN, SmoothNumbers
from simulacra.models.tpc.helix_flow.track_end import (
    TrackEnds,
    drawn_passed,
    drawn_presence,
    drawn_turns,
    error_of_ends,
    error_of_presence,
    error_of_turns,
    number_passed,
    passed_rows,
)
from simulacra.models.tpc.helix_flow.traits import OF_TRAITS, TRAITS, TrackTraits, Traits
from simulacra.transforms import HelixFrame, TrackEncoder, Transform
from simulacra.transforms.tpc.effective_helix import FEWEST as FEWEST_OF_HELIX
from simulacra.transforms.tpc.effective_helix import PARAMETERS
from simulacra.transforms.tpc.helix_frame import RESIDUALS, Channel
from simulacra.transforms.tpc.row_knots import row_knots
from simulacra.transforms.tpc.track_encoder import REACH, ROW_FEATURES, ROWS, TRACK

OF_ROW = 1 + WHITE
"""Numbers of noise for each row: of presence, then those of :class:`TrackNoise`."""
PARTS = [OF_TRAITS, OF_DEDX, 2, 1]
"""Numbers of noise for the traits, dE/dx, the last row and the turn, the kink."""
DRAWN = sum(PARTS)
OF_HELIX = (3, 2)
"""Polynomials that the effective helix takes: in rphi, in z."""
SEEN = 4
"""Features of the visible part of a track."""
FEWEST_ROWS = 5
"""Fewest pad rows of a chamber: a helix and a kink need as many."""
FEWEST_CLUSTERS = 2
BLOCK = 4096
"""Tracks that are decomposed at once before training."""


class HelixFlowConfig(Frozen):
    """The options of the model.

    Attributes:
        orders: polynomials for the deviations from the effective helix, in rphi (the circle takes
            the first three) and in z (the line takes two).
        charge_orders: polynomials for the charge.
        row_width: hidden units of the network for the rows.
        window_width: hidden units of the network of the charges.
        width: hidden units of the networks for the smooth numbers.
        rank: matrices that a track mixes for their correlations.
    """

    kind: Literal["helix-flow"] = "helix-flow"
    orders: int = Field(default=10, ge=5)
    charge_orders: int = Field(default=3, ge=1)
    row_width: int = Field(default=32, ge=1)
    window_width: int = Field(default=12, ge=1)
    width: int = Field(default=96, ge=1)
    rank: int = Field(default=8, ge=0)


class Decomposed(NamedTuple):
    """Smooth and discrete numbers of measured tracks.

    Attributes:
        traits: of the tracks.
        trail: their rows.
        typical: log q of a typical dE/dx in their rows (n, rows).
        dedx: logarithms of their truncated dE/dx over the typical one (n, 1).
        seen: features of their visible part (n, SEEN).
        kink: the numbers of their kinks (n,).
        place: features of the kinks' places (n, NUMBERS).
        known: which of the smooth numbers they have (n, smooth).
        coefficients: in rphi and z (n, 2, orders).
        found: the smooth numbers that have a typical size.
    """

    traits: Traits
    trail: Trail
    typical: Tensor
    dedx: Tensor
    seen: Tensor
    kink: Tensor
    place: Tensor
    known: Tensor
    coefficients: Tensor
    found: Tensor


class DrawnFirst(NamedTuple):
    """The part of tracks that is drawn before their smooth numbers and their noise.

    Attributes:
        traits: of the tracks.
        with_dedx: features of the tracks, their traits and dE/dx (n, features).
        typical: log q of a typical dE/dx in their rows (n, rows).
        dedx: logarithms of their truncated dE/dx over the typical one (n, 1).
        parameters: of their rows.
        trail: their rows.
        seen: features of their visible part (n, SEEN).
        place: features of the kinks' places (n, NUMBERS).
        turned: 1 from where on they have turned back, else 0 (n, rows).
    """

    traits: Traits
    with_dedx: Tensor
    typical: Tensor
    dedx: Tensor
    parameters: RowParameters
    trail: Trail
    seen: Tensor
    place: Tensor
    turned: Tensor


class HelixFlow(nn.Module, System):
    """P(rows with clusters | track), P(smooth deviations | track, rows), P(noise, charge | ...).

    Features are those of :class:`HelixFrame`, conditions those of :class:`TrackEncoder`.
    """

    Config = HelixFlowConfig
    serves = "tpc"
    loop = "likelihood"
    summary = "tracks: a flow of smooth deviations from the helix, and the noise of each pad row"
    reference = "ours"
    recommended: ClassVar[Recommended] = {
        "training": {
            "steps": 8000,
            "batch_size": 256,
            "learning_rate": 8e-3,
            "weight_decay": 1e-3,
            "gradient_clip": 5.0,
        },
        "selection": {"every": 1000, "repeat": 1},
    }
    """As in benchmarks/tpc/helix-flow.yaml."""

    range: Tensor
    radii: Tensor
    polynomials: Tensor
    existing: Tensor

    def __init__(self, config: HelixFlowConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        super().__init__()
        chamber = pad_rows_for(config.kind, detector, FEWEST_ROWS)
        radii = torch.from_numpy(chamber.row_radii).float()
        knots, _ = row_knots(chamber)
        self.rows, self.knots = len(radii), len(knots)
        self.seen = TrackEncoder(chamber).slices
        self.track = self.seen[TRACK].stop
        self.noise = TrackNoise(chamber, self.track, config.charge_orders, config.window_width)
        free = [config.orders + 1 - own for own in OF_HELIX]  # and a kink's
        self.sizes = [PARAMETERS, *free, sum(self.noise.sizes)]
        """Smooth numbers of the helix, in rphi, in z, and in common of the rows."""
        self.traits = TrackTraits(self.track)
        with_traits = self.track + TRAITS
        self.ends = TrackEnds(chamber, with_traits, config.row_width // 2)
        self.dedx = EnergyLoss(with_traits + SEEN)
        with_dedx = with_traits + 1  # and its dE/dx
        self.of_rows = RowNetwork(chamber, with_dedx, config.row_width)
        self.smooth = SmoothNumbers(
            (free[0], free[1]),
            self.sizes[-1],
            self.track + SEEN,
            with_dedx + SEEN + NUMBERS,
            config.width,
            config.rank,
        )
        self.register_buffer("range", torch.tensor([[-10.0, -10.0], [10.0, 0.0]]))
        self.register_buffer("radii", radii / 1000.0, persistent=False)
        table = polynomial_table(radii, config.orders)
        with_kink = functional.pad(table, (0, 0, 0, 1))
        self.register_buffer("polynomials", with_kink, persistent=False)
        self.register_buffer("existing", (with_kink != 0).any(dim=2), persistent=False)
        self.kinks = Kinks(radii / 1000.0, table, with_dedx + SEEN)

    def fit(self, features: Tensor, conditions: Tensor) -> None:
        """Set typical charges and typical sizes of the deviations.

        Charges and deviations are bounded by the range of the training values, widened by a tenth,
        which keeps numbers finite.

        Raises:
            EventsError: the tracks have no clusters.
        """
        helix, channels = self._channels(features)
        wanted = (Channel.PRESENT, Channel.CHARGE, Channel.PEAK)
        present, charge, peak = (channels[:, channel] for channel in wanted)
        if present.sum() < FEWEST_CLUSTERS:
            msg = "the training tracks have no clusters: do they reach a pad row of the chamber?"
            raise EventsError(msg)
        self.of_rows.fit(charge[present > 0], peak[present > 0])
        for place, values in enumerate((charge[present > 0], peak[present > 0])):
            margin = MARGIN * (values.max() - values.min())
            self.range[0, place] = values.min() - margin
            self.range[1, place] = values.max() + margin
        track, rows = self._split(conditions)
        self.dedx.fit(self._dedx(channels, self.of_rows.typical_charge(track, rows)))
        parts = (helix, channels, track, rows)
        blocks = list(zip(*(torch.split(part, BLOCK) for part in parts), strict=True))
        for _ in range(2):  # what is a kink goes with the size of the other deviations
            decomposed = (self._decomposed(*block) for block in blocks)
            taken = [(part.found, part.known, part.seen) for part in decomposed]
            found, known, seen = (torch.cat(parts) for parts in zip(*taken, strict=True))
            self.smooth.fit(found, known, torch.cat([track, seen], dim=1))

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the Gaussian noise for ``n`` tracks."""
        return n, DRAWN + self.smooth.number + self.rows * OF_ROW

    def sample(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return features (n, 5 + 6 rows) for encoded conditions and noise."""
        track, rows = self._split(conditions)
        drawn, of_smooth, white = noise.tensor_split([DRAWN, DRAWN + self.smooth.number], dim=1)
        drawn = drawn.clamp(-LARGEST_SCORE, LARGEST_SCORE)
        white = white.view(-1, OF_ROW, self.rows)
        first = self._drawn_first(track, rows, drawn, white[:, 0])
        parameters, trail = first.parameters, first.trail
        context = torch.cat([first.with_dedx, first.seen, first.place], dim=1)
        sizes = self._sizes(track, first.seen)
        known, log_size = self._known(trail), first.traits.log_size
        smooth = self.smooth.sample(context, sizes, log_size, known, of_smooth)
        helix, r_phi, z, common = torch.split(smooth, self.sizes, dim=1)
        common_of_rows = self.noise.common(common, trail.passed)
        noise_of_rows = self.noise.draw(parameters, track, trail, common_of_rows, white[:, 1:])
        coefficients = self._padded(r_phi, z)
        r_phi, z = smooth_and_rough(trail.basis, coefficients, noise_of_rows.residuals).unbind(1)
        charge = parameters.charge.values(noise_of_rows.charge)
        found = log_truncated_mean(charge - first.typical, trail.present)
        charge = charge + (first.dedx - found)  # that of the track, exactly
        channels = [
            trail.present,
            r_phi,
            z,
            charge.clamp(self.range[0, 0], self.range[1, 0]),
            noise_of_rows.peak.clamp_max(0.0).clamp_min(self.range[0, 1]),
            first.turned,
        ]
        return torch.cat([helix, *channels], dim=1)

    def losses(self, features: Tensor, conditions: Tensor, rng: Generator) -> dict[str, Tensor]:
        """Return the loss terms: negative log-likelihoods, and the moments of neighbours."""
        track, rows = self._split(conditions)
        helix, channels = self._channels(features)
        present = channels[:, Channel.PRESENT]
        with torch.no_grad():
            parts = self._decomposed(helix, channels, track, rows)
        trail, traits, dedx = parts.trail, parts.traits, parts.dedx
        with_traits = traits.concatenated(track)
        with_dedx = torch.cat([with_traits, dedx], dim=1)
        parameters = self.of_rows(with_dedx, rows, parts.typical + dedx)
        of_noise, common = self.noise.losses(
            parameters, track, trail, channels, parts.coefficients, traits.kinked, rng
        )
        some = (present.sum(dim=1, keepdim=True) > 0).to(present.dtype)
        end = self._end(with_traits, rows, trail.passed)
        kinks = self.kinks.errors(torch.cat([with_dedx, parts.seen], 1), trail.passed, parts.kink)
        found = torch.cat([parts.found, common], dim=1)
        context = torch.cat([with_dedx, parts.seen, parts.place], dim=1)
        sizes = self._sizes(track, parts.seen)
        return {
            **self.traits.losses(track, some, traits, self.smooth.sizes_known(parts.known)),
            "ends": error_of_ends(self.ends(with_traits, rows), trail.passed),
            "dedx": (self.dedx.errors(end, dedx) * some).mean(),
            "kinks": (kinks * traits.kinked).mean(),
            "presence": error_of_presence(parameters.rates, present, trail.passed),
            "turns": error_of_turns(parameters.rates, channels, traits.broken),
            **self.smooth.losses(found, parts.known, context, sizes, traits.log_size),
            **of_noise,
        }

    def _drawn_first(self, track: Tensor, rows: Tensor, drawn: Tensor, white: Tensor) -> DrawnFirst:
        """Return the part that is drawn first, for normal noise (n, DRAWN) and (n, rows)."""
        of_traits, of_dedx, of_lifetimes, of_kink = torch.split(drawn, PARTS, dim=1)
        some, traits = self.traits.drawn(track, of_traits)
        lifetimes = functional.softplus(-logit_of(of_lifetimes))
        with_traits = traits.concatenated(track)
        passed = some * drawn_passed(self.ends(with_traits, rows), lifetimes[:, :1])
        dedx = self.dedx.drawn(self._end(with_traits, rows, passed), of_dedx)
        with_dedx = torch.cat([with_traits, dedx], dim=1)
        typical = self.of_rows.typical_charge(track, rows)
        parameters = self.of_rows(with_dedx, rows, typical + dedx)
        present = drawn_presence(parameters.rates, passed, white)
        turned = traits.broken * drawn_turns(parameters.rates, lifetimes[:, 1:])
        seen = self._seen(rows, present, passed)
        kink = self.kinks.drawn(torch.cat([with_dedx, seen], dim=1), passed, of_kink)
        trail = Trail(
            present, passed, self._basis(passed, self.kinks.shape(passed, kink, traits.kinked))
        )
        place = self.kinks.place(passed, kink, traits.kinked)
        return DrawnFirst(traits, with_dedx, typical, dedx, parameters, trail, seen, place, turned)

    def _decomposed(
        self, helix: Tensor, channels: Tensor, track: Tensor, rows: Tensor
    ) -> Decomposed:
        """Return the numbers of measured tracks; kinked are those that polynomials do not fit."""
        present, residuals = channels[:, Channel.PRESENT], channels[:, RESIDUALS]
        passed = passed_rows(present)
        seen = self._seen(rows, present, passed)
        sizes = self._sizes(track, seen)
        trail = Trail(present, passed, self._basis(passed, torch.zeros_like(passed)))
        coefficients = fitted(trail.basis, residuals, present)
        first = self._smooth(helix, coefficients)
        kinked = self.smooth.traits(first, self._known(trail), sizes).kinked
        kink = self.kinks.found(residuals - combine(trail.basis, coefficients), present, passed)
        trail = Trail(present, passed, self._basis(passed, self.kinks.shape(passed, kink, kinked)))
        coefficients = fitted(trail.basis, residuals, present)
        known, found = self._known(trail), self._smooth(helix, coefficients)
        traits = self.smooth.traits(found, known, sizes)._replace(kinked=kinked)
        place = self.kinks.place(passed, kink, kinked)
        typical = self.of_rows.typical_charge(track, rows)
        dedx = self._dedx(channels, typical)
        return Decomposed(
            traits, trail, typical, dedx, seen, kink, place, known, coefficients, found
        )

    def _dedx(self, channels: Tensor, typical: Tensor) -> Tensor:
        """Return the logarithms of tracks' truncated dE/dx, over the typical one (n, 1)."""
        return log_truncated_mean(
            channels[:, Channel.CHARGE] - typical, channels[:, Channel.PRESENT]
        )

    def _split(self, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Return features of the track, and of its knots (n, features, knots)."""
        track, rows = (conditions[:, self.seen[name]] for name in (TRACK, ROWS))
        return track, rows.view(-1, ROW_FEATURES, self.knots)

    def _channels(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the effective helix's parameters, and the channels (n, channels, rows)."""
        helix, channels = features.tensor_split([PARAMETERS], dim=1)
        return helix, channels.view(features.shape[0], -1, self.rows)

    def _basis(self, passed: Tensor, kink: Tensor) -> Tensor:
        """Return polynomials of tracks that passed some rows, and kinks (n, orders + 1, rows)."""
        basis = self.polynomials.index_select(0, number_passed(passed))
        basis[:, -1] = kink
        return basis

    def _seen(self, rows: Tensor, present: Tensor, passed: Tensor) -> Tensor:
        """Return features of the visible part of tracks (n, SEEN)."""
        count = present.sum(dim=1, keepdim=True)
        last = (number_passed(passed) - 1).clamp_min(0)
        last_radius = self.radii[last][:, None]
        reach = (rows[:, REACH, -1:]).clamp_max(0.0)  # from the last row
        parts = [
            count / self.rows,
            count.clamp_min(1).log() / 5,
            last_radius,
            last_radius - reach - self.radii[-1],
        ]
        return torch.cat(parts, dim=1)

    def _end(self, with_traits: Tensor, rows: Tensor, passed: Tensor) -> Tensor:
        """Return features of tracks whose last row is known (n, features + SEEN)."""
        return torch.cat([with_traits, self._seen(rows, passed, passed)], dim=1)

    def _sizes(self, track: Tensor, seen: Tensor) -> Tensor:
        """Return the logarithms of the typical sizes of deviations (n, sized)."""
        return self.smooth.typical(torch.cat([track, seen], dim=1))

    def _padded(self, *free: Tensor) -> Tensor:
        """Return the coefficients (n, 2, orders), zero where they are the helix's own."""
        padded = [functional.pad(part, (own, 0)) for part, own in zip(free, OF_HELIX, strict=True)]
        return torch.stack(padded, dim=1)

    def _smooth(self, helix: Tensor, coefficients: Tensor) -> Tensor:
        """Return the smooth numbers that have a typical size, for coefficients (n, 2, orders)."""
        parts = zip(coefficients.unbind(1), OF_HELIX, strict=True)
        return torch.cat([helix, *(part[:, own:] for part, own in parts)], dim=1)

    def _known(self, trail: Trail) -> Tensor:
        """Return which of the smooth numbers a track has (n, smooth)."""
        present, passed, basis = trail
        count = present.sum(dim=1, keepdim=True)
        existing = self.existing.index_select(0, number_passed(passed))
        kinked = (basis[:, -1] != 0).any(dim=1, keepdim=True)
        orders = torch.arange(basis.shape[1], device=basis.device)
        known = torch.cat([existing[:, :-1], kinked], dim=1) & (count > orders)
        of_helix = (count >= FEWEST_OF_HELIX).expand(-1, PARAMETERS)
        sized = self._smooth(of_helix, known[:, None].expand(-1, len(OF_HELIX), -1))
        of_charge = known[:, : self.noise.charge_orders]
        return torch.cat([sized, self.noise.known(present, of_charge)], dim=1)

    @staticmethod
    def transform_for(config: HelixFlowConfig, detector: Detector) -> Transform:
        """Return the preprocessing: deviations from the ideal helix."""
        return HelixFrame(tpc_for(config.kind, detector))

    @staticmethod
    def encoder_for(config: HelixFlowConfig, detector: Detector) -> TrackEncoder:
        """Return the encoder of the conditions."""
        return TrackEncoder(tpc_for(config.kind, detector))
