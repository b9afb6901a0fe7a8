"""Variational autoencoders of the two flows of a track, trained together and merged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import binary_cross_entropy

from simulacra.detectors import TPC
from simulacra.models.blocks.merged_flows import (
    FLOWS,
    MakeNetwork,
    TableShape,
    networks,
    split,
    track_tables,
    unseen,
)
from simulacra.models.blocks.variational import divergence_from_normal, drawn
from simulacra.transforms.tpc.tracks import PRESENCE, presence_of


class TableAutoencoder(nn.Module):
    """An encoder to a Gaussian latent distribution, and a decoder.

    Args:
        encoder: tables and conditions to means and log variances (n, 2 * latent).
        decoder: latent numbers and conditions to tables.
        width: standard deviation of a position or charge around the decoder's, in units of the
            table: how exactly tables are to be reproduced, against how Gaussian the latent numbers
            are to be. Presence, where a table has it, is a probability.
        shape: of the flow's tables.

    References:
        Kingma, Welling: Auto-encoding variational Bayes, arXiv:1312.6114, eq. 10.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, width: float, shape: TableShape
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.width = width
        self.blocks = shape.blocks

    def forward(self, noise: Tensor, conditions: Tensor) -> Tensor:
        """Return tables (n, rows, columns) of latent numbers."""
        tables: Tensor = self.decoder(noise, conditions)
        return tables

    def losses(self, table: Tensor, conditions: Tensor, rng: Generator) -> dict[str, Tensor]:
        """Return reconstruction and divergence in nats for each number of a table."""
        mean, log_variance = self.encoder(table, conditions).chunk(2, dim=1)
        made: Tensor = self.decoder(drawn(mean, log_variance, rng), conditions)
        return {
            "reconstruction": self._reconstruction(table, made) / table.numel(),
            "divergence": divergence_from_normal(mean, log_variance).sum() / table.numel(),
        }

    def _reconstruction(self, table: Tensor, made: Tensor) -> Tensor:
        """Return -log p of all numbers: Gaussian but for a constant, Bernoulli for presence."""
        off = (table - made) / self.width
        numbers = [place for block, place in self.blocks.items() if block != PRESENCE]
        loss = torch.stack([off[..., place].square().sum() for place in numbers]).sum() / 2
        if PRESENCE in self.blocks:
            chance, truth = (presence_of(tables, self.blocks) for tables in (made, table))
            loss = loss + binary_cross_entropy(chance, truth, reduction="sum")
        return loss


class TrackVAE(nn.Module):
    """An autoencoder for each flow, none of which looks at the conditions.

    Args:
        detector: the chamber.
        latent: size of each flow's latent space.
        make: makes a flow's :class:`TableAutoencoder`.
    """

    transform_for = staticmethod(track_tables)

    def __init__(self, detector: TPC, latent: int, make: MakeNetwork) -> None:
        super().__init__()
        self.latent = latent
        self.flows = networks(detector, 0, make)

    def fit(self, features: Tensor, conditions: Tensor) -> None:
        """Do nothing: tables lie between 0 and 1."""

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the Gaussian noise for ``n`` tracks."""
        return n, len(FLOWS) * self.latent

    def sample(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return merged tables (n, rows, 6) of latent noise."""
        parts = noise.chunk(len(FLOWS), dim=1)
        pairs = zip(self._autoencoders(), parts, strict=True)
        return torch.cat([flow(z, unseen(conditions)) for (_, flow), z in pairs], dim=2)

    def losses(self, features: Tensor, conditions: Tensor, rng: Generator) -> dict[str, Tensor]:
        """Return each flow's terms; their names begin with the flow's."""
        losses: dict[str, Tensor] = {}
        for (name, flow), table in zip(self._autoencoders(), split(features), strict=True):
            terms = flow.losses(table, unseen(conditions), rng)
            losses |= {f"{name}_{term}": loss for term, loss in terms.items()}
        return losses

    def _autoencoders(self) -> Iterator[tuple[str, TableAutoencoder]]:
        for name, flow in self.flows.items():
            yield name, cast("TableAutoencoder", flow)
