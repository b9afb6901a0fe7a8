"""GFlash as a simulator: electrons, positrons and photons in any calorimeter of plates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from simulacra.arrays import Array, FloatArray
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter
from simulacra.detectors.base import Frozen
from simulacra.detectors.calorimeter.points import Lines, read_out
from simulacra.errors import SimulatorError
from simulacra.particles import PDG, names_of, particle_name, pdg_id
from simulacra.simulators.answers import Block
from simulacra.simulators.classical.base import (
    ClassicalSimulator,
    Inputs,
    Made,
    beam_ranges,
    sample_ranges,
)
from simulacra.simulators.classical.blocks import streams
from simulacra.simulators.classical.gflash.options import REFERENCE_ENERGY, GFlashOptions
from simulacra.simulators.classical.gflash.showers import (
    Tracks,
    energies,
    fluctuated,
    mean_spots,
    shapes_of,
    spots,
    stochastic_terms,
    tracks_of,
)
from simulacra.simulators.classical.gflash.stack import Steps, steps_of
from simulacra.statistics.blocks import bounded

SERVED = tuple(map(pdg_id, ("e-", "e+", "gamma")))
LOWEST, HIGHEST = 100.0, 1e7
"""Kinetic energies (MeV) of the published formulas, as Geant4 limits them."""
MOST_SPOTS = 200_000
"""Spots in a block of events."""


@dataclass(frozen=True, repr=False)
class GFlash(ClassicalSimulator):
    """Showers from the formulas of GFlash; its constants from the detector's materials."""

    options: GFlashOptions

    kind: ClassVar[str] = "gflash"
    summary: ClassVar[str] = "electromagnetic showers from formulas, as spots"
    reference: ClassVar[str] = "Grindhammer and Peters, hep-ex/0001020"
    Options: ClassVar[type[Frozen]] = GFlashOptions

    @classmethod
    def built(cls, inputs: Inputs, options: Frozen) -> Self:
        """Return the published formulas, or their constants fitted to a sample.

        Raises:
            SimulacraError: it is no calorimeter with matter, a particle is none of e-, e+ and
                gamma, or the composition of a material is not known.
        """
        assert isinstance(options, GFlashOptions)
        if others := [pdg for pdg in inputs.particles if pdg not in SERVED]:
            msg = f"gflash serves {names_of(SERVED)}, not {names_of(others)}"
            raise SimulatorError(msg)
        detector = inputs.detector
        if not isinstance(detector, Calorimeter) or not detector.has_matter:
            msg = f"gflash needs a calorimeter with matter, which {detector.name} is not"
            raise SimulatorError(msg)
        names = tuple(map(particle_name, inputs.particles))
        if inputs.sample is None:
            anywhere = {"energy": (LOWEST, HIGHEST), **beam_ranges(detector)}
            return cls(Made(detector, names, anywhere), options)
        from simulacra.simulators.classical.gflash.tuning import tuned

        ranges, about = sample_ranges(inputs.sample)
        untuned = cls(Made(detector, names, ranges, about), options)
        found = tuned(untuned, inputs)
        return cls(found.made, found.options)

    def check(self) -> None:
        """Raise a :class:`SimulatorError` where detector or options do not fit."""
        read = {section.name for section in self.calorimeter.readout_sections}
        if unknown := set(self.options.response) - read:
            msg = f"response: {self.detector.name} reads out no section {min(unknown)!r}"
            raise SimulatorError(msg)

    def with_options(self, changes: Mapping[str, Any]) -> Self:
        """Return the simulator with other values of some options, and the same steps."""
        other = replace(self, options=self.options.model_copy(update=dict(changes)))
        vars(other)["steps"] = self.steps  # of the detector alone
        return other

    @cached_property
    def steps(self) -> Steps:
        """The stack."""
        return steps_of(self.calorimeter)

    @cached_property
    def visible(self) -> FloatArray:
        """Visible part of the energy of each step, before the cells' sampling fraction (s,)."""
        factors = [
            self.options.response.get(section.name, 1.0) for section in self.calorimeter.stack
        ]
        visible: FloatArray = self.steps.visible * np.array(factors)[self.steps.section]
        return visible

    def blocks(self, conditions: Conditions, seed: int) -> Iterator[Block]:
        """Yield response arrays block by block, all rows of the conditions in the end."""
        costs = self._costs(conditions)
        for number, rows in enumerate(bounded(costs, MOST_SPOTS)):
            yield {"showers": self._block(conditions.take(rows), seed, number)}

    def _costs(self, conditions: Conditions) -> FloatArray:
        """Return how many spots each event has, about (n,)."""
        energy = conditions["energy"].astype(np.float64)
        n = np.arange(len(energy))
        alone = Tracks(n, energy, np.zeros(len(energy)), np.ones(len(energy)))
        return mean_spots(alone, self.steps, self.options) + len(self.steps)

    def _block(self, conditions: Conditions, seed: int, number: int) -> Array:
        beam, uniform, normal, sampling, places = streams(seed, number, 5)
        lines = self.lines(conditions, beam)
        tracks = self.tracks(conditions, lines, uniform.random((len(conditions), 2)))
        shapes = shapes_of(
            tracks, self.steps, self.options, normal.standard_normal((len(tracks), 2)).T
        )
        deposited = energies(tracks, shapes, self.steps)
        deposited = fluctuated(deposited, stochastic_terms(self.steps, self.options), sampling)
        power = (conditions["energy"].astype(np.float64) / REFERENCE_ENERGY) ** self.options.slope
        seen = deposited * self.visible * power[tracks.event, None]
        points = spots(tracks, shapes, seen, lines, self.steps, self.options, places)
        return read_out(self.calorimeter, lines, points)

    def lines(self, conditions: Conditions, rng: np.random.Generator) -> Lines:
        """Return the lines of particles; where conditions do not say it, anywhere in the beam."""
        return Lines.of(self.calorimeter, conditions.columns, rng)

    def tracks(self, conditions: Conditions, lines: Lines, u: FloatArray) -> Tracks:
        """Return the electrons of events, from uniform numbers (n, 2)."""
        alone = np.full(len(conditions), pdg_id(self.particles[0]))
        pdg = conditions.columns.get(PDG, alone).astype(np.int64)
        energy = conditions["energy"].astype(np.float64)
        return tracks_of(energy, pdg, lines.direction[:, 2], u)
