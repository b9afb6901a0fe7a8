"""FastCaloGAN's voxel GAN: a dense WGAN-GP from noise and energy to voxels, for all energies.

The defaults are those of its first trainer. The second, for photons, is

    noise: normal, energy: log, activation: swish, batch_norm: true, gradient_penalty: 3

with ``critic_updates: 8`` and ``batch_size: 1024`` of the training. Between a voxel and ATLAS's
cells stands what is not here: there the energy of a voxel is dropped as hits of at most 10 MeV,
each of which finds its cell; here voxels are the response.

References:
    ATLAS's FastCaloGAN and its place in AtlFast3: the public trainers and the reader in Athena.
    Whether their critic is given voxels times something is not said; ``voxel_scale`` is ours. The
    published choice of the epoch, the lowest sum of chi2/ndf of the total energy over all
    energies, is ``measure: chi2, groups: [response]`` of the card's selection.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.dense_showers import DenseShowers, fractions_of_energy
from simulacra.models.blocks.gan import GAN
from simulacra.models.blocks.networks import dense
from simulacra.models.blocks.wasserstein import WassersteinCritic
from simulacra.models.requirements import calorimeter_for
from simulacra.models.system import Recommended, System
from simulacra.transforms import ConditionEncoder

ACTIVATIONS = {"relu": nn.ReLU, "swish": nn.SiLU}
NOISES = {
    "uniform": "uniform from -1 to 1",
    "normal": "normal with mean 0.5 and width 0.5",
}


class VoxelGANConfig(Frozen):
    """The options of the model.

    Attributes:
        latent: size of the noise.
        noise: uniform from -1 to 1, or normal with mean and width 0.5.
        energy: how the energy is given: linear, over the highest in training; or log, from 0 at the
            lowest to 1 at the highest.
        generator_widths: hidden units of the generator.
        activation: of the generator's hidden layers.
        batch_norm: normalise the generator's hidden layers.
        critic_widths: hidden units of the critic; by default three layers as wide as the voxels.
        gradient_penalty: weight of the critic's penalty.
        voxel_scale: the critic sees fractions of the energy times this.
    """

    kind: Literal["voxel-gan"] = "voxel-gan"
    latent: int = Field(default=50, ge=1)
    noise: Literal["uniform", "normal"] = "uniform"
    energy: Literal["linear", "log"] = "linear"
    generator_widths: tuple[int, ...] = (50, 100, 200)
    activation: Literal["relu", "swish"] = "relu"
    batch_norm: bool = False
    critic_widths: tuple[int, ...] | None = None
    gradient_penalty: float = Field(default=10.0, ge=0)
    voxel_scale: float = Field(default=1.0, gt=0)


class EnergyRange(ConditionEncoder):
    """The energy within the range of training; other conditions as for all models.

    Args:
        detector: declares the conditions.
        kind: ``linear``: E / E_max; ``log``: ln(E / E_min) / ln(E_max / E_min).
    """

    def __init__(self, detector: Detector, kind: Literal["linear", "log"]) -> None:
        specs = dict(detector.conditions)
        specs["energy"] = specs["energy"].model_copy(update={"role": kind})
        super().__init__(specs)

    def fit(self, columns: Tensor) -> None:
        """Set the range of the energy from training conditions (n, columns)."""
        super().fit(columns)
        place = self.names.index("energy")
        low, high = columns[:, place].double().aminmax()
        if self.specs["energy"].role == "linear":
            self.offset[place], self.scale[place] = 0.0, 1 / high
        else:
            width = torch.where(high > low, (high / low).log(), 1.0)
            self.offset[place], self.scale[place] = low.log(), 1 / width


class VoxelGenerator(DenseShowers):
    """Standard normal noise, made the trainer's own, and conditions to voxels."""

    def __init__(self, config: VoxelGANConfig, cells: int, conditions: int) -> None:
        widths = (config.latent + conditions, *config.generator_widths, cells)
        layers = dense(widths, ACTIVATIONS[config.activation], batch_norm=config.batch_norm)
        for layer in layers:
            if isinstance(layer, nn.Linear):  # Keras' glorot_normal, and its zeros
                nn.init.xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)
        super().__init__(layers, cells, "relu")
        self.uniform = config.noise == "uniform"

    def own_noise(self, noise: Tensor) -> Tensor:
        """Return the trainer's noise for standard normal noise, same shape."""
        return torch.erf(noise / math.sqrt(2)) if self.uniform else (1 + noise) / 2

    def forward(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return voxels as fractions of the energy (n, cells)."""
        return super().forward(conditions, self.own_noise(noise))


class Score(nn.Module):
    """Voxels and conditions to a score."""

    def __init__(self, config: VoxelGANConfig, cells: int, conditions: int) -> None:
        super().__init__()
        widths = (cells,) * 3 if config.critic_widths is None else config.critic_widths
        self.voxel_scale = config.voxel_scale
        self.layers = dense((cells + conditions, *widths, 1), nn.ReLU)

    def forward(self, voxels: Tensor, conditions: Tensor) -> Tensor:
        """Return scores (n, 1)."""
        score: Tensor = self.layers(torch.cat([voxels * self.voxel_scale, conditions], dim=1))
        return score


class VoxelGAN(GAN[VoxelGenerator, WassersteinCritic], System):
    """Generator and penalised critic; :mod:`simulacra.training.adversarial` trains them."""

    Config = VoxelGANConfig
    serves = "calorimeter"
    loop = "adversarial"
    summary = "dense WGAN-GP from noise and energy to voxels"
    reference = "ATLAS, FastCaloGAN and AtlFast3"
    default_detector = "atlas-voxels"
    transform_for = staticmethod(fractions_of_energy)
    recommended: ClassVar[Recommended] = {
        "training": {
            "steps": 7000,
            "batch_size": 128,
            "critic_updates": 5,
            "optimiser": {"kind": "adam", "betas": [0.5, 0.999]},
            "learning_rate": 5e-4,
        },
        "selection": {"every": 500},
    }
    """As in benchmarks/systems/voxel-gan.yaml."""

    def __init__(self, config: VoxelGANConfig, detector: Detector, conditions: int) -> None:
        cells = calorimeter_for(config.kind, detector).n_cells
        generator = VoxelGenerator(config, cells, conditions)
        critic = WassersteinCritic(Score(config, cells, conditions), config.gradient_penalty)
        super().__init__(generator, critic, config.latent)
        self.chain_noise = NOISES[config.noise]

    def own_noise(self, noise: Tensor) -> Tensor:
        """Return the noise that the chain takes, for standard normal noise of the same shape."""
        return self.generator.own_noise(noise)

    def chain(self) -> nn.Sequential:
        """Return the generator as a chain from its own noise and conditions, joined, to voxels."""
        return self.generator.chain()

    @staticmethod
    def encoder_for(config: VoxelGANConfig, detector: Detector) -> EnergyRange:
        """Return what makes the network's features of conditions."""
        return EnergyRange(detector, config.energy)
