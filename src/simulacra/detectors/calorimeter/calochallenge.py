"""CaloChallenge's XML binning as a detector: where the voxels are, and nothing else.

The format (arXiv:2410.21611) lists, for each particle, layers with ``r_edges`` in mm and a number
of sectors in alpha; ATLAS's FastCaloGAN (ATL-SOFT-PUB-2020-006) has one such list for each region
of eta. It knows neither matter nor depth. The detector made of it is therefore a
calorimeter of vacuum: every layer is 1 mm of :data:`VACUUM`, so that depths count layers, and
``Calorimeter.has_matter`` says that Geant4 has no business
there.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from simulacra.detectors.calorimeter.stack import VACUUM
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


@dataclass(frozen=True, slots=True)
class _Binning:
    """One ``<Bin>``: the voxels of a particle, in one region of eta where there are several.

    Attributes:
        element: with the layers.
        pid, name: of the particle, its own or those of the ``<Particle>`` around it.
        region: ``etaMin-etaMax`` as written in the file; empty where it does not say.
    """

    element: ET.Element
    pid: str
    name: str
    region: str

    @property
    def label(self) -> str:
        """What a user calls the particle."""
        return self.name or self.pid

    def is_of(self, particle: str) -> bool:
        """Return whether this is a particle, by its name or pid; an empty one is any."""
        return particle in ("", self.name, self.pid)

    def is_in(self, region: str) -> bool:
        """Return whether this is a region: ``0-5``, or a number within it; an empty one is any."""
        if region in ("", self.region):
            return True
        try:
            low, high = (float(edge) for edge in self.region.split("-"))
            return low <= float(region) < high
        except ValueError:
            return False


def binning_content(data: bytes, source: Path, choice: str = "") -> dict[str, Any]:
    """Return the detector that an XML binning describes, as the content of a detector file.

    CaloChallenge has ``Bins/Bin``, one for each particle; ATLAS's FastCaloGAN has
    ``Bins/Particle/Bin``, or several ``Bin`` of a particle, one for each region of eta.

    Args:
        data: the XML text.
        source: the file, for the detector's name and for messages.
        choice: which ``<Bin>``: its particle by ``name`` or ``pid``, and after ``@`` its region of
            eta as ``etaMin-etaMax`` or a number within it, in the file's own numbers (``22@0-5``);
            what the file has but once need not be named.

    Raises:
        DetectorError: the text is not such a binning, or does not say which one is meant.
    """
    try:
        every = _binnings(_parse(data))
        chosen = _choose(every, choice)
        layers = [rings for layer in chosen.element.findall("Layer") if (rings := _rings(layer))]
        if not layers:
            msg = "no layer has voxels"
            raise DetectorError(msg)
    except DetectorError as error:
        msg = f"{source}: {error}"
        raise DetectorError(msg) from None
    alone = sum(other.is_of(chosen.label) for other in every) == 1
    label = chosen.label if alone else f"{chosen.label}-eta-{chosen.region}"
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


def _binnings(root: ET.Element) -> list[_Binning]:
    """Return every binning of the file, in its order."""
    found = []
    for child in root:
        bins = [child] if child.tag == "Bin" else child.findall("Bin")
        for entry in bins:
            pid, name = (entry.get(key, child.get(key, "")) for key in ("pid", "name"))
            edges = [entry.get(key) for key in ("etaMin", "etaMax")]
            region = "" if None in edges else "-".join(map(str, edges))
            found.append(_Binning(entry, pid, name, region))
    return found


def _choose(binnings: list[_Binning], choice: str) -> _Binning:
    particle, _, region = choice.partition("@")
    of_particle = [entry for entry in binnings if entry.is_of(particle)]
    found = [entry for entry in of_particle if entry.is_in(region)]
    if len(found) == 1:
        return found[0]
    if not binnings:
        msg = "not a CaloChallenge binning: there is no <Bin>, in <Bins> or in <Bins><Particle>"
    elif not of_particle:
        msg = f"no binning of {particle!r}; there are {_listed(binnings)}"
    elif not found:
        of = f" of {particle}" if particle else ""
        msg = f"no region {region!r}{of}; there are {_regions(of_particle)}"
    elif len({entry.label for entry in found}) > 1:
        msg = f"binnings of {_listed(found)}; choose one as in FILE.xml#{found[0].label}"
    else:
        label = found[0].label
        msg = (
            f"several binnings of {label}, for regions of eta {_regions(found)}; "
            f"name the region as in FILE.xml#{label}@{found[0].region}"
        )
    raise DetectorError(msg)


def _listed(binnings: list[_Binning]) -> str:
    names = (f"{entry.name} (pid {entry.pid})".strip() for entry in binnings)
    return ", ".join(dict.fromkeys(names))


SHOWN = 12
"""Regions that a message lists."""


def _regions(binnings: list[_Binning]) -> str:
    regions = [entry.region or "(none)" for entry in binnings]
    more = [f"… {regions[-1]}"] if len(regions) > SHOWN else []
    return ", ".join(regions[:SHOWN] + more)


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
