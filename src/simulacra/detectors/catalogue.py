"""Finding detectors: the shipped ones by name, a user's own by path."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from simulacra.detectors.calorimeter.calochallenge import binning_content
from simulacra.detectors.calorimeter.calorimeter import Calorimeter
from simulacra.detectors.jet_image import JetImage
from simulacra.detectors.tpc import Tpc
from simulacra.errors import DetectorError
from simulacra.files.small_files import read_small, read_text
from simulacra.files.yaml_text import one_line_errors, parse_yaml

Detector = Calorimeter | Tpc | JetImage
_ADAPTER: TypeAdapter[Detector] = TypeAdapter(Annotated[Detector, Field(discriminator="kind")])


def builtin_detectors() -> tuple[str, ...]:
    """Return the names of the shipped detectors."""
    folder = resources.files("simulacra.detectors") / "builtin"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def parse_detector(text: str, source: str = "detector") -> Detector:
    """Return the detector that a YAML text describes.

    Raises:
        DetectorError: the text is not YAML, or a key or value is wrong.
    """
    with one_line_errors(source, DetectorError):
        return _ADAPTER.validate_python(parse_yaml(text))


def _detector(content: object, source: str) -> Detector:
    with one_line_errors(source, DetectorError):
        return _ADAPTER.validate_python(content)


def load_detector(name: str | Path) -> Detector:
    """Return a shipped detector by its name, or a user's own from a YAML file.

    CaloChallenge's XML binnings load too: ``binning.xml``, ``binning.xml#photon`` where the file
    holds the binnings of several particles, and ``binning.xml#22@0-5`` for a region of eta.

    Example:
        >>> load_detector("atlas-barrel").n_cells
        266
    """
    if str(name) in builtin_detectors():
        file = resources.files("simulacra.detectors") / "builtin" / f"{name}.yaml"
        return parse_detector(file.read_text(encoding="utf-8"), str(name))
    path, choice = Path(name), ""
    if ".xml#" in path.name:
        file_name, _, choice = path.name.rpartition("#")
        path = path.with_name(file_name)
    if not path.is_file():
        shipped = ", ".join(builtin_detectors())
        msg = (
            f"no detector {str(name)!r}: give a YAML file, a CaloChallenge XML or one of {shipped}"
        )
        raise DetectorError(msg)
    if path.suffix.lower() == ".xml":
        return _detector(binning_content(read_small(path, DetectorError), path, choice), str(path))
    return parse_detector(read_text(path, DetectorError), str(path))
