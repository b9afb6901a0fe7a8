"""Jets as data: an image around the jet, its constituents, and how events and jets are made.

Energies in memory are in MeV; the pixels of images and the momenta of constituents are in GeV.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulacra.detectors.base import Detector, Frozen, ResponseArray
from simulacra.faces.columns import range_text
from simulacra.units import GEV, Energy

PROCESS, SCALE, MASS = "process", "transverse_momentum", "mass"
ROLES: Mapping[str, str] = MappingProxyType({PROCESS: "categorical", SCALE: "log", MASS: "log"})
"""The conditions of a jet and their roles: its process, and momentum and mass once trimmed."""

Positive = Annotated[float, Field(gt=0)]
PositiveEnergy = Annotated[Energy, Field(gt=0)]
Algorithm = Literal["anti-kt", "kt", "cambridge-aachen"]


class Towers(Frozen):
    """Cells of ``size`` x about ``size`` (pseudorapidity, rad) up to |eta| = ``reach``.

    The size in azimuth is the nearest one of which a whole number makes a turn. A tower holds the
    energy of the particles that fly into it; its momentum is that of a massless particle.
    """

    size: Annotated[float, Field(gt=0, le=1)]
    reach: Annotated[float, Field(gt=0, le=10)]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of towers in pseudorapidity and in azimuth."""
        return round(2 * self.reach / self.size), round(2 * np.pi / self.size)


class JetDefinition(Frozen):
    """How towers become jets: the algorithm and its radius in rapidity and azimuth."""

    algorithm: Algorithm
    radius: Positive


class Trimming(JetDefinition):
    """Subjets with less than ``fraction`` of the jet's momentum are left out (arXiv:0912.1342)."""

    fraction: Annotated[float, Field(ge=0, lt=1)]


class Window(Frozen):
    """Which leading jets are kept, by momentum, mass and |eta| after trimming."""

    transverse_momentum: tuple[PositiveEnergy, PositiveEnergy]
    mass: tuple[PositiveEnergy, PositiveEnergy]
    pseudorapidity: Positive

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for low, high in (self.transverse_momentum, self.mass):
            if low >= high:
                msg = "a window goes from the lower to the higher value"
                raise ValueError(msg)
        return self


class Process(Frozen):
    """A process of Pythia.

    Attributes:
        label: the value of the condition ``process``.
        commands: lines as Pythia reads them.
        hard_momentum: transverse momentum of the hard scattering, from and to; events beyond are
            not generated.
        resonance: PDG id of the particle whose momentum that is, for processes of one resonance,
            for which Pythia has no such limits; None for those of two partons.
    """

    label: int
    commands: tuple[str, ...] = Field(min_length=1)
    hard_momentum: tuple[Energy, Energy]
    resonance: int | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.hard_momentum
        if not 0 <= low < high:  # Pythia takes an upper limit below the lower one for none
            msg = "hard_momentum goes from the lower to the higher value, none negative"
            raise ValueError(msg)
        return self


class Collisions(Frozen):
    """Proton-proton collisions: energy in the centre of mass, Pythia's tune, and processes."""

    energy: PositiveEnergy
    tune: int = Field(ge=0)
    processes: dict[str, Process] = Field(min_length=1)


_NOT_OF_THE_DETECTOR = {
    "energy": True,
    "tune": True,
    "processes": {"__all__": {"commands": True, "hard_momentum": True, "resonance": True}},
}
"""What of the collisions may differ between samples of one detector: tunes can be compared."""


