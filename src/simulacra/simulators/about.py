"""The description of a simulator's folder: ranges, facts, and the digests of its other files."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulacra.detectors import Detector
from simulacra.detectors.calorimeter.impacts import IMPACTS, why_offsets
from simulacra.errors import SimulacraError, SimulatorError
from simulacra.files.atomic import whole_file
from simulacra.files.digests import PLACEHOLDER, require_intact, seal
from simulacra.files.simulator_files import ABOUT
from simulacra.files.small_files import parse_object, read_small
from simulacra.particles import require_sensible

OF_AN_ANSWER = {"step", "versions", "model", "seed", "device"}
"""What the provenance of generated events says beside the facts on the simulator."""
_WRONG_TYPES = (
    ArithmeticError, AttributeError, KeyError, TypeError, ValueError, RecursionError,
)  # fmt: skip
"""What comes of JSON that is not of the expected form."""


def write_about(folder: Path, content: Mapping[str, Any], digested: Sequence[str]) -> None:
    """Write a folder's description with the digests of files that are there."""
    about = {**content, "sha256": {n: _digest(folder / n) for n in digested}, "seal": PLACEHOLDER}
    text = json.dumps(about, indent=2, sort_keys=True) + "\n"
    with whole_file(folder / ABOUT) as path:
        path.write_bytes(seal(text.encode()))


def format_of(folder: Path) -> str | None:
    """Return the format that a folder's description names; None where there is none to read."""
    try:
        return str(parse_object(read_small(folder / ABOUT, SimulatorError))["format"])
    except (OSError, SimulacraError, *_WRONG_TYPES):
        return None


def read_about(folder: Path, version: int, digested: Sequence[str]) -> dict[str, Any]:
    """Return a folder's description.

    Args:
        folder: the folder, in which the description is.
        version: of the format that is read.
        digested: files whose digests must agree.

    Raises:
        SimulatorError: it is damaged, of another version, or a file is missing or was changed.
    """
    path = folder / ABOUT
    try:
        content = read_small(path, SimulatorError)
        require_intact(content)
        about = parse_object(content)
        found, digests = about["format_version"], dict(about["sha256"])
        about["ranges"] = {
            name: (float(low), float(high)) for name, (low, high) in about["ranges"].items()
        }
        about["about"] = dict(about["about"])
        require_sensible(about["about"])
        if own := OF_AN_ANSWER & set(about["about"]):
            msg = f"{min(own)!r} is said by what it answers, not by the simulator"
            raise SimulatorError(msg)
        for name, (low, high) in about["ranges"].items():
            if not -math.inf < low <= high < math.inf:
                msg = f"{name} has no range from {low:g} to {high:g}"
                raise SimulatorError(msg)
    except (*_WRONG_TYPES, SimulacraError) as error:
        msg = f"{path}: damaged: {error}"
        raise SimulatorError(msg) from None
    if found != version:
        msg = f"{folder}: format {found}, this version reads {version}"
        raise SimulatorError(msg)
    for name in digested:
        file = folder / name
        if not file.is_file() or _digest(file) != digests.get(name):
            msg = f"{file} is missing or was changed: its digest is not the one in {ABOUT}"
            raise SimulatorError(msg)
    return about


def require_of_detector(folder: Path, about: Mapping[str, Any], detector: Detector) -> None:
    """Raise a :class:`SimulatorError` where ranges or impacts are not those of the detector."""
    if why := why_offsets(about.get(IMPACTS), detector):
        msg = f"{folder}: {why}: simulate and train it again"
        raise SimulatorError(msg)
    if unknown := set(about["ranges"]) - set(detector.conditions):
        msg = f"{folder}: a range of {min(unknown)!r}, which is no condition of {detector.name}"
        raise SimulatorError(msg)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
