"""DCGAN: a vanilla GAN of convolutions for the clusters of a track.

References:
    Deja & Trzciński (ALICE, IML 2018): two-dimensional convolutions and deconvolutions, dense
    layers for input and output, LeakyReLU, dropout, a sigmoid on the output; no batch norm is
    named. Sizes, and dropout in the discriminator alone, are ours. After Radford, Metz, Chintala,
    arXiv:1511.06434.
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


class DCGANConfig(Frozen):
    """The options of the model, for each of its two flows.

    Attributes:
        latent: size of the Gaussian noise.
        channels: of the generator's images, from its dense layer on; the discriminator mirrors it.
        dropout: of the discriminator.
    """

    kind: Literal["dcgan"] = "dcgan"
    latent: int = Field(default=100, ge=1)
    channels: tuple[int, ...] = Field(default=(32, 16), min_length=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)


class DCGAN(TrackGAN, System):
    """For each flow a convolutional generator and its mirror; conditions are not looked at."""

    Config = DCGANConfig
    serves = "tpc"
    loop = "adversarial"
    summary = "vanilla GAN of convolutions"
    reference = "ALICE (Deja & Trzciński 2018)"
    sees = ()
    recommended: ClassVar[Recommended] = {
        "training": VANILLA | {"steps": 1200, "batch_size": 64},
        "selection": {"every": 200, "repeat": 1, "groups": ["rmse_fitted", "clusters", "charge"]},
    }
    """As in benchmarks/tpc/dcgan.yaml."""

    def __init__(self, config: DCGANConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        super().__init__(
            tpc_for(config.kind, detector),
            config.latent,
            lambda shape: ConvolutionalDecoder(config.latent, config.channels, shape),
            lambda shape: MinimaxCritic(
                ConvolutionalEncoder(shape, config.channels, 1, dropout=config.dropout)
            ),
        )
