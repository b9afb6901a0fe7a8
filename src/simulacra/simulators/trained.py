"""The trained fast simulator: a folder of JSON, YAML and arrays.

:mod:`simulacra.files.simulator_files` lists its files. Loading executes nothing: no pickles, and
the digests must agree.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import torch

from simulacra.conditions import Conditions
from simulacra.datasets.shipped import shipped_simulators, simulator_folder
from simulacra.detectors import Detector, load_detector, parse_detector
from simulacra.detectors.calorimeter.impacts import IMPACTS, impacts_of
from simulacra.errors import SimulacraError, SimulatorError
from simulacra.events import Events
from simulacra.files.atomic import part_of, settled, whole_folder
from simulacra.files.devices import device_of
from simulacra.files.progress import OnProgress, silent
from simulacra.files.provenance import provenance
from simulacra.files.simulator_files import (
    ABOUT,
    CARD,
    CHECKPOINT,
    CURVE,
    DETECTOR,
    DIGESTED,
    EVERY,
    METRICS,
    WEIGHTS,
)
from simulacra.files.small_files import read_text
from simulacra.files.tensors import read_tensors, write_tensors
from simulacra.files.work_folder import MARKER, is_work, publish_work, workplace
from simulacra.models import find_model
from simulacra.models.decisions import decide
from simulacra.models.surrogate import Surrogate
from simulacra.observables.selection_score import EpochSelection
from simulacra.particles import (
    PDG,
    OwnRanges,
    Seen,
    names_of,
    own_ranges_of,
    particle_name,
    seen_of,
)
from simulacra.simulators.about import format_of, read_about, require_of_detector, write_about
from simulacra.simulators.answers import Block
from simulacra.simulators.facts import common_facts, training_facts
from simulacra.simulators.fast import FastSimulator
from simulacra.simulators.ranges import range_notes, recorded, trained_ranges
from simulacra.training import fit
from simulacra.training.card import Card
from simulacra.training.compute import described_device, together, wait_for
from simulacra.training.curve import write_curve
from simulacra.training.journal import Row
from simulacra.training.run import (
    OnEvaluation,
    OnNote,
    Trained,
    fingerprint,
    launch,
    read_metrics,
    write_metrics,
)
from simulacra.training.samples import split_note, stream_note, training_events
from simulacra.training.streams import known_of, sample_of
from simulacra.transforms.drawn import normal

FORMAT = "simulacra-simulator"
VERSION = 1


@dataclass(frozen=True, slots=True, repr=False)
class TrainedSimulator(FastSimulator):
    """A surrogate with what is needed to use and to trust it.

    Attributes:
        surrogate: the model between its preprocessing.
        card: how it was trained.
        ranges: lowest and highest training value of each numerical condition.
        about: facts on the training: selected step, score, digests of the events.
        history: the evaluations during training.
    """

    surrogate: Surrogate
    card: Card
    ranges: Mapping[str, tuple[float, float]]
    about: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Row, ...] = ()

    @property
    def detector(self) -> Detector:
        """The detector whose response it gives."""
        return self.surrogate.detector

    @property
    def particles(self) -> tuple[str, ...]:
        """The names of the particles that it learned from, where its training events say them."""
        learned = tuple(self.about.get("particles", ()))
        return learned or tuple(map(particle_name, self.detector.particles))

    @property
    def chooses_particle(self) -> bool:
        """Whether it gives the response of the particle that the condition ``pdg`` says."""
        sees = find_model(self.card.model_kind).tells_particles_apart()
        return sees and PDG in self.detector.conditions

    def describe(self) -> dict[str, Any]:
        """Return the facts on model, detector, particles, ranges and training."""
        card = self.card
        from_card = {
            "train": ", ".join(card.data.train),
            "selection": ", ".join(card.data.selection or ("a tenth of these, drawn at random",)),
            "steps": card.training.steps,
            "seed": card.seed,
        }
        return {
            **common_facts(self, f"{card.model_kind}: {find_model(card.model_kind).summary}"),
            "symmetries": card.model.model_dump(mode="json").get("symmetries"),
            "parameters": sum(p.numel() for p in self.surrogate.network.parameters()),
            "training": from_card | training_facts(self.about),
        }

    @property
    def own_ranges(self) -> OwnRanges:
        """Ranges, by PDG id and condition, of particles that had less than all of them."""
        return own_ranges_of(self.about, self.detector.scale)

    def blocks(self, conditions: Conditions, seed: int) -> Iterator[Block]:
        """Yield response arrays block by block, all rows of the conditions in the end."""
        return self.surrogate.blocks(conditions, seed)

    def model_alone(self, conditions: Conditions) -> Callable[[], object]:
        """Return a call of the network between its preprocessing, on tensors that are at hand."""
        columns = self.surrogate.columns(conditions)
        rng = torch.Generator(self.surrogate.device).manual_seed(0)
        noise = normal(self.surrogate.model.noise_shape(len(columns)), rng)

        def call() -> None:
            self.surrogate(columns, noise)
            wait_for(columns.device)

        return torch.inference_mode()(call)

    def on(self, device: str) -> Self:
        """Return the simulator with its weights on a device: ``cpu``, ``cuda:1``, ``mps``.

        ``auto`` is CUDA where there is a device of it. A seed gives the same events on devices of
        one kind.

        Raises:
            SimulacraError: this machine has no such device.
        """
        place = device_of(device)
        if self.surrogate.device == torch.device(place):
            return self
        return replace(self, surrogate=copy.deepcopy(self.surrogate).to(place))

    def facts(self, seed: int) -> Mapping[str, Any]:
        """Return the provenance of generated events."""
        device = self.surrogate.device.type
        where = {} if device == "cpu" else {"device": device}
        return provenance("generate", model=self.card.model_kind, seed=seed, **where, **self.about)

    @property
    def seen(self) -> Seen:
        """Values of categorical conditions in training, where not all that there are."""
        return seen_of(self.about)

    def save(self, folder: Path) -> None:
        """Write the simulator to a folder, which appears whole or not at all."""
        with whole_folder(folder) as part:
            self._write(part)

    def _write(self, folder: Path) -> None:
        (folder / DETECTOR).write_text(self.detector.to_yaml(), encoding="utf-8")
        (folder / CARD).write_text(self.card.to_yaml(), encoding="utf-8")
        write_tensors(folder / WEIGHTS, self.surrogate.state_dict(), {})
        write_metrics(list(self.history), folder / METRICS)
        about = {
            "format": FORMAT,
            "format_version": VERSION,
            "model": self.card.model_kind,
            "ranges": {name: list(limits) for name, limits in self.ranges.items()},
            IMPACTS: impacts_of(self.detector),
            "about": dict(self.about),
        }
        write_about(folder, about, DIGESTED)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a simulator's folder, or a shipped simulator by its name.

        Example:
            >>> TrainedSimulator.load("atlas-barrel-photons").detector.name
            'atlas-barrel'

        Raises:
            SimulatorError: it is not there, incomplete, of a newer format, or was changed.
        """
        return settled(simulator_folder(folder), cls._read)

    @classmethod
    def _read(cls, folder: Path) -> Self:
        about = _read_about(folder)
        try:
            detector = parse_detector(read_text(folder / DETECTOR, SimulatorError), DETECTOR)
            card = Card.load(folder / CARD)
        except SimulacraError as error:
            msg = f"{folder}: {error}"
            raise SimulatorError(msg) from None
        require_of_detector(folder, about, detector)
        surrogate = Surrogate(find_model(card.model_kind), card.model, detector)
        tensors, _ = read_tensors(folder / WEIGHTS)
        try:
            surrogate.load_state_dict(tensors)
        except RuntimeError as error:
            msg = f"{folder}: the weights do not fit the card: {error}"
            raise SimulatorError(msg) from None
        history = read_metrics(folder / METRICS)
        return cls(surrogate.eval(), card, about["ranges"], about["about"], history)


