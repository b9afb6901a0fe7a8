"""What files of others have in common: calorimeter showers, an energy, and little else."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

import h5py

from simulacra.arrays import Array
from simulacra.conditions import Conditions
from simulacra.detectors import Calorimeter, Detector, load_detector, parse_detector
from simulacra.errors import EventsError, SimulacraError
from simulacra.events import Events, require_same_detector
from simulacra.io.datasets import read_column, unit_in
from simulacra.io.plausibility import require_stated_unit
from simulacra.io.stated_units import factor_to

ENERGY = "energy"


def require_calorimeter(detector: Detector | None, kind: str) -> Calorimeter:
    """Return the detector, which must be a calorimeter.

    Raises:
        EventsError: it is of another kind, or not known.
    """
    if detector is None:
        msg = "the file does not say which detector it is of; name it (--detector)"
        raise EventsError(msg)
    if not isinstance(detector, Calorimeter):
        msg = f"{kind} files hold showers of calorimeters; {detector.name} is a {detector.kind}"
        raise EventsError(msg)
    return detector


def named_or(detector: Detector | None, name: str, kind: str) -> Calorimeter:
    """Return the detector that was given, else the shipped one that the format was made for."""
    return require_calorimeter(load_detector(name) if detector is None else detector, kind)


def carried_detector(text: str | None, expected: Detector | None) -> Detector:
    """Return the expected detector, or else the one that a file carries as YAML.

    The two must build and read out the same; the expected one's production cut and thresholds hold,
    and the particles that the file's events say.

    Raises:
        EventsError: there is neither, the text is no detector, or it is another detector.
    """
    if text is None and expected is None:
        msg = "the file does not say which detector it is of; name it (--detector)"
        raise EventsError(msg)
    if text is None:
        assert expected is not None
        return expected
    try:
        detector = parse_detector(text, "the file's detector")
    except SimulacraError as error:
        raise EventsError(str(error)) from None
    if expected is None:
        return detector
    require_same_detector(expected, detector)
    return expected.with_particles(detector.particles) if detector.particles else expected


def require_shape(name: str, array: Array, shape: tuple[int, ...], detector: Detector) -> None:
    """Raise an :class:`EventsError` unless each event of the array has this shape."""
    if array.shape[1:] != shape:
        msg = (
            f"{name} has {array.shape[1:]} values an event, detector {detector.name} reads out "
            f"{shape}: a file of another detector, or other axes?"
        )
        raise EventsError(msg)


def require_conditions(detector: Detector, columns: dict[str, Array]) -> None:
    """Raise an :class:`EventsError` unless every condition of the detector is there."""
    missing = [name for name in detector.conditions if name not in columns]
    if missing:
        msg = f"the conditions {', '.join(missing)} of detector {detector.name} are missing"
        raise EventsError(msg)


def energy_unit(
    file: h5py.File, names: Sequence[str], given: str | None, documented: str = "MeV"
) -> str:
    """Return the unit of energies in arrays that state none, the incident energy first.

    Args:
        file: the open file.
        names: its arrays of energies: the incident one, then those of the cells.
        given: what the user says of them.
        documented: what the format says of them.

    Raises:
        EventsError: an array states another unit than is given; or nothing states one and the
            incident energies could as well be in another.
    """
    stated = {name: unit for name in names if (unit := unit_in(file, name)) is not None}
    if given is not None:
        for name, unit in stated.items():
            if factor_to("MeV", unit, name) != factor_to("MeV", given, "--unit"):
                msg = f"{name} states the unit {unit}, which --unit {given} contradicts"
                raise EventsError(msg)
        return given
    if not stated:
        require_stated_unit(read_column(file, names[0], "MeV", default=documented))
    return documented


def require_equal_lengths(**columns: Array) -> None:
    """Raise an :class:`EventsError` unless all arrays have one row for each event."""
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{len(column)} in {name}" for name, column in columns.items())
        msg = f"arrays have different numbers of events: {lengths}"
        raise EventsError(msg)


def foreign_events(
    detector: Calorimeter, columns: dict[str, Array], cells: Array, path: Path, kind: str
) -> Events:
    """Return events of conditions (n,) and cells (n, cells) in MeV that a file of others holds."""
    require_equal_lengths(**columns, showers=cells)
    require_conditions(detector, columns)
    facts = {"converted_from": {"format": kind, "file": path.name}}
    return Events(Conditions(columns), {"showers": cells}, detector, facts)


def energy_and_cells(events: Events, kind: str, held: Collection[str] = ()) -> tuple[Array, Array]:
    """Return energies (n,) and cells (n, cells) in MeV for a format that holds little else.

    Args:
        events: what is to be written.
        kind: of the file.
        held: other conditions that it has a place for.

    Warns:
        UserWarning: the events have conditions that are left out.
    """
    require_calorimeter(events.detector, kind)
    others = [name for name in events.conditions.columns if name not in (ENERGY, *held)]
    if others:
        msg = f"{kind} files have no place for {', '.join(others)}: left out"
        warnings.warn(msg, stacklevel=3)
    return events.conditions[ENERGY], events["showers"]
