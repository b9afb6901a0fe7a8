"""What models ask of a detector."""

from __future__ import annotations

from typing import TypeVar

from simulacra.detectors import TPC, Calorimeter, Detector, JetImage
from simulacra.detectors.calorimeter.segmentation import CartesianSegmentation
from simulacra.errors import CardError
from simulacra.particles import PDG, names_of
from simulacra.transforms import LayersOfCells

Kind = TypeVar("Kind", Calorimeter, TPC, JetImage)
_NAMES = {"tpc": "time-projection chamber", "jet-image": "jet image"}
_KINDS: dict[type, str] = {Calorimeter: "calorimeter", TPC: "tpc", JetImage: "jet-image"}


def calorimeter_for(model: str, detector: Detector) -> Calorimeter:
    """Return the detector, known to be a calorimeter.

    Raises:
        CardError: it is none; the message names the model.
    """
    return _known(model, detector, Calorimeter)


def images_for(model: str, detector: Detector) -> tuple[tuple[int, int], ...]:
    """Return rows and columns of the layers of a calorimeter whose layers are all images.

    Raises:
        CardError: it is none, or has a layer of polar cells; the message names the model.
    """
    layers = calorimeter_for(model, detector).layers
    if not all(isinstance(layer.segmentation, CartesianSegmentation) for layer in layers):
        msg = f"model {model} needs layers of Cartesian cells, {detector.name} has polar ones"
        raise CardError(msg)
    return tuple(layer.shape for layer in layers)


def several_cells_for(model: str, detector: Detector) -> LayersOfCells:
    """Return the layers of a calorimeter of which one, at least, has several cells.

    Raises:
        CardError: it is none, or has no such layer; the message names the model.
    """
    layers = LayersOfCells(calorimeter_for(model, detector))
    if layers.cells == 0:
        msg = f"model {model} needs a layer of several cells, {detector.name} has none"
        raise CardError(msg)
    return layers


def require_seen(model: str, detector: Detector, seen: tuple[str, ...]) -> None:
    """Raise a :class:`CardError` where a model ignores particles, or where the shower lies."""
    ignored = [name for name in detector.decisive_conditions if name not in seen]
    if PDG in ignored:
        msg = (
            f"model {model} does not look at the particle and would mix "
            f"{names_of(detector.particles)}: train it on one particle, or choose another model"
        )
        raise CardError(msg)
    if ignored:
        msg = (
            f"model {model} does not look at {', '.join(ignored)}: among the cells of "
            f"{detector.name}, which stand still, it would put showers anywhere"
        )
        raise CardError(msg)


def require_kind(model: str, detector: Detector, kind: str) -> None:
    """Raise a :class:`CardError` where a detector is not of the kind that a model serves."""
    if detector.kind != kind:
        raise _of_another_kind(model, detector, kind)


def tpc_for(model: str, detector: Detector) -> TPC:
    """Return the detector, known to be a time-projection chamber.

    Raises:
        CardError: it is none; the message names the model.
    """
    return _known(model, detector, TPC)


def pad_rows_for(model: str, detector: Detector, least: int) -> TPC:
    """Return the detector, known to be a time-projection chamber of at least so many pad rows.

    Raises:
        CardError: it is none; the message names the model.
    """
    chamber = tpc_for(model, detector)
    if (rows := len(chamber.row_radii)) < least:
        msg = f"model {model} needs at least {least} pad rows, {detector.name} has {rows}"
        raise CardError(msg)
    return chamber


def image_for(model: str, detector: Detector, pixels: int) -> JetImage:
    """Return the detector, known to be a jet image of so many rows and columns and nothing else.

    Raises:
        CardError: it is none; the message names the model.
    """
    image = _known(model, detector, JetImage)
    if image.pixels != pixels:
        size = f"{image.pixels} x {image.pixels}"
        msg = f"model {model} needs {pixels} x {pixels} pixels, {detector.name} has {size}"
        raise CardError(msg)
    if image.constituents:
        msg = (
            f"model {model} makes images alone, {detector.name} lists constituents, too: train it "
            "on images, such as those of jet-image"
        )
        raise CardError(msg)
    return image


def _known(model: str, detector: Detector, kind: type[Kind]) -> Kind:
    if not isinstance(detector, kind):
        raise _of_another_kind(model, detector, _KINDS[kind])
    return detector


def _of_another_kind(model: str, detector: Detector, kind: str) -> CardError:
    needed = _NAMES.get(kind, kind)
    return CardError(f"model {model} needs a {needed}, {detector.name} is a {detector.kind}")
