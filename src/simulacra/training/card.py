"""Cards, read from YAML where a typo is an error; the run card: what to train, on what, how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_serializer,
    field_validator,
    model_validator,
)

from simulacra.detectors.base import Frozen
from simulacra.errors import CardError
from simulacra.files.small_files import read_text
from simulacra.files.yaml_text import one_line_errors, parse_yaml, set_key
from simulacra.models import MODELS, find_model
from simulacra.training.compute import FREE, ComputeKeys


class CardFile(Frozen):
    """A card as users write it: YAML, with overrides from the command line."""

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
        content = card_content(text, source, overrides)
        with one_line_errors(source, CardError):
            return cls.model_validate(content)

    @classmethod
    def load(cls, path: str | Path, overrides: Sequence[str] = ()) -> Self:
        """Return the card in a file; see :meth:`parse`."""
        return cls.parse(card_text(path), str(path), overrides)


class DataCard(Frozen):
    """Events files, or splits of an embedded sample: ``sample:train``, ``sample:alice-tpc:train``.

    A pattern (``run_*.h5``) means all files that match; ``file.h5[0:90000]`` some of the events.
    In a card, ``data: events.h5`` is short for ``data: {train: events.h5}``.

    Attributes:
        train: what to learn from: one file, or several of one detector that are joined.
        selection: what the epoch is chosen by, one file or several as well. Without it, it is a
            tenth of the events of ``train``, drawn at random with the card's seed; the others are
            learned from.
        stream: read events from their files as they are learned from, in place of having all of
            them in memory; by default where they take more than an eighth of the machine's memory.
        fit_events: events of a stream that transforms are fitted to, drawn at random; by default as
            many as hold 16 million numbers, and 50 000 at most.
    """

    train: tuple[str, ...] = Field(min_length=1)
    selection: tuple[str, ...] | None = Field(default=None, min_length=1)
    stream: bool | None = None
    fit_events: int | None = Field(default=None, gt=1)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, content: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
        return {"train": content} if isinstance(content, str | list) else content

    @field_validator("train", "selection", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
        return (value,) if isinstance(value, str) else value

    @field_serializer("selection")
    def _one_is_written_plainly(
        self, value: tuple[str, ...] | None
    ) -> str | tuple[str, ...] | None:
        return value[0] if value is not None and len(value) == 1 else value


class RMSpropCard(Frozen):
    """RMSprop without momentum (momentum harms: Ghosh & Rousseau, ATLAS, 2019).

    Attributes:
        smoothing: weight of the past in the mean of squared gradients.
    """

    kind: Literal["rmsprop"] = "rmsprop"
    smoothing: float = Field(default=0.9, ge=0, lt=1)


class AdamCard(Frozen):
    """Adam.

    Attributes:
        betas: weights of the past in the means of gradients and of their squares; the defaults are
            DCGAN's (Radford, Metz, Chintala, arXiv:1511.06434).
    """

    kind: Literal["adam"] = "adam"
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (
        0.5,
        0.999,
    )


class AdversarialCard(ComputeKeys):
    """How an adversarial model is trained; on what, :class:`ComputeKeys` says.

    Attributes:
        steps: of training; in each, first the critics are updated, then the generator.
        minutes: in place of steps, a budget of time, from which the steps are planned.
        plan_batch: plan the size of batches and the learning rates that go with it as well, with
            ``minutes``; so it is where the card gives minutes and no ``batch_size``.
        batch_size: events in a batch.
        critic_updates: updates of the critics in a step.
        generator_updates: updates of the generator in a step.
        optimiser: of the generator and, another of its kind, of the critics.
        learning_rate: the highest.
        critic_learning_rate: the critics' own, where it differs.
        final_learning_rate: the factor to which both fall, as a cosine over the steps.
        averaging: decay of the exponential moving average of the generator's weights.
    """

    loop: Literal["adversarial"] = "adversarial"
    steps: int | None = Field(default=None, gt=0)
    minutes: float | None = Field(default=None, gt=0)
    plan_batch: bool = False
    batch_size: int = Field(default=64, gt=0)
    critic_updates: int = Field(default=5, gt=0)
    generator_updates: int = Field(default=1, gt=0)
    optimiser: Annotated[RMSpropCard | AdamCard, Field(discriminator="kind")] = RMSpropCard()
    learning_rate: float = Field(default=3e-4, gt=0)
    critic_learning_rate: float | None = Field(default=None, gt=0)
    final_learning_rate: float = Field(default=0.05, gt=0, le=1)
    averaging: float = Field(default=0.999, ge=0, lt=1)


class LikelihoodCard(ComputeKeys):
    """How a model with one loss (a flow, flow matching, an autoencoder) is trained, with AdamW.

    On what, :class:`ComputeKeys` says.

    Attributes:
        steps: updates.
        minutes: in place of steps, a budget of time, from which the steps are planned.
        plan_batch: plan the size of batches and the learning rates that go with it as well, with
            ``minutes``; so it is where the card gives minutes and no ``batch_size``.
        batch_size: events in a batch.
        learning_rate: the highest.
        weight_decay: AdamW's, for all weights.
        warm_up: part of the steps in which the learning rate rises linearly from zero.
        final_learning_rate: the factor to which it then falls, as a cosine over the other steps.
        gradient_clip: largest norm of the gradient of all weights together.
        averaging: decay of the exponential moving average of all weights; at step n it is at most
            (1 + n) / (10 + n), so that a short run is not dominated by its beginning.
    """

    loop: Literal["likelihood"] = "likelihood"
    steps: int | None = Field(default=None, gt=0)
    minutes: float | None = Field(default=None, gt=0)
    plan_batch: bool = False
    batch_size: int = Field(default=256, gt=0)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    warm_up: float = Field(default=0.02, ge=0, lt=1)
    final_learning_rate: float = Field(default=0.01, gt=0, le=1)
    gradient_clip: float = Field(default=10.0, gt=0)
    averaging: float = Field(default=0.999, ge=0, lt=1)


TrainingCard = AdversarialCard | LikelihoodCard


def steps_of(card: TrainingCard) -> int:
    """Return the steps of a training.

    Raises:
        CardError: it has a budget of time that was not planned yet.
    """
    if card.steps is None:
        msg = "training.minutes: the steps of this budget were not planned yet"
        raise CardError(msg)
    return card.steps


LENGTHS = frozenset({"steps", "minutes"})
"""Keys of a training that say how long it is; one of them is given."""
LATE = 0.9
"""Part of a training by likelihood after which its learning rate has fallen."""
LOOPS: dict[str, type[TrainingCard]] = {
    "adversarial": AdversarialCard,
    "likelihood": LikelihoodCard,
}
FORMER_LOOPS = {"one-loss": "likelihood"}
"""Names of loops in cards of earlier versions, read as today's."""