def _why_none(folder: Path) -> str:
    """Return why a folder without a description is no simulator."""
    if folder.exists():
        return f"{folder} is not a simulator folder: no {ABOUT}"
    if is_work(part_of(folder)):
        return f"no simulator {folder} yet: its training is unfinished; the same command goes on"
    return f"no simulator {folder}: give a folder or one of {', '.join(shipped_simulators())}"


def _read_about(folder: Path) -> dict[str, Any]:
    if not (folder / ABOUT).is_file():
        raise SimulatorError(_why_none(folder))
    if (found := format_of(folder)) not in (None, FORMAT):
        msg = f"{folder} holds no trained simulator, but one of the format {found}"
        raise SimulatorError(msg)
    return read_about(folder, VERSION, DIGESTED)


def train(
    card: Card,
    folder: str | Path,
    on_progress: OnProgress = silent,
    *,
    replace: bool = False,
    on_note: OnNote = lambda _: None,
    on_evaluation: OnEvaluation = lambda *_: None,
) -> TrainedSimulator:
    """Train the model of a card and write the simulator to a folder.

    Until it is finished the work lies in ``folder`` + ``.part``; the same call goes on from the
    last checkpoint there. Where the card asks for several processes, they are started here, or were
    by torchrun or srun: the first one writes, and each returns the simulator.

    Args:
        card: the run card.
        folder: where the simulator appears when training has ended.
        on_progress: called after every step with (``training``, step, steps).
        replace: the new simulator takes the place of one that is there, once it is trained.
        on_note: called, before training, with what is decided by the sample, line by line; with the
            plan of a budget, and with the step that training goes on from.
        on_evaluation: called after every evaluation with its row and the best one so far.

    Raises:
        TrainingStoppedError: SIGTERM or SIGUSR1 arrived; there is a checkpoint to go on from.
        SimulacraError: the card, the events or an earlier checkpoint cannot be used.
    """
    folder = Path(folder)
    if os.path.lexists(folder) and not replace:  # a link to nothing is there, too
        msg = f"{folder} is there already; remove it or choose another output"
        raise SimulatorError(msg)
    fabric = launch(card)
    first = fabric.is_global_zero
    detector = load_detector(card.detector)
    learned, selection = training_events(card, detector)
    card, notes = decided(card, sample_of(learned))
    events = known_of(learned)
    device = described_device(fabric)
    of_sample = (*stream_note(learned), *split_note(card, learned, selection))
    notes = (*of_sample, *_particle_notes(events), *notes, device)
    for note in filter(None, notes if first else ()):
        on_note(note)
    part = part_of(folder)
    place = workplace(part, CHECKPOINT, *EVERY) if first else nullcontext()
    with together(fabric), place:
        digests = fingerprint(learned), fingerprint(selection)
        trained = fit(
            card,
            learned,
            selection,
            part,
            EpochSelection,
            on_progress,
            on_note=on_note,
            on_evaluation=on_evaluation,
            fabric=fabric,
            digests=digests,
        )
        simulator = _made(trained, known_of(learned), digests)
        if first:
            _publish(simulator, part, folder)
        return simulator


