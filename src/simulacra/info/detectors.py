"""Facts on detectors: what they are built of and read out, one function for each kind."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from simulacra.detectors import Calorimeter, Detector, JetImage, Layer, Tpc
from simulacra.detectors.base import ConditionSpec
from simulacra.detectors.calorimeter.beam import Law, Spread
from simulacra.detectors.calorimeter.segmentation import PolarSegmentation
from simulacra.detectors.calorimeter.stack import Section
from simulacra.particles import PDG, names_of


def detector_facts(detector: Detector) -> dict[str, Any]:
    """Return the facts on a detector."""
    return {
        "detector": detector.name,
        "description": detector.description,
        "kind": detector.kind,
        **_KINDS[type(detector)](detector),
        "conditions": {name: _condition(name, s) for name, s in detector.conditions.items()},
        "particles": names_of(detector.particles),
        "response": response_facts(detector),
        "fingerprint": detector.fingerprint[:16],
    }


def response_facts(detector: Detector) -> dict[str, str]:
    """Return shape and unit of each array that a detector reads out."""
    arrays = detector.response_arrays.items()
    return {name: f"{array.shape} {array.unit}".strip() for name, array in arrays}


def _condition(name: str, spec: ConditionSpec) -> str:
    words = [spec.role, *([spec.unit] if spec.unit else [])]
    if spec.categories:
        values = names_of(spec.categories) if name == PDG else ", ".join(map(str, spec.categories))
        words.append(f"one of {values}")
    return ", ".join(words)


def _calorimeter(detector: Any) -> dict[str, Any]:  # noqa: ANN401 - its own kind
    assert isinstance(detector, Calorimeter)
    volume = detector.volume
    outline = (
        " x ".join(f"{size:g}" for size in volume.width) + " mm wide"
        if volume.kind == "box"
        else f"radius {volume.radius:g} mm"
    )
    return {
        "volume": f"{volume.kind}, {outline}, {detector.depth:g} mm deep",
        "sections": {section.name: _section(section) for section in detector.stack},
        "materials": {
            name: f"{m.density:g} g/cm3: " + ", ".join(f"{k} {v:g}" for k, v in m.fractions.items())
            for name, m in detector.materials.items()
        },
        "layers": dict(_layers(detector)),
        "cells": detector.n_cells,
        "beam": _beam(detector),
    }


def _beam(detector: Calorimeter) -> dict[str, str]:
    beam = detector.beam
    across = zip(detector.axes, (beam.x, beam.y), strict=True)
    facts = {f"along {axis}": law_text(law, "mm") for axis, law in across}
    facts |= {"starts at": f"depth {beam.z:g} mm", "theta": law_text(beam.theta, "rad")}
    return facts if beam.phi is None else facts | {"azimuth": law_text(beam.phi, "rad")}


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


def law_text(law: Law, unit: str) -> str:
    """Return a value, a range or a Gaussian as text."""
    if isinstance(law, Spread):
        return f"{law.mean:g} ± {law.spread:g} {unit}"
    low, high = law
    return f"{low:g} {unit}" if low == high else f"{low:g} to {high:g} {unit}"


def _tpc(detector: Any) -> dict[str, Any]:  # noqa: ANN401 - its own kind
    assert isinstance(detector, Tpc)
    gas, beam = detector.gas, detector.beam
    mixture = ", ".join(f"{name} {part:g}" for name, part in gas.fractions.items())
    return {
        "field": f"{detector.magnetic_field:g} T",
        "drift": f"{detector.drift_length:g} mm to either side",
        "gas": f"{mixture}, from {gas.inner_radius:g} to {gas.outer_radius:g} mm",
        "pad rows": {
            rows.name: f"{rows.rows} rows of {rows.pitch:g} mm from {rows.inner_radius:g} mm, "
            f"pads of {rows.pad_width:g} mm"
            for rows in detector.pad_rows
        },
        "beam": {
            "pseudorapidity": law_text(beam.pseudorapidity, ""),
            "vertex": " x ".join(f"{spread:g}" for spread in beam.vertex_spread) + " mm (Gaussian)",
        },
    }


def _jets(detector: Any) -> dict[str, Any]:  # noqa: ANN401 - its own kind
    assert isinstance(detector, JetImage)
    size = f"{detector.pixels} x {detector.pixels}"
    return {"image": f"{size} pixels to ±{detector.half_width:g} in eta and phi"}


_KINDS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Calorimeter: _calorimeter,
    Tpc: _tpc,
    JetImage: _jets,
}
