"""The catalogue of models: one file for one published system, one row here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from simulacra.errors import CardError
from simulacra.particles import PDG

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from simulacra.detectors import Detector
    from simulacra.detectors.base import Frozen
    from simulacra.transforms import Encoder, Transform


class GenerativeModel(Protocol):
    """What every model offers to the simulator that carries it."""

    def fit(self, features: Tensor, conditions: Tensor) -> None:
        """Set constants from the training data: what transform and encoder made of it."""

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the standard normal noise that ``n`` events need."""

    def sample(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Return what the transform turns back into a response."""


class OneLossModel(GenerativeModel, Protocol):
    """What the loop ``one-loss`` asks of a model beyond that."""

    def losses(self, features: Tensor, conditions: Tensor, rng: Generator) -> dict[str, Tensor]:
        """Return the named, weighted terms whose sum is minimised.

        Args:
            features: a batch of what the transform made (n, ...).
            conditions: the encoded conditions (n, conditions).
            rng: the only source of random numbers, on the CPU.
        """


@runtime_checkable
class Growing(Protocol):
    """What a network offers that changes its form in the course of training."""

    def set_progress(self, fraction: float) -> None:
        """Take the form of this part of the training, from 0 to 1.

        The form is kept in buffers, so that averages, checkpoints and simulators know it. The loop
        calls this before each step.
        """


@runtime_checkable
class Clipped(Protocol):
    """What critics offer whose weights have to stay within bounds, as the first WGAN's."""

    def clip(self) -> None:
        """Bring the weights back within their bounds.

        The loop calls this after each update of the critics.
        """


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One system: where its code is, how it is trained, where it comes from.

    The module defines ``transform(config, detector)`` and, where conditions need more than
    :class:`simulacra.transforms.ConditionEncoder`, ``encoder(config, detector)``; ``config`` and
    ``network`` name its classes, ``training`` the loop that the network is written for, ``serves``
    the kind of detector, and ``detector`` the shipped one that its size is quoted for, where it is
    not the first one that fits. ``sees`` are the conditions that it looks at, where it is not all.
    """

    module: str
    config: str
    network: str
    training: Literal["adversarial", "one-loss"]
    serves: Literal["calorimeter", "tpc"]
    summary: str
    reference: str
    detector: str = ""
    sees: tuple[str, ...] | None = None

    def check(self, detector: Detector) -> None:
        """Raise a :class:`CardError` where the detector is not of the kind that the model is for.

        Encoder and transform are built before the network and take the kind for granted. A model
        that does not look at where particles enter is none for cells that stand still.
        """
        from simulacra.models.requirements import calorimeter_for, require_seen, tpc_for

        name = str(self.config_class().model_fields["kind"].default)
        {"calorimeter": calorimeter_for, "tpc": tpc_for}[self.serves](name, detector)
        if self.sees is not None:
            require_seen(name, detector, self.sees)

    @property
    def tells_particles_apart(self) -> bool:
        """Whether the model looks at the condition ``pdg``."""
        return self.sees is None or PDG in self.sees

    def config_class(self) -> type[Frozen]:
        """Return the class of the model's options."""
        found: type[Frozen] = getattr(import_module(self.module), self.config)
        return found

    def build(self, config: Frozen, detector: Detector, conditions: int) -> nn.Module:
        """Return the untrained network for a detector and a number of encoded conditions."""
        network: nn.Module = getattr(import_module(self.module), self.network)(
            config, detector, conditions
        )
        return network

    def transform(self, config: Frozen, detector: Detector) -> Transform:
        """Return the model's preprocessing, not yet fitted."""
        found: Transform = import_module(self.module).transform(config, detector)
        return found

    def encoder(self, config: Frozen, detector: Detector) -> Encoder:
        """Return what encodes the conditions for the model, not yet fitted."""
        from simulacra.transforms import ConditionEncoder

        module = import_module(self.module)
        if not hasattr(module, "encoder"):
            return ConditionEncoder(detector.conditions)
        found: Encoder = module.encoder(config, detector)
        return found


MODELS: dict[str, ModelEntry] = {
    "dnncalogan": ModelEntry(
        module="simulacra.models.calorimeter.dnncalogan",
        config="DNNCaloGANConfig",
        network="DNNCaloGAN",
        training="adversarial",
        serves="calorimeter",
        summary="dense WGAN-GP on flat cells with a second critic for the total energy",
        reference="ATLAS, ATL-SOFT-PUB-2018-001 and the fifth deck",
    ),
    "wgan": ModelEntry(
        module="simulacra.models.calorimeter.wgan",
        config="WganConfig",
        network="Wgan",
        training="adversarial",
        serves="calorimeter",
        summary="dense Wasserstein GAN with clipped weights on flat cells, not conditional",
        reference="ATLAS (Klein 2017), fourth deck; arXiv:1701.07875",
        detector="atlas-barrel-89",
        sees=(),
    ),
    "atlas-vae": ModelEntry(
        module="simulacra.models.calorimeter.atlas_vae",
        config="AtlasVaeConfig",
        network="AtlasVae",
        training="one-loss",
        serves="calorimeter",
        summary="dense variational autoencoder; with flow_blocks, latent space made normal by IAF",
        reference="ATLAS, ATL-SOFT-PUB-2018-001 and the fifth deck",
    ),
    "voxel-gan": ModelEntry(
        module="simulacra.models.calorimeter.voxel_gan",
        config="VoxelGANConfig",
        network="VoxelGAN",
        training="adversarial",
        serves="calorimeter",
        summary="dense WGAN-GP from noise and energy to voxels",
        reference="ATLAS, FastCaloGAN and AtlFast3",
        detector="atlas-voxels",
    ),
    "coupling-flow": ModelEntry(
        module="simulacra.models.calorimeter.coupling_flow",
        config="CouplingFlowConfig",
        network="TwoStageFlow",
        training="one-loss",
        serves="calorimeter",
        summary="rational-quadratic splines: layer energies, then cells given them",
        reference="after CaloINN, arXiv:2312.09290",
    ),
    "flow-matching": ModelEntry(
        module="simulacra.models.calorimeter.flow_matching",
        config="FlowMatchingConfig",
        network="FlowMatching",
        training="one-loss",
        serves="calorimeter",
        summary="normal scores of layers and cells, joined by few-step flow matching: the default",
        reference="ours; flow matching: arXiv:2210.02747",
    ),
    "calogan": ModelEntry(
        module="simulacra.models.calorimeter.calogan",
        config="CaloGanConfig",
        network="CaloGan",
        training="adversarial",
        serves="calorimeter",
        summary="vanilla GAN of locally connected layers, in-painting from layer to layer",
        reference="CaloGAN, arXiv:1705.02355 and arXiv:1712.10321",
        detector="calogan",
        sees=("energy",),
    ),
    "gan-3d": ModelEntry(
        module="simulacra.models.calorimeter.gan3d.gan3d",
        config="Gan3dConfig",
        network="Gan3d",
        training="adversarial",
        serves="calorimeter",
        summary="vanilla GAN of 3-D convolutions; its discriminator also regresses the energy",
        reference="GeantV, second deck; arXiv:1912.06794",
        detector="clic-ecal",
        sees=("energy",),
    ),
    "gan-3d-angle": ModelEntry(
        module="simulacra.models.calorimeter.gan3d.angle",
        config="Gan3dAngleConfig",
        network="Gan3dAngle",
        training="adversarial",
        serves="calorimeter",
        summary="gan-3d for any angle of incidence, which is measured on its showers",
        reference="GeantV; Eur. Phys. J. C 82 (2022) 386",
        detector="clic-ecal-angle",
        sees=("energy", "theta"),
    ),
    "gan-mlp": ModelEntry(
        module="simulacra.models.tpc.gan_mlp",
        config="GanMlpConfig",
        network="GanMlp",
        training="adversarial",
        serves="tpc",
        summary="vanilla GAN of dense layers",
        reference="ALICE, first and third deck",
        sees=(),
    ),
    "gan-lstm": ModelEntry(
        module="simulacra.models.tpc.gan_lstm",
        config="GanLstmConfig",
        network="GanLstm",
        training="adversarial",
        serves="tpc",
        summary="vanilla GAN that goes along the pad rows",
        reference="ALICE, first and third deck",
        sees=(),
    ),
    "vae": ModelEntry(
        module="simulacra.models.tpc.vae",
        config="VaeConfig",
        network="Vae",
        training="one-loss",
        serves="tpc",
        summary="variational autoencoder of dense layers",
        reference="ALICE, first and third deck",
        sees=(),
    ),
    "dcgan": ModelEntry(
        module="simulacra.models.tpc.dcgan",
        config="DcganConfig",
        network="Dcgan",
        training="adversarial",
        serves="tpc",
        summary="vanilla GAN of convolutions",
        reference="ALICE, first and third deck",
        sees=(),
    ),
    "cvae": ModelEntry(
        module="simulacra.models.tpc.cvae",
        config="CvaeConfig",
        network="Cvae",
        training="one-loss",
        serves="tpc",
        summary="variational autoencoder of convolutions, not conditional",
        reference="ALICE, first and third deck",
        sees=(),
    ),
    "progan": ModelEntry(
        module="simulacra.models.tpc.progan",
        config="ProganConfig",
        network="Progan",
        training="adversarial",
        serves="tpc",
        summary="WGAN-GP of convolutions that grows along the pad rows",
        reference="ALICE, first deck; arXiv:1710.10196",
        sees=(),
    ),
    "cond-lstm": ModelEntry(
        module="simulacra.models.tpc.cond_lstm",
        config="CondLstmConfig",
        network="CondLstm",
        training="adversarial",
        serves="tpc",
        summary="gan-lstm given the particle; condLSTM+ with helix_weight",
        reference="ALICE, EPJ Web Conf. 214 (2019) 06003",
    ),
    "cond-dcgan": ModelEntry(
        module="simulacra.models.tpc.cond_dcgan",
        config="CondDcganConfig",
        network="CondDcgan",
        training="adversarial",
        serves="tpc",
        summary="dcgan given the particle; condDCGAN+ with helix_weight",
        reference="ALICE, EPJ Web Conf. 214 (2019) 06003",
    ),
    "helix-flow": ModelEntry(
        module="simulacra.models.tpc.helix_flow.helix_flow",
        config="HelixFlowConfig",
        network="HelixFlow",
        training="one-loss",
        serves="tpc",
        summary="tracks: a flow of smooth deviations from the helix, and what each pad row adds",
        reference="ours",
    ),
}


def find_model(kind: str) -> ModelEntry:
    """Return the catalogue's entry.

    Raises:
        CardError: there is no such model.
    """
    if kind not in MODELS:
        msg = f"no model {kind!r}; there are {', '.join(MODELS)}"
        raise CardError(msg)
    return MODELS[kind]


__all__ = [
    "MODELS",
    "Clipped",
    "GenerativeModel",
    "Growing",
    "ModelEntry",
    "OneLossModel",
    "find_model",
]
