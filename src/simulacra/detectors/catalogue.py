"""Finding detectors: the shipped ones by name, a user's own by path."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from simulacra.detectors.base import Detector
from simulacra.detectors.calorimeter.calochallenge import binning_content
from simulacra.errors import DetectorError
from simulacra.files.entry_points import Table
from simulacra.files.mistakes import did_you_mean
from simulacra.files.small_files import read_small, read_text
from simulacra.files.yaml_text import one_line_errors, parse_yaml

KINDS: Table[type[Detector]] = Table(
    "simulacra.detectors",
    {
        "calorimeter": "simulacra.detectors.calorimeter.calorimeter:Calorimeter",
        "tpc": "simulacra.detectors.tpc:TPC",
        "jet-image": "simulacra.detectors.jet_image:JetImage",
    },
)
"""The kinds of detectors: the class that holds the data of one. Other packages add rows."""


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
        content = parse_yaml(text)
    return _detector(content, source)


def _detector(content: object, source: str) -> Detector:
    if not isinstance(content, dict):
        msg = f"{source}: a detector is a mapping of keys to values"
        raise DetectorError(msg)
    kind = content.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        what = "give the 'kind'" if kind is None else f"no kind {kind!r}"
        msg = f"{source}: kind: {what}; there are {', '.join(KINDS)}"
        raise DetectorError(msg)
    with one_line_errors(source, DetectorError):
        return KINDS[kind].model_validate(content)


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
        meant = did_you_mean(str(name), builtin_detectors())
        msg = f"no detector {str(name)!r}: give a YAML file, a CaloChallenge XML or a name{meant}"
        raise DetectorError(msg)
    if path.suffix.lower() == ".xml":
        return _detector(binning_content(read_small(path, DetectorError), path, choice), str(path))
    return parse_detector(read_text(path, DetectorError), str(path))
