"""The GeantV 3D GAN: three-dimensional convolutions on a cube of cells.

The energy enters by the length of the latent vector, by a regression that the discriminator learns
beside its verdict, and by a term for the visible energy. The defaults make 25 x 25 x 25 cells;
other cubes need other stages.

References:
    Vallecorsa for GeantV and the public code; Carminati, Khattak, Vallecorsa,
    arXiv:1912.06794. Sizes, kernels, starts and weights of the losses are the code's.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.blocks.networks import KERAS_SLOPE, leaky
from simulacra.models.calorimeter.gan3d.critics import LossWeights, VolumeCritics, VolumeGAN
from simulacra.models.calorimeter.gan3d.volumes import (
    Size,
    Stage,
    VolumeDiscriminator,
    VolumeGenerator,
    require_cube,
)
from simulacra.models.system import Recommended, System
from simulacra.transforms import Encoder, ScaledCells, ScaledConditions, Transform
from simulacra.units import GEV

GENERATOR = (
    Stage(channels=64, kernel=(6, 6, 8), padding="same"),
    Stage(channels=6, enlarged=(2, 2, 2), padding=(2, 2, 0), kernel=(6, 5, 8)),
    Stage(channels=6, enlarged=(2, 2, 3), padding=(1, 0, 3), kernel=(3, 3, 8), normalised=False),
    Stage(channels=1, kernel=(2, 2, 2), normalised=False),
)
CRITIC = (
    Stage(channels=32, kernel=(5, 5, 5), padding="same", normalised=False),
    Stage(channels=8, kernel=(5, 5, 5), padding=(2, 2, 2)),
    Stage(channels=8, kernel=(5, 5, 5), padding=(2, 2, 2)),
    Stage(channels=8, kernel=(5, 5, 5), padding=(1, 1, 1)),
)


class GAN3DConfig(Frozen):
    """The options of the model; defaults are the published ones.

    Attributes:
        latent: size of the Gaussian noise.
        energy_unit: GeV; the noise is multiplied by E / energy_unit.
        cell_unit: MeV; 10 makes the visible energy of a tungsten-silicon stack about 2 E / GeV.
        threshold: MeV; smaller energies of cells are set to zero before training.
        dense_channels: of the volume that the dense layer makes.
        start: its size, along (x, y, depth).
        generator: what it then goes through, to the cells of the detector.
        critic: what the discriminator's volumes go through.
        dropout: of the discriminator.
        label_flips: part of its labels that are wrong.
        weights: of the losses.
    """

    kind: Literal["gan-3d"] = "gan-3d"
    latent: int = Field(default=200, ge=1)
    energy_unit: float = Field(default=100.0, gt=0)
    cell_unit: float = Field(default=10.0, gt=0)
    threshold: float = Field(default=1e-3, ge=0)
    dense_channels: int = Field(default=64, ge=1)
    start: Size = (7, 7, 8)
    generator: tuple[Stage, ...] = Field(default=GENERATOR, min_length=1)
    critic: tuple[Stage, ...] = Field(default=CRITIC, min_length=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    label_flips: float = Field(default=0.05, ge=0, lt=0.5)
    weights: LossWeights = LossWeights()


class Generator(nn.Module):
    """Noise and E / energy_unit to cells."""

    def __init__(self, config: GAN3DConfig) -> None:
        super().__init__()
        self.volumes = VolumeGenerator(
            config.latent,
            config.dense_channels,
            config.start,
            config.generator,
            lambda: leaky(slope=KERAS_SLOPE),
        )

    def forward(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return cells (n, cells), none negative, in units of cell_unit."""
        cells: Tensor = self.volumes(noise * conditions)
        return cells


class GAN3D(VolumeGAN[Generator, VolumeCritics], System):
    """Generator and discriminator; :mod:`simulacra.training.adversarial` trains them."""

    Config = GAN3DConfig
    serves = "calorimeter"
    loop = "adversarial"
    summary = "vanilla GAN of 3-D convolutions; its discriminator also regresses the energy"
    reference = "GeantV (Vallecorsa); arXiv:1912.06794"
    default_detector = "clic-ecal"
    sees = ("energy",)
    recommended: ClassVar[Recommended] = {
        "training": {
            "steps": 1000,
            "batch_size": 8,
            "critic_updates": 1,
            "generator_updates": 2,
            "optimiser": {"kind": "rmsprop"},
            "learning_rate": 5e-4,
            "averaging": 0.95,
        },
        "selection": {"every": 25, "repeat": 1, "groups": ["response", "depth", "depth_width"]},
    }
    """As in benchmarks/systems/gan-3d.yaml."""

    def __init__(self, config: GAN3DConfig, detector: Detector, conditions: int) -> None:  # noqa: ARG002
        cube = require_cube(config.kind, detector, config.start, config.generator)
        generator = Generator(config)
        critics = VolumeCritics(
            self.encoder_for(config, detector).slices,
            VolumeDiscriminator(cube, config.critic, config.dropout),
            config.weights,
            config.label_flips,
        )
        super().__init__(generator, critics, config.latent)

    @staticmethod
    def transform_for(config: GAN3DConfig, detector: Detector) -> Transform:
        """Return the preprocessing: cells in units of cell_unit, the smallest emptied."""
        return ScaledCells.of(detector, config.cell_unit, threshold=config.threshold)

    @staticmethod
    def encoder_for(config: GAN3DConfig, detector: Detector) -> Encoder:
        """Return what the networks see of the conditions: the energy alone, over energy_unit."""
        return ScaledConditions(list(detector.conditions), {"energy": config.energy_unit * GEV})