def _made(trained: Trained, events: Events, digests: tuple[str, str]) -> TrainedSimulator:
    """Return the simulator of what was trained on events; the digests are of both samples."""
    about = {
        "selected_step": trained.step,
        "selection_score": trained.score,
        "selection_floor": trained.floor,
        "particles": sorted(map(particle_name, events.particles)),
        **recorded(events),
        "train_events": len(events),
        "train_sha256": digests[0],
        "selection_sha256": digests[1],
        **({} if trained.plan is None else {"budget_minutes": trained.plan.minutes}),
    }
    ranges = trained_ranges(events)
    return TrainedSimulator(trained.surrogate.eval(), trained.card, ranges, about, trained.history)


def _publish(simulator: TrainedSimulator, part: Path, folder: Path) -> None:
    """Write the simulator in the folder ``part`` and publish it as ``folder``."""
    simulator._write(part)
    write_curve(simulator.history, simulator.about["selected_step"], part / CURVE)
    for leftover in part.iterdir():
        if leftover.name not in (*EVERY, MARKER):
            leftover.unlink()
    publish_work(part, folder)


def decided(card: Card, events: Events) -> tuple[Card, tuple[str, ...]]:
    """Return the card with what it leaves to the sample, and notes on that."""
    find_model(card.model_kind).check(events.detector)
    events.check()
    model, notes = decide(card.model, events)
    return card.model_copy(update={"model": model}), notes


def _particle_notes(events: Events) -> tuple[str, ...]:
    """Return notes on the particles that a condition tells apart, and on what was not seen."""
    notes = tuple(range_notes(events))
    if PDG not in events.detector.conditions:
        return notes
    told = f"particles: {names_of(events.particles)}, told apart by the condition {PDG}"
    return (told, *notes)