class JetImage(Detector):
    """A jet's image of ``pixels`` x ``pixels`` over +-``half_width`` in eta and phi.

    Attributes:
        pixels, half_width: of the image.
        threshold: MeV; a pixel with less reads zero, as images turned by splines are nowhere empty.
        turning: how an image is turned: its ``towers``, or its pixels by cubic ``spline``. With
            ``none`` its middle is the jet's axis, and it is neither turned nor reflected.
        constituents: how many of a jet's towers are listed; 0: there is no list.
        collisions, towers, jets, trimming, window: how full simulation makes jets; None where
            events come from elsewhere.
    """

    unbuilt: ClassVar[dict[str, Any]] = {"description": True, "collisions": _NOT_OF_THE_DETECTOR}

    kind: Literal["jet-image"]
    pixels: int = Field(ge=1, le=3000)
    half_width: Positive
    threshold: Annotated[Energy, Field(ge=0)] = 0.0
    turning: Literal["towers", "spline", "none"] = "towers"
    constituents: int = Field(default=0, ge=0, le=10_000)
    collisions: Collisions | None = None
    towers: Towers | None = None
    jets: JetDefinition | None = None
    trimming: Trimming | None = None
    window: Window | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        roles = {name: spec.role for name, spec in self.conditions.items()}
        if roles != dict(ROLES):
            declared = ", ".join(f"{name} ({role})" for name, role in ROLES.items())
            msg = f"the conditions of a jet-image are {declared}"
            raise ValueError(msg)
        parts = (self.collisions, self.towers, self.jets, self.trimming, self.window)
        if any(parts) and not all(parts):
            msg = "collisions, towers, jets, trimming and window are given together, or none"
            raise ValueError(msg)
        if self.collisions is not None:
            labels = [process.label for process in self.collisions.processes.values()]
            if sorted(labels) != sorted(self.conditions[PROCESS].categories or ()):
                msg = "each category of the condition process is the label of one process"
                raise ValueError(msg)
        return self

    @property
    def scale(self) -> str:
        """The trimmed jet's transverse momentum."""
        return SCALE

    @property
    def processes(self) -> dict[int, str]:
        """The names of the processes by their labels; the label itself where none is stated."""
        known = {} if self.collisions is None else self.collisions.processes
        names = {process.label: name for name, process in known.items()}
        categories = self.conditions[PROCESS].categories or ()
        return {label: names.get(label, str(label)) for label in categories}

    @property
    def pixel_centres(self) -> NDArray[np.float64]:
        """Centres of the pixels along one axis, in pseudorapidity or rad."""
        edges = np.linspace(-self.half_width, self.half_width, self.pixels + 1)
        centres: NDArray[np.float64] = (edges[1:] + edges[:-1]) / 2
        return centres

    def images_of(self, constituents: NDArray[Any]) -> NDArray[np.float32]:
        """Return images (n, pixels, pixels), GeV, of constituents (n, number, 4), not turned.

        Momenta beyond the image are lost, and pixels below the threshold read zero.
        """
        events, number = constituents.shape[:2]
        event = np.repeat(np.arange(events), number)
        flat = constituents.reshape(events * number, -1).astype(np.float64)
        images = self.filled(event, flat[:, :2], flat[:, 2], events)
        return np.where(images < self.threshold / GEV, 0.0, images).astype(np.float32)

    def filled(
        self, event: NDArray[Any], points: NDArray[Any], momenta: NDArray[Any], events: int
    ) -> NDArray[np.float64]:
        """Return the sum of momenta in each pixel (events, pixels, pixels).

        Args:
            event: which event each momentum is of (n,).
            points: eta and phi about the middle (n, 2); what lies beyond the image is lost.
            momenta: of each point (n,).
            events: how many there are.
        """
        n = self.pixels
        place = np.floor((points / self.half_width + 1) * n / 2).astype(np.int64)
        inside = np.all((place >= 0) & (place < n), axis=1)
        images = np.zeros((events, n, n))
        np.add.at(images, (event[inside], *place[inside].T), momenta[inside])
        return images

    @property
    def response_arrays(self) -> dict[str, ResponseArray]:
        """The arrays of an event: ``images`` (pixels, pixels), ``constituents`` (number, 4).

        The axes of an image are eta and phi. A constituent is eta and phi relative to the jet's
        axis, the transverse momentum, and 1; rows of zeros fill the list.
        """
        arrays = {"images": ResponseArray((self.pixels, self.pixels), "GeV")}
        if self.constituents:
            shape = (self.constituents, 4)
            arrays["constituents"] = ResponseArray(shape, "1, rad, GeV, 1", signed=2)
        return arrays

    def built_facts(self) -> dict[str, Any]:
        """Return the image, and how events and jets are made."""
        size = f"{self.pixels} x {self.pixels}"
        facts: dict[str, Any] = {
            "image": f"{size} pixels to ±{self.half_width:g} in eta and phi",
        }
        if self.collisions is None:
            return facts
        assert self.towers is not None
        assert self.jets is not None
        assert self.trimming is not None
        assert self.window is not None
        window, trimming = self.window, self.trimming
        momentum, mass = (
            range_text(low, high, "MeV") for low, high in (window.transverse_momentum, window.mass)
        )
        return facts | {
            "processes": {
                name: f"{process.label}: {'; '.join(process.commands)}"
                for name, process in self.collisions.processes.items()
            },
            "collisions": f"pp at {self.collisions.energy / GEV:g} GeV, "
            f"tune {self.collisions.tune}",
            "towers": f"{self.towers.size:g} x {self.towers.size:g} to |eta| {self.towers.reach:g}",
            "jets": f"{self.jets.algorithm} {self.jets.radius:g}, trimmed by {trimming.algorithm} "
            f"{trimming.radius:g} at {trimming.fraction:g}",
            "window": f"pT {momentum}, mass {mass}, |eta| to {window.pseudorapidity:g}",
        }
