"""LAGAN: jet images of locally connected layers, conditional on the process.

The process multiplies the latent vector (an embedding), and the discriminator also has to tell it:
an auxiliary classifier GAN. A ReLU at the end leaves most pixels empty. Neither the momentum nor
the mass of a jet is asked of the network: they come out as they do.

References:
    De Oliveira, Paganini, Nachman: Learning particle physics by example, arXiv:1701.05927, and the
    code published with it. The auxiliary classifier: Odena, Olah, Shlens, arXiv:1610.09585.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.detectors.jet_image import PROCESS
from simulacra.models.blocks.gan import GAN
from simulacra.models.blocks.minibatch import MinibatchDiscrimination
from simulacra.models.blocks.minimax import called_fake, called_real
from simulacra.models.blocks.networks import started
from simulacra.models.jets import image_networks as networks
from simulacra.models.requirements import image_for
from simulacra.models.system import Recommended, System
from simulacra.transforms import ConditionEncoder, Encoder, ScaledCells, Transform

Variant = Literal["locally-connected", "dcgan", "dense", "hybrid"]
VARIANTS: Mapping[Variant, tuple[Callable[[int], nn.Module], Callable[[float], nn.Module]]] = (
    MappingProxyType(
        {
            "locally-connected": (
                networks.locally_connected_generator,
                networks.locally_connected_features,
            ),
            "dcgan": (networks.convolutional_generator, networks.convolutional_features),
            "dense": (networks.dense_generator, networks.dense_features),
            "hybrid": (networks.hybrid_generator, networks.hybrid_features),
        }
    )
)
"""The generator and the discriminator's features of each variant."""


class LAGANConfig(Frozen):
    """The options of the model; defaults are the published ones.

    Attributes:
        variant: the kind of network; the published comparisons are ``dcgan``, ``dense`` (fully
            connected) and ``hybrid`` (locally connected and dense).
        latent: size of the Gaussian noise.
        pixel_unit: GeV.
        threshold: GeV; a pixel with less is set to zero before training.
        dropout: of the discriminator.
        minibatch: features and dimensions of the minibatch discrimination.
        label_flips: part of the labels, real or generated, that the discriminator is told wrongly.
        process_flips: part of the generated images of which it is told a wrong process.
        generator_process_flips: part of the images that the generator learns to have recognised
            as of a wrong process.
    """

    kind: Literal["lagan"] = "lagan"
    variant: Variant = "locally-connected"
    latent: int = Field(default=200, ge=1)
    pixel_unit: float = Field(default=100.0, gt=0)
    threshold: float = Field(default=1e-3, ge=0)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    minibatch: tuple[int, int] = (20, 10)
    label_flips: float = Field(default=0.05, ge=0, lt=0.5)
    process_flips: float = Field(default=0.05, ge=0, lt=0.5)
    generator_process_flips: float = Field(default=0.09, ge=0, lt=0.5)


