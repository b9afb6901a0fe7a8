"""The parts of ``helix-flow``, and the plain form that stands in for each in the ablation.

A :class:`Variant` replaces names in the modules of the model while it is built, trained and sampled
from. The model itself has no switches for this.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from unittest import mock

import torch
from spline_flow import SplineFlow
from torch import Tensor, nn

from simulacra.models.system import System
from simulacra.models.tpc.helix_flow import (
    charge_window,
    dedx,
    helix_flow,
    kinks,
    noise,
    row_networks,
    rows,
    smooth,
    track_end,
)
from simulacra.models.tpc.helix_flow.helix_flow import DrawnFirst, HelixFlow
from simulacra.models.tpc.helix_flow.traits import Traits
from simulacra.transforms.tpc import effective_helix, helix_frame

Replaced = tuple[Any, str, Any]
"""A module or class, a name in it, and what stands in its place."""
BASE = "base"
"""The variant from which the others go on."""
NEVER = -30.0
"""Logit of what does not happen."""


@dataclass(frozen=True)
class Variant:
    """The model with one part replaced.

    Attributes:
        part: the part.
        plain: what stands in its place.
        replaced: names in modules, and what stands in their place.
        lines: about how many lines of the package the part takes.
        options: of the model.
        system: the class that is trained.
        frame: which features are learned; variants of one frame share them.
        trained_as: the variant from whose weights training goes on; empty: it begins anew.
        only_in_sampling: whether those weights are used as they are.
    """

    part: str
    plain: str
    replaced: tuple[Replaced, ...] = ()
    lines: int = 0
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    system: type[System] = HelixFlow
    frame: str = "helix"
    trained_as: str = BASE
    only_in_sampling: bool = False

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Replace the names within a ``with`` block."""
        with contextlib.ExitStack() as stack:
            for where, name, other in self.replaced:
                stack.enter_context(mock.patch.object(where, name, other))
            yield


# The helix that a track follows.


def no_parameters(_ideal: object, path: Tensor, *_: object) -> Tensor:
    """Return zeros in the place of :func:`effective_helix.fitted_parameters`."""
    return path.new_zeros((len(path), effective_helix.PARAMETERS))


_inverse = helix_frame.HelixFrame.inverse


def ideal_inverse(frame: helix_frame.HelixFrame, features: Tensor, columns: Tensor) -> Any:  # noqa: ANN401
    """Return clusters beside the ideal helix."""
    own = torch.zeros_like(features[:, : effective_helix.PARAMETERS])
    return _inverse(frame, torch.cat([own, features[:, own.shape[1] :]], dim=1), columns)


# Smooth numbers.


class OneTypicalSize(smooth.SmoothNumbers):
    """Typical sizes that do not depend on the track."""

    def fit(self, found: Tensor, known: Tensor, features: Tensor) -> None:
        """Fit constants."""
        super().fit(found, known, features * 0)

    def typical(self, features: Tensor) -> Tensor:
        """Return constants."""
        return super().typical(features * 0)


class NoSizes(smooth.SmoothNumbers):
    """No size that all deviations of a track have in common."""

    def traits(self, found: Tensor, known: Tensor, typical: Tensor) -> Traits:
        """Return traits with the size 1."""
        traits = super().traits(found, known, typical)
        return traits._replace(log_size=torch.zeros_like(traits.log_size))

    def sample(
        self, context: Tensor, typical: Tensor, log_size: Tensor, known: Tensor, noise: Tensor
    ) -> Tensor:
        """Return numbers of any size."""
        return super().sample(context, typical, log_size * 0, torch.zeros_like(known), noise)


class NoChoices(smooth.SmoothNumbers):
    """No track is displaced or kinked."""

    def traits(self, found: Tensor, known: Tensor, typical: Tensor) -> Traits:
        """Return traits of tracks that are neither."""
        traits = super().traits(found, known, typical)
        none = torch.zeros_like(traits.displaced)
        return traits._replace(displaced=none, kinked=none)


class NoKinkShapes(kinks.Kinks):
    """No shape beside the polynomials, and no place of a kink."""

    def shape(self, passed: Tensor, number: Tensor, kinked: Tensor) -> Tensor:  # noqa: ARG002
        """Return zeros."""
        return torch.zeros_like(passed)

    def place(self, passed: Tensor, number: Tensor, kinked: Tensor) -> Tensor:  # noqa: ARG002
        """Return zeros."""
        return torch.zeros_like(passed[:, : kinks.NUMBERS])

    def errors(self, context: Tensor, passed: Tensor, number: Tensor) -> Tensor:  # noqa: ARG002
        """Return zeros."""
        return torch.zeros_like(passed[:, :1])


