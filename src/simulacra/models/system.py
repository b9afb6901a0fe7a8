"""A published system as a class: its options, its preprocessing, its loop and its source."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from simulacra.detectors import Detector
from simulacra.detectors.base import Frozen
from simulacra.models.requirements import require_kind, require_seen
from simulacra.particles import PDG
from simulacra.transforms import ConditionEncoder, Encoder, Transform

Loop = Literal["adversarial", "likelihood"]
Recommended = Mapping[str, Mapping[str, Any]]
"""Options ``training`` and ``selection`` of a run card."""


class System:
    """Class attributes of every model in the catalogue; a model is an ``nn.Module`` beside.

    A model is built as ``Model(config, detector, conditions)``, where ``conditions`` is the number
    of encoded conditions, and offers :class:`~simulacra.models.protocols.GenerativeModel`.

    Attributes:
        Config: the class of its options; the field ``kind`` has the model's name as default.
        serves: the kind of detector.
        loop: the training loop that it is written for.
        summary: one line.
        reference: where it was published.
        default_detector: the shipped detector that its size is quoted for, where it is not the
            first one of its kind.
        recommended: options of a run card that were measured; a card gets those that it leaves out.
        sees: the conditions that enter the network; None means all.
    """

    Config: ClassVar[type[Frozen]]
    serves: ClassVar[str]
    loop: ClassVar[Loop]
    summary: ClassVar[str]
    reference: ClassVar[str]
    default_detector: ClassVar[str] = ""
    recommended: ClassVar[Recommended] = MappingProxyType({})
    sees: ClassVar[tuple[str, ...] | None] = None

    if TYPE_CHECKING:

        def __init__(self, config: Any, detector: Detector, conditions: int) -> None: ...  # noqa: ANN401

    @staticmethod
    def transform_for(config: Any, detector: Detector) -> Transform:  # noqa: ANN401 - its Config
        """Return the preprocessing of the response, not yet fitted."""
        raise NotImplementedError

    @staticmethod
    def encoder_for(config: Any, detector: Detector) -> Encoder:  # noqa: ANN401, ARG004 - its Config
        """Return the encoder of the conditions, not yet fitted."""
        return ConditionEncoder(detector.conditions)

    @classmethod
    def check(cls, detector: Detector) -> None:
        """Raise a :class:`CardError` where the model is not for this detector.

        Encoder and transform are built before the network and take the kind for granted. A model
        that does not see where particles enter cannot serve cells that stand still.
        """
        name = str(cls.Config.model_fields["kind"].default)
        require_kind(name, detector, cls.serves)
        if cls.sees is not None:
            require_seen(name, detector, cls.sees)

    @classmethod
    def tells_particles_apart(cls) -> bool:
        """Return whether the condition ``pdg`` enters the network."""
        return cls.sees is None or PDG in cls.sees
