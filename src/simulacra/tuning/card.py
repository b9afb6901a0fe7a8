"""The card of a search: a run card with a section ``tune``.

References:
    Akiba et al.: Optuna, arXiv:1907.10902; Watanabe: tree-structured Parzen estimator,
    arXiv:2304.11127.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.files.mistakes import summarise_validation_error
from simulacra.files.yaml_text import one_line_errors
from simulacra.training.card import Card, card_content, card_text, with_key

SECTION = "tune"
Objective = Literal["score", "time"]
FIXED = {
    "detector": "trials are compared on one detector",
    "data": "trials are compared on the same events",
    "selection": "trials are compared by one selection score",
    "seed": "all trials have the same seeds; tune.seeds averages over several",
    "training.steps": "trials are compared at equal length",
    "training.minutes": "trials are compared at equal length",
}
"""Keys of a run card that no search changes, and why."""
FEWEST_CHOICES = 2
SCALARS = (bool, int, float, str, type(None))


class Parameter(Frozen):
    """The values that a key may take: a range, or a list of choices.

    A range of two whole numbers holds whole numbers only.

    Attributes:
        low: lower end.
        high: upper end.
        log: search the range in its logarithm.
        step: distance between values.
        choices: the values, where they are a list.
    """

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    step: int | float | None = Field(default=None, gt=0)
    choices: tuple[Any, ...] | None = Field(default=None, min_length=FEWEST_CHOICES)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, content: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
        return {"choices": content} if isinstance(content, list) else content

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.choices is not None:
            if self.low is not None or self.high is not None:
                msg = "give low and high, or choices, not both"
                raise ValueError(msg)
            return self
        if self.low is None or self.high is None:
            msg = "give a list of values, or low and high"
            raise ValueError(msg)
        if not self.low < self.high:
            msg = f"low {self.low:g} is not below high {self.high:g}"
            raise ValueError(msg)
        if self.log and (self.low <= 0 or self.step is not None):
            msg = "log needs low above 0, and no step"
            raise ValueError(msg)
        return self

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def label(self, value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
        """Return what a study keeps of a value: itself, or its JSON."""
        return value if isinstance(value, SCALARS) else json.dumps(value)

    def labels(self) -> dict[Any, Any]:
        """Return the choices by what a study keeps of them."""
        return {self.label(choice): choice for choice in self.choices or ()}

    def examples(self) -> Iterator[Any]:
        """Yield values with which a card must be valid: all choices, or ends and the middle."""
        if self.choices is not None or self.low is None or self.high is None:
            yield from self.choices or ()
            return
        yield from (self.low, self.high)
        if not self.is_whole:
            yield self.low + 0.37 * (self.high - self.low)

    def holds(self, value: object) -> bool:
        """Return whether a value is among them."""
        if self.choices is not None:
            return value in self.choices
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or self.low is None or self.high is None or self.step is not None:
            return False
        return self.low <= value <= self.high  # type: ignore[operator]


class StudyCard(Frozen):
    """The section ``tune``.

    Attributes:
        space: keys of the run card, ``training.learning_rate``, and the values that they may take.
        trials: number of trials, those that were stopped early included.
        seeds: trainings of a trial, with the card's seed and those that follow it; the trial's
            score is their mean.
        objectives: ``score``, or ``score`` and ``time`` (processor time per generated event).
        prune: stop a trial whose score is above the median of the others at the same part of the
            training; of no effect with two objectives.
        confirm: trainings with further seeds of the card as it is and of the best one, after the
            search; the best of many scores is too low by the choice, these are not.
        seed: of the search.
        storage: an address such as ``sqlite:///study.db``; without it, a journal file in the
            output folder.
    """

    space: dict[str, Parameter] = Field(min_length=1)
    trials: int = Field(default=40, gt=0)
    seeds: int = Field(default=1, gt=0)
    objectives: tuple[Objective, ...] = ("score",)
    prune: bool = True
    confirm: int = Field(default=3, ge=0)
    seed: int = Field(default=1, ge=0, lt=2**32)
    storage: str | None = None

    @field_validator("space")
    @classmethod
    def _only_what_may_differ(cls, value: dict[str, Parameter]) -> dict[str, Parameter]:
        for key in value:
            for fixed, why in FIXED.items():
                if key == fixed or key.startswith(f"{fixed}."):
                    msg = f"{key}: {why}"
                    raise ValueError(msg)
        return value

    @field_validator("objectives")
    @classmethod
    def _score_and_perhaps_time(cls, value: tuple[Objective, ...]) -> tuple[Objective, ...]:
        if value not in (("score",), ("score", "time")):
            msg = "give [score] or [score, time]"
            raise ValueError(msg)
        return value

    @property
    def prunes(self) -> bool:
        """Whether trials are stopped early; Optuna does so with one objective only."""
        return self.prune and len(self.objectives) == 1


class _Section(Frozen):
    tune: StudyCard


@dataclass(frozen=True, slots=True)
class TuneCard:
    """A run card with a section ``tune``, valid with every end of the space.

    Attributes:
        content: the run card as it was written, without the section.
        card: the run card.
        study: the section.
    """

    content: Mapping[str, Any]
    card: Card
    study: StudyCard

    @classmethod
    def load(cls, path: str | Path, overrides: Sequence[str] = ()) -> Self:
        """Return the card in a file; see :meth:`parse`."""
        return cls.parse(card_text(path), str(path), overrides)

    @classmethod
    def parse(cls, text: str, source: str, overrides: Sequence[str] = ()) -> Self:
        """Return the card of a YAML text.

        Args:
            text: the YAML.
            source: the name of the card in error messages.
            overrides: ``tune.trials=80``; values are YAML.

        Raises:
            CardError: a key is unknown or its value does not fit, in the run card, the section or
                at an end of the space; or the card has no selection events.
        """
        content = card_content(text, source, overrides)
        section = {k: content.pop(k) for k in (SECTION,) if k in content}
        with one_line_errors(source, CardError):
            study = _Section.model_validate(section).tune
            card = Card.model_validate(content)
        if card.data.selection is None:
            msg = (
                f"{source}: data.selection: trials are compared by selection events, and the card "
                "gives none; simulacra convert --split 80/10/10 makes them"
            )
            raise CardError(msg)
        made = cls(content, card, study)
        made._require_valid_ends(source)
        return made

    def _require_valid_ends(self, source: str) -> None:
        for key, parameter in self.study.space.items():
            for value in parameter.examples():
                try:
                    self.with_values({key: value})
                except CardError as error:
                    msg = f"{source}: {SECTION}.space.{key}: with {value!r}: {error}"
                    raise CardError(msg) from None

    def with_values(self, values: Mapping[str, Any], seed: int | None = None) -> Card:
        """Return the run card with other values of some keys.

        Raises:
            CardError: the card is not valid with them.
        """
        content: Mapping[str, Any] = self.content
        for key, value in values.items():
            content = with_key(content, key, value)
        if seed is not None:
            content = with_key(content, "seed", seed)
        try:
            return Card.model_validate(content)
        except ValidationError as error:
            raise CardError(summarise_validation_error(error)) from None

    def own_values(self) -> dict[str, Any] | None:
        """Return the card's own values of the searched keys; None where one is not in the space."""
        resolved = self.card.model_dump(mode="json")
        values = {}
        for key, parameter in self.study.space.items():
            value: Any = resolved
            for part in key.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            if not parameter.holds(value):
                return None
            values[key] = value
        return values

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the trainings of each trial."""
        return tuple(self.card.seed + i for i in range(self.study.seeds))

    @property
    def fresh_seeds(self) -> tuple[int, ...]:
        """The seeds of the trainings after the search, which no trial had."""
        first = self.card.seed + self.study.seeds
        return tuple(first + i for i in range(self.study.confirm))

    @property
    def identity(self) -> str:
        """A digest of what makes trials comparable: all but the number of trials."""
        study = self.study.model_dump(mode="json", exclude={"trials", "storage", "confirm"})
        text = self.card.to_yaml() + json.dumps(study, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_yaml(self) -> str:
        """Return the card as YAML text that loads back to an equal one."""
        section = self.study.model_dump(mode="json", exclude_defaults=True)
        section["space"] = {
            key: list(p.choices) if p.choices is not None else p.model_dump(exclude_defaults=True)
            for key, p in self.study.space.items()
        }
        text: str = yaml.safe_dump({**self.content, SECTION: section}, sort_keys=False)
        return text
