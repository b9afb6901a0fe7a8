"""CaloChallenge's XML binning as a detector: where the voxels are, and nothing else.

The format (arXiv:2410.21611) lists, for each particle, layers with ``r_edges`` in mm and a number
of sectors in alpha. It knows neither matter nor depth. The detector made of it is therefore a
calorimeter of vacuum: every layer is 1 mm of :data:`VACUUM`, so that depths count layers, and
:attr:`~simulacra.detectors.calorimeter.Calorimeter.has_matter` says that Geant4 has no business
there.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from simulacra.detectors.stack import VACUUM
from simulacra.errors import DetectorError


class _PlainTree(ET.TreeBuilder):
    """Refuses document types: binnings have none, and entities are what attacks are made of."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        msg = f"a document type ({name}, {pubid}, {system}) has no place in a binning"
        raise DetectorError(msg)


@dataclass(frozen=True, slots=True)
class _Rings:
    """The voxels of one layer: radial edges in mm and sectors in alpha."""

    number: int
    r_edges: tuple[float, ...]
    alpha: int


def binning_content(data: bytes, source: Path, particle: str = "") -> dict[str, Any]:
    """Return the detector that an XML binning describes, as the content of a detector file.

    Args:
        data: the XML text.
        source: the file, for the detector's name and for messages.
        particle: which ``<Bin>``: its ``name`` or its ``pid``; not needed where there is one.

    Raises:
        DetectorError: the text is not such a binning, or does not say which particle is meant.
    """
    try:
        chosen = _choose(_parse(data).findall("Bin"), particle)
        layers = [rings for layer in chosen.findall("Layer") if (rings := _rings(layer))]
        if not layers:
            msg = "no layer has voxels"
            raise DetectorError(msg)
    except DetectorError as error:
        msg = f"{source}: {error}"
        raise DetectorError(msg) from None
    label = chosen.get("name") or chosen.get("pid", "")
    name = f"{source.stem}-{label}" if label else source.stem
    return {
        "kind": "calorimeter",
        "name": re.sub(r"[^A-Za-z0-9_.-]+", "-", name),
        "description": f"CaloChallenge binning {source.name}, {label}: read-out only",
        "axes": ["eta", "phi"],
        "volume": {"kind": "tube", "radius": max(rings.r_edges[-1] for rings in layers)},
        "conditions": {"energy": {"role": "log", "unit": "MeV"}},
        "stack": _stack(layers),
    }


def _parse(data: bytes) -> ET.Element:
    try:
        return ET.fromstring(data, ET.XMLParser(target=_PlainTree()))
    except (ET.ParseError, LookupError, ValueError) as error:
        msg = f"not valid XML: {error}"
        raise DetectorError(msg) from None


def _choose(bins: list[ET.Element], particle: str) -> ET.Element:
    names = [f"{entry.get('name', '')} (pid {entry.get('pid', '')})" for entry in bins]
    found = [entry for entry in bins if particle in (entry.get("name"), entry.get("pid"))]
    if not particle:
        found = bins
    if len(found) == 1:
        return found[0]
    if not bins:
        msg = "not a CaloChallenge binning: there is no <Bin>"
    elif found:
        msg = f"binnings of {', '.join(names)}; choose one as in FILE.xml#photon"
    else:
        msg = f"no binning of {particle!r}; there are {', '.join(names)}"
    raise DetectorError(msg)


def _rings(layer: ET.Element) -> _Rings | None:
    """Return the voxels of a layer; None where a single edge says that it has none."""
    try:
        number = int(layer.attrib["id"])
        edges = tuple(float(edge) for edge in layer.attrib["r_edges"].split(","))
        alpha = int(layer.attrib["n_bin_alpha"])
    except (KeyError, ValueError) as error:
        msg = f"layer {layer.get('id')}: id, r_edges or n_bin_alpha missing or no number: {error}"
        raise DetectorError(msg) from None
    return _Rings(number, edges, alpha) if len(edges) > 1 else None


def _stack(layers: list[_Rings]) -> list[dict[str, Any]]:
    first = layers[0]
    same = all((rings.r_edges, rings.alpha) == (first.r_edges, first.alpha) for rings in layers)
    if len(layers) > 1 and same and [rings.number for rings in layers] == list(range(len(layers))):
        return [_section("layer", first) | {"repeat": len(layers)}]  # named layer_0, layer_1, ...
    return [_section(f"layer_{rings.number}", rings) for rings in layers]


def _section(name: str, rings: _Rings) -> dict[str, Any]:
    segmentation = {"kind": "polar", "r_edges": list(rings.r_edges), "alpha": rings.alpha}
    return {
        "name": name,
        "slabs": [{"material": VACUUM, "thickness": 1.0, "sensitive": True}],
        "readout": {"segmentation": segmentation, "each": name == "layer"},
    }
