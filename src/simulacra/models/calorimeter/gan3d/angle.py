"""The GeantV 3D GAN for particles that come in at an angle: 51 x 51 x 25 cells.

Energy and angle are the first two of the latent numbers. The generator is also told by how much its
showers miss the angle, which is measured on them and not regressed: the slope of the barycentres of
the layers. Cells enter to the power 0.85, which lifts the small ones.

References:
    Khattak, Vallecorsa, Carminati, Khan: Fast simulation of a high granularity calorimeter by
    generative adversarial networks, Eur. Phys. J. C 82 (2022) 386, and its public code. The angle
    theta is signed here, a tilt in the plane of x and the depth, zero for normal incidence; there
    it lies between 60 and 120 degrees. How the barycentres become one angle is ours.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from simulacra.detectors import Calorimeter, Detector
from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.models.calorimeter.gan3d.critics import LossWeights, VolumeCritics, VolumeGAN
from simulacra.models.calorimeter.gan3d.gan3d import GAN3D
from simulacra.models.calorimeter.gan3d.volumes import (
    Size,
    Stage,
    VolumeDiscriminator,
    VolumeGenerator,
    require_cube,
)
from simulacra.models.system import Recommended, System
from simulacra.transforms import Encoder, ScaledCells, ScaledConditions, Transform
from simulacra.transforms.base import Slices
from simulacra.units import GEV

EPSILON = 1e-6
"""Of batch norm, as published."""
TINY = 1e-6
"""Added to energies that are divided by, in the model's unit: an empty layer has no barycentre."""
_BLOCK = Stage(channels=6, padding=(2, 2, 1), kernel=(4, 4, 6))
GENERATOR = (
    Stage(channels=8, enlarged=(6, 6, 6), kernel=(6, 6, 8)),
    *(_BLOCK, _BLOCK, _BLOCK),
    Stage(channels=6, padding=(1, 1, 0), kernel=(3, 3, 5)),
    Stage(channels=6, padding=(1, 1, 0), kernel=(3, 3, 3), normalised=False),
    Stage(channels=1, kernel=(2, 2, 2), normalised=False),
)
CRITIC = (
    Stage(channels=16, kernel=(5, 6, 6), padding="same"),
    Stage(channels=8, kernel=(5, 6, 6), padding=(0, 0, 1)),
    Stage(channels=8, kernel=(5, 6, 6), padding=(0, 0, 1)),
    Stage(channels=8, kernel=(5, 6, 6)),
)


class AngleWeights(LossWeights):
    """Weights of the terms.

    Attributes:
        angle: of the mean |error of the angle|, rad.
    """

    adversarial: float = Field(default=3.0, gt=0)
    energy: float = Field(default=0.1, ge=0)
    visible: float = Field(default=0.1, ge=0)
    angle: float = Field(default=25.0, ge=0)


