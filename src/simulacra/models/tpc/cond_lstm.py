"""condLSTM and condLSTM+: GAN-LSTM that knows the particle, and one that knows its helix, too.

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
from simulacra.models.requirements import tpc_for
from simulacra.models.system import Recommended, System
from simulacra.models.tpc.gan_lstm import RecurrentDiscriminator, RecurrentGenerator
from simulacra.transforms import EncodedAndPhysical, Encoder


class CondLSTMConfig(Frozen):
    """The options of the model, for each of its two flows.

    Attributes:
        latent: size of the Gaussian noise.
        generator_width: units of each LSTM layer of the generator.
        generator_layers: LSTM layers of the generator.
        critic_width: units of the discriminator's LSTM, in each direction.
        helix_weight: of the squared distance from the helix (per m^2) in the generator's loss;
            0 for condLSTM, more for condLSTM+.
    """

    kind: Literal["cond-lstm"] = "cond-lstm"
    latent: int = Field(default=100, ge=1)
    generator_width: int = Field(default=64, ge=1)
    generator_layers: int = Field(default=2, ge=1)
    critic_width: int = Field(default=32, ge=1)
    helix_weight: float = Field(default=0.0, ge=0)


class CondLSTM(TrackGAN, System):
    """For each flow a recurrent generator and discriminator, both of which see the conditions."""

    Config = CondLSTMConfig
    serves = "tpc"
    loop = "adversarial"
    summary = "gan-lstm given the particle; condLSTM+ with helix_weight"
    reference = "ALICE, EPJ Web Conf. 214 (2019) 06003"
    recommended: ClassVar[Recommended] = {
        "training": VANILLA | {"steps": 800, "batch_size": 32},
        "selection": {
            "every": 100,
            "repeat": 1,
            "groups": ["rmse_true", "rmse_fitted", "clusters", "charge"],
        },
    }
    """As in benchmarks/tpc/cond-lstm.yaml."""

    def __init__(self, config: CondLSTMConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        latent, width, layers = config.latent, config.generator_width, config.generator_layers
        super().__init__(
            tpc_for(config.kind, detector),
            latent,
            lambda shape: RecurrentGenerator(latent, width, layers, shape),
            lambda shape: MinimaxCritic(RecurrentDiscriminator(config.critic_width, shape)),
            blocks=self.encoder_for(config, detector).slices,
            helix_weight=config.helix_weight,
        )

    @staticmethod
    def encoder_for(config: CondLSTMConfig, detector: Detector) -> Encoder:  # noqa: ARG004
        """Return the conditions for the networks and, after them, for the helix."""
        return EncodedAndPhysical(detector.conditions)
