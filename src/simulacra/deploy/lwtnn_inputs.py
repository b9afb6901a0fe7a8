"""What the C++ side hands to an LWTNN graph, and how that becomes the network's features.

LWTNN encodes an input as (x + offset) scale, so any standardisation that the other side already
did is undone and ours done in one step. ATLAS hands over the logarithm of the energy; for a network
that takes the energy itself, its exponential is the first layer.

References:
    ATLAS's contract: DNNCaloSimSvc of the ATLAS software (Athena), its scalings ``GANv0``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from simulacra.detectors import Calorimeter, Detector
from simulacra.transforms import ConditionEncoder

LOG_ENERGY = (9.70406053, 1.76099569)
"""Mean and width that ATLAS takes off and divides by: of ln(E / MeV), …"""
IMPACT_ETA = (3.47603256e-05, 0.00722316)
"""… of the impact in η relative to the middle cell's centre, …"""
IMPACT_PHI = (-5.42153684e-05, 0.00708241)
"""… and of that in φ, rad."""
MIDDLE_CELL = (0.025, math.pi / 128)
"""Size of ATLAS's middle cells in η and φ."""
ATLAS_CELLS = 266
HEADROOM = 100.0
"""Energies up to this many widths of the encoder are exponentials of what ATLAS hands over."""


@runtime_checkable
class OwnNoise(Protocol):
    """A dense model whose chain takes other noise than standard normal.

    Attributes:
        chain_noise: which, in words.
    """

    chain_noise: str

    def own_noise(self, noise: Tensor) -> Tensor:
        """Return it for standard normal noise (n, latent), same shape."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One number that is handed over, and the feature that it becomes.

    Attributes:
        name: what the other side calls it.
        feature: its place among the encoded conditions, or in the noise.
        offset, scale: feature = (number + offset) scale.
    """

    name: str
    feature: int
    offset: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class InputNode:
    """One group of numbers that are handed over together.

    Attributes:
        name: what the other side calls it.
        variables: the numbers.
        exponential: (factor, shift) where the feature is factor exp(x) + shift of the encoded x,
            which must not be positive.
    """

    name: str
    variables: tuple[Variable, ...]
    exponential: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the entry in the graph's ``inputs``."""
        return {
            "name": self.name,
            "variables": [
                {"name": v.name, "offset": v.offset, "scale": v.scale} for v in self.variables
            ],
        }


def noise_node(latent: int) -> InputNode:
    """Return the standard normal noise: ``Z``, its variables numbered from 0."""
    return InputNode("Z", tuple(Variable(str(i), i) for i in range(latent)))


def atlas_read_out(detector: Detector) -> Calorimeter | None:
    """Return the detector if it is read out as ATLAS's fast simulation expects it, else None."""
    return ATLAS_READ_OUTS.get(detector.kind, lambda _: None)(detector)


def _as_atlas(detector: Calorimeter) -> Calorimeter | None:
    expected = (
        detector.n_cells == ATLAS_CELLS
        and detector.alignment_states == (2, 4)
        and list(detector.conditions)
        == ["energy", "impact_eta", "impact_phi", "alignment_eta", "alignment_phi"]
    )
    return detector if expected else None


ATLAS_READ_OUTS: Mapping[str, Callable[[Any], Calorimeter | None]] = MappingProxyType(
    {"calorimeter": _as_atlas}
)
"""The check of each kind of detector that may be read out as ATLAS's calorimeter."""


def atlas_nodes(encoder: ConditionEncoder, detector: Calorimeter) -> list[InputNode]:
    """Return ATLAS's input nodes.

    ``econfig`` is (iη + 1) mod 2 and ``pconfig`` iφ mod 4 of the middle cell, where iη and iφ count
    from 0; ours are the middle cell's place within its back cell and its strip.
    """
    assert detector.reference_cell is not None
    sizes = [mm / own for mm, own in zip(detector.reference_cell, MIDDLE_CELL, strict=True)]
    eta, phi = (
        _rescaled(encoder, f"impact_{axis}", str(i), mean * size, width * size)
        for i, (axis, (mean, width), size) in enumerate(
            zip(detector.axes, (IMPACT_ETA, IMPACT_PHI), sizes, strict=True)
        )
    )
    place_eta, place_phi = (encoder.slices[f"alignment_{axis}"].start for axis in detector.axes)
    return [
        _atlas_energy(encoder),
        InputNode("ripos", (eta, phi)),
        InputNode("econfig", tuple(Variable(str(i), place_eta + (i + 1) % 2) for i in range(2))),
        InputNode("pconfig", tuple(Variable(str(i), place_phi + i) for i in range(4))),
    ]


def _atlas_energy(encoder: ConditionEncoder) -> InputNode:
    """Return the node of the energy, for networks that take its logarithm or itself."""
    if encoder.specs["energy"].role == "log":
        return InputNode("E_true", (_rescaled(encoder, "energy", "0", *LOG_ENERGY),))
    column = encoder.names.index("energy")
    offset, scale = float(encoder.offset[column]), float(encoder.scale[column])
    highest = abs(offset) + HEADROOM / scale
    mean, width = LOG_ENERGY
    log_ratio = Variable(
        "0", encoder.slices["energy"].start, (mean - math.log(highest)) / width, width
    )
    return InputNode("E_true", (log_ratio,), (highest * scale, -offset * scale))


def plain_nodes(encoder: ConditionEncoder) -> list[InputNode]:
    """Return one input node for each condition, in physical units.

    Its variables: ``log`` (the natural logarithm, which LWTNN cannot take) or ``value``; ``cos``
    and ``sin`` of an angle; for categories, 1 under the name of the one that it is and 0 under the
    others.
    """
    return [InputNode(name, tuple(_plain(encoder, name))) for name in encoder.names]


def _plain(encoder: ConditionEncoder, name: str) -> Sequence[Variable]:
    spec, place = encoder.specs[name], encoder.slices[name].start
    if spec.categories is not None:
        return [Variable(str(value), place + i) for i, value in enumerate(spec.categories)]
    if spec.role == "cyclic":
        return [Variable("cos", place), Variable("sin", place + 1)]
    return [_rescaled(encoder, name, "log" if spec.role == "log" else "value", 0.0, 1.0)]


def _rescaled(
    encoder: ConditionEncoder, condition: str, name: str, mean: float, width: float
) -> Variable:
    """Return a variable whose condition (or its logarithm) is number * width + mean."""
    column = encoder.names.index(condition)
    offset, scale = float(encoder.offset[column]), float(encoder.scale[column])
    return Variable(name, encoder.slices[condition].start, (mean - offset) / width, width * scale)
