"""A calorimeter as data: a stack of sections along the beam, some of them read out in cells.

Geometry: z is the depth, the stack starts at z = 0 and is as wide as ``volume`` says; x and y are
called what ``axes`` says. A section is a group of slabs that repeats; a section with ``readout`` is
a layer of cells (or, with ``each``, as many layers as it repeats).

Where an impact lies depends on the cells. Windows lie around the reference cell that is hit: the
impact is then an offset from that cell's centre, and the alignment says how the other layers lie
around it. Everywhere else it is the position in the detector, 0 being the middle of the face.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulacra.arrays import Array, BoolArray, FloatArray, IntArray
from simulacra.detectors.base import Detector, ResponseArray
from simulacra.detectors.calorimeter import facts
from simulacra.detectors.calorimeter.beam import Beam, drawn, limits, varies
from simulacra.detectors.calorimeter.ionisation import minimum_ionisation
from simulacra.detectors.calorimeter.segmentation import CartesianSegmentation, PolarSegmentation
from simulacra.detectors.calorimeter.stack import VACUUM, Box, Material, Section, Tube
from simulacra.errors import DetectorError
from simulacra.particles import PDG
from simulacra.units import Length, Saturation

EDGE = 1e-9
"""How near to a cell's edge an impact still lies on its side of it, mm."""
EVEN_EDGE = 1e-6
"""Part of the face's size by which single precision may miss its edge."""
CELL_EDGE = 1e-4
"""Part of half a cell by which an offset in single precision may miss its edge."""
MOST_REPETITIONS = 100_000
MOST_LAYERS = 10_000
MOST_CELLS = 10_000_000
"""What is built and read out at most: beyond all known calorimeters, within any memory."""
MOST_STATES = 10_000
"""Ways in which the layers can lie around a reference cell."""
LARGEST_CUT = 0.7
"""Production threshold in range (mm) of a stack of thick slabs that states none: Geant4's own."""
LARGEST_THRESHOLD = 1.0
"""Highest threshold of a hit (MeV) that is not stated: CaloChallenge's cut for its dataset 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer of cells in the response.

    Attributes:
        name: the section's name, numbered where each repetition is a layer.
        cells: the layer's place in the flat response.
        shape: number of cells, (x, y) of a Cartesian and (alpha, r) of a polar layer.
        x, y: cell centres in mm, flat, relative to the layer's own centre.
        depth: z of the layer's middle, mm from the front of the stack.
        segmentation: how the layer is cut into cells.
        hit_threshold: energy in MeV above which a cell counts as hit.
    """

    name: str
    cells: slice
    shape: tuple[int, int]
    x: FloatArray
    y: FloatArray
    depth: float
    segmentation: CartesianSegmentation | PolarSegmentation
    hit_threshold: float


