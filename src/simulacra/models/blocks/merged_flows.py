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
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from simulacra.detectors import TPC, Detector
from simulacra.models.blocks.gan import GAN
from simulacra.models.blocks.helix_loss import HelixLoss
from simulacra.models.requirements import tpc_for
from simulacra.transforms import TrackTables, Transform
from simulacra.transforms.base import Slices, slices_of
from simulacra.transforms.encoder import ENCODED, PHYSICAL
from simulacra.transforms.tpc.tracks import CHARGES, POSITIONS, PRESENCE, TABLE, table_rows

FLOWS = {"positions": (POSITIONS, PRESENCE), "charges": (CHARGES,)}
"""The flows and the blocks of columns of their tables, in the order in which they are merged."""


class TableShape(NamedTuple):
    """What the networks of a flow are built for.

    Attributes:
        rows, columns: of the flow's table.
        conditions: features of the particle that the networks see.
        blocks: where the blocks of columns stand in the flow's table.
    """

    rows: int
    columns: int
    conditions: int
    blocks: Slices = MappingProxyType({})

    @property
    def numbers(self) -> int:
        """How many numbers a table holds."""
        return self.rows * self.columns


MakeNetwork = Callable[[TableShape], nn.Module]


def networks(detector: TPC, conditions: int, make: MakeNetwork) -> nn.ModuleDict:
    """Return a network for each flow."""
    rows = table_rows(detector)
    shapes = {
        name: TableShape(rows, sum(widths.values()), conditions, slices_of(widths.items()))
        for name, blocks in FLOWS.items()
        for widths in [{block: TABLE[block].stop - TABLE[block].start for block in blocks}]
    }
    return nn.ModuleDict({name: make(shape) for name, shape in shapes.items()})


def split(tables: Tensor) -> tuple[Tensor, ...]:
    """Return each flow's table (n, rows, columns) of merged ones (n, rows, 6)."""
    return tuple(
        tables[..., TABLE[blocks[0]].start : TABLE[blocks[-1]].stop] for blocks in FLOWS.values()
    )


def unseen(conditions: Tensor) -> Tensor:
    """Return the features (n, 0) of models that do not look at the conditions."""
    return conditions[:, :0]


def track_tables(config: Any, detector: Detector) -> Transform:  # noqa: ANN401 - a model's Config
    """Return the preprocessing of all models of merged flows: tables between 0 and 1."""
    return TrackTables(tpc_for(config.kind, detector))


def centred(tables: Tensor) -> Tensor:
    """Return tables between 0 and 1 as networks look at them: between -1 and 1."""
    return 2 * tables - 1


class MergedGenerators(nn.Module):
    """A generator for each flow; noise (n, flows * latent) is shared out.

    Args:
        detector: the chamber.
        seen: where the features that the generators see stand; None where they see nothing.
        make: makes a module of (noise, conditions) that returns a table.
    """

    def __init__(self, detector: TPC, seen: slice | None, make: MakeNetwork) -> None:
        super().__init__()
        self.seen = seen
        self.flows = networks(detector, _width(seen), make)

    def forward(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return merged tables (n, rows, 6)."""
        seen = _seen(conditions, self.seen)
        parts = noise.chunk(len(FLOWS), dim=1)
        tables = [flow(z, seen) for flow, z in zip(self.flows.values(), parts, strict=True)]
        return torch.cat(tables, dim=2)


class MergedCritics(nn.Module):
    """A critic for each flow; see :class:`simulacra.training.adversarial.Critics`.

    Args:
        detector: the chamber.
        blocks: of the features of a particle: ``ENCODED`` for the critics, ``PHYSICAL`` for the
            helix; empty where neither is looked at.
        make: makes a critic of tables.
        helix_weight: of the squared distance from the helix (per m^2) in the generator's loss.
    """

    def __init__(
        self, detector: TPC, blocks: Slices, make: MakeNetwork, helix_weight: float = 0.0
    ) -> None:
        super().__init__()
        self.seen, self.physical = blocks.get(ENCODED), blocks.get(PHYSICAL)
        self.flows = networks(detector, _width(self.seen), make)
        self.helix_weight = helix_weight
        self.helix = HelixLoss(detector) if helix_weight else None

    def forward(
        self, real: Tensor, fake: Tensor, conditions: Tensor, mix: Tensor
    ) -> dict[str, Tensor]:
        """Return what the critics minimise; the names of terms begin with their flow's."""
        seen = _seen(conditions, self.seen)
        losses: dict[str, Tensor] = {}
        pairs = zip(split(real), split(fake), strict=True)
        for (name, critic), tables in zip(self.flows.items(), pairs, strict=True):
            losses |= _of(name, critic(*tables, seen, mix))
        return losses

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generators minimise."""
        seen = _seen(conditions, self.seen)
        losses: dict[str, Tensor] = {}
        for (name, critic), table in zip(self.flows.items(), split(fake), strict=True):
            terms: dict[str, Tensor] = cast("MergedCritics", critic).judge(table, seen)
            losses |= _of(name, terms)
        if self.helix is not None:
            losses["helix"] = self.helix_weight * self.helix(fake, _seen(conditions, self.physical))
        return losses


def _seen(conditions: Tensor, block: slice | None) -> Tensor:
    return unseen(conditions) if block is None else conditions[:, block]


def _width(block: slice | None) -> int:
    return 0 if block is None else int(block.stop - block.start)


def _of(flow: str, terms: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{flow}_{name}": loss for name, loss in terms.items()}


class TrackGAN(GAN[MergedGenerators, MergedCritics]):
    """Merged generators and critics; :mod:`simulacra.training.adversarial` trains them.

    Args:
        detector: the chamber.
        latent: size of each flow's Gaussian noise.
        generator: makes a flow's generator, a module of (noise, conditions) that returns a table.
        critic: makes a flow's critic.
        blocks: of the features of a particle, as :class:`~simulacra.transforms.EncodedAndPhysical`
            publishes them; empty where no network looks at them.
        helix_weight: see :class:`MergedCritics`.
    """

    transform_for = staticmethod(track_tables)

    def __init__(
        self,
        detector: TPC,
        latent: int,
        generator: MakeNetwork,
        critic: MakeNetwork,
        blocks: Slices = MappingProxyType({}),
        helix_weight: float = 0.0,
    ) -> None:
        super().__init__(
            MergedGenerators(detector, blocks.get(ENCODED), generator),
            MergedCritics(detector, blocks, critic, helix_weight),
            len(FLOWS) * latent,
        )
