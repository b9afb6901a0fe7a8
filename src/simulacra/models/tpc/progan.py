"""proGAN: a convolutional GAN that grows along the pad rows while it learns, for tracks.

It begins with tables of a sixteenth of the rows and doubles them four times: a new block of layers
is faded in, then all train for a while, then comes the next. Where training stands is one number,
the level: 0 for the coarsest tables alone, 1.3 where the third has a share of 0.3. Coarse tables
are repeated along the rows to full length, and critics average full tables back.

References:
    Deja & Trzciński (ALICE, IML 2018): DCGAN with more and more layers and data of growing
    precision. The recipe is Karras et al., arXiv:1710.10196: fade-in, equalised learning rate,
    pixelwise norm in the generator, standard deviation of the batch in the critic, WGAN-GP with a
    drift term. Growing along the rows, sizes and schedule are ours.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.equalised import (
    BatchDeviation,
    EqualisedConvolution,
    EqualisedLinear,
    PixelNorm,
)
from simulacra.models.blocks.merged_flows import TableShape, TrackGAN, centred
from simulacra.models.blocks.networks import beside, gradient_penalty, leaky
from simulacra.models.requirements import tpc_for
from simulacra.models.system import Recommended, System


class ProGANConfig(Frozen):
    """The options of the model, for each of its two flows.

    Attributes:
        latent: size of the Gaussian noise.
        channels: of the images at each number of rows, from the fewest on; each doubles the rows.
        growth: part of the training after which the network is whole.
        gradient_penalty: weight of the critic's penalty.
        drift: weight of the mean square of the critic's scores of full simulation.
    """

    kind: Literal["progan"] = "progan"
    latent: int = Field(default=100, ge=1)
    channels: tuple[int, ...] = Field(default=(32, 32, 16, 16, 8), min_length=2, max_length=5)
    growth: float = Field(default=0.6, gt=0, le=1)
    gradient_penalty: float = Field(default=10.0, ge=0)
    drift: float = Field(default=1e-3, ge=0)


def level_at(progress: float, stages: int) -> float:
    """Return the level when a part of the growth is done.

    Every stage first trains as it is, then the next one fades in for as long.

    Example:
        >>> [level_at(x / 8, stages=3) for x in range(9)]
        [0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.5, 2.0]
    """
    whole, part = divmod(min(progress, 1.0) * (stages - 1), 1.0)
    return whole + max(2 * part - 1, 0.0)


def finer(images: Tensor) -> Tensor:
    """Return images (n, channels, rows, columns) with every row twice."""
    return functional.interpolate(images, scale_factor=(2.0, 1.0), mode="nearest")


def coarser(images: Tensor) -> Tensor:
    """Return images (n, channels, rows, columns) with every two rows averaged."""
    return (images[:, :, ::2] + images[:, :, 1::2]) / 2


class GrowingGenerator(nn.Module):
    """Noise to a table of the level's precision, always at full length.

    Args:
        latent: size of the noise.
        channels: of the images at each number of rows.
        shape: of the table.
    """

    level: Tensor

    def __init__(self, latent: int, channels: tuple[int, ...], shape: TableShape) -> None:
        super().__init__()
        self.last = len(channels) - 1
        image = (channels[0], shape.rows >> self.last, shape.columns)
        self.start = nn.Sequential(
            PixelNorm(),
            EqualisedLinear(latent + shape.conditions, math.prod(image)),
            nn.Unflatten(1, image),
            leaky(),
            PixelNorm(),
            *_generator_layers(channels[0], channels[0]),
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*_generator_layers(a, b), *_generator_layers(b, b))
            for a, b in pairwise(channels)
        )
        self.heads = nn.ModuleList(EqualisedConvolution(c, 1, 1, gain=1.0) for c in channels)
        self.register_buffer("level", torch.tensor(float(self.last)))

    def forward(self, noise: Tensor, conditions: Tensor) -> Tensor:
        """Return tables (n, rows, columns) between 0 and 1."""
        # In training, blocks of later levels are left out. Elsewhere they are there with a weight
        # of zero: the same numbers, and a graph that does not depend on the level's value.
        reached = math.ceil(float(self.level)) if self.training else self.last
        images = self.start(beside(noise, conditions))
        logits = self._weight(0) * self.heads[0](images)
        for number in range(1, self.last + 1):
            logits = finer(logits)
            if number <= reached:
                images = self.blocks[number - 1](finer(images))
                logits = logits + self._weight(number) * self.heads[number](images)
        table: Tensor = logits.squeeze(1)
        return table.sigmoid()

    def _weight(self, number: int) -> Tensor:
        return (1 - (self.level - number).abs()).clamp_min(0.0)


def _generator_layers(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return EqualisedConvolution(inputs, outputs), leaky(), PixelNorm()


class GrowingCritic(nn.Module):
    """A gradient-penalised critic that sees tables at the level's precision.

    Args:
        channels: of the images at each number of rows, as in the generator.
        shape: of the table.
        penalty: weight of the gradient penalty.
        drift: weight of the mean square of the scores of full simulation.
    """

    level: Tensor

    def __init__(
        self, channels: tuple[int, ...], shape: TableShape, penalty: float, drift: float
    ) -> None:
        super().__init__()
        self.last = len(channels) - 1
        self.penalty, self.drift = penalty, drift
        self.entries = nn.ModuleList(
            nn.Sequential(EqualisedConvolution(1, c, 1), leaky()) for c in channels
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(EqualisedConvolution(b, b), leaky(), EqualisedConvolution(b, a), leaky())
            for a, b in pairwise(channels)
        )
        first = channels[0]
        self.images = nn.Sequential(
            BatchDeviation(), EqualisedConvolution(first + 1, first), leaky()
        )
        numbers = first * (shape.rows >> self.last) * shape.columns
        self.dense = nn.Sequential(
            EqualisedLinear(numbers + shape.conditions, first),
            leaky(),
            EqualisedLinear(first, 1, gain=1.0),
        )
        self.register_buffer("level", torch.tensor(float(self.last)))

    def forward(
        self, real: Tensor, fake: Tensor, conditions: Tensor, mix: Tensor
    ) -> dict[str, Tensor]:
        """Return what the critic minimises: Wasserstein estimate, penalty, drift."""
        x, y = self._faded(self._seen(real)), self._seen(fake)
        on_real, on_fake = self.score(x, conditions), self.score(y, conditions)
        penalty = gradient_penalty(lambda images: self.score(images, conditions), x, y, mix)
        return {
            "wasserstein": on_fake.mean() - on_real.mean(),
            "penalty": self.penalty * penalty,
            "drift": self.drift * on_real.square().mean(),
        }

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises."""
        return {"generator": -self.score(self._seen(fake), conditions).mean()}

    def score(self, images: Tensor, conditions: Tensor) -> Tensor:
        """Return scores (n, 1) of images (n, 1, rows, columns) with the rows of the level."""
        top, share = self._stage()
        hidden = self.entries[top](images)
        for number in range(top, 0, -1):
            hidden = coarser(self.blocks[number - 1](hidden))
            if number == top and share < 1:
                entry = self.entries[top - 1](coarser(images))
                hidden = torch.lerp(entry, hidden, share)
        score: Tensor = self.dense(beside(self.images(hidden), conditions))
        return score

    def _stage(self) -> tuple[int, float]:
        """Return the finest stage that has a part in the level, and its share."""
        level = float(self.level)
        top = math.ceil(level)
        return top, 1 - (top - level)

    def _seen(self, tables: Tensor) -> Tensor:
        """Return tables (n, rows, columns) as images with the rows of the level."""
        images = centred(tables).unsqueeze(1)
        for _ in range(self.last - self._stage()[0]):
            images = coarser(images)
        return images

    def _faded(self, images: Tensor) -> Tensor:
        """Return images of full simulation as precise as a generator's at this level."""
        share = self._stage()[1]
        return torch.lerp(finer(coarser(images)), images, share) if share < 1 else images


