"""ATLAS's DNNCaloGAN: a dense WGAN-GP on flat cells with a second critic for the total energy.

A single gradient-penalised critic learns the mean of the total energy but not its width: the
penalty keeps it from using the sum. The remedy is a second critic that sees the total energy as an
independent input on which no penalty acts.

References:
    Ghosh & Rousseau (ATLAS, 2019) and ATL-SOFT-PUB-2018-001. Layer sizes, critic
    weights and input scales are not published; those here are ours and stand in the card.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.dense_showers import DenseShowers, Output, fractions_of_energy
from simulacra.models.blocks.gan import GAN
from simulacra.models.blocks.networks import TrainableSwish, dense, gradient_penalty, leaky
from simulacra.models.requirements import calorimeter_for
from simulacra.models.system import Recommended, System


class DNNCaloGANConfig(Frozen):
    """The options of the model; defaults are the published ones where there are any.

    Attributes:
        latent: size of the Gaussian noise.
        generator_widths: hidden units of the generator.
        critic_widths: hidden units of each critic.
        critics: 2, or 1 to leave the second critic out (Ghosh & Rousseau's "before").
        gradient_penalty: weight of the penalty of the first critic.
        second_gradient_penalty: weight of the penalty of the second critic, on the cells only.
        second_critic_weight: its part in the generator's loss.
        second_critic_drift: weight of E[D^2], which keeps the unpenalised critic from running away.
        cell_scale: the critics see cell fractions times this.
        total_scale: the second critic sees (E_tot / E - 1) times this; of order one for resolutions
            of 1 to 10 %.
        output: activation of the generator's last layer; both leave no negative energy.
    """

    kind: Literal["dnncalogan"] = "dnncalogan"
    latent: int = Field(default=300, ge=1)
    generator_widths: tuple[int, ...] = (192, 192, 192, 192)
    critic_widths: tuple[int, ...] = (128, 128, 128)
    critics: Literal[1, 2] = 2
    gradient_penalty: float = Field(default=10.0, ge=0)
    second_gradient_penalty: float = Field(default=10.0, ge=0)
    second_critic_weight: float = Field(default=0.5, gt=0)
    second_critic_drift: float = Field(default=0.05, ge=0)
    cell_scale: float = Field(default=50.0, gt=0)
    total_scale: float = Field(default=30.0, gt=0)
    output: Output = "softplus"


class Critics(nn.Module):
    """One critic on the cells, and one on the cells and the total energy."""

    def __init__(self, config: DNNCaloGANConfig, cells: int, conditions: int) -> None:
        super().__init__()
        self.config = config
        hidden = config.critic_widths
        self.cells = dense((cells + conditions, *hidden, 1), leaky)
        self.energy = (
            dense((cells + 1 + conditions, *hidden, 1), leaky) if config.critics == 2 else None
        )

    def forward(
        self, real: Tensor, fake: Tensor, conditions: Tensor, mix: Tensor
    ) -> dict[str, Tensor]:
        """Return what the critics minimise: named terms, already weighted.

        Args:
            real: Geant4's cell fractions (n, cells).
            fake: the generator's, detached.
            conditions: encoded conditions (n, conditions), the same for both.
            mix: uniform numbers (n, 1) for the penalty's points between real and fake.
        """
        config = self.config
        x, y = real * config.cell_scale, fake * config.cell_scale

        both = torch.cat([conditions, conditions])
        on_real, on_fake = self._on_cells(torch.cat([x, y]), both).chunk(2)
        penalty = gradient_penalty(lambda cells: self._on_cells(cells, conditions), x, y, mix)
        losses = {
            "wasserstein": on_fake.mean() - on_real.mean(),
            "penalty": config.gradient_penalty * penalty,
        }
        if self.energy is not None:
            losses |= self._second(x, y, self._total(real), self._total(fake), conditions, mix)
        return losses

    def _second(
        self, x: Tensor, y: Tensor, sx: Tensor, sy: Tensor, conditions: Tensor, mix: Tensor
    ) -> dict[str, Tensor]:
        config = self.config
        # No gradient may flow from the sums to the cells, so that the penalty, which sees the cells
        # only, leaves the critic free to be steep in the total energy.
        sx, sy = sx.detach(), sy.detach()
        between = torch.lerp(sy, sx, mix)
        both = torch.cat([conditions, conditions])
        real, fake = self._on_energy(torch.cat([x, y]), torch.cat([sx, sy]), both).chunk(2)
        penalty = gradient_penalty(
            lambda cells: self._on_energy(cells, between, conditions), x, y, mix
        )
        drift = (fake.square().mean() + real.square().mean()) / 2
        return {
            "second_wasserstein": fake.mean() - real.mean(),
            "second_penalty": config.second_gradient_penalty * penalty,
            "second_drift": config.second_critic_drift * drift,
        }

    def _total(self, fractions: Tensor) -> Tensor:
        return (fractions.sum(dim=1, keepdim=True) - 1) * self.config.total_scale

    def _on_cells(self, cells: Tensor, conditions: Tensor) -> Tensor:
        score: Tensor = self.cells(torch.cat([cells, conditions], dim=1))
        return score

    def _on_energy(self, cells: Tensor, total: Tensor, conditions: Tensor) -> Tensor:
        assert self.energy is not None
        score: Tensor = self.energy(torch.cat([cells, total, conditions], dim=1))
        return score

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises; here the gradient does flow through the sum."""
        cells = fake * self.config.cell_scale
        losses = {"generator": -self._on_cells(cells, conditions).mean()}
        if self.energy is not None:
            score = self._on_energy(cells, self._total(fake), conditions)
            losses["generator_second"] = -self.config.second_critic_weight * score.mean()
        return losses


class DNNCaloGAN(GAN[DenseShowers, Critics], System):
    """Generator and critics; :mod:`simulacra.training.adversarial` trains them."""

    Config = DNNCaloGANConfig
    serves = "calorimeter"
    loop = "adversarial"
    summary = "dense WGAN-GP on flat cells with a second critic for the total energy"
    reference = "ATLAS (Ghosh & Rousseau 2019); ATL-SOFT-PUB-2018-001"
    transform_for = staticmethod(fractions_of_energy)
    recommended: ClassVar[Recommended] = {
        "training": {"steps": 125_000},
        "selection": {"every": 1000},
    }
    """As in benchmarks/dnncalogan/two-critics.yaml."""

    def __init__(self, config: DNNCaloGANConfig, detector: Detector, conditions: int) -> None:
        cells = calorimeter_for(config.kind, detector).n_cells
        # deep and dense, with trainable swish
        widths = (config.latent + conditions, *config.generator_widths, cells)
        layers = dense(widths, TrainableSwish)
        generator = DenseShowers(layers, cells, config.output)
        super().__init__(generator, Critics(config, cells, conditions), config.latent)

    def fit(self, features: Tensor, conditions: Tensor) -> None:  # noqa: ARG002
        """Scale the generator's outputs to the spread of the training cells (n, cells)."""
        self.generator.fit(features)

    def chain(self) -> nn.Sequential:
        """Return the generator as a chain of layers from noise and conditions, joined, to cells."""
        return self.generator.chain()
