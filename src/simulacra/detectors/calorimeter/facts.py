"""Facts on a calorimeter: its matter, its cells and its beam in words."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from simulacra.detectors.calorimeter.beam import Law, Spread
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.detectors.calorimeter.stack import Section

if TYPE_CHECKING:
    from simulacra.detectors.calorimeter.calorimeter import Calorimeter, Layer


def built_facts(detector: Calorimeter) -> dict[str, Any]:
    """Return what a calorimeter is built of and how it is cut into cells."""
    volume = detector.volume
    outline = (
        " x ".join(f"{size:g}" for size in volume.width) + " mm wide"
        if volume.kind == "box"
        else f"radius {volume.radius:g} mm"
    )
    return {
        "cells": detector.n_cells,
        "layers": dict(_layers(detector)),
        "volume": f"{volume.kind}, {outline}, {detector.depth:g} mm deep",
        "sections": {section.name: _section(section) for section in detector.stack},
        "beam": _beam(detector),
        "materials": {
            name: f"{m.density:g} g/cm3: " + ", ".join(f"{k} {v:g}" for k, v in m.fractions.items())
            for name, m in detector.materials.items()
        },
    }


def _beam(detector: Calorimeter) -> dict[str, str]:
    beam = detector.beam
    across = zip(detector.axes, (beam.x, beam.y), strict=True)
    facts = {f"along {axis}": _law_text(law, "mm") for axis, law in across}
    facts |= {"starts at": f"depth {beam.z:g} mm", "theta": _law_text(beam.theta, "rad")}
    return facts if beam.phi is None else facts | {"azimuth": _law_text(beam.phi, "rad")}


def _section(section: Section) -> str:
    slabs = " + ".join(
        f"{slab.thickness:g} mm {slab.material}{' (read out)' if slab.sensitive else ''}"
        for slab in section.slabs
    )
    return f"{section.repeat} x ({slabs})" if section.repeat > 1 else slabs


def _layers(detector: Calorimeter) -> list[tuple[str, str]]:
    """Return the layers in order; those that follow each other and are cut alike, together."""
    found = []
    for text, group in itertools.groupby(detector.layers, _cells):
        layers = list(group)
        if len(layers) == 1:
            found.append((layers[0].name, text))
        else:
            found.append((f"{layers[0].name} … {layers[-1].name}", f"{len(layers)} layers: {text}"))
    return found


def _cells(layer: Layer) -> str:
    cut, shape = layer.segmentation, layer.shape
    if isinstance(cut, PolarSegmentation):
        rings = f"{shape[1]} rings from {cut.r_edges[0]:g} to {cut.r_edges[-1]:g} mm"
        around = ", around the particle's line" if cut.scored is not None else ""
        return f"{shape[0]} sectors x {rings}{around}"
    window = ", around the impact" if cut.window is not None else ""
    return f"{shape[0]} x {shape[1]} cells of {cut.cell[0]:g} x {cut.cell[1]:g} mm{window}"


def _law_text(law: Law, unit: str) -> str:
    """Return a value, a range or a Gaussian as text."""
    if isinstance(law, Spread):
        return f"{law.mean:g} ± {law.spread:g} {unit}"
    low, high = law
    return f"{low:g} {unit}" if low == high else f"{low:g} to {high:g} {unit}"
