"""Clusters of a track as a table between 0 and 1, for networks that end in a sigmoid.

A row of the table is a pad row, its columns are x, y, z, presence, q, q_max. Positions are scaled
by the drum that the pad rows and the drift length span, whatever the events; charges are log1p,
over the largest one in training. A pad row without a cluster has presence 0; its other numbers lie
on the line between its neighbours, or are those of the nearest cluster where there is only one
side. So a table is smooth whatever is missing, and charges that are generated apart from presence
fit to any. Networks that halve and double the number of rows want a number that is divisible: rows
without clusters are added at the end.

A table says nothing of the end plates. On the way back, a row that the ideal helix of the condition
meets behind one is empty, whatever its presence (:mod:`simulacra.transforms.tpc.ideal_rows`).

References:
    Two tables, (x, y, z) and (q, q_max), and the sigmoid: Deja & Trzciński for ALICE, IML 2018.
    Scaling, presence, filling and padding are ours: the talk does not state them.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from simulacra.detectors import TPC
from simulacra.transforms.base import Response, Slices, slices_of
from simulacra.transforms.tpc.ideal_rows import IdealRows, inside_drift_volume

POSITIONS, PRESENCE, CHARGES = "positions", "presence", "charges"
TABLE: Slices = slices_of([(POSITIONS, 3), (PRESENCE, 1), (CHARGES, 2)])
"""Where these blocks of columns stand in a table, along its last axis."""
DIVISOR = 16
"""The number of rows of a table is a multiple of this."""
BLOCK = 4096
"""Tracks whose tables are made at once."""
PRESENT = 0.5
"""A row whose presence is above this has a cluster."""


def table_rows(detector: TPC) -> int:
    """Return the number of rows of a table: that of the pad rows, rounded up."""
    return -(-len(detector.row_radii) // DIVISOR) * DIVISOR


def half_lengths(detector: TPC) -> Tensor:
    """Return half the lengths (3,) in mm of the box around the drum, along x, y and z."""
    outermost = detector.pad_rows[-1]
    radius = outermost.inner_radius + outermost.rows * outermost.pitch
    return torch.tensor([radius, radius, detector.drift_length])


def positions_of(tables: Tensor, lengths: Tensor) -> Tensor:
    """Return positions (..., 3) in mm of rows of tables (..., columns)."""
    return (2 * tables[..., TABLE[POSITIONS]] - 1) * lengths


def presence_of(tables: Tensor, blocks: Slices = TABLE) -> Tensor:
    """Return the presence (...) of rows of tables (..., columns) with these blocks of columns."""
    return tables[..., blocks[PRESENCE]].squeeze(-1)


def filled(clusters: Tensor, present: Tensor) -> Tensor:
    """Return clusters with the empty rows interpolated along the rows, or carried on at the ends.

    Args:
        clusters: (n, rows, numbers); where a track has none at all, they are returned.
        present: which rows have one (n, rows).
    """
    rows = present.shape[1]
    place = torch.arange(rows, device=present.device).expand_as(present)
    before = torch.where(present, place, -1).cummax(dim=1).values
    after = torch.where(present, place, rows).flip(1).cummin(dim=1).values.flip(1)
    before, after = (
        torch.where(before >= 0, before, after).clamp_max(rows - 1),
        torch.where(after < rows, after, before).clamp_min(0),
    )
    share = (place - before) / (after - before).clamp_min(1)
    low, high = (torch.take_along_dim(clusters, at[..., None], dim=1) for at in (before, after))
    return torch.lerp(low, high, share[..., None].to(clusters.dtype))


class TrackTables(nn.Module):
    """Tables (n, rows, 6) of tracks.

    Args:
        detector: a time-projection chamber.
    """

    lengths: Tensor
    largest: Tensor

    def __init__(self, detector: TPC) -> None:
        super().__init__()
        self.pad_rows = len(detector.row_radii)
        self.padding = table_rows(detector) - self.pad_rows
        self.register_buffer("lengths", half_lengths(detector), persistent=False)
        self.register_buffer("largest", torch.ones(2))
        self.drift_length = detector.drift_length
        self.vertex_z = tuple(detector.conditions).index("vertex_z")
        self.ideal = IdealRows(detector)

    def fit(self, response: Response, columns: Tensor) -> None:  # noqa: ARG002
        """Set the scale of the charges from training events."""
        charges = response["clusters"][..., 3:].log1p().flatten(0, 1)
        if len(charges) and bool(response["cluster_mask"].any()):
            self.largest.copy_(charges.amax(dim=0))

    def forward(self, response: Response, columns: Tensor) -> Tensor:  # noqa: ARG002
        """Return tables (n, rows, 6) of clusters."""
        parts = (torch.split(response[name], BLOCK) for name in ("clusters", "cluster_mask"))
        return torch.cat([self._tables(*part) for part in zip(*parts, strict=True)])

    def _tables(self, clusters: Tensor, mask: Tensor) -> Tensor:
        present = functional.pad(mask > 0, (0, self.padding))
        clusters = filled(functional.pad(clusters, (0, 0, 0, self.padding)), present)
        positions = (clusters[..., :3] / self.lengths + 1) / 2
        charges = clusters[..., 3:].log1p() / self.largest
        return torch.cat([positions, present[..., None].to(positions.dtype), charges], dim=2)

    def dequantise(self, features: Tensor, rng: Generator) -> Tensor:  # noqa: ARG002
        """Return the features: presence says what is empty."""
        return features

    def inverse(self, features: Tensor, columns: Tensor) -> Response:
        """Return clusters and their mask.

        A row has no cluster, and five exact zeros, where its presence is too low, where the ideal
        helix meets it behind an end plate, or where the particle starts behind one.
        """
        tables = features[:, : self.pad_rows]
        inside = inside_drift_volume(self.ideal(columns).z, self.drift_length)
        inside = inside * inside_drift_volume(columns[:, self.vertex_z, None], self.drift_length)
        present = presence_of(tables) * inside > PRESENT
        charges = (tables[..., TABLE[CHARGES]] * self.largest).expm1()
        clusters = torch.cat([positions_of(tables, self.lengths), charges], dim=2)
        return {
            "clusters": torch.where(present[..., None], clusters, 0.0),
            "cluster_mask": present.to(clusters.dtype),
        }
