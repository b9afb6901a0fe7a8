"""The main job in one call, on the embedded Geant4 sample: train, generate, validate."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from simulacra.datasets.samples import load_sample
from simulacra.errors import CardError
from simulacra.files.progress import OnProgress, silent
from simulacra.io import write_events
from simulacra.simulators.trained import train
from simulacra.training.card import Card
from simulacra.training.run import OnEvaluation, OnNote
from simulacra.validation import validate

if TYPE_CHECKING:
    from simulacra.validation import Validation


DEFAULT = "flow-matching"


def quickstart_models() -> tuple[str, ...]:
    """Return the models that have a card of a few minutes for the embedded sample."""
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in _cards().iterdir()))


def quickstart_card(model: str = DEFAULT, overrides: Sequence[str] = ()) -> Card:
    """Return the card that the quickstart trains.

    Raises:
        CardError: there is no such card, or an override does not fit.
    """
    if model not in quickstart_models():
        msg = f"no quickstart of model {model!r}; there are {', '.join(quickstart_models())}"
        raise CardError(msg)
    text = (_cards() / f"{model}.yaml").read_text(encoding="utf-8")
    return Card.parse(text, f"{model}.yaml", overrides)


def _cards() -> Traversable:
    return resources.files("simulacra.datasets") / "data" / "quickstart"


def quickstart(
    folder: Path,
    report: Path,
    model: str = DEFAULT,
    overrides: Sequence[str] = (),
    on_progress: OnProgress = silent,
    *,
    on_note: OnNote = lambda _: None,
    on_evaluation: OnEvaluation = lambda *_: None,
) -> Validation:
    """Train on the embedded sample, generate the test conditions and judge the result.

    Args:
        folder: gets ``simulator/`` and the generated events ``fast.h5``; an interrupted training
            goes on from there, a finished one is done again and replaced.
        report: folder of the report, replaced.
        model: which of :func:`quickstart_models` to train.
        overrides: changes to the card, ``training.steps=5000``.
        on_progress: called with (phase, done, total).
        on_note: called with what is decided before training, line by line.
        on_evaluation: called after every evaluation in training.

    Returns:
        The comparison with the test events, which training and selection never saw.
    """
    card = quickstart_card(model, overrides)
    simulator = train(
        card,
        folder / "simulator",
        on_progress,
        replace=True,
        on_note=on_note,
        on_evaluation=on_evaluation,
    )
    test = load_sample("test")
    generated = simulator.simulate(test.conditions, seed=simulator.card.seed)
    write_events(generated, folder / "fast.h5")
    validation = validate(test, generated, on_progress=on_progress)
    validation.report(report, on_progress)
    return validation
