"""GAN-LSTM: a vanilla GAN that goes along the pad rows of a track.

References:
    Deja & Trzciński (ALICE, IML 2018) and Deja (ML4ALICE) give the name and the loss; layers and
    sizes are ours. The LSTM: Hochreiter, Schmidhuber, Neural Computation 9 (1997) 1735.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.merged_flows import TableShape, TrackGAN, centred
from simulacra.models.blocks.minimax import VANILLA, MinimaxCritic
from simulacra.models.blocks.networks import beside
from simulacra.models.requirements import tpc_for
from simulacra.models.system import Recommended, System


class GANLSTMConfig(Frozen):
    """The options of the model, for each of its two flows.

    Attributes:
        latent: size of the Gaussian noise.
        generator_width: units of each LSTM layer of the generator.
        generator_layers: LSTM layers of the generator.
        critic_width: units of the discriminator's LSTM, in each direction.
    """

    kind: Literal["gan-lstm"] = "gan-lstm"
    latent: int = Field(default=100, ge=1)
    generator_width: int = Field(default=64, ge=1)
    generator_layers: int = Field(default=2, ge=1)
    critic_width: int = Field(default=32, ge=1)


class RecurrentGenerator(nn.Module):
    """Noise, the same at every row, to a table: LSTM layers and a dense one at every row.

    Args:
        latent: size of the noise.
        width: units of each LSTM layer.
        layers: how many there are.
        shape: of the table.
    """

    def __init__(self, latent: int, width: int, layers: int, shape: TableShape) -> None:
        super().__init__()
        self.rows = shape.rows
        self.lstm = nn.LSTM(latent + shape.conditions, width, layers, batch_first=True)
        self.columns = nn.Linear(width, shape.columns)

    def forward(self, noise: Tensor, conditions: Tensor) -> Tensor:
        """Return tables (n, rows, columns) between 0 and 1."""
        repeated = beside(noise, conditions).unsqueeze(1).expand(-1, self.rows, -1)
        hidden, _ = self.lstm(repeated)
        logits: Tensor = self.columns(hidden)
        return logits.sigmoid()


class RecurrentDiscriminator(nn.Module):
    """A table to a logit: what an LSTM knows at either end, in two directions.

    Args:
        width: units of the LSTM, in each direction.
        shape: of the table; conditions stand beside every row.
    """

    def __init__(self, width: int, shape: TableShape) -> None:
        super().__init__()
        inputs = shape.columns + shape.conditions
        self.lstm = nn.LSTM(inputs, width, batch_first=True, bidirectional=True)
        self.logit = nn.Linear(2 * width, 1)

    def forward(self, table: Tensor, conditions: Tensor) -> Tensor:
        """Return logits (n, 1)."""
        table = centred(table)
        if conditions.shape[1]:
            repeated = conditions.unsqueeze(1).expand(-1, table.shape[1], -1)
            table = torch.cat([table, repeated], dim=2)
        _, (ends, _) = self.lstm(table)
        logit: Tensor = self.logit(torch.cat(ends.unbind(), dim=1))
        return logit


class GANLSTM(TrackGAN, System):
    """For each flow a recurrent generator and discriminator; conditions are not looked at."""

    Config = GANLSTMConfig
    serves = "tpc"
    loop = "adversarial"
    summary = "vanilla GAN that goes along the pad rows"
    reference = "ALICE (Deja & Trzciński 2018)"
    sees = ()
    recommended: ClassVar[Recommended] = {
        "training": VANILLA | {"steps": 700, "batch_size": 32},
        "selection": {"every": 100, "repeat": 1, "groups": ["rmse_fitted", "clusters", "charge"]},
    }
    """As in benchmarks/tpc/gan-lstm.yaml."""

    def __init__(self, config: GANLSTMConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        latent, width, layers = config.latent, config.generator_width, config.generator_layers
        super().__init__(
            tpc_for(config.kind, detector),
            latent,
            lambda shape: RecurrentGenerator(latent, width, layers, shape),
            lambda shape: MinimaxCritic(RecurrentDiscriminator(config.critic_width, shape)),
        )
