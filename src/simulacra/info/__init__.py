"""What a file, a simulator or a detector is: facts in short, as text or as JSON.

Facts are a mapping of words to texts and numbers, lists and mappings of these. Nothing is written
and no event is changed; of large files, only the first events are looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulacra.datasets.samples import PREFIX, resolve_events
from simulacra.detectors import builtin_detectors, load_detector
from simulacra.errors import SimulacraError
from simulacra.faces.text import as_text
from simulacra.info.files import file_facts
from simulacra.info.simulators import lwtnn_facts
from simulacra.simulators.load import EXPORTED, is_simulator, load_simulator

DETECTOR_FILES = (".yaml", ".yml", ".xml")


def describe(what: str, detector: str | None = None) -> dict[str, Any]:
    """Return the facts on an events file, a simulator or a detector.

    Args:
        what: a shipped name, ``sample:test``, a folder or a file of any of them.
        detector: of an events file that does not say its own.

    Raises:
        SimulacraError: there is no such thing, or it is damaged.
    """
    path = Path(what)
    if is_simulator(what):
        kind = "exported simulator" if path.suffix == EXPORTED else "simulator"
        return {kind: what, **load_simulator(what).describe()}
    if path.suffix == ".json":
        return lwtnn_facts(path)
    if what in builtin_detectors() or path.suffix.lower().partition("#")[0] in DETECTOR_FILES:
        return load_detector(what).describe()
    if what.startswith(PREFIX) or path.is_file():
        known = None if detector is None else load_detector(detector)
        return file_facts(what, resolve_events(what), known)
    there = "a folder without a simulator" if path.is_dir() else "not there"
    msg = (
        f"{what} is {there}: give an events file, a simulator's folder or exported file, a "
        "detector's file, or a name that simulacra detectors or simulacra simulators lists"
    )
    raise SimulacraError(msg)


__all__ = ["as_text", "describe"]
