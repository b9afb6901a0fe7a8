"""The embedded samples: full simulation that travels with the package.

``atlas-barrel-photons``: photon showers in ``atlas-barrel``, 9 energies from 1 to 262 GeV; those of
25 GeV are in ``test`` only: nothing learns from them, so that they show interpolation. ``high`` has
more to learn from, 900 photons of 40 to 300 GeV, since ``train`` holds few of these.
``alice-tpc``: tracks of ten species in the TPC, 0.1 to 10 GeV/c.

Each is split once and for all: ``train`` to learn from, ``selection`` to choose an epoch by,
``test`` to be judged on. ``tools/embed_sample.py`` and ``tools/embed_tracks.py`` made the files;
``high`` is what ``simulacra simulate --detector atlas-barrel --particle gamma
--energy 40GeV..300GeV -n 900 --seed 401`` writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Literal, TypeVar

from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import read_events

Split = Literal["train", "selection", "test", "high"]
SampleName = Literal["atlas-barrel-photons", "alice-tpc"]
SPLITS: dict[SampleName, tuple[Split, ...]] = {
    "atlas-barrel-photons": ("train", "selection", "test", "high"),
    "alice-tpc": ("train", "selection", "test"),
}
SAMPLE: SampleName = "atlas-barrel-photons"
"""The sample that is meant where none is named."""
PREFIX = "sample:"
Name = TypeVar("Name", bound=str)


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
    given, _, split = source.removeprefix(PREFIX).rpartition(":")
    name = _known(
        given or SAMPLE, SPLITS, f"{source}: no sample {given!r}; the embedded samples are"
    )
    return sample_path(
        _known(split, SPLITS[name], f"{source}: no split {split!r}; {name} has"), name
    )


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
