"""The critics of the 3D GANs: real or fake, the particle's energy, and the visible energy.

References:
    Carminati, Khattak, Vallecorsa: 3D convolutional GAN for fast simulation, arXiv:1912.06794;
    Vallecorsa for GeantV. There the visible energy for a requested energy is a polynomial with
    fixed numbers in their units; here it is fitted to the training events.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from pydantic import Field
from torch import Tensor, nn

from simulacra.detectors.base import Frozen
from simulacra.models.blocks.gan import GAN, GeneratorT
from simulacra.models.blocks.minimax import called_fake, called_real
from simulacra.models.calorimeter.gan3d.volumes import VolumeDiscriminator, VolumeGenerator
from simulacra.transforms.base import Slices

VolumeCriticsT = TypeVar("VolumeCriticsT", bound="VolumeCritics")
STARTING_EVENTS = 64
"""By which the generator's energy before training is measured."""
RESPONSE_DEGREE = 2
"""Of the polynomial visible energy / energy: 1 would miss what leaks out at the back."""


class LossWeights(Frozen):
    """Weights of the terms.

    Attributes:
        adversarial: of the cross-entropy of real or fake.
        energy: of the error of the regressed energy, %.
        visible: of the error of the visible energy, %.
    """

    adversarial: float = Field(default=6.0, gt=0)
    energy: float = Field(default=0.2, ge=0)
    visible: float = Field(default=0.1, ge=0)


def percentage_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean of |found / wanted - 1|, in %."""
    return 100 * (found / wanted - 1).abs().mean()


class VolumeCritics(nn.Module):
    """A discriminator that also regresses the energy in the model's unit.

    Args:
        seen: where the encoded conditions stand.
        discriminator: of cells.
        weights: of the terms.
        flips: part of the labels real and fake that the discriminator is told wrongly.
        power: of the cells' energies; the visible energy is the sum of their inverse power.
    """

    response: Tensor

    def __init__(
        self,
        seen: Slices,
        discriminator: VolumeDiscriminator,
        weights: LossWeights,
        flips: float,
        power: float = 1.0,
    ) -> None:
        super().__init__()
        self.seen, self.discriminator = seen, discriminator
        self.weights, self.flips, self.power = weights, flips, power
        self.register_buffer("response", torch.zeros(RESPONSE_DEGREE + 1))

    def fit(self, cells: Tensor, conditions: Tensor) -> None:
        """Fit the polynomial visible energy / energy to training events."""
        energy = self._energy(conditions).double()
        share = self.visible_energy(cells).double() / energy
        found = torch.linalg.lstsq(self._powers(energy), share, driver="gelsd").solution
        self.response.copy_(found.squeeze(1))

    def visible_energy(self, cells: Tensor) -> Tensor:
        """Return the sum of the cells' energies (n, 1), in the unit of the cells."""
        return self.energies(cells).sum(dim=1, keepdim=True)

    def energies(self, cells: Tensor) -> Tensor:
        """Return the cells' energies (n, cells), in the unit of the cells."""
        return cells if self.power == 1 else cells ** (1 / self.power)

    def expected_visible_energy(self, conditions: Tensor) -> Tensor:
        """Return the mean visible energy (n, 1) of showers of the requested energies."""
        energy = self._energy(conditions)
        return energy * (self._powers(energy) @ self.response.to(energy.dtype)[:, None])

    def _energy(self, conditions: Tensor) -> Tensor:
        return conditions[:, self.seen["energy"]]

    def _powers(self, energy: Tensor) -> Tensor:
        return torch.cat([energy**n for n in range(RESPONSE_DEGREE + 1)], dim=1)

    def forward(
        self, real: Tensor, fake: Tensor, conditions: Tensor, mix: Tensor
    ) -> dict[str, Tensor]:
        """Return what the discriminator minimises.

        Full simulation and generated showers are looked at one after the other, so that each has
        the batch norm of its own kind. Labels are flipped where ``mix`` is at an end of its range.
        The visible energy is computed, not learned, and has no term here.
        """
        weights, energy = self.weights, self._energy(conditions)
        on_real, of_real = self.discriminator(real)
        on_fake, of_fake = self.discriminator(fake)
        return {
            "real": weights.adversarial * called_real(on_real, mix < self.flips),
            "fake": weights.adversarial * called_fake(on_fake, mix > 1 - self.flips),
            "energy_real": weights.energy * percentage_error(of_real, energy),
            "energy_fake": weights.energy * percentage_error(of_fake, energy),
        }

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises."""
        weights = self.weights
        logits, energy = self.discriminator(fake)
        expected = self.expected_visible_energy(conditions)
        off = percentage_error(self.visible_energy(fake), expected)
        return {
            "generator": weights.adversarial * called_real(logits),
            "generator_energy": weights.energy * percentage_error(energy, self._energy(conditions)),
            "generator_visible": weights.visible * off,
        }


class VolumeGAN(GAN[GeneratorT, VolumeCriticsT]):
    """A 3D GAN: a generator with ``volumes``, a :class:`VolumeGenerator`, and its critics."""

    @torch.no_grad()
    def fit(self, features: Tensor, conditions: Tensor) -> None:
        """Fit the mean visible energy at a requested energy, and let the generator begin there.

        With the published starts alone it begins with many times that, and the first updates push
        nearly all cells below zero, where they are cut off and get no gradient. A departure that
        matters less the longer one trains.
        """
        self.critics.fit(features, conditions)
        first = conditions[:STARTING_EVENTS]
        rng = torch.Generator().manual_seed(0)
        cells = self.sample(first, torch.randn(self.noise_shape(len(first)), generator=rng))
        visible = float(self.critics.visible_energy(cells).mean())
        if visible > 0:
            expected = float(self.critics.expected_visible_energy(first).mean())
            volumes = self.generator.get_submodule("volumes")
            assert isinstance(volumes, VolumeGenerator)
            volumes.multiply((expected / visible) ** self.critics.power)