class ProGAN(TrackGAN, System):
    """For each flow a growing generator and critic; conditions are not looked at."""

    Config = ProGANConfig
    serves = "tpc"
    loop = "adversarial"
    summary = "WGAN-GP of convolutions that grows along the pad rows"
    reference = "ALICE (Deja & Trzciński 2018); arXiv:1710.10196"
    sees = ()
    recommended: ClassVar[Recommended] = {
        "training": {
            "steps": 850,
            "batch_size": 32,
            "critic_updates": 1,
            "optimiser": {"kind": "adam", "betas": [0.0, 0.99]},
            "learning_rate": 1e-3,
            "averaging": 0.99,
        },
        "selection": {
            "every": 50,
            "repeat": 1,
            "after": 0.6,
            "groups": ["rmse_fitted", "clusters", "charge"],
        },
    }
    """As in benchmarks/tpc/progan.yaml."""

    def __init__(self, config: ProGANConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        super().__init__(
            tpc_for(config.kind, detector),
            config.latent,
            lambda shape: GrowingGenerator(config.latent, config.channels, shape),
            lambda shape: GrowingCritic(
                config.channels, shape, config.gradient_penalty, config.drift
            ),
        )
        self.config = config

    def set_progress(self, fraction: float) -> None:
        """Take the form of this part of the training; see :class:`simulacra.models.Growing`."""
        level = level_at(fraction / self.config.growth, len(self.config.channels))
        for network in (*self.generator.flows.values(), *self.critics.flows.values()):
            network.get_buffer("level").fill_(level)
