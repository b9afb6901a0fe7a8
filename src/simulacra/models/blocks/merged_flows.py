"""Two flows that are merged: one network for positions and presence, another for the charges.

ALICE's systems generate (x, y, z) and (q, q_max) separately and concatenate the two tables. So do
the models here. Each flow has its own noise and its own critic, and no input from the other. The
flow of positions decides which rows have a cluster.

A table network takes noise or a table (n, rows, columns), and conditions (n, conditions), of which
there may be none: a model that is not conditional is given conditions like every other and does not
look at them.

References:
    Deja, Trzciński: Generative models for fast cluster simulations in the TPC for the ALICE
    experiment, IML 2018; Deja: ML4ALICE.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from simulacra.detectors import TPC
from simulacra.models.blocks.gan import GAN
from simulacra.models.tpc.helix_loss import HelixLoss
from simulacra.transforms.tpc.tracks import table_rows

FLOWS = {"positions": 4, "charges": 2}
"""The flows and the columns of their tables, in the order in which they are merged."""


class TableShape(NamedTuple):
    """What the networks of a flow are built for.

    Attributes:
        rows, columns: of the flow's table.
        conditions: features of the particle that the networks see.
    """

    rows: int
    columns: int
    conditions: int

    @property
    def numbers(self) -> int:
        """How many numbers a table holds."""
        return self.rows * self.columns


MakeNetwork = Callable[[TableShape], nn.Module]


def networks(detector: TPC, conditions: int, make: MakeNetwork) -> nn.ModuleDict:
    """Return a network for each flow."""
    rows = table_rows(detector)
    return nn.ModuleDict(
        {name: make(TableShape(rows, columns, conditions)) for name, columns in FLOWS.items()}
    )


def split(tables: Tensor) -> tuple[Tensor, ...]:
    """Return each flow's table (n, rows, columns) of merged ones (n, rows, 6)."""
    return torch.split(tables, list(FLOWS.values()), dim=2)


def centred(tables: Tensor) -> Tensor:
    """Return tables between 0 and 1 as networks look at them: between -1 and 1."""
    return 2 * tables - 1


class MergedGenerators(nn.Module):
    """A generator for each flow; noise (n, flows * latent) is shared out.

    Args:
        detector: the chamber.
        conditions: how many of the features of a particle the generators see.
        make: makes a module of (noise, conditions) that returns a table.
    """

    def __init__(self, detector: TPC, conditions: int, make: MakeNetwork) -> None:
        super().__init__()
        self.conditions = conditions
        self.flows = networks(detector, conditions, make)

    def forward(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return merged tables (n, rows, 6)."""
        seen = conditions[:, : self.conditions]
        parts = noise.chunk(len(FLOWS), dim=1)
        tables = [flow(z, seen) for flow, z in zip(self.flows.values(), parts, strict=True)]
        return torch.cat(tables, dim=2)


class MergedCritics(nn.Module):
    """A critic for each flow; see :class:`simulacra.training.adversarial.Critics`.

    Args:
        detector: the chamber.
        conditions: how many of the features of a particle the critics see.
        make: makes a critic of tables.
        helix_weight: of the squared distance from the helix (per m^2) in the generator's loss; the
            features that the critics don't see are then the conditions in physical units.
    """

    def __init__(
        self, detector: TPC, conditions: int, make: MakeNetwork, helix_weight: float = 0.0
    ) -> None:
        super().__init__()
        self.conditions = conditions
        self.flows = networks(detector, conditions, make)
        self.helix_weight = helix_weight
        self.helix = HelixLoss(detector) if helix_weight else None

    def forward(
        self, real: Tensor, fake: Tensor, conditions: Tensor, mix: Tensor
    ) -> dict[str, Tensor]:
        """Return what the critics minimise; the names of terms begin with their flow's."""
        seen = conditions[:, : self.conditions]
        losses: dict[str, Tensor] = {}
        pairs = zip(split(real), split(fake), strict=True)
        for (name, critic), tables in zip(self.flows.items(), pairs, strict=True):
            losses |= _of(name, critic(*tables, seen, mix))
        return losses

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generators minimise."""
        seen, physical = conditions.tensor_split([self.conditions], dim=1)
        losses: dict[str, Tensor] = {}
        for (name, critic), table in zip(self.flows.items(), split(fake), strict=True):
            terms: dict[str, Tensor] = cast("MergedCritics", critic).judge(table, seen)
            losses |= _of(name, terms)
        if self.helix is not None:
            losses["helix"] = self.helix_weight * self.helix(fake, physical)
        return losses


def _of(flow: str, terms: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{flow}_{name}": loss for name, loss in terms.items()}


class TrackGAN(GAN[MergedGenerators, MergedCritics]):
    """Merged generators and critics; :mod:`simulacra.training.adversarial` trains them.

    Args:
        detector: the chamber.
        latent: size of each flow's Gaussian noise.
        generator: makes a flow's generator, a module of (noise, conditions) that returns a table.
        critic: makes a flow's critic.
        conditions: how many of the features of a particle all of them see.
        helix_weight: see :class:`MergedCritics`.
    """

    def __init__(
        self,
        detector: TPC,
        latent: int,
        generator: MakeNetwork,
        critic: MakeNetwork,
        conditions: int = 0,
        helix_weight: float = 0.0,
    ) -> None:
        super().__init__(
            MergedGenerators(detector, conditions, generator),
            MergedCritics(detector, conditions, critic, helix_weight),
            len(FLOWS) * latent,
        )
