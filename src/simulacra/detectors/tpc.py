"""A time-projection chamber as data: gas, field, drift, amplification, electronics and pad rows.

Frame: z along the beam and the magnetic field, z = 0 at the central electrode; electrons drift to
the end plates at ``z = ±drift_length``. A positive particle turns clockwise seen from +z.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from simulacra.arrays import Array, FloatArray
from simulacra.detectors.base import Detector, Frozen, ResponseArray
from simulacra.faces.columns import range_text
from simulacra.units import Density, Diffusion, Energy, Length, MagneticField, Time, Velocity

SPECIES = "pdg"
SCALE = "transverse_momentum"
VERTEX = ("vertex_x", "vertex_y", "vertex_z")
ROLES = {
    SPECIES: "categorical",
    SCALE: "log",
    "pseudorapidity": "linear",
    "phi": "cyclic",
    **dict.fromkeys(VERTEX, "linear"),
}
"""The conditions of a track and their roles: momentum and vertex of the particle."""

Reach = Annotated[int, Field(ge=1)]
PositiveLength = Annotated[Length, Field(gt=0)]


class PadRows(Frozen):
    """Consecutive pad rows of equal pitch (mm) from ``inner_radius`` (mm, the first row's edge).

    A row is a cylinder cut into pads of about ``pad_width``; a point charge induces a Gaussian of
    width ``pad_response`` along it.
    """

    name: str
    rows: int = Field(ge=1, le=10_000)
    inner_radius: PositiveLength
    pitch: PositiveLength
    pad_width: PositiveLength
    pad_response: PositiveLength

    @property
    def text(self) -> str:
        """The rows in words."""
        return (
            f"{self.rows} rows of {self.pitch:g} mm from {self.inner_radius:g} mm, "
            f"pads of {self.pad_width:g} mm"
        )


class TrackBeam(Frozen):
    """Where particles come from: uniform in pseudorapidity and angle, a Gaussian vertex (mm)."""

    pseudorapidity: tuple[float, float]
    vertex_spread: tuple[Length, Length, Length]


class Gas(Frozen):
    """The drift gas between two cylinders: density, volume fractions, ionisation.

    ``energy_per_electron`` is the mean energy for an electron-ion pair; the number of pairs has a
    variance of ``fano`` times its mean. A primary collision leaves ``electrons_per_cluster`` in one
    place on average.
    """

    density: Density
    fractions: dict[str, float]
    inner_radius: PositiveLength
    outer_radius: PositiveLength
    energy_per_electron: Annotated[Energy, Field(gt=0)]
    fano: float = Field(ge=0, lt=1)
    electrons_per_cluster: float = Field(default=1.0, ge=1)


class Cylinder(Frozen):
    """Thin matter in front of the gas, as long as the drift volume; a NIST material."""

    name: str
    material: str
    radius: PositiveLength
    thickness: PositiveLength


class Drift(Frozen):
    """Velocity in mm/ns, diffusion in sqrt(mm) (width over the root of the drift length).

    ``attachment`` is the part of the electrons that is lost in a mm.
    """

    velocity: Annotated[Velocity, Field(gt=0)]
    transverse_diffusion: Annotated[Diffusion, Field(ge=0)]
    longitudinal_diffusion: Annotated[Diffusion, Field(ge=0)]
    attachment: float = Field(default=0.0, ge=0)


class Amplification(Frozen):
    """The pulse of one electron, all pads added: mean height in ADC counts, sigma over mean."""

    adc_per_electron: float = Field(gt=0)
    spread: float = Field(default=1.0, gt=0)


class Electronics(Frozen):
    """Sampling interval and full width at half maximum of a pulse in ns; the rest in ADC counts.

    A sample below ``threshold`` is not read out, one above ``saturation`` reads ``saturation``; a
    cluster needs a sample of at least ``peak`` and reaches ``window`` pads and time bins to either
    side of it.
    """

    sampling: Annotated[Time, Field(gt=0)]
    shaping: Annotated[Time, Field(gt=0)]
    noise: float = Field(ge=0)
    threshold: float = Field(gt=0)
    peak: float = Field(gt=0)
    window: tuple[Reach, Reach]
    saturation: float = Field(gt=0)


class TPC(Detector):
    """A chamber whose response is at most one cluster (x, y, z, q, q_max) per pad row."""

    kind: Literal["tpc"]
    magnetic_field: MagneticField
    drift_length: PositiveLength
    production_cut: PositiveLength
    beam: TrackBeam
    gas: Gas
    cylinders: tuple[Cylinder, ...] = ()
    drift: Drift
    amplification: Amplification
    electronics: Electronics
    pad_rows: tuple[PadRows, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if {name: spec.role for name, spec in self.conditions.items()} != ROLES:
            declared = ", ".join(f"{name} ({role})" for name, role in ROLES.items())
            msg = f"the conditions of a tpc are {declared}"
            raise ValueError(msg)
        edges = [r for c in self.cylinders for r in (c.radius, c.radius + c.thickness)]
        edges += [self.gas.inner_radius]
        for rows in self.pad_rows:
            edges += [rows.inner_radius, rows.inner_radius + rows.rows * rows.pitch]
        edges += [self.gas.outer_radius]
        if np.any(np.diff(edges) < 0):
            msg = "cylinders, gas and pad rows must follow each other from the inside out"
            raise ValueError(msg)
        return self

    @property
    def row_radii(self) -> FloatArray:
        """Radius of each pad row's middle in mm, from the inside out."""
        return np.concatenate(
            [p.inner_radius + p.pitch * (np.arange(p.rows) + 0.5) for p in self.pad_rows]
        )

    @property
    def response_arrays(self) -> dict[str, ResponseArray]:
        """The arrays of an event: ``clusters`` (rows, 5) and ``cluster_mask`` (rows,).

        Rows without a cluster have the mask 0 and five zeros.
        """
        rows = len(self.row_radii)
        return {
            "clusters": ResponseArray((rows, 5), "mm, mm, mm, ADC, ADC", signed=3),
            "cluster_mask": ResponseArray((rows,), ""),
        }

    def without_particles(self) -> Self:
        """Return the chamber itself: the species of a track is always a condition."""
        return self

    @property
    def scale(self) -> str:
        """The transverse momentum at the vertex."""
        return SCALE

    def draw(self, values: FloatArray, rng: np.random.Generator) -> dict[str, Array]:
        """Return conditions of particles of these transverse momenta (n,) in MeV.

        All species are equally frequent.
        """
        n, beam = len(values), self.beam
        species = np.array(self.conditions[SPECIES].categories, np.int32)
        columns: dict[str, Array] = {
            SPECIES: rng.choice(species, n),
            SCALE: values.astype(np.float32),
            "pseudorapidity": rng.uniform(*beam.pseudorapidity, n).astype(np.float32),
            "phi": rng.uniform(-np.pi, np.pi, n).astype(np.float32),
        }
        for name, spread in zip(VERTEX, beam.vertex_spread, strict=True):
            columns[name] = rng.normal(0.0, spread, n).astype(np.float32)
        return columns

    def built_facts(self) -> dict[str, Any]:
        """Return field, gas, pad rows and beam."""
        gas, beam = self.gas, self.beam
        mixture = ", ".join(f"{name} {part:g}" for name, part in gas.fractions.items())
        return {
            "pad rows": {rows.name: rows.text for rows in self.pad_rows},
            "field": f"{self.magnetic_field:g} T",
            "drift": f"{self.drift_length:g} mm to either side",
            "gas": f"{mixture}, from {gas.inner_radius:g} to {gas.outer_radius:g} mm",
            "beam": {
                "pseudorapidity": range_text(*beam.pseudorapidity, ""),
                "vertex": " x ".join(f"{s:g}" for s in beam.vertex_spread) + " mm (Gaussian)",
            },
        }
