"""The run card: what to train, on what, how; read from YAML, where a typo is an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, SerializeAsAny, field_validator

from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.models import find_model
from simulacra.yaml_files import one_line_errors


class DataCard(Frozen):
    """Events files, or ``sample:train`` and ``sample:selection`` of the embedded sample."""

    train: str
    selection: str


class AdversarialCard(Frozen):
    """How an adversarial model is trained.

    Attributes:
        steps: generator updates.
        batch_size: events in a batch.
        critic_updates: updates of the critics for one of the generator.
        learning_rate: of RMSprop without momentum (the deck: momentum harms).
        critic_learning_rate: the critics' own, where it differs.
        final_learning_rate: the factor to which both fall, as a cosine over the steps.
        averaging: decay of the exponential moving average of the generator's weights.
    """

    loop: Literal["adversarial"] = "adversarial"
    steps: int = Field(gt=0)
    batch_size: int = Field(default=64, gt=0)
    critic_updates: int = Field(default=5, gt=0)
    learning_rate: float = Field(default=3e-4, gt=0)
    critic_learning_rate: float | None = Field(default=None, gt=0)
    final_learning_rate: float = Field(default=0.05, gt=0, le=1)
    averaging: float = Field(default=0.999, ge=0, lt=1)


class SelectionCard(Frozen):
    """How the epoch is chosen on the selection events.

    Attributes:
        every: steps between evaluations; a checkpoint is written with each.
        repeat: how often each selection event's conditions are generated.
        groups: groups of observables that are compared, with equal weights.
    """

    every: int = Field(default=500, gt=0)
    repeat: int = Field(default=3, gt=0)
    groups: tuple[str, ...] = Field(
        default=("response", "fraction", "centre", "width", "energy_ratio"), min_length=1
    )


class Card(Frozen):
    """A whole run card."""

    detector: str
    data: DataCard
    model: SerializeAsAny[Frozen]
    training: AdversarialCard
    selection: SelectionCard = SelectionCard()
    seed: int = Field(default=1, ge=0)

    @field_validator("model", mode="before")
    @classmethod
    def _options_of_the_model(cls, value: Any) -> Frozen:  # noqa: ANN401 - whatever YAML holds
        if isinstance(value, Frozen):
            return value
        if not isinstance(value, dict) or "kind" not in value:
            msg = "give the model's 'kind'"
            raise ValueError(msg)
        try:
            config = find_model(str(value["kind"])).config_class()
        except CardError as error:
            raise ValueError(str(error)) from None
        return config.model_validate(value)

    @property
    def model_kind(self) -> str:
        """The model's name in the catalogue."""
        kind: str = self.model.model_dump()["kind"]
        return kind

    def to_yaml(self) -> str:
        """Return the resolved card, every default written out."""
        text: str = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)
        return text

    @classmethod
    def parse(cls, text: str, source: str, overrides: Sequence[str] = ()) -> Self:
        """Return the card of a YAML text.

        Args:
            text: the YAML.
            source: what error messages call it.
            overrides: ``training.steps=5000``; values are YAML.

        Raises:
            CardError: an unknown key, or a value that does not fit.
        """
        with one_line_errors(source, CardError):
            content = yaml.safe_load(text)
            if not isinstance(content, dict):
                msg = f"{source}: a card is a mapping of keys to values"
                raise CardError(msg)
            for override in overrides:
                _override(content, override)
            return cls.model_validate(content)

    @classmethod
    def load(cls, path: Path, overrides: Sequence[str] = ()) -> Self:
        """Return the card in a file; see :meth:`parse`."""
        if not path.is_file():
            msg = f"no card {path}"
            raise CardError(msg)
        return cls.parse(path.read_text(encoding="utf-8"), str(path), overrides)


def _override(content: dict[str, Any], override: str) -> None:
    """Set one dotted key of a card's content in place."""
    dotted, equals, value = override.partition("=")
    if not equals:
        msg = f"--set {override}: write key=value, for example training.steps=5000"
        raise CardError(msg)
    *parents, last = dotted.strip().split(".")
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            msg = f"--set {override}: {parent} has no keys below it"
            raise CardError(msg)
    content[last] = yaml.safe_load(value)
