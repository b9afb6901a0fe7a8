"""The trained fast simulator: a folder of JSON, YAML and arrays that answers in Geant4's place.

    SIMULATOR/
      simulator.json        what it is: model, trained ranges, selected step, digests of the rest
      detector.yaml         the detector
      card.yaml             the resolved card it was trained with
      weights.safetensors   weights and the constants of the preprocessing
      metrics.csv           the evaluations during training

Loading executes nothing: no pickles, and the digests must agree.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from simulacra.arrays import BoolArray
from simulacra.conditions import Conditions, conditions_at
from simulacra.datasets.shipped import shipped_simulators, simulator_folder
from simulacra.detectors import Calorimeter, Detector, load_detector, parse_detector
from simulacra.errors import SimulacraError, SimulatorError
from simulacra.events import Events
from simulacra.files.atomic import part_of, publish_folder, settled, whole_file, whole_folder
from simulacra.files.digests import PLACEHOLDER, require_intact, seal
from simulacra.files.provenance import provenance
from simulacra.files.tensors import read_tensors, write_tensors
from simulacra.files.work_folder import workplace
from simulacra.models import find_model
from simulacra.models.decisions import decide
from simulacra.models.surrogate import Surrogate
from simulacra.particles import (
    OWN_RANGES,
    PDG,
    names_of,
    own_ranges_of,
    particle_name,
    require_served,
)
from simulacra.simulators.answers import Answers
from simulacra.simulators.requests import asked_particles
from simulacra.training import fit
from simulacra.training.card import Card
from simulacra.training.run import (
    CHECKPOINT,
    METRICS,
    OnProgress,
    Row,
    fingerprint,
    read_metrics,
    write_metrics,
)
from simulacra.training.samples import training_events

ABOUT, DETECTOR, CARD, WEIGHTS = (
    "simulator.json",
    "detector.yaml",
    "card.yaml",
    "weights.safetensors",
)
VERSION = 1
LARGE_GAP = 0.25
"""Part of a condition's range that a particle lacks at an end, above which a note says so."""
SAME_END = 0.05
"""Part of the logarithm of a range within which two particles end at the same value."""
OF_AN_ANSWER = {"step", "versions", "model", "seed"}
"""What the provenance of generated events says beside the facts on the training."""
_WRONG_TYPES = (AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What comes of JSON that is not of the expected form."""
FILES = (ABOUT, DETECTOR, CARD, WEIGHTS, METRICS)


class FastSimulator(Protocol):
    """What every fast simulator does: conditions in, events out."""

    @property
    def detector(self) -> Detector:
        """The detector whose response it gives."""

    def simulate(self, conditions: Conditions, seed: int) -> Events:
        """Return one event for each row of conditions; equal seeds give equal bytes."""

    @property
    def particles(self) -> tuple[str, ...]:
        """The names of the particles that it was trained on; empty where it does not say."""

    @property
    def chooses_particle(self) -> bool:
        """Whether it gives the response of the particle that the condition ``pdg`` says."""

    def stream(self, conditions: Conditions, seed: int) -> Iterator[Events]:
        """Yield the same events piece by piece, so that few are in memory at once."""

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Lowest and highest training value of each numerical condition."""

    @property
    def own_ranges(self) -> dict[int, tuple[float, float]]:
        """The range of the detector's scale, MeV, of particles that had less than all of it."""

    def outside(self, conditions: Conditions) -> BoolArray:
        """Return which rows lie outside the ranges of training (n,)."""

    def save(self, path: Path) -> None:
        """Write the simulator to a folder or file, which appears whole or not at all."""


@dataclass(frozen=True, slots=True)
class TrainedSimulator:
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
        sees = find_model(self.card.model_kind).tells_particles_apart
        return sees and PDG in self.detector.conditions

    @property
    def own_ranges(self) -> dict[int, tuple[float, float]]:
        """The range of the detector's scale, MeV, of particles that had less than all of it."""
        return own_ranges_of(self.about)

    def simulate(self, conditions: Conditions, seed: int) -> Events:
        """Return one event for each row of conditions.

        Raises:
            EventsError: a condition is missing or not sensible.
            SimulatorError: a particle is none of those that it learned from; or an answer is not
                finite, or negative where there is no sign.
        """
        return self._answers(conditions, seed).whole()

    def stream(self, conditions: Conditions, seed: int) -> Iterator[Events]:
        """Yield the events of :meth:`simulate` in pieces, so that few are in memory at once.

        Raises:
            EventsError: a condition is missing or not sensible.
            SimulatorError: as for :meth:`simulate`.
        """
        return self._answers(conditions, seed).pieces()

    def _answers(self, conditions: Conditions, seed: int) -> Answers:
        conditions.check(self.detector)
        if PDG in self.detector.conditions:
            require_served(np.unique(conditions[PDG]).tolist(), self.particles, "the simulator")
        used = Conditions({name: conditions[name] for name in self.detector.conditions})
        facts = provenance("generate", model=self.card.model_kind, seed=seed, **self.about)
        return Answers(used, self.surrogate.blocks(used, seed), self.detector, facts)

    def generate(self, energy: str, n: int, seed: int, particle: str | None = None) -> Events:
        """Return ``n`` events of particles at random places of the beam spot.

        Args:
            energy: the spectrum of the detector's scale: ``50GeV``; ``1GeV,2GeV`` is cycled;
                ``1GeV..65GeV`` is log-uniform, ``1GeV-65GeV`` uniform.
            n: number of events.
            seed: where conditions and response come from.
            particle: ``gamma``; ``e-,gamma`` in turn; ``e-:2,gamma:1`` with weights; needed where
                the particle is a condition and the detector does not draw it by itself.

        Raises:
            SimulacraError: it learned from other particles, or does not say from which.
        """
        mixture = asked_particles(self, particle)
        return self.simulate(conditions_at(self.detector, energy, n, seed, mixture), seed)

    def outside(self, conditions: Conditions) -> BoolArray:
        """Return which rows lie outside the ranges of training (n,)."""
        outside = conditions.outside(self.ranges, self.detector)
        return outside | conditions.outside_own(self.own_ranges, self.detector)

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
            "format": "simulacra-simulator",
            "format_version": VERSION,
            "model": self.card.model_kind,
            "ranges": {name: list(limits) for name, limits in self.ranges.items()},
            "impacts": _impacts(self.detector),
            "about": dict(self.about),
            "sha256": {n: _digest(folder / n) for n in (DETECTOR, CARD, WEIGHTS, METRICS)},
            "seal": PLACEHOLDER,
        }
        text = json.dumps(about, indent=2, sort_keys=True) + "\n"
        with whole_file(folder / ABOUT) as path:
            path.write_bytes(seal(text.encode()))

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
            detector = parse_detector((folder / DETECTOR).read_text(encoding="utf-8"), DETECTOR)
            card = Card.load(folder / CARD)
        except SimulacraError as error:
            msg = f"{folder}: {error}"
            raise SimulatorError(msg) from None
        _require_places(folder, about, detector)
        if unknown := set(about["ranges"]) - set(detector.conditions):
            msg = f"{folder}: a range of {min(unknown)!r}, which is no condition of {detector.name}"
            raise SimulatorError(msg)
        surrogate = Surrogate(find_model(card.model_kind), card.model, detector)
        tensors, _ = read_tensors(folder / WEIGHTS)
        try:
            surrogate.load_state_dict(tensors)
        except RuntimeError as error:
            msg = f"{folder}: the weights do not fit the card: {error}"
            raise SimulatorError(msg) from None
        history = read_metrics(folder / METRICS)
        return cls(surrogate.eval(), card, about["ranges"], about["about"], history)


