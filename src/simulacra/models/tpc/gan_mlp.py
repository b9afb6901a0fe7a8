"""GAN-MLP: a vanilla GAN of dense layers for the clusters of a track.

References:
    Deja & Trzciński (ALICE, IML 2018) and Deja (ML4ALICE) give the name and the loss; layers and
    sizes are ours.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.merged_flows import TrackGAN
from simulacra.models.blocks.minimax import VANILLA, MinimaxCritic
from simulacra.models.blocks.tables import DenseDecoder, DenseEncoder
from simulacra.models.requirements import tpc_for
from simulacra.models.system import Recommended, System


class GANMLPConfig(Frozen):
    """The options of the model, for each of its two flows.

    Attributes:
        latent: size of the Gaussian noise.
        generator_widths: hidden units of the generator.
        critic_widths: hidden units of the discriminator.
        dropout: of the discriminator.
    """

    kind: Literal["gan-mlp"] = "gan-mlp"
    latent: int = Field(default=100, ge=1)
    generator_widths: tuple[int, ...] = (256, 512)
    critic_widths: tuple[int, ...] = (512, 256)
    dropout: float = Field(default=0.3, ge=0, lt=1)


class GANMLP(TrackGAN, System):
    """For each flow a dense generator and a dense discriminator; conditions are not looked at."""

    Config = GANMLPConfig
    serves = "tpc"
    loop = "adversarial"
    summary = "vanilla GAN of dense layers"
    reference = "ALICE (Deja & Trzciński 2018)"
    sees = ()
    recommended: ClassVar[Recommended] = {
        "training": VANILLA | {"steps": 5500, "batch_size": 64, "learning_rate": 2e-4},
        "selection": {"every": 500, "repeat": 1, "groups": ["rmse_fitted", "clusters", "charge"]},
    }
    """As in benchmarks/tpc/gan-mlp.yaml."""

    def __init__(self, config: GANMLPConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        super().__init__(
            tpc_for(config.kind, detector),
            config.latent,
            lambda shape: DenseDecoder(config.latent, config.generator_widths, shape),
            lambda shape: MinimaxCritic(
                DenseEncoder(shape, config.critic_widths, 1, config.dropout)
            ),
        )