class GAN3DAngleConfig(Frozen):
    """The options of the model; defaults are the published ones.

    Attributes:
        latent: size of the Gaussian noise; energy and angle come before it.
        energy_unit: GeV; of the energy in the latent vector.
        cell_unit: MeV.
        power: of the cells' energies in that unit.
        dense_channels: of the volume that the dense layer makes.
        start: its size, along (x, y, depth).
        generator: what it then goes through, to the cells of the detector.
        critic: what the discriminator's volumes go through.
        dropout: of the discriminator.
        label_flips: part of its labels that are wrong.
        weights: of the losses.
    """

    kind: Literal["gan-3d-angle"] = "gan-3d-angle"
    latent: int = Field(default=254, ge=1)
    energy_unit: float = Field(default=100.0, gt=0)
    cell_unit: float = Field(default=10.0, gt=0)
    power: float = Field(default=0.85, gt=0, le=1)
    dense_channels: int = Field(default=8, ge=1)
    start: Size = (9, 9, 8)
    generator: tuple[Stage, ...] = Field(default=GENERATOR, min_length=1)
    critic: tuple[Stage, ...] = Field(default=CRITIC, min_length=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    label_flips: float = Field(default=0.05, ge=0, lt=0.5)
    weights: AngleWeights = AngleWeights()


class Generator(nn.Module):
    """Noise, E / energy_unit and theta to cells."""

    def __init__(self, config: GAN3DAngleConfig, conditions: int) -> None:
        super().__init__()
        self.volumes = VolumeGenerator(
            conditions + config.latent,
            config.dense_channels,
            config.start,
            config.generator,
            nn.ReLU,
            EPSILON,
        )

    def forward(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return cells (n, cells), none negative: (E / cell_unit)^power."""
        cells: Tensor = self.volumes(torch.cat([conditions, noise], dim=1))
        return cells


class BarycentreAngle(nn.Module):
    """The tilt of showers in the plane of x and the depth.

    The line through the layers' barycentres x(z), each weighted by its energy, has the slope
    cov(x, z) / var(z); theta is its arc tangent.
    """

    x: Tensor
    depth: Tensor

    def __init__(self, detector: Calorimeter) -> None:
        super().__init__()
        x = torch.cat([torch.from_numpy(layer.x) for layer in detector.layers]).float()
        sizes = torch.tensor([len(layer.x) for layer in detector.layers])
        depths = torch.tensor([layer.depth for layer in detector.layers])
        depth = depths.repeat_interleave(sizes).float()
        self.register_buffer("x", x, persistent=False)
        self.register_buffer("depth", depth - depth.mean(), persistent=False)

    def forward(self, energies: Tensor) -> Tensor:
        """Return theta (n, 1), rad, of energies of cells (n, cells)."""
        weights = energies / (energies.sum(dim=1, keepdim=True) + TINY)
        x, depth = self._mean(weights, self.x), self._mean(weights, self.depth)
        covariance = self._mean(weights, self.x * self.depth) - x * depth
        variance = self._mean(weights, self.depth**2) - depth**2
        return torch.atan2(covariance, variance + TINY)

    def _mean(self, weights: Tensor, values: Tensor) -> Tensor:
        return (weights @ values)[:, None]


class AngleCritics(VolumeCritics):
    """The critics of the 3D GAN, and the term of the angle."""

    def __init__(
        self, config: GAN3DAngleConfig, detector: Calorimeter, cube: Size, seen: Slices
    ) -> None:
        discriminator = VolumeDiscriminator(cube, config.critic, config.dropout, EPSILON)
        super().__init__(seen, discriminator, config.weights, config.label_flips, config.power)
        self.angle = BarycentreAngle(detector)
        self.angle_weight = config.weights.angle

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises."""
        off = (self.angle(self.energies(fake)) - conditions[:, self.seen["theta"]]).abs().mean()
        return super().judge(fake, conditions) | {"generator_angle": self.angle_weight * off}


class GAN3DAngle(VolumeGAN[Generator, AngleCritics], System):
    """Generator and discriminator; :mod:`simulacra.training.adversarial` trains them."""

    Config = GAN3DAngleConfig
    serves = "calorimeter"
    loop = "adversarial"
    summary = "gan-3d for any angle of incidence, which is measured on its showers"
    reference = "GeantV; Eur. Phys. J. C 82 (2022) 386"
    default_detector = "clic-ecal-angle"
    sees = ("energy", "theta")
    recommended: ClassVar[Recommended] = GAN3D.recommended
    """Those of ``gan-3d``: this system was not measured."""

    def __init__(self, config: GAN3DAngleConfig, detector: Detector, conditions: int) -> None:
        cube = require_cube(config.kind, detector, config.start, config.generator)
        assert isinstance(detector, Calorimeter)
        generator = Generator(config, conditions)
        critics = AngleCritics(config, detector, cube, self.encoder_for(config, detector).slices)
        super().__init__(generator, critics, config.latent)

    @staticmethod
    def transform_for(config: GAN3DAngleConfig, detector: Detector) -> Transform:
        """Return the preprocessing: (E / cell_unit)^power."""
        return ScaledCells.of(detector, config.cell_unit, config.power)

    @staticmethod
    def encoder_for(config: GAN3DAngleConfig, detector: Detector) -> Encoder:
        """Return what the networks see of the conditions: E / energy_unit, and theta in rad.

        Raises:
            CardError: the detector's particles have no theta.
        """
        if "theta" not in detector.conditions:
            msg = f"model {config.kind} needs the condition theta, {detector.name} has none"
            raise CardError(msg)
        units = {"energy": config.energy_unit * GEV, "theta": 1.0}
        return ScaledConditions(list(detector.conditions), units)
