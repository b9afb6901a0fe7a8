"""The embedded samples: full simulation that travels with the package.

``atlas-barrel-photons``: photon showers in ``atlas-barrel``, 9 energies from 1 to 262 GeV; those of
25 GeV are in ``test`` only: nothing learns from them, so that they show interpolation. ``high`` has
more to learn from, 900 photons of 40 to 300 GeV, since ``train`` holds few of these.
``alice-tpc``: tracks of ten species in the TPC, 0.1 to 10 GeV/c.
``jet-images``: images of QCD and W jets in turn, 250 to 300 GeV.

Each is split once and for all: ``train`` to learn from, ``selection`` to choose an epoch by,
``test`` to be judged on. ``tools/embed_sample.py``, ``embed_tracks.py`` and ``embed_jets.py`` made
the files; ``high`` is what ``simulacra simulate --detector atlas-barrel --particle gamma
--energy 40GeV..300GeV -n 900 --seed 401`` writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Literal, TypeVar

from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import Events, EventSource
from simulacra.io import EventFile, Layout, parse_rows, read_events
from simulacra.io.joined import Joined, RowsOf, selected

Split = Literal["train", "selection", "test", "high"]
SampleName = Literal["atlas-barrel-photons", "alice-tpc", "jet-images"]
SPLITS: dict[SampleName, tuple[Split, ...]] = {
    "atlas-barrel-photons": ("train", "selection", "test", "high"),
    "alice-tpc": ("train", "selection", "test"),
    "jet-images": ("train", "selection", "test"),
}
SAMPLE: SampleName = "atlas-barrel-photons"
"""The sample that is meant where none is named."""
PREFIX = "sample:"
_ROWS = re.compile(r"(.+)\[(\d*:\d*)\]")
Name = TypeVar("Name", bound=str)


def sample_path(split: Split, name: SampleName = SAMPLE) -> Path:
    """Return where a split of an embedded sample lies."""
    return Path(str(resources.files("simulacra.datasets"))) / "data" / name / f"{split}.h5"


def load_sample(split: Split, name: SampleName = SAMPLE) -> Events:
    """Return a split of an embedded sample.

    Example:
        >>> events = load_sample("test")
        >>> events["showers"].shape[1], events.detector.name
        (266, 'atlas-barrel')
        >>> load_sample("selection", "alice-tpc")["clusters"].shape[1:]
        (159, 5)
    """
    return read_events(sample_path(split, name))


def resolve_events(source: str) -> Path:
    """Return the file that a card or the command line means.

    That is a path, or a split of an embedded sample: ``sample:alice-tpc:train``. Without a name,
    as in ``sample:train``, it is the sample of photon showers.

    Raises:
        EventsError: there is no such sample or split.
    """
    if not source.startswith(PREFIX):
        return Path(source)
    given, _, split = source.removeprefix(PREFIX).rpartition(":")
    name = _known(
        given or SAMPLE, SPLITS, f"{source}: no sample {given!r}; the embedded samples are"
    )
    return sample_path(
        _known(split, SPLITS[name], f"{source}: no split {split!r}; {name} has"), name
    )


def open_parts(
    source: str,
    detector: Detector | None = None,
    unit: str | None = None,
    layout: Layout | None = None,
) -> list[RowsOf]:
    """Return the files that a card or the command line means, opened to be read piece by piece.

    Args:
        source: what :func:`resolve_events` takes; a pattern such as ``run_*.h5`` means all files
            that match, in the order of the numbers in their names; ``[FIRST:LAST]`` behind either
            means these events of all of them together.
        detector: the detector, where files do not carry it; otherwise they must agree.
        unit: of energies, where files do not state it.
        layout: which trees and columns of ROOT files hold what, where they are not named as ours.

    Raises:
        EventsError: nothing matches, a file cannot be used, or no such events are there.
    """
    match = _ROWS.fullmatch(source)
    if match is None or Path(source).exists():
        return _files(source, detector, unit, layout)
    return selected(_files(match[1], detector, unit, layout), parse_rows(match[2]))


def open_events(
    source: str, detector: Detector | None = None, unit: str | None = None
) -> EventSource:
    """Return what a card or the command line means as one sample; see :func:`open_parts`."""
    parts = open_parts(source, detector, unit)
    only = parts[0]
    complete = len(parts) == 1 and len(only) == len(only.source)
    return only.source if complete else Joined(parts)


def _files(
    source: str, detector: Detector | None, unit: str | None, layout: Layout | None
) -> list[RowsOf]:
    paths = [resolve_events(source)]
    if not source.startswith(PREFIX) and not paths[0].exists() and set("*?[") & set(source):
        root = Path(paths[0].anchor)  # the current folder, where the pattern is relative
        paths = sorted(root.glob(str(paths[0].relative_to(root))), key=_natural)
        if not paths:
            msg = f"no file matches {source}"
            raise EventsError(msg)
    files = [EventFile(path, detector, unit, layout) for path in paths]
    return [RowsOf(file, slice(0, len(file)), str(file.path)) for file in files]


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return what to sort by, so that part 2 comes before part 10."""
    return [
        (int(word), "") if word.isdecimal() else (-1, word)
        for word in re.split(r"(\d+)", str(path))
    ]


def _known(given: str, known: Iterable[Name], message: str) -> Name:
    """Return the known name that is given.

    Raises:
        EventsError: it is none of them.
    """
    names = {str(name): name for name in known}
    if given not in names:
        msg = f"{message} {', '.join(names)}"
        raise EventsError(msg)
    return names[given]
