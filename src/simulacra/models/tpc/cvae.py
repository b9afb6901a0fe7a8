"""cVAE: a variational autoencoder of convolutions for the clusters of a track.

The c stands for convolutional, as in the source: nothing is conditional here.

References:
    Deja & Trzciński (ALICE, IML 2018): two-dimensional convolutions and deconvolutions,
    LeakyReLU, dropout, batch norm, a sigmoid on the output, the loss of a VAE. Sizes and the weight
    of the reconstruction are ours.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.tables import ConvolutionalDecoder, ConvolutionalEncoder
from simulacra.models.blocks.track_vae import TableAutoencoder, TrackVAE
from simulacra.models.requirements import tpc_for
from simulacra.models.system import Recommended, System


class CVAEConfig(Frozen):
    """The options of the model, for each of its two flows.

    Attributes:
        latent: size of the latent space.
        channels: of the decoder's images, from its dense layer on; the encoder mirrors it.
        dropout: after each hidden convolution.
        reconstruction_width: standard deviation of a number around the decoder's, where a table
            goes from 0 to 1.
    """

    kind: Literal["cvae"] = "cvae"
    latent: int = Field(default=32, ge=1)
    channels: tuple[int, ...] = Field(default=(64, 32), min_length=1)
    dropout: float = Field(default=0.25, ge=0, lt=1)
    reconstruction_width: float = Field(default=0.02, gt=0)


class CVAE(TrackVAE, System):
    """For each flow a convolutional encoder and decoder; conditions are not looked at."""

    Config = CVAEConfig
    serves = "tpc"
    loop = "likelihood"
    summary = "variational autoencoder of convolutions, not conditional"
    reference = "ALICE (Deja & Trzciński 2018)"
    sees = ()
    recommended: ClassVar[Recommended] = {
        "training": {"steps": 1000, "batch_size": 64, "learning_rate": 1e-3},
        "selection": {"every": 200, "repeat": 1, "groups": ["rmse_fitted", "clusters", "charge"]},
    }
    """As in benchmarks/tpc/cvae.yaml."""

    def __init__(self, config: CVAEConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        latent, channels, dropout = config.latent, config.channels, config.dropout
        super().__init__(
            tpc_for(config.kind, detector),
            latent,
            lambda shape: TableAutoencoder(
                ConvolutionalEncoder(shape, channels, 2 * latent, batch_norm=True, dropout=dropout),
                ConvolutionalDecoder(latent, channels, shape, batch_norm=True, dropout=dropout),
                config.reconstruction_width,
                shape,
            ),
        )
