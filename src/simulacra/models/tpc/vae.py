"""VAE: a variational autoencoder of dense layers for the clusters of a track.

References:
    Deja & Trzciński (ALICE, IML 2018): an autoencoder whose hidden layer is made normal, and
    generation by noise on the latent space. Layers, sizes and the weight of the reconstruction are
    ours.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.tables import DenseDecoder, DenseEncoder
from simulacra.models.blocks.track_vae import TableAutoencoder, TrackVAE
from simulacra.models.requirements import tpc_for
from simulacra.models.system import Recommended, System


class VAEConfig(Frozen):
    """The options of the model, for each of its two flows.

    Attributes:
        latent: size of the latent space.
        widths: hidden units of the encoder, from the table on; the decoder mirrors it.
        reconstruction_width: standard deviation of a number around the decoder's, where a table
            goes from 0 to 1.
    """

    kind: Literal["vae"] = "vae"
    latent: int = Field(default=32, ge=1)
    widths: tuple[int, ...] = (512, 256)
    reconstruction_width: float = Field(default=0.02, gt=0)


class VAE(TrackVAE, System):
    """For each flow a dense encoder and decoder; conditions are not looked at."""

    Config = VAEConfig
    serves = "tpc"
    loop = "likelihood"
    summary = "variational autoencoder of dense layers"
    reference = "ALICE (Deja & Trzciński 2018)"
    sees = ()
    recommended: ClassVar[Recommended] = {
        "training": {"steps": 9000, "batch_size": 64, "learning_rate": 1e-3},
        "selection": {"every": 1000, "repeat": 1, "groups": ["rmse_fitted", "clusters", "charge"]},
    }
    """As in benchmarks/tpc/vae.yaml."""

    def __init__(self, config: VAEConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        latent, widths = config.latent, config.widths
        super().__init__(
            tpc_for(config.kind, detector),
            latent,
            lambda shape: TableAutoencoder(
                DenseEncoder(shape, widths, 2 * latent),
                DenseDecoder(latent, widths[::-1], shape),
                config.reconstruction_width,
                shape,
            ),
        )
