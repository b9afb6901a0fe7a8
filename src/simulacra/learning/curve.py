"""The learning curve: short trainings on parts of the events, and of less time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from simulacra.detectors import Detector
from simulacra.errors import SimulacraError
from simulacra.events import Events
from simulacra.files.atomic import remove, write_whole_text
from simulacra.files.progress import OnProgress, silent
from simulacra.files.small_files import parse_object, read_text
from simulacra.observables.selection_score import EpochSelection
from simulacra.simulators.trained import decided
from simulacra.training import fit
from simulacra.training.card import Card
from simulacra.training.run import Trained
from simulacra.training.samples import training_events

POINTS, WORK = "learning-curve.json", "learning-curve.part"
PARTS = (0.25, 0.5, 1.0)
"""Parts of the events that are learned from, in as much time each."""
SHORTER = 0.25
"""Part of that time of further trainings on all events."""
SEEDS = 2
PHASE = "learning curve"


@dataclass(frozen=True, slots=True)
class Point:
    """A short training.

    Attributes:
        events: that it learned from.
        steps: that it made.
        score: its selection score.
        part: of the events that the training of the simulator learns from.
        time: part of the time of the longest short trainings.
    """

    events: int
    steps: int
    score: float
    part: float
    time: float


def trainings() -> Iterator[tuple[float, float, int]]:
    """Yield (part of the events, part of the time, number of the seed) of each short training."""
    for seed in range(1, SEEDS + 1):
        yield 1.0, SHORTER, seed
        for part in PARTS:
            yield part, 1.0, seed


def measured_curve(
    card: Card, detector: Detector, minutes: float, folder: Path, on_progress: OnProgress = silent
) -> tuple[Point, ...]:
    """Return the points of the learning curve; those that lie in the folder are not trained again.

    Args:
        card: the card of the simulator, with the planned batches; the seeds are those after its.
        detector: its detector.
        minutes: for all short trainings together.
        folder: where the points are kept.
        on_progress: called with (``learning curve``, trainings done, trainings in all).
    """
    planned = list(trainings())
    points = list(_kept(folder))
    each = minutes / sum(time for _, time, _ in planned)
    train, selection = training_events(card, detector)
    on_progress(PHASE, len(points), len(planned))
    for part, time, seed in planned[len(points) :]:
        used = train.take(slice(max(round(part * len(train)), 1)))
        short = _shortened(card, used, time * each, seed)
        trained = _trained(short, used, selection, folder / WORK)
        steps = int(trained.history[-1]["step"])
        points.append(Point(len(used), steps, trained.score, part, time))
        _keep(folder, points)
        on_progress(PHASE, len(points), len(planned))
    return tuple(points)


def _shortened(card: Card, train: Events, minutes: float, seed: int) -> Card:
    training = card.training.model_copy(update={"steps": None, "minutes": minutes})
    short = card.model_copy(update={"training": training, "seed": card.seed + seed})
    return decided(short, train)[0]


def _trained(card: Card, train: Events, selection: Events, work: Path) -> Trained:
    try:
        return fit(card, train, selection, work, EpochSelection)
    finally:
        remove(work)


def _kept(folder: Path) -> Iterator[Point]:
    path = folder / POINTS
    if path.is_file():
        for point in parse_object(read_text(path, SimulacraError))["points"]:
            yield Point(**point)


def _keep(folder: Path, points: list[Point]) -> None:
    content = {"points": [asdict(point) for point in points]}
    write_whole_text(folder / POINTS, json.dumps(content, indent=2) + "\n")
