"""An exported file as a fast simulator like any other: conditions in, events out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from simulacra.conditions import Conditions
from simulacra.detectors import Detector, parse_detector
from simulacra.detectors.calorimeter.impacts import IMPACTS, why_offsets
from simulacra.errors import SimulacraError, SimulatorError
from simulacra.files.atomic import whole_file
from simulacra.files.provenance import provenance
from simulacra.models import MODELS
from simulacra.particles import (
    PDG,
    OwnRanges,
    Seen,
    particle_name,
    require_sensible,
)
from simulacra.runtime import SEES_PARTICLE, Runtime
from simulacra.simulators.answers import Block
from simulacra.simulators.facts import common_facts, training_facts
from simulacra.simulators.fast import FastSimulator

WRONG_FORM = (ArithmeticError, AttributeError, TypeError, ValueError)
"""What comes of facts that are not of the expected form."""
OF_THE_EXPORT = ("step", "versions", IMPACTS, SEES_PARTICLE)
"""Facts that generated events state for themselves."""


@dataclass(frozen=True, repr=False)
class ExportedSimulator(FastSimulator):
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
        loaded = cls(Path(path), Runtime.load(path))
        try:
            loaded._require_consistent()
        except (SimulacraError, *WRONG_FORM) as error:
            msg = f"{path}: damaged: {str(error).removeprefix(f'{path}: ')}"
            raise SimulatorError(msg) from None
        if why := why_offsets(loaded.runtime.contract.facts.get(IMPACTS), loaded.detector):
            msg = f"{path}: {why}: simulate, train and export it again"
            raise SimulatorError(msg)
        return loaded

    def _require_consistent(self) -> None:
        """Raise an error where the file's parts do not fit one another."""
        contract, detector = self.runtime.contract, self.detector
        arrays = {name: array.shape for name, array in detector.response_arrays.items()}
        if {output.name: output.shape for output in contract.outputs} != arrays:
            msg = f"its outputs are not those of {detector.name}"
            raise SimulatorError(msg)
        if {column.name for column in contract.columns} != set(detector.conditions):
            msg = f"its conditions are not those of {detector.name}"
            raise SimulatorError(msg)
        if contract.model not in MODELS:
            msg = f"no model {contract.model!r}"
            raise SimulatorError(msg)
        require_sensible(contract.facts)

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
        sees = self.runtime.contract.facts.get(SEES_PARTICLE, True)  # older files do not state it
        return bool(sees) and PDG in self.detector.conditions

    def describe(self) -> dict[str, Any]:
        """Return the facts on model, detector, particles, ranges and training."""
        contract = self.runtime.contract
        made = {"versions": contract.facts.get("versions")}
        return {
            **common_facts(self, contract.model),
            "training": training_facts(contract.facts) | made,
        }

    def blocks(self, conditions: Conditions, seed: int) -> Iterator[Block]:
        """Yield response arrays block by block, all rows of the conditions in the end."""
        return self.runtime.blocks(conditions.columns, seed, extrapolate=True)  # as was checked

    def model_alone(self, conditions: Conditions) -> Callable[[], object]:
        """Return a call of the graph alone, on arrays that are at hand."""
        contract = self.runtime.contract
        rows = conditions.matrix([column.name for column in contract.columns])
        shape = (len(rows), *contract.noise)
        noise = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        return lambda: self.runtime.run(rows, noise)

    def facts(self, seed: int) -> Mapping[str, Any]:
        """Return the provenance of generated events."""
        contract = self.runtime.contract
        own = {"model": contract.model, "seed": seed, "runtime": "onnxruntime"}
        kept = {k: v for k, v in contract.facts.items() if k not in OF_THE_EXPORT}
        return provenance("generate", **(kept | own))

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

    def save(self, path: Path) -> None:
        """Write the file again, which appears whole or not at all."""
        with whole_file(path) as part:
            part.write_bytes(self.path.read_bytes())