def _impacts(detector: Detector) -> str:
    """Return what the impacts of a detector are, in a word."""
    if not isinstance(detector, Calorimeter) or not detector.declared_axes:
        return "none"
    return "offsets" if detector.has_windows else "positions"


def _require_places(folder: Path, about: Mapping[str, Any], detector: Detector) -> None:
    """Raise a :class:`SimulatorError` where impacts were offsets and are positions now.

    A folder that does not say what they are knows offsets from a cell's middle; in the cell around
    the middle of the face these are positions.
    """
    if "impacts" in about or _impacts(detector) != "positions":
        return
    assert isinstance(detector, Calorimeter)
    if not detector.beam_in_middle_cell:
        msg = (
            f"{folder}: its impacts are offsets from the middle of a cell; among cells that stand "
            "still they are positions now: simulate and train it again"
        )
        raise SimulatorError(msg)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _why_none(folder: Path) -> str:
    """Return why a folder without a description is no simulator."""
    if folder.exists():
        return f"{folder} is not a simulator folder: no {ABOUT}"
    if part_of(folder).is_dir():
        return f"no simulator {folder} yet: its training is unfinished; the same command goes on"
    return f"no simulator {folder}: give a folder or one of {', '.join(shipped_simulators())}"


def _read_about(folder: Path) -> dict[str, Any]:
    path = folder / ABOUT
    if not path.is_file():
        raise SimulatorError(_why_none(folder))
    try:
        content = path.read_bytes()
        require_intact(content)
        about: dict[str, Any] = json.loads(content)
        version, digests = about["format_version"], dict(about["sha256"])
        about["ranges"] = {
            name: (float(low), float(high)) for name, (low, high) in about["ranges"].items()
        }
        about["about"] = dict(about["about"])
        if own := OF_AN_ANSWER & set(about["about"]):
            msg = f"{min(own)!r} is said by what it answers, not by the simulator"
            raise SimulatorError(msg)
    except (*_WRONG_TYPES, SimulatorError) as error:
        msg = f"{path}: damaged: {error}"
        raise SimulatorError(msg) from None
    if version != VERSION:
        msg = f"{folder}: format {version}, this version reads {VERSION}"
        raise SimulatorError(msg)
    for name in (DETECTOR, CARD, WEIGHTS, METRICS):
        file = folder / name
        if not file.is_file() or _digest(file) != digests.get(name):
            msg = f"{file} is missing or was changed: its digest is not the one in {ABOUT}"
            raise SimulatorError(msg)
    return about


