"""Fast simulators of any kind: what follows from their answers, ranges and particles."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simulacra.arrays import BoolArray
from simulacra.columns import outside_training
from simulacra.conditions import Conditions, conditions_at
from simulacra.detectors import Detector
from simulacra.events import Events
from simulacra.faces.text import Described
from simulacra.particles import PDG, OwnRanges, Seen, require_served
from simulacra.simulators.answers import Answers, Block
from simulacra.simulators.extrapolation import require_near
from simulacra.simulators.facts import common_facts
from simulacra.simulators.requests import asked_particles
from simulacra.statistics.series import series


class FastSimulator(Described):
    """A :class:`~simulacra.simulators.protocol.Simulator` that gives its response in blocks.

    A subclass has ``detector``, ``particles``, ``chooses_particle`` and ``ranges``, and the two
    methods :meth:`blocks` and :meth:`facts`; it may have ``own_ranges`` and ``seen``.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def detector(self) -> Detector:
        """The detector whose response it gives."""

    @property
    @abstractmethod
    def particles(self) -> tuple[str, ...]:
        """The names of the particles that it serves; empty where they are not recorded."""

    @property
    @abstractmethod
    def chooses_particle(self) -> bool:
        """Whether the response depends on the condition ``pdg``."""

    if TYPE_CHECKING:  # where it is a dataclass's field, a property here would be its default

        @property
        def ranges(self) -> Mapping[str, tuple[float, float]]:
            """Lowest and highest value of each numerical condition that it is made for."""

    @property
    def own_ranges(self) -> OwnRanges:
        """Ranges, by PDG id and condition, of particles that have less than all of them."""
        return {}

    @property
    def seen(self) -> Seen:
        """Values of categorical conditions that it is made for, where not all that there are."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return the facts on the simulator: its class, detector, particles and ranges."""
        return common_facts(self, type(self).__name__)

    @abstractmethod
    def blocks(self, conditions: Conditions, seed: int) -> Iterable[Block]:
        """Yield response arrays block by block, all rows of the conditions in the end.

        Args:
            conditions: at most a series of :mod:`simulacra.statistics.series`.
            seed: the source of its random numbers.
        """

    def model_alone(self, conditions: Conditions) -> Callable[[], object]:
        """Return a call of the model alone, its inputs at hand: what a benchmark times."""
        return lambda: list(self.blocks(conditions, 0))

    @abstractmethod
    def facts(self, seed: int) -> Mapping[str, Any]:
        """Return the provenance of generated events."""

    def simulate(self, conditions: Conditions, seed: int, *, extrapolate: bool = False) -> Events:
        """Return one event for each row of conditions; equal seeds give equal events.

        Args:
            conditions: one row an event.
            seed: the source of all random numbers.
            extrapolate: simulate conditions far outside the ranges, too.

        Raises:
            EventsError: a condition is missing or not sensible.
            SimulatorError: a condition is far outside the ranges, or of a particle that the
                simulator does not serve; or a response is not finite, or negative where it cannot.
        """
        return self._answers(conditions, seed, extrapolate).whole()

    def stream(
        self, conditions: Conditions, seed: int, *, extrapolate: bool = False
    ) -> Iterator[Events]:
        """Yield the events of :meth:`simulate` in pieces, so that few are in memory at once.

        Raises:
            EventsError: a condition is missing or not sensible; before the first piece.
            SimulatorError: as for :meth:`simulate`; for the response, when it comes to it.
        """
        return self._answers(conditions, seed, extrapolate).pieces()

    def generate(
        self,
        energy: str,
        n: int,
        seed: int,
        particle: str | None = None,
        *,
        extrapolate: bool = False,
    ) -> Events:
        """Return ``n`` events of particles at random places of the beam spot.

        Args:
            energy: the spectrum of the detector's scale: ``50GeV``; ``1GeV,2GeV`` is cycled;
                ``1GeV..65GeV`` is log-uniform, ``1GeV-65GeV`` uniform.
            n: number of events.
            seed: the source of conditions and response.
            particle: ``gamma``; ``e-,gamma`` in turn; ``e-:2,gamma:1`` with weights; needed where
                the particle is a condition and the detector does not draw it by itself.
            extrapolate: simulate energies far outside the ranges, too.

        Raises:
            SimulacraError: it does not serve these particles, or does not record which it serves;
                or an energy is far outside.
        """
        mixture = asked_particles(self, particle)
        conditions = conditions_at(self.detector, energy, n, seed, mixture)
        return self.simulate(conditions, seed, extrapolate=extrapolate)

    def outside(self, conditions: Conditions) -> BoolArray:
        """Return which rows lie outside the ranges (n,)."""
        columns, declared = conditions.columns, self.detector.conditions
        known = self.ranges, self.own_ranges, self.seen
        return outside_training(columns, columns.get(PDG), *known, declared)

    def require_near(self, conditions: Conditions) -> None:
        """Refuse conditions far outside the ranges.

        Raises:
            SimulatorError: a row is.
        """
        require_near(self, conditions)

    def _answers(self, conditions: Conditions, seed: int, extrapolate: bool) -> Answers:
        conditions.check(self.detector)
        if not extrapolate:
            self.require_near(conditions)
        if PDG in self.detector.conditions:
            require_served(np.unique(conditions[PDG]).tolist(), self.particles, "the simulator")
        used = Conditions({name: conditions[name] for name in self.detector.conditions})
        return Answers(used, self._series(used, seed), self.detector, self.facts(seed))

    def _series(self, conditions: Conditions, seed: int) -> Iterator[Block]:
        for rows, own in series(len(conditions), seed):
            yield from self.blocks(conditions.take(rows), own)
