"""The catalogue of models: one file for one published system, one row here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol

from simulacra.errors import CardError

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


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One system: where its code is, how it is trained, where it comes from.

    The module defines ``transform(config, detector)`` and, where conditions need more than
    :class:`simulacra.transforms.ConditionEncoder`, ``encoder(config, detector)``; ``config`` and
    ``network`` name its classes, ``training`` the loop that the network is written for.
    """

    module: str
    config: str
    network: str
    training: Literal["adversarial", "one-loss"]
    summary: str
    reference: str

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
        module="simulacra.models.dnncalogan",
        config="DNNCaloGANConfig",
        network="DNNCaloGAN",
        training="adversarial",
        summary="dense WGAN-GP on flat cells with a second critic for the total energy",
        reference="ATLAS, ATL-SOFT-PUB-2018-001 and the fifth deck",
    ),
    "coupling-flow": ModelEntry(
        module="simulacra.models.coupling_flow",
        config="CouplingFlowConfig",
        network="TwoStageFlow",
        training="one-loss",
        summary="rational-quadratic splines: layer energies, then cells given them",
        reference="after CaloINN, arXiv:2312.09290",
    ),
    "flow-matching": ModelEntry(
        module="simulacra.models.flow_matching",
        config="FlowMatchingConfig",
        network="FlowMatching",
        training="one-loss",
        summary="normal scores of layers and cells, joined by few-step flow matching: the default",
        reference="ours; flow matching: arXiv:2210.02747",
    ),
    "helix-flow": ModelEntry(
        module="simulacra.models.helix_flow",
        config="HelixFlowConfig",
        network="HelixFlow",
        training="one-loss",
        summary="tracks: smooth deviations from the helix by flow matching, and what each row adds",
        reference="ours; flow matching: arXiv:2210.02747",
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


__all__ = ["MODELS", "GenerativeModel", "ModelEntry", "OneLossModel", "find_model"]
