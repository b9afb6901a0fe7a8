"""The embedded samples: full simulation that travels with the package.

``atlas-barrel-photons``: photon showers in ``atlas-barrel``, 9 energies from 1 to 262 GeV; those of
25 GeV are in ``test`` only: nothing learns from them, so that they show interpolation.
``alice-tpc``: tracks of ten species in the TPC, 0.1 to 10 GeV/c.

Each is split once and for all: ``train`` to learn from, ``selection`` to choose an epoch by,
``test`` to be judged on. ``tools/embed_sample.py`` and ``tools/embed_tracks.py`` made the files.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal, cast, get_args

from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import read_events

Split = Literal["train", "selection", "test"]
SampleName = Literal["atlas-barrel-photons", "alice-tpc"]
SAMPLE: SampleName = "atlas-barrel-photons"
"""The sample that is meant where none is named."""
PREFIX = "sample:"


def sample_path(split: Split, name: SampleName = SAMPLE) -> Path:
    """Return where a split of an embedded sample lies."""
    return Path(str(resources.files("simulacra"))) / "data" / name / f"{split}.h5"


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
    name, _, split = source.removeprefix(PREFIX).rpartition(":")
    for what, given, known in (("sample", name or SAMPLE, SampleName), ("split", split, Split)):
        if given not in get_args(known):
            there = ", ".join(get_args(known))
            msg = f"{source}: no {what} {given!r}; the embedded {what}s are {there}"
            raise EventsError(msg)
    return sample_path(cast("Split", split), cast("SampleName", name or SAMPLE))
