"""An exported file as a fast simulator like any other: conditions in, events out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from simulacra.arrays import BoolArray
from simulacra.conditions import Conditions
from simulacra.detectors import Detector, parse_detector
from simulacra.detectors.calorimeter.impacts import IMPACTS, why_offsets
from simulacra.errors import SimulatorError
from simulacra.events import Events
from simulacra.faces.text import Described
from simulacra.files.atomic import whole_file
from simulacra.files.provenance import provenance
from simulacra.models import find_model
from simulacra.particles import PDG, OwnRanges, Seen, particle_name
from simulacra.runtime import Runtime
from simulacra.simulators.answers import Answers
from simulacra.simulators.extrapolation import require_near
from simulacra.simulators.facts import common_facts, training_facts

SUFFIX = ".onnx"


@dataclass(frozen=True, repr=False)
class ExportedSimulator(Described):
    """A simulator in one file, at work without torch.

    Attributes:
        path: the file.
        runtime: what answers.
    """

    path: Path
    runtime: Runtime

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an exported file.

        Raises:
            MissingDependencyError: ONNX Runtime is not installed.
            SimulatorError: there is no such file, it is damaged, not one of ours, or its impacts
                were offsets and are positions now.
        """
        simulator = cls(Path(path), Runtime.load(path))
        said = simulator.runtime.contract.facts.get(IMPACTS)
        if why := why_offsets(said, simulator.detector):
            msg = f"{path}: {why}: simulate, train and export it again"
            raise SimulatorError(msg)
        return simulator

    @cached_property
    def detector(self) -> Detector:
        """The detector whose response it gives."""
        return parse_detector(self.runtime.contract.detector_yaml, str(self.path))

    @property
    def particles(self) -> tuple[str, ...]:
        """The names of the particles that it was trained on; empty where it does not say."""
        learned = tuple(self.runtime.contract.facts.get("particles", ()))
        return learned or tuple(map(particle_name, self.detector.particles))

    @property
    def chooses_particle(self) -> bool:
        """Whether it gives the response of the particle that the condition ``pdg`` says."""
        sees = find_model(self.runtime.contract.model).tells_particles_apart()
        return sees and PDG in self.detector.conditions

    def describe(self) -> dict[str, Any]:
        """Return the facts on model, detector, particles, ranges and training."""
        contract = self.runtime.contract
        made = {"versions": contract.facts.get("versions")}
        return {
            **common_facts(self, contract.model),
            "training": training_facts(contract.facts) | made,
        }

    def simulate(self, conditions: Conditions, seed: int, *, extrapolate: bool = False) -> Events:
        """Return one event for each row of conditions; equal seeds give equal bytes.

        Raises:
            EventsError: a condition is missing or not sensible.
            SimulatorError: a condition is far outside the training and ``extrapolate`` is not set;
                or an answer is not finite, or negative where there is no sign.
        """
        return self._answers(conditions, seed, extrapolate).whole()

    def stream(
        self, conditions: Conditions, seed: int, *, extrapolate: bool = False
    ) -> Iterator[Events]:
        """Yield the events of :meth:`simulate` in pieces, so that few are in memory at once.

        Raises:
            EventsError: a condition is missing or not sensible.
            SimulatorError: as for :meth:`simulate`; on answers, when it comes to them.
        """
        return self._answers(conditions, seed, extrapolate).pieces()

    def _answers(self, conditions: Conditions, seed: int, extrapolate: bool) -> Answers:
        contract = self.runtime.contract
        conditions.check(self.detector)
        if not extrapolate:
            require_near(self, conditions)
        blocks = self.runtime.blocks(conditions.columns, seed, extrapolate=True)  # as was checked
        used = Conditions({name: conditions[name] for name in self.detector.conditions})
        own = {"model": contract.model, "seed": seed, "runtime": "onnxruntime"}
        facts = {**contract.facts, **own}
        del facts["step"], facts["versions"]  # those of the export
        facts.pop(IMPACTS, None)
        return Answers(used, blocks, self.detector, provenance("generate", **facts))

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest training value of each numerical condition."""
        return self.runtime.contract.ranges

    @property
    def own_ranges(self) -> OwnRanges:
        """Ranges, by PDG id and condition, of particles that had less than all of them."""
        return self.runtime.contract.own_ranges

    @property
    def seen(self) -> Seen:
        """Values of categorical conditions in training, where not all that there are."""
        return self.runtime.contract.seen

    def outside(self, conditions: Conditions) -> BoolArray:
        """Return which rows lie outside the ranges of training (n,)."""
        return self.runtime.outside(conditions.columns)

    def save(self, path: Path) -> None:
        """Write the file again, which appears whole or not at all."""
        with whole_file(path) as part:
            part.write_bytes(self.path.read_bytes())