class NoFlow(smooth.TriangularFlow):
    """Scores of the helix are joined by the copula alone."""

    def drawn(self, white: Tensor, context: Tensor) -> Tensor:  # noqa: ARG002
        """Return the white noise."""
        return white

    def whitened(self, scores: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Return the scores."""
        return scores, scores.new_zeros(len(scores))


class NoCopula(smooth.GaussianCopula):
    """Independent scores."""

    def drawn(self, white: Tensor, context: Tensor) -> Tensor:  # noqa: ARG002
        """Return the white noise."""
        return white

    def errors(self, scores: Tensor, known: Tensor, context: Tensor) -> Tensor:  # noqa: ARG002
        """Return zeros."""
        return scores.new_zeros(len(scores))


# Where a track ends, and its rows.


class IndependentRows(HelixFlow):
    """Each row has a cluster or not, whatever the others have."""

    def _end(self, with_traits: Tensor, rows: Tensor, passed: Tensor) -> Tensor:
        return super()._end(with_traits, rows, torch.zeros_like(passed))

    def _drawn_first(self, track: Tensor, rows: Tensor, drawn: Tensor, white: Tensor) -> DrawnFirst:
        first = super()._drawn_first(track, rows, drawn, white)
        present = first.trail.present
        passed = track_end.passed_rows(present)
        seen = self._seen(rows, present, passed)
        context = torch.cat([first.with_dedx, seen], dim=1)
        kink = self.kinks.drawn(context, passed, drawn[:, -1:])
        kinked = first.traits.kinked
        basis = self._basis(passed, self.kinks.shape(passed, kink, kinked))
        return first._replace(
            trail=noise.Trail(present, passed, basis),
            seen=seen,
            place=self.kinks.place(passed, kink, kinked),
        )


def all_passed(log_rates: Tensor, lifetime: Tensor) -> Tensor:  # noqa: ARG001
    """Return ones: every track passes all rows."""
    return torch.ones_like(log_rates)


def rows_alone(rates: track_end.Rates, passed: Tensor, white: Tensor) -> Tensor:
    """Return where tracks have clusters, by the rows' probabilities alone."""
    return passed * track_end.step(white + rates.present)


def error_of_rows_alone(rates: track_end.Rates, present: Tensor, passed: Tensor) -> Tensor:  # noqa: ARG001
    """Return the mean of -log P(presence) over all rows."""
    holes = -torch.special.log_ndtr((2 * present - 1) * rates.present)
    return holes.sum(dim=1).mean() / track_end.TYPICAL_ROWS


def no_error_of_ends(log_rates: Tensor, passed: Tensor) -> Tensor:  # noqa: ARG001
    """Return zero."""
    return log_rates.sum() * 0


class Blunt(row_networks.KnotNetwork):
    """Nothing is sharp: all is interpolated between knots."""

    def _sharp(self, track: Tensor, edges: object) -> list[Tensor]:  # noqa: ARG002
        return []


def no_turns(rates: track_end.Rates, lifetime: Tensor) -> Tensor:  # noqa: ARG001
    """Return zeros: no track comes back."""
    return torch.zeros_like(rates.turns)


def no_holes(rates: object, passed: Tensor, white: object) -> Tensor:  # noqa: ARG001
    """Return a cluster in each row that is passed."""
    return passed


# Charges and noise.


def no_mean(values: Tensor, present: Tensor) -> Tensor:  # noqa: ARG001
    """Return zeros in the place of the truncated mean."""
    return torch.zeros_like(values[:, :1])


class NoWindow(charge_window.ChargeWindow):
    """Nothing depends on charges but z on the difference of the neighbours'."""

    def forward(self, scores: Tensor, track: Tensor) -> charge_window.Charges:  # noqa: ARG002
        """Return that difference and zeros."""
        padded = nn.functional.pad(scores.clamp(-6, 6), (1, 1))
        zeros = [torch.zeros_like(scores)] * (len(charge_window.Charges._fields) - 1)
        return charge_window.Charges(padded[:, 2:] - padded[:, :-2], *zeros)


def fixed(**values: float) -> Replaced:
    """Replace parameters of rows by constants."""
    constants = {name: row_networks.Range(0.0, value) for name, value in values.items()}
    return rows, "ROWWISE", {**rows.ROWWISE, **constants}


ChargeShare, UpperTail, Scatter = rows.ChargeShare, rows.UpperTail, rows.Scatter
"""As they are before a variant replaces them."""


def no_tail(location: Tensor, scale: Tensor, knee: Tensor, reach: Tensor) -> UpperTail:
    """Return a distribution without an upper tail."""
    return UpperTail(location, scale, knee, torch.zeros_like(reach))


def no_share(
    inner: Tensor, second: Tensor, beyond: Tensor, knee: Tensor, wider: Tensor
) -> ChargeShare:
    """Return that rows take over nothing."""
    return ChargeShare(inner * 0, second * 0, beyond * 0, knee, wider * 0)


def only_inner(
    inner: Tensor, second: Tensor, beyond: Tensor, knee: Tensor, wider: Tensor
) -> ChargeShare:
    """Return that rows take over a part of their inner neighbour's score and nothing else."""
    return ChargeShare(inner, second * 0, beyond * 0, knee, wider * 0)


def upright(
    location: Tensor,
    scale: rows.Residuals,
    tilt: Tensor,
    *others: Any,  # noqa: ANN401
) -> Scatter:
    """Return scatter in which z is independent of charges, and rphi of z."""
    return Scatter(location * 0, scale, tilt * 0, *others)


class NoMoments(noise.TrackNoise):
    """What neighbours share is learned by the likelihood of charges, or not at all."""

    def _error_of_neighbours(self, *others: object) -> Tensor:  # noqa: ARG002
        return torch.zeros(())


def taught_by_likelihood(parameters: rows.RowParameters, channels: Tensor) -> Tensor:
    """Return log p of log q, which teaches the share of the inner neighbour as well."""
    scores, log_slope = parameters.charge.sloped_scores(channels[:, helix_frame.Channel.CHARGE])
    here = scores * channels[:, helix_frame.Channel.PRESENT]
    return parameters.tail_given(here).log_density(scores) + log_slope


class NoWidths(noise.GroupWidths):
    """Scores of a group of pads scatter as independent ones."""

    def given(self, scores: Tensor, present: Tensor, widths: Tensor) -> Tensor:  # noqa: ARG002
        """Return the scores."""
        return scores


TRAINED: Mapping[str, Variant] = MappingProxyType(
    {
        BASE: Variant("nothing, before the other steps", "–", trained_as=""),
        "full": Variant("nothing", "–"),
        "spline-flow": Variant(
            "all but the frame, the rows that are passed and have clusters",
            "zuko's neural spline flow (coupling) of all numbers",
            system=SplineFlow,
            trained_as="",
        ),
        "dedx": Variant(
            "truncated dE/dx drawn first and met exactly",
            "charges of rows alone, three polynomials in common",
            lines=110,
            replaced=((helix_flow, "log_truncated_mean", no_mean),),
        ),
        "dedx-mixture": Variant(
            "three parts of the density of dE/dx",
            "one sinh-arcsinh distribution",
            lines=10,
            replaced=((dedx, "BEGIN", (0.0,)),),
        ),
        "ends": Variant(
            "last row drawn first, by a hazard per row",
            "each row has a cluster or not, on its own",
            lines=60,
            system=IndependentRows,
            replaced=(
                (helix_flow, "drawn_passed", all_passed),
                (helix_flow, "drawn_presence", rows_alone),
                (helix_flow, "error_of_presence", error_of_rows_alone),
                (helix_flow, "error_of_ends", no_error_of_ends),
            ),
        ),
        "effective-helix": Variant(
            "the effective helix, five parameters",
            "polynomials beside the ideal helix",
            lines=200,
            frame="ideal",
            trained_as="",
            replaced=(
                (helix_frame, "fitted_parameters", no_parameters),
                (helix_frame.HelixFrame, "inverse", ideal_inverse),
                (helix_flow, "OF_HELIX", (0, 0)),
                (helix_flow, "FEWEST_OF_HELIX", 1_000_000),
            ),
        ),
        "choices": Variant(
            "displaced and kinked tracks, kink shapes, second crossings",
            "tracks of one kind",
            lines=150,
            replaced=((helix_flow, "SmoothNumbers", NoChoices),),
        ),
        "kink-shapes": Variant(
            "a shape for the kink, its row",
            "polynomials alone",
            lines=110,
            replaced=((helix_flow, "Kinks", NoKinkShapes),),
        ),
        "sizes": Variant(
            "a common size of the deviations in rphi, and one in z",
            "each deviation with tails of its own",
            lines=50,
            replaced=((helix_flow, "SmoothNumbers", NoSizes),),
        ),
        "typical-sizes": Variant(
            "typical sizes of deviations by a fit to the track's features",
            "constants",
            lines=30,
            replaced=((helix_flow, "SmoothNumbers", OneTypicalSize),),
        ),
        "triangular-flow": Variant(
            "triangular flow of the helix's parameters",
            "the copula alone",
            lines=90,
            replaced=((smooth, "TriangularFlow", NoFlow),),
        ),
        "copula": Variant(
            "Gaussian copula of the smooth numbers",
            "independent scores",
            lines=90,
            replaced=((smooth, "GaussianCopula", NoCopula),),
        ),
        "copula-context": Variant(
            "correlations that depend on the track", "constant ones", lines=10, options={"rank": 0}
        ),
        "polynomials": Variant("ten polynomials", "five", options={"orders": 5}, trained_as=""),
        "window": Variant(
            "scatter and peak given three charges",
            "given the track alone",
            lines=90,
            replaced=((noise, "ChargeWindow", NoWindow),),
        ),
        "kinds": Variant(
            "three kinds of clusters: near, outlier, pulled",
            "one normal distribution",
            lines=150,
            replaced=(fixed(outlier=NEVER, pulled=NEVER),),
        ),
        "pulled": Variant(
            "clusters pulled by their inner neighbour",
            "near and outliers alone",
            lines=40,
            replaced=(fixed(pulled=NEVER),),
        ),
        "upper-tail": Variant(
            "upper tail of charges",
            "sinh-arcsinh alone",
            lines=90,
            replaced=((rows, "UpperTail", no_tail),),
        ),
        "neighbours": Variant(
            "correlation of neighbouring rows",
            "independent rows",
            lines=60,
            replaced=(
                (rows, "ChargeShare", no_share),
                fixed(r_phi_share=0.0, z_share=0.0),
            ),
        ),
        "share-shape": Variant(
            "charges shared beyond the knee, with the next row but one, and wider for it",
            "a part of the inner neighbour's score",
            lines=10,
            replaced=((rows, "ChargeShare", only_inner),),
        ),
        "moments": Variant(
            "correlation of neighbours and scatter learned by moments",
            "of charges by likelihood, none of residuals",
            lines=60,
            replaced=(
                (noise, "_log_density_of_charge", taught_by_likelihood),
                (helix_flow, "TrackNoise", NoMoments),
                fixed(r_phi_share=0.0, z_share=0.0),
            ),
        ),
        "group-widths": Variant(
            "scatter of a track in each group of pads",
            "independent scores",
            lines=50,
            replaced=((noise, "GroupWidths", NoWidths),),
        ),
        "shift": Variant(
            "z that depends on the neighbours' charges, rphi on z",
            "independent",
            lines=20,
            replaced=((rows, "Scatter", upright),),
        ),
        "sharp": Variant(
            "edges where the helix turns back or leaves the drift volume",
            "interpolation between knots alone",
            lines=30,
            replaced=((track_end, "KnotNetwork", Blunt), (rows, "KnotNetwork", Blunt)),
        ),
        "turns": Variant(
            "second crossings of a row",
            "none",
            lines=30,
            replaced=((helix_flow, "drawn_turns", no_turns),),
            trained_as="full",
            only_in_sampling=True,
        ),
        "holes": Variant(
            "rows without a cluster before the last one",
            "none",
            lines=20,
            replaced=((helix_flow, "drawn_presence", no_holes),),
            trained_as="full",
            only_in_sampling=True,
        ),
    }
)
"""In the order in which they are trained."""
SWITCHED_OFF = (
    "kink-shapes",
    "pulled",
    "group-widths",
    "share-shape",
    "triangular-flow",
    "copula",
    "shift",
    "sharp",
    "upper-tail",
    "window",
    "neighbours",
)
"""Parts that can be switched off in sampling, with the weights of the whole model."""
VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        **TRAINED,
        **{
            f"{name}-off": replace(TRAINED[name], trained_as="full", only_in_sampling=True)
            for name in SWITCHED_OFF
        },
    }
)
"""Those that are trained, and parts that are switched off without another training: a part whose
absence costs nothing even then is of no use."""