class Calorimeter(Detector):
    """A calorimeter whose response is one energy (MeV) per cell, layer after layer.

    Attributes:
        production_cut: Geant4's production threshold in range, mm; None: see :attr:`cut`.
        birks: Birks' factor of sensitive materials, mm/MeV: a step of a charged particle that
            deposits dE in a length dx shows dE / (1 + birks dE/dx).
    """

    kind: Literal["calorimeter"]
    volume: Annotated[Box | Tube, Field(discriminator="kind")]
    axes: tuple[str, str] = ("x", "y")
    materials: dict[str, Material] = Field(default_factory=dict)
    stack: tuple[Section, ...] = Field(min_length=1)
    reference: str | None = None
    beam: Beam = Beam()
    production_cut: Annotated[Length, Field(gt=0)] | None = None
    birks: dict[str, Annotated[Saturation, Field(gt=0)]] = Field(default_factory=dict)

    unbuilt: ClassVar[dict[str, Any]] = {
        "description": True,
        "production_cut": True,
        "stack": {"__all__": {"readout": {"hit_threshold"}}},
    }

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [section.name for section in self.stack]
        if len(set(names)) != len(names):
            msg = "section names must differ"
            raise ValueError(msg)
        if not self.readout_sections:
            msg = "no section has a readout"
            raise ValueError(msg)
        if self.reference is not None and self.reference not in names:
            msg = f"reference {self.reference!r} is not a section"
            raise ValueError(msg)
        self._check_repetitions()
        sensitive = {slab.material for section in self.stack for slab in section.sensitive}
        if unused := sorted(set(self.birks) - sensitive):
            msg = f"birks: no sensitive slab is of {', '.join(unused)}"
            raise ValueError(msg)
        for section in self.readout_sections:
            self._check_segmentation(section)
        self._check_all_in_windows()
        self._check_declared_conditions()
        self._check_beam_hits()
        self._check_window_fits()
        self._check_cells()
        return self

    def _check_repetitions(self) -> None:
        repeats = sum(section.repeat for section in self.stack)
        layers = sum(section.copies for section in self.readout_sections)
        for number, what, most in (
            (repeats, "repetitions of sections", MOST_REPETITIONS),
            (layers, "layers of cells", MOST_LAYERS),
        ):
            if number > most:
                msg = f"{number} {what} are more than the {most} that are supported"
                raise ValueError(msg)

    def _check_cells(self) -> None:
        sections = zip(self.readout_sections, self._window_shapes, strict=True)
        cells = sum(section.copies * math.prod(shape) for section, shape in sections)
        if cells > MOST_CELLS:
            msg = f"{cells} cells are more than the {MOST_CELLS} that are supported"
            raise ValueError(msg)

    def _check_segmentation(self, section: Section) -> None:
        assert section.readout is not None
        segmentation = section.readout.segmentation
        if isinstance(segmentation, CartesianSegmentation):
            if not isinstance(self.volume, Box):
                msg = f"section {section.name}: Cartesian cells need a box"
                raise ValueError(msg)
            segmentation.grid(self.volume.width)
            if segmentation.window is not None and self.reference_cell is None:
                msg = f"section {section.name}: a window needs a 'reference' section of such cells"
                raise ValueError(msg)
        elif segmentation.squares is not None:
            if not isinstance(self.volume, Box):
                msg = f"section {section.name}: squares to be scored need a box"
                raise ValueError(msg)
            segmentation.squares.grid(self.volume.width)
        elif not isinstance(self.volume, Tube) or segmentation.r_edges[-1] > self.volume.radius:
            msg = f"section {section.name}: polar cells need a tube that holds them"
            raise ValueError(msg)

    def _check_all_in_windows(self) -> None:
        """Refuse cells that stand still beside cells in windows: an impact is one or the other."""
        if not self.has_windows:
            return
        for section in self.readout_sections:
            if _stands_still(section) and self.grid(section) != (1, 1):
                msg = (
                    f"section {section.name} has no window, but others have: give it one, or give "
                    "none to any"
                )
                raise ValueError(msg)

    def _check_declared_conditions(self) -> None:
        needed = {"energy": "log"}
        if varies(self.beam.theta):
            needed["theta"] = "linear"
        if varies(self.beam.phi):
            needed["phi"] = "cyclic"
        if self.has_windows:
            needed |= self._conditions_of_windows()
        else:
            needed |= self._conditions_of_places()
        for name, role in needed.items():
            if name not in self.conditions or self.conditions[name].role != role:
                msg = f"conditions must declare {name!r} with role {role!r}"
                raise ValueError(msg)
        if "phi" in self.conditions and limits(self.beam.theta)[0] < 0:
            msg = "with phi, theta is the angle to the depth axis and not negative"
            raise ValueError(msg)

    def _conditions_of_windows(self) -> dict[str, str]:
        needed = {f"impact_{axis}": "linear" for axis in self.axes}
        for axis, states in zip(self.axes, self.alignment_states, strict=True):
            if states > 1:
                needed[f"alignment_{axis}"] = "categorical"
                declared = self.conditions.get(f"alignment_{axis}")
                if declared and declared.categories != tuple(range(states)):
                    msg = f"alignment_{axis} has the categories 0 to {states - 1}"
                    raise ValueError(msg)
        return needed

    def _conditions_of_places(self) -> dict[str, str]:
        needed = {f"impact_{axis}": "linear" for axis in self.declared_axes}
        for axis, law in zip(self.axes, (self.beam.x, self.beam.y), strict=True):
            name = f"alignment_{axis}"
            if name in self.conditions:
                msg = f"{name}: cells without a window stand still; impact_{axis} says all"
                raise ValueError(msg)
            name = f"impact_{axis}"
            if self.stands_still and varies(law) and name not in self.conditions:
                msg = (
                    f"the beam is wider than a point along {axis} and the cells stand still: "
                    f"conditions must declare {name!r} with role 'linear', else where the shower "
                    "is would be lost"
                )
                raise ValueError(msg)
        return needed

    def _check_beam_hits(self) -> None:
        """Refuse a beam that misses the face of cells that stand still."""
        if self.has_windows:
            return
        spot = np.meshgrid(limits(self.beam.x), limits(self.beam.y))
        if not np.all(self.on_face(*spot)):
            msg = "the beam spot goes beyond the face of the stack"
            raise ValueError(msg)

    def _check_window_fits(self) -> None:
        if self.reference_cell is None:
            return
        # the beam's upper edge belongs to the next cell, and rounding must not put it there
        spots = (limits(self.beam.x), limits(self.beam.y))
        x, y = (np.array([low, max(low, high - EDGE)]) for low, high in spots)
        for section, shape in zip(self.readout_sections, self._window_shapes, strict=True):
            grid = self.grid(section)
            for start, count, size in zip(
                self.window_start(section, x, y), shape, grid, strict=True
            ):
                if start.min() < 0 or start.max() + count > size:
                    msg = f"section {section.name}: the window leaves the layer for some impacts"
                    raise ValueError(msg)

    @cached_property
    def readout_sections(self) -> tuple[Section, ...]:
        """The sections that are read out, along the beam."""
        return tuple(section for section in self.stack if section.readout is not None)

    @property
    def has_matter(self) -> bool:
        """Whether there is anything to simulate; a read-out that lies in vacuum has nothing."""
        return any(slab.material != VACUUM for section in self.stack for slab in section.slabs)

    @property
    def depth(self) -> float:
        """Thickness of the whole stack in mm."""
        return sum(section.thickness for section in self.stack)

    @property
    def response_arrays(self) -> dict[str, ResponseArray]:
        """The arrays of an event: ``showers``, one energy per cell."""
        return {"showers": ResponseArray((self.n_cells,), "MeV")}

    def built_facts(self) -> dict[str, Any]:
        """Return cells, layers, matter and beam."""
        return facts.built_facts(self)

    @property
    def n_cells(self) -> int:
        """Number of cells in the response."""
        return sum(math.prod(layer.shape) for layer in self.layers)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of cells in the order of the flat response."""
        layers: list[Layer] = []
        front, start = 0.0, 0
        shapes = iter(self._window_shapes)
        for section in self.stack:
            if section.readout is not None:
                shape, segmentation = next(shapes), section.readout.segmentation
                x, y = _cell_centres(segmentation, shape)
                copies = section.copies
                step, threshold = section.thickness / copies, self.hit_threshold(section)
                for copy in range(copies):
                    name = f"{section.name}_{copy}" if copies > 1 else section.name
                    cells = slice(start, start + math.prod(shape))
                    depth = front + step * (copy + 0.5)
                    layers.append(Layer(name, cells, shape, x, y, depth, segmentation, threshold))
                    start = cells.stop
            front += section.thickness
        return tuple(layers)

    def grid(self, section: Section) -> tuple[int, int]:
        """Return how many cells Geant4 scores in the whole layer: (x, y), or (alpha, r)."""
        assert section.readout is not None
        segmentation = section.readout.segmentation
        if isinstance(segmentation, PolarSegmentation):
            if segmentation.squares is None:
                return segmentation.shape
            segmentation = segmentation.squares
        assert isinstance(self.volume, Box)
        return segmentation.grid(self.volume.width)

    # --- full simulation and hits --------------------------------------------------------------

    @property
    def cut(self) -> float:
        """Geant4's production threshold in range (mm), as stated or for the thinnest slab.

        A threshold above the thickness of a sensitive slab stops electrons in the absorber that
        would reach the slab; where none is stated, it is that thickness and at most 0.7 mm.
        """
        if self.production_cut is not None:
            return self.production_cut
        sensitive = (slab.thickness for section in self.stack for slab in section.sensitive)
        return min(LARGEST_CUT, *sensitive)

    def hit_threshold(self, section: Section) -> float:
        """Return the energy (MeV) above which a cell of a section counts as hit.

        Where the section states none: half of what a minimum-ionising particle leaves in the
        sensitive slabs of one repetition, on the scale of the response, and at most 1 MeV.
        """
        assert section.readout is not None
        if section.readout.hit_threshold is not None:
            return section.readout.hit_threshold
        crossing = minimum_ionisation(section.slabs, self.materials)
        if not crossing:
            return LARGEST_THRESHOLD
        return min(LARGEST_THRESHOLD, crossing / (2 * section.readout.sampling_fraction))

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The threshold of a hit (MeV) of each layer."""
        return tuple(layer.hit_threshold for layer in self.layers)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What full simulation needs, the file does not state and is assumed, one line each."""
        if self.production_cut is not None:
            return self.assumed_thresholds
        line = (
            f"{self.name} states no production_cut: {self.cut:g} mm is used (the thickness of "
            f"the thinnest sensitive slab, at most {LARGEST_CUT:g} mm)"
        )
        return (line, *self.assumed_thresholds)

    @property
    def assumed_thresholds(self) -> tuple[str, ...]:
        """Which thresholds of hits can neither be read nor derived, one line each."""
        found = []
        for section in self.readout_sections:
            assert section.readout is not None
            unknown = minimum_ionisation(section.slabs, self.materials) is None
            if unknown and section.readout.hit_threshold is None:
                found.append(
                    f"section {section.name} states no hit_threshold, and the minimum ionisation "
                    f"of its material is not known: {LARGEST_THRESHOLD:g} MeV is used"
                )
        return tuple(found)

    # --- the window around the impact ---------------------------------------------------------

    @cached_property
    def has_windows(self) -> bool:
        """Whether cells are read out in windows around the cell that is hit."""
        return any(
            isinstance(section.readout.segmentation, CartesianSegmentation)
            and section.readout.segmentation.window is not None
            for section in self.readout_sections
            if section.readout is not None
        )

    @cached_property
    def stands_still(self) -> bool:
        """Whether cells stand still: neither in a window nor around the particle's line."""
        return not self.has_windows and any(map(_stands_still, self.readout_sections))

    @cached_property
    def reference_cell(self) -> tuple[float, float] | None:
        """Size (x, y) in mm of the cells that windows are centred on; None without windows."""
        if not self.has_windows:
            return None
        for section in self.readout_sections:
            if section.name == self.reference and section.readout is not None:
                segmentation = section.readout.segmentation
                if isinstance(segmentation, CartesianSegmentation):
                    return segmentation.cell
        return None

    @cached_property
    def alignment_states(self) -> tuple[int, int]:
        """In how many ways the layers can lie around a reference cell, per axis.

        A layer whose cells are n times as wide as the reference cell repeats every n of them; the
        states are the least common multiple over the layers.
        """
        if self.reference_cell is None:
            return 1, 1
        states = [1, 1]
        for section in self.readout_sections:
            assert section.readout is not None
            segmentation = section.readout.segmentation
            if not isinstance(segmentation, CartesianSegmentation):
                continue
            for axis in range(2):
                ratio = Fraction(segmentation.cell[axis] / self.reference_cell[axis])
                states[axis] = math.lcm(states[axis], ratio.limit_denominator(1000).numerator)
                if states[axis] > MOST_STATES:
                    msg = (
                        f"section {section.name}: its cells and the reference cells repeat after "
                        f"more than {MOST_STATES} cells along {self.axes[axis]}"
                    )
                    raise ValueError(msg)
        return states[0], states[1]

    def reference_index(self, x: FloatArray, y: FloatArray) -> tuple[IntArray, IntArray]:
        """Return the index of the reference cell that a point (mm) lies in, per axis."""
        assert self.reference_cell is not None
        assert isinstance(self.volume, Box)
        index = [
            np.floor((v + width / 2) / cell).astype(np.int64)
            for v, width, cell in zip((x, y), self.volume.width, self.reference_cell, strict=True)
        ]
        return index[0], index[1]

    def reference_centre(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the centre (mm) of the reference cell that a point (mm) lies in, per axis."""
        assert self.reference_cell is not None
        assert isinstance(self.volume, Box)
        column, row = self.reference_index(x, y)
        width, cell = self.volume.width, self.reference_cell
        x_centre = (column.astype(np.float64) + 0.5) * cell[0] - width[0] / 2
        y_centre = (row.astype(np.float64) + 0.5) * cell[1] - width[1] / 2
        return x_centre, y_centre

    def window_start(
        self, section: Section, x: FloatArray, y: FloatArray
    ) -> tuple[IntArray, IntArray]:
        """Return the first cell of the window in a section's grid for impacts (x, y) in mm.

        The window holds the cells whose centre is nearer to the reference cell's centre than the
        section's half width: the rule of ATLAS's fast simulation.
        """
        assert section.readout is not None
        segmentation = section.readout.segmentation
        whole_layer = np.zeros(len(x), np.int64), np.zeros(len(x), np.int64)
        if isinstance(segmentation, PolarSegmentation) or segmentation.window is None:
            return whole_layer
        assert isinstance(self.volume, Box)
        start = [
            np.floor((centre - half + width / 2) / cell - 0.5 + 1e-9).astype(np.int64) + 1
            for centre, half, width, cell in zip(
                self.reference_centre(x, y),
                segmentation.window,
                self.volume.width,
                segmentation.cell,
                strict=True,
            )
        ]
        return start[0], start[1]

    @cached_property
    def _window_shapes(self) -> tuple[tuple[int, int], ...]:
        return tuple(self._window_shape(section) for section in self.readout_sections)

    def _window_shape(self, section: Section) -> tuple[int, int]:
        assert section.readout is not None
        segmentation = section.readout.segmentation
        if isinstance(segmentation, PolarSegmentation):
            return segmentation.shape
        if segmentation.window is None:
            return self.grid(section)
        assert self.reference_cell is not None
        counts = []
        for axis, states in enumerate(self.alignment_states):
            cell, half = segmentation.cell[axis], segmentation.window[axis]
            numbers = set()
            for state in range(states):
                centre = (state + 0.5) * self.reference_cell[axis]
                first = math.floor((centre - half) / cell - 0.5 + 1e-9) + 1
                last = math.ceil((centre + half) / cell - 0.5 - 1e-9) - 1
                numbers.add(last - first + 1)
            if len(numbers) != 1:
                msg = (
                    f"section {section.name}: the window holds {sorted(numbers)} cells along "
                    f"{self.axes[axis]}, depending on the alignment; choose another half width"
                )
                raise ValueError(msg)
            counts.append(numbers.pop())
        return counts[0], counts[1]

    def window_offset(self, layer: Layer, axis: int) -> FloatArray:
        """Return where the window's centre lies relative to the reference cell's centre, in mm.

        Args:
            layer: a layer of this detector.
            axis: 0 for x, 1 for y.

        Returns:
            One offset for each alignment state of that axis.
        """
        states = self.alignment_states[axis]
        segmentation = layer.segmentation
        if isinstance(segmentation, PolarSegmentation) or segmentation.window is None:
            return np.zeros(states)
        assert self.reference_cell is not None
        cell, half = segmentation.cell[axis], segmentation.window[axis]
        centre = (np.arange(states) + 0.5) * self.reference_cell[axis]
        first = np.floor((centre - half) / cell - 0.5 + 1e-9) + 1
        offset: FloatArray = (first + layer.shape[axis] / 2) * cell - centre
        return offset

    # --- conditions and positions --------------------------------------------------------------

    @property
    def scale(self) -> str:
        """The incident kinetic energy."""
        return "energy"

    def draw(self, values: FloatArray, rng: np.random.Generator) -> dict[str, Array]:
        """Return conditions of particles of these energies (n,), MeV, spread over the beam."""
        n, beam = len(values), self.beam
        x, y = drawn(beam.x, n, rng), drawn(beam.y, n, rng)
        columns: dict[str, Array] = {"energy": values.astype(np.float32), **self.locate(x, y)}
        for name, law in (("theta", beam.theta), ("phi", beam.phi)):
            if name in self.conditions:
                columns[name] = drawn(law, n, rng).astype(np.float32)
        return columns

    def directions(self, columns: Mapping[str, NDArray[np.generic]]) -> FloatArray:
        """Return unit vectors (n, 3) of particles with these conditions."""
        n = len(columns["energy"])
        theta, phi = (
            np.asarray(columns.get(name, np.full(n, limits(law)[0])), np.float64)
            for name, law in (("theta", self.beam.theta), ("phi", self.beam.phi))
        )
        aside = np.sin(theta)
        # nothing is added to -0.0, which a negative angle gives without an azimuth
        direction: FloatArray = np.column_stack(
            [aside * np.cos(phi), aside * np.sin(phi) + 0.0, np.cos(theta)]
        )
        return direction

    @property
    def declared_axes(self) -> tuple[str, ...]:
        """The axes along which the conditions say where a particle enters."""
        return tuple(axis for axis in self.axes if f"impact_{axis}" in self.conditions)

    @property
    def decisive_conditions(self) -> tuple[str, ...]:
        """The particle, where there are several; impact and direction among cells that stand still.

        In windows and around the particle's line all showers lie in the middle.
        """
        names = {PDG} if len(self.particles) > 1 else set()
        if self.stands_still:
            names |= {"theta", "phi", *(f"impact_{axis}" for axis in self.axes)}
        return tuple(name for name in self.conditions if name in names)

    @property
    def leaves_places_open(self) -> bool:
        """Whether cells stand still, and the conditions leave out where particles enter."""
        return self.stands_still and len(self.declared_axes) < len(self.axes)

    @property
    def beam_in_middle_cell(self) -> bool:
        """Whether the beam spot lies in the cell of ``reference`` around the middle of the face."""
        for section in self.readout_sections:
            if section.name == self.reference and section.readout is not None:
                cut = section.readout.segmentation
                return isinstance(cut, CartesianSegmentation) and all(
                    count % 2 == 1 and max(map(abs, limits(law))) <= size / 2
                    for count, law, size in zip(
                        self.grid(section), (self.beam.x, self.beam.y), cut.cell, strict=True
                    )
                )
        return False

    def on_face(self, x: FloatArray, y: FloatArray) -> BoolArray:
        """Return which points (mm) lie on the face of the stack, its edge included."""
        if isinstance(self.volume, Tube):
            within: BoolArray = np.hypot(x, y) <= self.volume.radius * (1 + EVEN_EDGE)
            return within
        half_x, half_y = (size / 2 * (1 + EVEN_EDGE) for size in self.volume.width)
        return (np.abs(x) <= half_x) & (np.abs(y) <= half_y)

    def locate(self, x: FloatArray, y: FloatArray) -> dict[str, NDArray[np.generic]]:
        """Return the impact and alignment conditions of particles that hit (x, y), in mm."""
        columns: dict[str, NDArray[np.generic]] = {}
        if not self.has_windows:
            for axis, position in zip(self.axes, (x, y), strict=True):
                if axis in self.declared_axes:
                    columns[f"impact_{axis}"] = position.astype(np.float32)
            return columns
        centres = self.reference_centre(x, y)
        indices = self.reference_index(x, y)
        for axis, position, centre in zip(self.axes, (x, y), centres, strict=True):
            columns[f"impact_{axis}"] = (position - centre).astype(np.float32)
        for axis, index, states in zip(self.axes, indices, self.alignment_states, strict=True):
            if states > 1:
                columns[f"alignment_{axis}"] = (index % states).astype(np.int8)
        return columns

    def place(self, columns: Mapping[str, NDArray[np.generic]]) -> tuple[FloatArray, FloatArray]:
        """Return the point (x, y) in mm that has these conditions: the inverse of :meth:`locate`.

        In windows the alignment repeats across the detector; the point is the one within the period
        around the middle of the beam spot.

        Raises:
            DetectorError: the conditions say nothing of the impact, a column is missing, or an
                impact lies outside the reference cell or the face.
        """
        if len(self.declared_axes) < len(self.axes):
            axis = next(axis for axis in self.axes if axis not in self.declared_axes)
            msg = f"{self.name}: the conditions say nothing of the impact along {axis}"
            raise DetectorError(msg)
        return self.enter(columns, np.random.default_rng(0))

    def enter(
        self, columns: Mapping[str, NDArray[np.generic]], rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Return where (x, y) particles of these conditions enter, in mm.

        Along an axis of which the conditions say nothing, that is anywhere within the beam spot.

        Raises:
            DetectorError: as for :meth:`place`.
        """
        if self.has_windows:
            return self._in_reference_cells(columns)
        n = len(next(iter(columns.values()))) if columns else 0
        points = [
            self._column(f"impact_{axis}", columns)
            if axis in self.declared_axes
            else drawn(law, n, rng)
            for axis, law in zip(self.axes, (self.beam.x, self.beam.y), strict=True)
        ]
        x, y = points[0], points[1]
        if why := self._why_beside(x, y):
            msg = f"{self.name}: {why}"
            raise DetectorError(msg)
        return x, y

    def why_impossible(self, columns: Mapping[str, Array]) -> str:
        """Return why no particle can enter with these conditions (n,); nothing where it can.

        Positions must lie on the face, offsets within the reference cell, and particles must fly
        into it.
        """
        theta = np.asarray(columns.get("theta", 0.0), np.float64)
        if np.any(np.abs(theta) >= math.pi / 2):
            return f"theta must lie within ±90 deg, {np.abs(theta).max():g} rad does not"
        if "phi" in self.conditions and np.any(theta < 0):
            return f"with phi, theta is not negative, but {theta.min():g} rad"
        if self.has_windows:
            return self._why_beside_cell(columns)
        if not self.declared_axes:
            return ""
        x, y = (
            np.asarray(columns.get(f"impact_{axis}", limits(law)[0]), np.float64)
            for axis, law in zip(self.axes, (self.beam.x, self.beam.y), strict=True)
        )
        return self._why_beside(*np.broadcast_arrays(x, y))

    def _why_beside_cell(self, columns: Mapping[str, NDArray[np.generic]]) -> str:
        """Return which impacts are no offsets within the reference cell; nothing where all are."""
        assert self.reference_cell is not None
        sizes = zip(self.axes, self.reference_cell, self.alignment_states, strict=True)
        for axis, cell, states in sizes:
            state = np.asarray(columns.get(f"alignment_{axis}", 0))
            if np.any((state < 0) | (state >= states)):
                return f"alignment_{axis} must lie within 0 to {states - 1}"
            impact = np.abs(np.asarray(columns.get(f"impact_{axis}", 0.0), np.float64))
            if np.any(impact > cell / 2 * (1 + CELL_EDGE)):
                return (
                    f"impact_{axis} must lie within ±{cell / 2:g} mm, {impact.max():g} mm does "
                    "not: cells are read out around the one that is hit, and it is the offset "
                    "from the middle of that cell"
                )
        return ""

    def _why_beside(self, x: FloatArray, y: FloatArray) -> str:
        """Return which of some points (mm) lies beside the face; nothing where none does."""
        on_face = self.on_face(x, y)
        if np.all(on_face):
            return ""
        row = int(np.argmin(on_face))
        names = " and ".join(f"impact_{axis}" for axis in self.declared_axes)
        return f"{names} must lie on the face of the stack, ({x[row]:g}, {y[row]:g}) mm does not"

    def _column(self, name: str, columns: Mapping[str, NDArray[np.generic]]) -> FloatArray:
        if name not in columns:
            msg = f"{self.name}: the condition {name} is needed to place the particle"
            raise DetectorError(msg)
        return np.asarray(columns[name], np.float64)

    def _in_reference_cells(
        self, columns: Mapping[str, NDArray[np.generic]]
    ) -> tuple[FloatArray, FloatArray]:
        assert self.reference_cell is not None
        assert isinstance(self.volume, Box)
        spots = (limits(self.beam.x), limits(self.beam.y))
        sizes = zip(self.volume.width, self.reference_cell, self.alignment_states, strict=True)
        points = []
        if why := self._why_beside_cell(columns):
            msg = f"{self.name}: {why}"
            raise DetectorError(msg)
        for axis, spot, (width, cell, states) in zip(self.axes, spots, sizes, strict=True):
            impact = self._column(f"impact_{axis}", columns)
            state = self._column(f"alignment_{axis}", columns) if states > 1 else 0
            # The first reference cell of the period around the beam spot's middle.
            first = math.floor((sum(spot) + width) / (2 * cell) - states / 2 + 0.5)
            index = first + (np.asarray(state, np.int64) - first) % states
            # Impacts are stored in single precision: keep those at an edge in their own cell.
            inside = np.clip(impact, -(0.5 - 1e-9) * cell, (0.5 - 1e-9) * cell)
            points.append((index + 0.5) * cell - width / 2 + inside)
        return points[0], points[1]


def _stands_still(section: Section) -> bool:
    """Return whether a section's cells are where they are, whatever the particle does."""
    assert section.readout is not None
    segmentation = section.readout.segmentation
    if isinstance(segmentation, PolarSegmentation):
        return segmentation.squares is None
    return segmentation.window is None


def _cell_centres(
    segmentation: CartesianSegmentation | PolarSegmentation, shape: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    if isinstance(segmentation, PolarSegmentation):
        return segmentation.centres()
    axes = [
        (np.arange(n) - (n - 1) / 2) * size
        for n, size in zip(shape, segmentation.cell, strict=True)
    ]
    x, y = np.meshgrid(*axes, indexing="ij")
    return x.ravel(), y.ravel()