class Generator(nn.Module):
    """Noise and the process, one-hot, to pixels in pixel_unit."""

    def __init__(self, config: LAGANConfig, processes: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(nn.init.xavier_normal_(torch.empty(processes, config.latent)))
        self.images = VARIANTS[config.variant][0](config.latent)

    def forward(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return pixels (n, pixels), none negative."""
        latent = noise * (conditions @ self.embedding)
        pixels: Tensor = self.images(latent).flatten(1).relu()
        return pixels


class Discriminator(nn.Module):
    """Pixels to the logit of full simulation, and to logits of the processes."""

    def __init__(self, config: LAGANConfig, processes: int) -> None:
        super().__init__()
        self.features = VARIANTS[config.variant][1](config.dropout)
        number = networks.number_of(self.features)
        self.alike = MinibatchDiscrimination(number, *config.minibatch)
        inputs = number + config.minibatch[0]
        self.real = started(nn.Linear(inputs, 1))
        # One logit tells two processes apart; it stands beside a zero.
        self.process = started(nn.Linear(inputs, processes if processes > 2 else 1))
        self.processes = processes

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, 1) and (n, processes) of pixels (n, pixels)."""
        features = self.features(pixels.view(-1, 1, networks.PIXELS, networks.PIXELS))
        seen = torch.cat([features, self.alike(features)], dim=1)
        process = self.process(seen)
        if self.processes == 2:
            process = torch.cat([torch.zeros_like(process), process], dim=1)
        return self.real(seen).float(), process.float()


class Critics(nn.Module):
    """The discriminator with its two tasks, which weigh the same."""

    def __init__(self, config: LAGANConfig, processes: int) -> None:
        super().__init__()
        self.config, self.processes = config, processes
        self.discriminator = Discriminator(config, processes)

    def forward(
        self, real: Tensor, fake: Tensor, conditions: Tensor, mix: Tensor
    ) -> dict[str, Tensor]:
        """Return what the discriminator minimises.

        Full simulation and generated images are looked at one after the other, each with its own
        batch norm. Labels are flipped where ``mix``, uniform, is at an end of its range; processes
        at random.
        """
        config, labels = self.config, conditions.argmax(dim=1)
        on_real, of_real = self.discriminator(real)
        on_fake, of_fake = self.discriminator(fake)
        told = self._flipped(labels, config.process_flips)
        return {
            "real": called_real(on_real, mix < config.label_flips),
            "fake": called_fake(on_fake, mix > 1 - config.label_flips),
            "process_real": cross_entropy(of_real, labels),
            "process_fake": cross_entropy(of_fake, told),
        }

    def judge(self, fake: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Return what the generator minimises."""
        logits, process = self.discriminator(fake)
        labels = conditions.argmax(dim=1)
        wanted = self._flipped(labels, self.config.generator_process_flips)
        return {
            "generator": called_real(logits),
            "generator_process": cross_entropy(process, wanted),
        }

    def _flipped(self, labels: Tensor, part: float) -> Tensor:
        """Return labels (n,), in a part of them the next process."""
        flipped = torch.rand(len(labels), device=labels.device) < part
        return torch.where(flipped, (labels + 1) % self.processes, labels)


class LAGAN(GAN[Generator, Critics], System):
    """Generator and discriminator; :mod:`simulacra.training.adversarial` trains them."""

    Config = LAGANConfig
    serves = "jet-image"
    loop = "adversarial"
    summary = "vanilla GAN of locally connected layers that also tells the process"
    reference = "LAGAN, arXiv:1701.05927"
    default_detector = "jet-image"
    sees = (PROCESS,)
    recommended: ClassVar[Recommended] = {
        "training": {
            "steps": 45_000,
            "batch_size": 100,
            "critic_updates": 1,
            "generator_updates": 2,
            "optimiser": {"kind": "adam", "betas": [0.5, 0.999]},
            "learning_rate": 2e-4,
        },
        "selection": {"every": 900, "repeat": 1, "measure": "emd"},
    }
    """The published ones: 50 epochs of 90 000 jets."""

    def __init__(self, config: LAGANConfig, detector: Detector, conditions: int) -> None:
        image_for(config.kind, detector, networks.PIXELS)
        super().__init__(Generator(config, conditions), Critics(config, conditions), config.latent)

    @classmethod
    def check(cls, detector: Detector) -> None:
        """Raise a :class:`CardError` unless the detector is an image of 25 x 25 pixels alone."""
        super().check(detector)
        image_for("lagan", detector, networks.PIXELS)

    @staticmethod
    def transform_for(config: LAGANConfig, detector: Detector) -> Transform:
        """Return the preprocessing: pixels in pixel_unit, the smallest emptied."""
        shape = detector.response_arrays["images"].shape
        return ScaledCells("images", shape, config.pixel_unit, threshold=config.threshold)

    @staticmethod
    def encoder_for(config: LAGANConfig, detector: Detector) -> Encoder:  # noqa: ARG004
        """Return what the networks see of the conditions: the process, one-hot."""
        return ConditionEncoder({PROCESS: detector.conditions[PROCESS]})
