"""Conditions: named columns, one row per event, and how they are drawn.

A simulator turns conditions into events; what a column means is declared by the detector.
"""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from simulacra.arrays import Array, BoolArray, Rows, row_index
from simulacra.columns import LARGEST, SMALLEST, check_columns, outside_ranges
from simulacra.detectors import Detector
from simulacra.errors import EventsError, SimulacraError
from simulacra.faces.columns import column_text
from simulacra.faces.text import Described
from simulacra.files.memory import require_room
from simulacra.particles import PDG, ParticleMixture, names_of
from simulacra.units import format_energy, parse_quantity

Default = TypeVar("Default")
Law = Literal["points", "log-uniform", "uniform"]
"""How the values of a spectrum are distributed."""
_SIGNS: dict[Law, str] = {"log-uniform": r"\.\.", "uniform": r"(?<=V)\s*-"}
"""What stands between the ends of a range; a minus elsewhere belongs to a number."""
COPIES = 16
"""Bytes of each number of conditions while they are drawn, about."""
STREAM = 1
"""Of a seed, the stream that conditions are drawn from."""


@dataclass(frozen=True, slots=True, repr=False)
class Conditions(Described):
    """Columns of equal length, in the units that the detector declares (energies in MeV).

    The columns are read as those of a mapping: ``conditions["energy"]``, ``in``, ``keys``,
    ``items``, ``get``, ``dict(conditions)``, and iteration over the names. The length is the number
    of rows, and ``conditions[:100]``, ``conditions[mask]`` and ``conditions[indices]`` are rows, as
    in a pandas ``DataFrame``. Since the length of a ``collections.abc.Mapping`` is the number of
    its keys, this class is none; its attribute ``columns`` is one.

    Example:
        >>> conditions = Conditions({"energy": np.array([1.0, 2.0, 3.0]), "theta": np.zeros(3)})
        >>> len(conditions), list(conditions), conditions[1:]["energy"]
        (3, ['energy', 'theta'], array([2., 3.]))
    """

    columns: Mapping[str, Array]

    def __post_init__(self) -> None:
        columns = {name: np.asarray(column) for name, column in self.columns.items()}
        shapes = {column.shape for column in columns.values()}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            msg = f"conditions must be columns of one length, not of shapes {sorted(shapes)}"
            raise EventsError(msg)
        object.__setattr__(self, "columns", MappingProxyType(columns))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self.columns),)  # worker processes get plain dicts

    @overload
    def __getitem__(self, name: str) -> Array: ...
    @overload
    def __getitem__(self, name: Rows) -> Self: ...
    def __getitem__(self, name: str | Rows) -> Array | Self:
        if not isinstance(name, str):
            return self.take(row_index(name))
        try:
            return self.columns[name]
        except KeyError:
            msg = f"no condition {name!r} among {', '.join(self.columns)}"
            raise EventsError(msg) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def keys(self) -> KeysView[str]:
        """Return the names of the columns."""
        return self.columns.keys()

    def values(self) -> ValuesView[Array]:
        """Return the columns."""
        return self.columns.values()

    def items(self) -> ItemsView[str, Array]:
        """Return the columns with their names."""
        return self.columns.items()

    def get(self, name: str, default: Default | None = None) -> Array | Default | None:
        """Return a column, or the default where there is no such column."""
        return self.columns.get(name, default)

    def describe(self) -> dict[str, Any]:
        """Return the number of rows, and the values of each column without units."""
        texts = {name: column_text(name, column, None) for name, column in self.items()}
        return {"rows": len(self), **texts}

    def take(self, index: slice | Array) -> Self:
        """Return the rows of ``index``: a slice, positions or a Boolean mask."""
        return type(self)({name: column[index] for name, column in self.columns.items()})

    @classmethod
    def concatenate(cls, parts: Sequence[Conditions]) -> Self:
        """Return the rows of all parts, which must have the same columns."""
        if len({frozenset(part.columns) for part in parts}) != 1:
            msg = "only conditions with the same columns can be joined"
            raise EventsError(msg)
        names = parts[0].columns
        return cls({name: np.concatenate([part[name] for part in parts]) for name in names})

    def outside(self, ranges: Mapping[str, tuple[float, float]], detector: Detector) -> BoolArray:
        """Return which rows lie outside the ranges that columns had in training (n,)."""
        return outside_ranges(self.columns, ranges, detector.conditions)

    def matrix(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return the named columns as (rows, columns) float32 in their physical units."""
        return np.stack([self[name].astype(np.float32) for name in names], axis=1)

    def check(self, detector: Detector) -> None:
        """Raise an :class:`EventsError` unless every declared column is there and sensible."""
        check_columns(self.columns, detector.conditions)
        if why := detector.why_impossible(self.columns):
            msg = f"{detector.name}: {why}"
            raise EventsError(msg)


@dataclass(frozen=True, slots=True)
class EnergySpectrum:
    """Values of a detector's scale (MeV): points that are cycled, or a range.

    The scale is the kinetic energy for a calorimeter and the transverse momentum (c = 1) for a TPC.

    Example:
        >>> EnergySpectrum.parse("1GeV,2GeV").draw(3, np.random.default_rng(1))
        array([1000., 2000., 1000.])
    """

    points: tuple[float, ...]
    law: Law = "points"

    def __post_init__(self) -> None:
        if not self.points or min(self.points) <= 0 or not np.all(np.isfinite(self.points)):
            msg = "energies must be positive"
            raise SimulacraError(msg)
        if min(self.points) < float(SMALLEST) or max(self.points) > float(LARGEST):
            msg = f"energies must lie from {SMALLEST:.2g} to {LARGEST:.2g} MeV: beyond that is "
            msg += "beyond single precision"
            raise SimulacraError(msg)
        is_range = len(self.points) == 2 and self.points[0] < self.points[1]
        if self.law != "points" and not is_range:
            msg = "an energy range goes from the lower to the higher energy"
            raise SimulacraError(msg)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the spectrum of ``65GeV``, ``1GeV,2GeV,4GeV`` (cycled) or of a range.

        Energies in ``1GeV..65GeV`` are log-uniform, in ``1GeV-65GeV`` uniform.

        Raises:
            SimulacraError: a number or unit is missing, or an energy is not positive.
        """
        law: Law = next((law for law, sign in _SIGNS.items() if re.search(sign, text)), "points")
        parts = re.split(_SIGNS.get(law, ","), text)
        try:
            points = tuple(parse_quantity(part, "energy") for part in parts)
        except ValueError as error:
            msg = f"energy: {error}"
            raise SimulacraError(msg) from None
        return cls(points, law)

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return ``n`` values in MeV."""
        if self.law == "uniform":
            low, high = self.points
            return rng.uniform(low, high, n)
        if self.law == "log-uniform":
            low, high = np.log(self.points)
            return np.exp(rng.uniform(low, high, n))
        return np.resize(np.asarray(self.points), n)

    @property
    def turns(self) -> int:
        """How many values have their turn one after another; 1 where they are drawn."""
        return len(self.points) if self.law == "points" else 1

    def __str__(self) -> str:
        between = {"points": ",", "log-uniform": "..", "uniform": "-"}[self.law]
        return between.join(format_energy(p).replace(" ", "") for p in self.points)


def draw_conditions(
    detector: Detector,
    energy: EnergySpectrum,
    n: int,
    rng: np.random.Generator,
    particles: ParticleMixture | None = None,
) -> Conditions:
    """Return ``n`` rows of conditions for particles that start in the detector's beam spot.

    Args:
        detector: what the particles meet.
        energy: kinetic energies, or transverse momenta: the detector's scale.
        n: number of particles.
        rng: where all else comes from.
        particles: which ones, where the detector declares the condition ``pdg``; a TPC draws all
            its species where it is None.

    Raises:
        DetectorError: the detector does not say where its particles come from.
        SimulacraError: the particle is a condition, and neither the detector nor ``particles`` say
            which, or it is none of the detector's; or the memory does not hold so many.
    """
    require_room(COPIES * n * (len(detector.conditions) + 1), f"{n} events")
    columns = detector.draw(energy.draw(n, rng), rng)
    if PDG in detector.conditions:
        if particles is not None:
            columns[PDG] = particles.draw(n, energy.turns, rng)
        elif PDG not in columns:
            known = names_of(detector.particles)
            msg = f"which particle? {detector.name} declares {known}: give --particle"
            raise SimulacraError(msg)
        _require_declared(detector, columns[PDG])
    return Conditions(columns)


def _require_declared(detector: Detector, column: Array) -> None:
    others = set(column.tolist()).difference(detector.particles)
    if others:
        msg = f"{detector.name} declares {names_of(detector.particles)}, not {names_of(others)}"
        raise SimulacraError(msg)


def conditions_at(
    detector: Detector, energy: str, n: int, seed: int, particles: ParticleMixture | None = None
) -> Conditions:
    """Return ``n`` rows of conditions for a spectrum written as on the command line.

    Args:
        detector: what the particles hit.
        energy: ``50GeV``; ``1GeV,2GeV`` is cycled; ``1GeV..65GeV`` is log-uniform,
            ``1GeV-65GeV`` uniform.
        n: number of particles.
        seed: where all columns come from, by a stream of their own: exported simulators draw noise
            from the seed itself.
        particles: which ones, where the detector declares the condition ``pdg``.

    Raises:
        SimulacraError: the energy makes no sense, or the detector is not one for such particles.
    """
    rng = np.random.default_rng([seed, STREAM])
    return draw_conditions(detector, EnergySpectrum.parse(energy), n, rng, particles)
