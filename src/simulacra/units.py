"""Quantities with units in cards and on the command line; in memory MeV, mm, ns, tesla and rad."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import Annotated

import hepunits
from pydantic import BeforeValidator

GEV: float = hepunits.GeV
"""In MeV."""
_SCALES: dict[str, dict[str, float]] = {
    "energy": {
        "eV": hepunits.eV,
        "keV": hepunits.keV,
        "MeV": hepunits.MeV,
        "GeV": hepunits.GeV,
        "TeV": hepunits.TeV,
    },
    "length": {
        "um": hepunits.micrometer,
        "mm": hepunits.millimeter,
        "cm": hepunits.centimeter,
        "m": hepunits.meter,
    },
    "time": {"ns": hepunits.nanosecond, "us": hepunits.microsecond},
    "velocity": {"mm/ns": 1.0, "cm/us": hepunits.centimeter / hepunits.microsecond},
    "diffusion": {"um/sqrt(cm)": hepunits.micrometer / math.sqrt(hepunits.centimeter)},
    "magnetic field": {"T": 1.0},
    "angle": {"rad": 1.0, "mrad": 1e-3, "deg": math.pi / 180},
    "density": {"g/cm3": 1.0, "mg/cm3": 1e-3},
    "saturation": {"mm/MeV": 1.0, "cm/MeV": hepunits.centimeter, "m/GeV": 1.0},
}
_IN_FULL = {
    "electronvolt": "ev",
    "kiloelectronvolt": "kev",
    "megaelectronvolt": "mev",
    "gigaelectronvolt": "gev",
    "teraelectronvolt": "tev",
    "micrometer": "um",
    "micrometre": "um",
    "micron": "um",
    "millimeter": "mm",
    "millimetre": "mm",
    "centimeter": "cm",
    "centimetre": "cm",
    "meter": "m",
    "metre": "m",
    "nanosecond": "ns",
    "microsecond": "us",
    "radian": "rad",
    "milliradian": "mrad",
    "degree": "deg",
    "\N{DEGREE SIGN}": "deg",
    "tesla": "t",
}
"""Units in full, in the singular; their short names in lower case."""
_QUANTITY = re.compile(
    r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z][A-Za-z0-9/()]*)\s*"
)


def parse_quantity(value: object, dimension: str) -> float:
    """Return a quantity in the units used in memory.

    Args:
        value: a number (already in those units) or a text such as ``"65 GeV"`` or ``"5mm"``.
        dimension: ``energy``, ``length``, ``time``, ``velocity``, ``diffusion``,
            ``magnetic field``, ``angle``, ``density`` or ``saturation``.

    Raises:
        ValueError: the text is not a number with a unit of that dimension.

    Example:
        >>> parse_quantity("65 GeV", "energy")
        65000.0
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    scales = _SCALES[dimension]
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in scales:
        msg = f"{value!r} is not a {dimension}; write a number and one of {', '.join(scales)}"
        raise ValueError(msg)
    return float(match[1]) * scales[match[2]]


def find_unit(name: str) -> tuple[str, float] | None:
    """Return the dimension of a unit and its scale in the units used in memory.

    Names are read as files of others have them: in any case, in brackets, in full, and momenta as
    energies (c = 1). ``meV`` and ``Mm`` are other units than ``MeV`` and ``mm``, and not known.

    Example:
        >>> find_unit("[GeV/c]"), find_unit("degrees"), find_unit("furlong")
        (('energy', 1000.0), ('angle', 0.017453292519943295), None)
    """
    text = name.strip().strip("[]()").strip()
    if text in ("meV", "Mm"):
        return None
    text = text.casefold().removesuffix("/c").replace("\N{GREEK SMALL LETTER MU}", "u")
    text = _IN_FULL.get(text.removesuffix("s") if len(text) > 2 else text, text)
    for dimension, scales in _SCALES.items():
        for unit, scale in scales.items():
            if unit.casefold() == text:
                return dimension, scale
    return None


def format_energy(energy: float) -> str:
    """Return an energy in MeV as a label in the unit that reads best.

    Example:
        >>> format_energy(65000.0), format_energy(250.0)
        ('65 GeV', '250 MeV')
    """
    for unit, scale in (("TeV", hepunits.TeV), ("GeV", hepunits.GeV), ("MeV", hepunits.MeV)):
        if energy >= scale:
            return f"{energy / scale:.4g} {unit}"
    return f"{energy / hepunits.keV:.4g} keV"


Energy = Annotated[float, BeforeValidator(partial(parse_quantity, dimension="energy"))]
Length = Annotated[float, BeforeValidator(partial(parse_quantity, dimension="length"))]
Time = Annotated[float, BeforeValidator(partial(parse_quantity, dimension="time"))]
Velocity = Annotated[float, BeforeValidator(partial(parse_quantity, dimension="velocity"))]
Diffusion = Annotated[float, BeforeValidator(partial(parse_quantity, dimension="diffusion"))]
MagneticField = Annotated[
    float, BeforeValidator(partial(parse_quantity, dimension="magnetic field"))
]
Angle = Annotated[float, BeforeValidator(partial(parse_quantity, dimension="angle"))]
Density = Annotated[float, BeforeValidator(partial(parse_quantity, dimension="density"))]
Saturation = Annotated[float, BeforeValidator(partial(parse_quantity, dimension="saturation"))]
