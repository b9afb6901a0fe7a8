"""The main job in one call, on the embedded Geant4 sample: train, generate, validate."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from simulacra.atomic import remove
from simulacra.card import Card
from simulacra.io import write_events
from simulacra.sample import load_sample
from simulacra.simulator import train
from simulacra.training.run import OnProgress
from simulacra.validation import validate, write_report

if TYPE_CHECKING:
    from simulacra.validation import Validation


def quickstart_card(overrides: Sequence[str] = ()) -> Card:
    """Return the card that the quickstart trains: DNNCaloGAN with two critics, a few minutes."""
    file = resources.files("simulacra") / "data" / "quickstart.yaml"
    return Card.parse(file.read_text(encoding="utf-8"), "quickstart.yaml", overrides)


def quickstart(
    folder: Path,
    report: Path,
    overrides: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> Validation:
    """Train on the embedded sample, generate the test conditions and judge the result.

    Args:
        folder: gets ``simulator/`` and the generated events ``fast.h5``; an interrupted training
            goes on from there, a finished one is done again.
        report: folder of the report, replaced.
        overrides: changes to the card, ``training.steps=5000``.
        on_progress: called after every training step.

    Returns:
        The comparison with the test events, which training and selection never saw.
    """
    remove(folder / "simulator")
    simulator = train(quickstart_card(overrides), folder / "simulator", on_progress)
    test = load_sample("test")
    generated = simulator.simulate(test.conditions, seed=simulator.card.seed)
    write_events(generated, folder / "fast.h5")
    validation = validate(test, generated)
    write_report(validation, test, generated, report)
    return validation
