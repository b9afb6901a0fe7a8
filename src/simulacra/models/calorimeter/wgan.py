"""WGAN: the first Wasserstein GAN, of dense layers, on a flat cluster of cells.

It is not conditional: every event is *some* shower of the training sample, as a fraction of the
energy that was asked for. Klein lists conditions on the energy as the next step.

References:
    Klein (ATLAS, SystML meeting 2017): 89 cells of four layers, noise N(0, 1)^m, dense layers
    only, labels +1 and -1, and a discriminator that is "enforced" to learn the mean energy of the
    event. After Arjovsky, Chintala, Bottou: Wasserstein GAN, arXiv:1701.07875, with its clipping.
    Widths, size of the noise, activations and scales are not published; those here are ours, and so
    is the reading of "enforced": the critic is given the mean energy as an input of its own.
"""

from __future__ import annotations

from typing import ClassVar, Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.dense_showers import DenseShowers, Output, fractions_of_energy
from simulacra.models.blocks.gan import GAN
from simulacra.models.blocks.networks import dense, leaky
from simulacra.models.blocks.wasserstein import ClippedCritic
from simulacra.models.requirements import calorimeter_for
from simulacra.models.system import Recommended, System


class WGANConfig(Frozen):
    """The options of the model.

    Attributes:
        latent: size of the Gaussian noise.
        generator_widths: hidden units of the generator.
        critic_widths: hidden units of the critic.
        clip: largest weight of the critic.
        mean_energy: give the critic the event's mean cell energy, in standard deviations of the
            training sample's, beside the cells.
        cell_scale: the critic sees cell fractions times this.
        output: activation of the generator's last layer; relu leaves empty cells.
    """

    kind: Literal["wgan"] = "wgan"
    latent: int = Field(default=64, ge=1)
    generator_widths: tuple[int, ...] = (128, 128, 128)
    critic_widths: tuple[int, ...] = (128, 128, 128)
    clip: float = Field(default=0.01, gt=0)
    mean_energy: bool = True
    cell_scale: float = Field(default=50.0, gt=0)
    output: Output = "relu"


class Score(nn.Module):
    """Cells, and where asked for their mean, to a score; conditions are not looked at."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: WGANConfig, cells: int) -> None:
        super().__init__()
        self.cell_scale, self.mean_energy = config.cell_scale, config.mean_energy
        self.layers = dense((cells + self.mean_energy, *config.critic_widths, 1), leaky)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))

    def forward(self, cells: Tensor, conditions: Tensor) -> Tensor:  # noqa: ARG002
        """Return scores (n, 1) of cell fractions (n, cells)."""
        seen = [cells * self.cell_scale]
        if self.mean_energy:
            seen.append((cells.mean(dim=1, keepdim=True) - self.mean) / self.spread)
        score: Tensor = self.layers(torch.cat(seen, dim=1))
        return score

    def fit(self, cells: Tensor) -> None:
        """Set the scale of the mean energy from training cells (n, cells)."""
        spread, mean = torch.std_mean(cells.mean(dim=1))
        self.mean.copy_(mean)
        self.spread.copy_(torch.where(spread > 0, spread, 1.0))


class WGAN(GAN[DenseShowers, ClippedCritic], System):
    """Generator and clipped critic; :mod:`simulacra.training.adversarial` trains them."""

    Config = WGANConfig
    serves = "calorimeter"
    loop = "adversarial"
    summary = "dense Wasserstein GAN with clipped weights on flat cells, not conditional"
    reference = "ATLAS (Klein 2017); arXiv:1701.07875"
    default_detector = "atlas-barrel-89"
    sees = ()
    transform_for = staticmethod(fractions_of_energy)
    recommended: ClassVar[Recommended] = {
        "training": {
            "steps": 16_000,
            "batch_size": 64,
            "critic_updates": 5,
            "optimiser": {"kind": "rmsprop", "smoothing": 0.99},
            "learning_rate": 5e-5,
            "final_learning_rate": 1.0,
        },
        "selection": {"every": 1000},
    }
    """As in benchmarks/systems/wgan-89.yaml."""

    def __init__(self, config: WGANConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        cells = calorimeter_for(config.kind, detector).n_cells
        layers = dense((config.latent, *config.generator_widths, cells), nn.ReLU)
        generator = DenseShowers(layers, cells, config.output, conditional=False)
        critic = ClippedCritic(Score(config, cells), config.clip)
        super().__init__(generator, critic, config.latent)

    def fit(self, features: Tensor, conditions: Tensor) -> None:  # noqa: ARG002
        """Set the scales of cells and of the mean energy from training cells (n, cells)."""
        self.generator.fit(features)
        cast("Score", self.critics.score).fit(features)

    def chain(self) -> nn.Sequential:
        """Return the generator as a chain of layers from noise to cells."""
        return self.generator.chain()
