"""condDCGAN and condDCGAN+: DCGAN that knows the particle, and one that knows its helix, too.

References:
    Deja, Trzciński, Graczykowski for ALICE, EPJ Web of Conferences 214 (2019) 06003: conditional
    GANs on "convolutional or recursive" networks, and an extra loss, the distance of clusters from
    the helix, for the "+" ones. Layers, sizes and weights are ours.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.merged_flows import TrackGAN
from simulacra.models.blocks.minimax import VANILLA, MinimaxCritic
from simulacra.models.blocks.tables import ConvolutionalDecoder, ConvolutionalEncoder
from simulacra.models.requirements import tpc_for
from simulacra.models.system import Recommended, System
from simulacra.transforms import EncodedAndPhysical, Encoder


class CondDCGANConfig(Frozen):
    """The options of the model, for each of its two flows.

    Attributes:
        latent: size of the Gaussian noise.
        channels: of the generator's images, from its dense layer on; the discriminator mirrors it.
        critic_widths: hidden units between the discriminator's images and its logit; here images
            and conditions meet.
        dropout: of the discriminator's convolutions.
        helix_weight: of the squared distance from the helix (per m^2) in the generator's loss;
            0 for condDCGAN, more for condDCGAN+.
    """

    kind: Literal["cond-dcgan"] = "cond-dcgan"
    latent: int = Field(default=100, ge=1)
    channels: tuple[int, ...] = Field(default=(32, 16), min_length=1)
    critic_widths: tuple[int, ...] = Field(default=(64,), min_length=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    helix_weight: float = Field(default=0.0, ge=0)


class CondDCGAN(TrackGAN, System):
    """For each flow a convolutional generator and critic, both of which see the conditions."""

    Config = CondDCGANConfig
    serves = "tpc"
    loop = "adversarial"
    summary = "dcgan given the particle; condDCGAN+ with helix_weight"
    reference = "ALICE, EPJ Web Conf. 214 (2019) 06003"
    recommended: ClassVar[Recommended] = {
        "training": VANILLA | {"steps": 1600, "batch_size": 32},
        "selection": {
            "every": 200,
            "repeat": 1,
            "groups": ["rmse_true", "rmse_fitted", "clusters", "charge"],
        },
    }
    """As in benchmarks/tpc/cond-dcgan.yaml."""

    def __init__(self, config: CondDCGANConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        channels = config.channels
        super().__init__(
            tpc_for(config.kind, detector),
            config.latent,
            lambda shape: ConvolutionalDecoder(config.latent, channels, shape),
            lambda shape: MinimaxCritic(
                ConvolutionalEncoder(
                    shape, channels, 1, config.critic_widths, dropout=config.dropout
                )
            ),
            blocks=self.encoder_for(config, detector).slices,
            helix_weight=config.helix_weight,
        )

    @staticmethod
    def encoder_for(config: CondDCGANConfig, detector: Detector) -> Encoder:  # noqa: ARG004
        """Return the conditions for the networks and, after them, for the helix."""
        return EncodedAndPhysical(detector.conditions)
