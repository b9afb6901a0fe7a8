"""Conditions of a track as a network wants them that knows the helix and the chamber."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from simulacra.detectors import TPC
from simulacra.helix import crossings
from simulacra.transforms.base import Slices, slices_of
from simulacra.transforms.tpc.helix_frame import HelixFrame, path_to
from simulacra.transforms.tpc.row_knots import row_knots

TRACK, ROWS = "track", "rows"
"""Blocks of features: of the track as a whole, and ``ROW_FEATURES`` for each knot."""
ROW_FEATURES = 9
"""Numbers that describe how the ideal helix meets a row."""
FLATNESS, REACH, DRIFT = 6, 7, 8
"""Three of them: minus the logarithm of the cosine between helix and radius, how far the helix goes
beyond the row, and how far electrons drift, in metres."""
TAN_LAMBDA = 5
"""One of the track's: its slope in z."""
FARTHEST = 5.0
"""Metres beyond which it does not matter how much farther a helix goes."""
TYPICAL_MOMENTUM = 1000.0
"""MeV; logarithms of momenta are taken relative to it."""


class TrackEncoder(nn.Module):
    """What is known of a track before it is measured.

    Antiparticles bend to the other side and nothing else, a rotation about the beam axis or a
    reflection in z changes nothing: the features know neither of them. They are, in this order,
    those of the track (log p_T, log p, log(beta gamma), 1/beta^2 and so on, vertex, species) and
    ``ROW_FEATURES`` blocks, each of a number per knot of :func:`row_knots`, that say how the ideal
    helix meets it.

    Args:
        detector: a time-projection chamber.
    """

    masses: Tensor
    codes: Tensor
    radii: Tensor

    def __init__(self, detector: TPC) -> None:
        super().__init__()
        self.frame = HelixFrame(detector)
        self.drift_length = detector.drift_length
        knots, _ = row_knots(detector)
        self.register_buffer("radii", self.frame.radii[knots], persistent=False)
        species = sorted({abs(code) for code in self.frame.species})
        self.register_buffer("codes", torch.tensor(species, dtype=torch.float32), persistent=False)
        masses = torch.tensor([_mass(code) for code in species])
        self.register_buffer("masses", masses, persistent=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order in which :meth:`forward` takes them."""
        return self.frame.names

    @property
    def track_features(self) -> int:
        """Number of features of the track as a whole."""
        return 8 + len(self.codes)

    @property
    def features(self) -> int:
        """Number of features that :meth:`forward` returns."""
        return self.track_features + ROW_FEATURES * len(self.radii)

    @property
    def slices(self) -> Slices:
        """Where the features of :data:`TRACK` and those of :data:`ROWS` stand."""
        return slices_of([(TRACK, self.track_features), (ROWS, ROW_FEATURES * len(self.radii))])

    def fit(self, columns: Tensor) -> None:
        """Do nothing: all scales are the chamber's."""

    def forward(self, columns: Tensor) -> Tensor:
        """Return features (n, features) of conditions (n, columns)."""
        named = dict(zip(self.names, columns.unbind(1), strict=True))
        side = self.frame.side(columns)[:, 0]
        momentum = named["transverse_momentum"]
        tan_lambda = named["pseudorapidity"].abs().sinh()
        is_species = (named["pdg"].abs()[:, None] == self.codes).to(momentum.dtype)
        mass = is_species @ self.masses
        total = momentum * (1 + tan_lambda.square()).sqrt()
        beta_gamma = (total / mass.clamp_min(1e-6)).log()
        slowness = 1 + (mass / total).square()  # 1 / beta^2
        track = [
            (momentum / TYPICAL_MOMENTUM).log(),
            (total / TYPICAL_MOMENTUM).log(),
            beta_gamma / 3,
            slowness.log(),
            (slowness.sqrt() * 100.0 / momentum).log1p(),  # what scatters: 1 / (beta p_T)
            tan_lambda,
            named["vertex_z"] * side / 100.0,
            100.0 / momentum,
        ]
        return torch.cat([torch.stack(track, dim=1), is_species, self._rows(columns)], dim=1)

    def _rows(self, columns: Tensor) -> Tensor:
        """Return how the knots are met (n, ROW_FEATURES * knots)."""
        helix, radii = self.frame.helix(columns), self.radii
        place = crossings(helix, radii)
        half = place.angle.abs() / 2
        reach = 2 / helix.curvature.abs().clamp_min(1e-12)[:, None] - radii  # from near the axis
        drift = self.drift_length - place.z.abs()
        outwards = half.cos().clamp_min(0.05)
        features = [
            path_to(helix, place, radii) / 1000.0,
            functional.softsign(reach / 20.0),
            functional.softsign(reach / 300.0),
            functional.softsign(drift / 10.0),
            functional.softsign(drift / 300.0),
            (drift.clamp_min(0.0) / self.drift_length).sqrt(),
            -outwards.log(),
            (reach / 1000.0).clamp_max(FARTHEST),
            drift / 1000.0,
        ]
        return torch.cat(features, dim=1)


def _mass(pdg: int) -> float:
    """Return a particle's mass in MeV."""
    from particle import Particle

    return float(Particle.from_pdgid(pdg).mass or math.nan)