Measure = Literal["moments", "chi2", "emd"]


FORMER_GROUPS = {"energy_ratio": "hottest_cells_ratio"}
"""Groups of observables that cards of earlier versions call otherwise."""


def _present_names(groups: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return groups of observables by the names that they have now."""
    if not isinstance(groups, list | tuple):
        return groups
    return [FORMER_GROUPS.get(g, g) if isinstance(g, str) else g for g in groups]


class SelectionCard(Frozen):
    """How the epoch is chosen on the selection events.

    Attributes:
        every: steps between evaluations; a checkpoint is written with each.
        repeat: how often each selection event's conditions are generated.
        groups: groups of observables that are compared, with equal weights; the default depends on
            the kind of detector.
        after: part of the training before which no epoch is chosen; by default 0.9 in the loop
            ``likelihood``, which does not decay and is best when its learning rate has fallen, and
            0 in the other one. Models that grow want their end, too.
        measure: how far an observable is off: ``moments``, the distance of the means in widths and
            the logarithm of the ratio of widths; ``chi2``, chi2 per degree of freedom of its
            histogram (with the group ``response`` alone, FastCaloGAN's choice of the epoch);
            ``emd``, the earth mover's distance in widths (LAGAN's is one of histograms).
    """

    every: int = Field(default=500, gt=0)
    repeat: int = Field(default=3, gt=0)
    groups: Annotated[tuple[str, ...] | None, BeforeValidator(_present_names)] = Field(
        default=None, min_length=1
    )
    after: float | None = Field(default=None, ge=0, lt=1)
    measure: Measure = "moments"


LARGEST_OPTION = 100_000
"""Of the numbers of a model's options: widths, depths, steps."""


class Card(CardFile):
    """A whole run card.

    ``detector``, ``data`` and ``model: {kind: …}`` are enough: what the card leaves out of training
    and selection is what the model recommends, or else the default.
    """

    detector: str
    data: DataCard
    model: SerializeAsAny[Frozen]
    training: Annotated[TrainingCard, Field(discriminator="loop")]
    selection: SelectionCard = Field(default=SelectionCard(), validate_default=True)
    seed: int = Field(default=1, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _as_the_model_recommends(cls, content: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
        if not isinstance(content, dict):
            return content
        recommended = _recommended(content.get("model"))
        return {
            **content,
            "training": _filled(content.get("training"), recommended.get("training", {})),
            "selection": _filled(content.get("selection"), recommended.get("selection", {})),
        }

    @field_serializer("training", mode="wrap")
    def _budgets_are_written_where_there_are(
        self, value: TrainingCard, handler: SerializerFunctionWrapHandler
    ) -> dict[str, Any]:
        written: dict[str, Any] = handler(value)
        if value.minutes is None:
            del written["minutes"]
        if not value.plan_batch:
            del written["plan_batch"]
        own = {key: v for key, v in written.items() if key not in ComputeKeys.model_fields}
        return own | written

    @field_validator("model", mode="before")
    @classmethod
    def _options_of_the_model(cls, value: Any) -> Frozen:  # noqa: ANN401 - whatever YAML holds
        if isinstance(value, Frozen):
            return value
        if not isinstance(value, dict) or "kind" not in value:
            msg = "give the model's 'kind', as in {kind: flow-matching}"
            raise ValueError(msg)
        try:
            config = find_model(str(value["kind"])).Config
        except CardError as error:
            raise ValueError(str(error)) from None
        checked = config.model_validate(value)
        for name, number in _numbers(checked.model_dump()):
            if number > LARGEST_OPTION:
                msg = f"{name}: {number:.3g} is more than any network has ({LARGEST_OPTION})"
                raise ValueError(msg)
        return checked

    @field_validator("training", mode="wrap")
    @classmethod
    def _loop_of_the_model(
        cls,
        value: Any,  # noqa: ANN401 - whatever YAML holds
        validate: ValidatorFunctionWrapHandler,
        info: ValidationInfo,
    ) -> TrainingCard:
        """Read the options of the loop that the model needs; the card need not name it."""
        model = info.data.get("model")
        if model is None or not isinstance(value, (dict, Frozen)):
            # without a model the card is refused for that, and the loop is not known
            checked: TrainingCard = value if model is None else validate(value)
            return checked
        content = dict(value.model_dump() if isinstance(value, Frozen) else value)
        needed = find_model(model.kind).loop
        asked = content.get("loop", needed)
        if asked in FORMER_LOOPS:
            asked = content["loop"] = FORMER_LOOPS[asked]
        if asked != needed:
            msg = f"model {model.kind!r} needs the loop {needed!r}, the card asks for {asked!r}"
            raise ValueError(msg)
        checked = LOOPS[needed].model_validate(content)
        if (checked.steps is None) == (checked.minutes is None):
            both = " but not both; steps: null takes the steps away" if checked.steps else ""
            msg = f"give steps or minutes{both}"
            raise ValueError(msg)
        if checked.plan_batch and checked.minutes is None:
            msg = "plan_batch needs minutes"
            raise ValueError(msg)
        return checked

    @field_validator("selection")
    @classmethod
    def _end_of_a_training_by_likelihood(
        cls, value: SelectionCard, info: ValidationInfo
    ) -> SelectionCard:
        if value.after is not None:
            return value
        late = isinstance(info.data.get("training"), LikelihoodCard)
        return value.model_copy(update={"after": LATE if late else 0.0})

    @property
    def course(self) -> str:
        """The keys that the course of a training depends on, as YAML: not on what it runs."""
        content = self.model_dump(mode="json")
        kept = {key: v for key, v in content["training"].items() if key not in FREE}
        text: str = yaml.safe_dump(content | {"training": kept}, sort_keys=False)
        return text

    @property
    def model_kind(self) -> str:
        """The model's name in the catalogue."""
        kind: str = self.model.model_dump()["kind"]
        return kind


def _recommended(model: object) -> Mapping[str, Mapping[str, Any]]:
    """Return what the model of a card's content recommends; nothing where it is not known."""
    kind = model.get("kind") if isinstance(model, dict) else getattr(model, "kind", None)
    return MODELS[kind].recommended if isinstance(kind, str) and kind in MODELS else {}


def _filled(given: object, recommended: Mapping[str, Any]) -> Any:  # noqa: ANN401 - or what YAML holds
    """Return options of a card with the recommended ones where the card gives none."""
    if given is None:
        return dict(recommended)
    if not isinstance(given, dict):
        return given
    options = {key: v for key, v in given.items() if not (key in LENGTHS and v is None)}
    left = LENGTHS if LENGTHS & options.keys() else frozenset()
    filled = {key: v for key, v in recommended.items() if key not in left} | options
    if "minutes" in options and "batch_size" not in options:
        return {"plan_batch": True} | filled
    return filled


def _numbers(options: dict[str, Any]) -> Iterator[tuple[str, int | float]]:
    """Yield the numbers of a model's options with the names of the options."""
    for name, value in options.items():
        for number in value if isinstance(value, tuple | list) else (value,):
            if isinstance(number, int | float):
                yield name, number


def card_text(path: str | Path) -> str:
    """Return the text of a card's file.

    Raises:
        CardError: there is no such file.
    """
    if not Path(path).is_file():
        msg = f"no card {path}"
        raise CardError(msg)
    return read_text(Path(path), CardError)


def card_content(text: str, source: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Return the content of a card's YAML text before it is validated; see :class:`CardFile`."""
    with one_line_errors(source, CardError):
        content = parse_yaml(text)
        if not isinstance(content, dict):
            msg = f"{source}: a card is a mapping of keys to values"
            raise CardError(msg)
        for override in overrides:
            set_key(content, override)
    return content


def with_key(content: Mapping[str, Any], dotted: str, value: object) -> dict[str, Any]:
    """Return a card's content with one dotted key set; the original stays as it is.

    Example:
        >>> with_key({"model": {"kind": "wgan"}}, "model.latent", 8)
        {'model': {'kind': 'wgan', 'latent': 8}}

    Raises:
        CardError: a key on the way has no keys below it.
    """
    first, _, rest = dotted.partition(".")
    if not rest:
        return {**content, first: value}
    below = content.get(first, {})
    if not isinstance(below, Mapping):
        msg = f"{first} has no keys below it"
        raise CardError(msg)
    return {**content, first: with_key(below, rest, value)}
