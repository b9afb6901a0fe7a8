"""The embedded sample: real Geant4 photon showers in ``atlas-barrel`` that travel with the package.

9 energies from 1 to 262 GeV, split once and for all: ``train`` to learn from, ``selection`` to
choose an epoch by, ``test`` to be judged on. The photons of 25 GeV are in ``test`` only: nothing
learns from them, so that they show interpolation. ``tools/embed_sample.py`` made the files.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal, get_args

from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import read_events

Split = Literal["train", "selection", "test"]
SAMPLE = "atlas-barrel-photons"
PREFIX = "sample:"


def sample_path(split: Split) -> Path:
    """Return where a split of the embedded sample lies."""
    return Path(str(resources.files("simulacra"))) / "data" / SAMPLE / f"{split}.h5"


def load_sample(split: Split) -> Events:
    """Return a split of the embedded sample.

    Example:
        >>> events = load_sample("test")
        >>> events["showers"].shape[1], events.detector.name
        (266, 'atlas-barrel')
    """
    return read_events(sample_path(split))


def resolve_events(source: str) -> Path:
    """Return the file that a card or the command line means: a path, or ``sample:train``.

    Raises:
        EventsError: there is no such split.
    """
    if not source.startswith(PREFIX):
        return Path(source)
    name = source.removeprefix(PREFIX)
    for split in get_args(Split):
        if name == split:
            return sample_path(split)
    msg = f"no split {name!r} in the embedded sample; there are {', '.join(get_args(Split))}"
    raise EventsError(msg)