def train(
    card: Card,
    folder: str | Path,
    on_progress: OnProgress | None = None,
    *,
    replace: bool = False,
    on_note: Callable[[str], None] | None = None,
) -> TrainedSimulator:
    """Train the model of a card and write the simulator to a folder.

    Until it is finished the work lies in ``folder`` + ``.part``; the same call goes on from the
    last checkpoint there.

    Args:
        card: the run card.
        folder: where the simulator appears when training has ended.
        on_progress: called after every step with (step, steps, best evaluation so far).
        replace: the new simulator takes the place of one that is there, once it is trained.
        on_note: called, before training, with what is decided by the sample, line by line.

    Raises:
        SimulacraError: the card, the events or an earlier checkpoint cannot be used.
    """
    folder = Path(folder)
    if folder.exists() and not replace:
        msg = f"{folder} is there already; remove it or choose another output"
        raise SimulatorError(msg)
    detector = load_detector(card.detector)
    events, selection = training_events(card, detector)
    card, notes = _decided(card, events)
    for note in (*_particle_notes(events), *notes):
        if on_note is not None:
            on_note(note)
    with workplace(part_of(folder), CHECKPOINT, METRICS, *FILES) as part:
        return _train(card, events, selection, part, folder, on_progress)


def _train(
    card: Card,
    events: Events,
    selection: Events,
    part: Path,
    folder: Path,
    on_progress: OnProgress | None,
) -> TrainedSimulator:
    """Train in the folder ``part`` and publish the simulator as ``folder``."""
    trained = fit(card, events, selection, part, on_progress)
    about = {
        "selected_step": trained.step,
        "selection_score": trained.score,
        "selection_floor": trained.floor,
        "particles": sorted(map(particle_name, events.particles)),
        **_own_ranges(events),
        "train_events": len(events),
        "train_sha256": fingerprint(events),
        "selection_sha256": fingerprint(selection),
    }
    simulator = TrainedSimulator(
        trained.surrogate.eval(), card, _ranges(events), about, trained.history
    )
    simulator._write(part)
    for leftover in part.iterdir():
        if leftover.name not in FILES:
            leftover.unlink()
    publish_folder(part, folder)
    return simulator


def _decided(card: Card, events: Events) -> tuple[Card, tuple[str, ...]]:
    """Return the card with what it leaves to the sample, and notes on that."""
    find_model(card.model_kind).check(events.detector)
    events.check()
    model, notes = decide(card.model, events)
    return card.model_copy(update={"model": model}), notes


def _ranges(events: Events) -> dict[str, tuple[float, float]]:
    return {
        name: (float(events.conditions[name].min()), float(events.conditions[name].max()))
        for name, spec in events.detector.conditions.items()
        if spec.role in ("log", "linear", "cyclic")
    }


def _own_ranges(events: Events) -> dict[str, dict[str, list[float]]]:
    """Return the ranges that particles have of their own, where one has less than all have.

    Ends that are nearer than a part of the whole range are taken as the same: drawn values.
    """
    if PDG not in events.detector.conditions:
        return {}
    scale, pdg = np.log(events.conditions[events.detector.scale]), events.conditions[PDG]
    low, high = scale.min(), scale.max()
    near, own = SAME_END * (high - low), {}
    for particle in events.particles:
        mine = scale[pdg == particle]
        first, last = mine.min(), mine.max()
        if first > low + near or last < high - near:
            ends = (first if first > low + near else low, last if last < high - near else high)
            own[particle_name(particle)] = [float(np.exp(end)) for end in ends]
    return {OWN_RANGES: own} if own else {}


def _particle_notes(events: Events) -> tuple[str, ...]:
    """Return a note on the particles that a condition tells apart."""
    if PDG not in events.detector.conditions:
        return ()
    told = f"particles: {names_of(events.particles)}, told apart by the condition {PDG}"
    return (told, *_narrower(events))


def _narrower(events: Events) -> Iterator[str]:
    """Yield which particles lack a part of a condition: only the scale has ranges of their own."""
    for name, (low, high) in _ranges(events).items():
        spec, near = events.detector.conditions[name], LARGE_GAP * (high - low)
        if name == events.detector.scale or spec.role == "cyclic":
            continue
        for pdg in events.particles:
            mine = events.conditions[name][events.conditions[PDG] == pdg]
            if mine.min() > low + near or mine.max() < high - near:
                ends = f"{mine.min():.4g} to {mine.max():.4g} {spec.unit}".rstrip()
                yield f"{particle_name(pdg)} has {name} from {ends} only; elsewhere it is a guess"
